"""Names, streets and firms that the generator draws from."""

from __future__ import annotations

_GIVEN = """Aaron Abigail Adele Ahmed Aisha Alan Alicia Amir Andrea Anita Anton Beatriz Bernard
Bianca Caleb Camille Carmen Cedric Clara Colin Deborah Dmitri Dolores Edgar Elise Emeka Esther
Farah Felix Fiona Gavin Grace Hannah Hassan Hugo Imani Ines Irene Jamal Joel José Joyce Karim
Keiko Lamar Laura Leon Linh Lucia Malik Margot Mei Miguel Naomi Nikhil Olga Oscar Paula Quentin
Renée Rosa Samir Sigrid Simone Søren Tamara Theo Uma Victor Wanda Xavier Yusuf Zoë"""

_FAMILY = """Abbott Acheampong Adler Almeida Bajwa Barnes Becker Benitez Boateng Bolton Brennan
Castillo Chaudhry Cohen Coleman Cooper Dalton Delgado Diallo Donnelly Dubois Eriksen Espinoza
Fairchild Fernandes Fleming Gallagher Goldberg Greene Gupta Haddad Hendricks Herrera Hoang Ibrahim
Iyer Jankowski Jefferson Kaplan Kapoor Keller Kim Kovács Lambert Larsen Levine Lindqvist Lombardi
Mahoney Marchetti Mbeki McBride Mercado Mishra Moreau Müller Nakamura Novak O'Brien Olsen Ortega
Pacheco Park Pellegrino Quinn Reyes Rosen Rossi Sandoval Schultz Shapiro Silva Sørensen Takahashi
Thornton Torres Uddin Vargas Vasquez Wagner Whitaker Wójcik Xu Yamada Young Zamora"""

GIVEN = tuple(_GIVEN.split())
FAMILY = tuple(_FAMILY.split())

TITLES = (
    "Office Manager", "Facilities Manager", "Owner", "Purchasing", "Practice Manager",
    "Executive Assistant", "Operations Lead", "Accounts Payable", "Studio Manager",
)  # fmt: skip

STREETS = (
    "Juniper St", "W 31st St", "Atlantic Ave", "Hooper St", "Grand Concourse", "Steinway St",
    "Bergen Ave", "Palisade Ave", "Ferry St", "Mamaroneck Ave", "Sunrise Hwy", "Bedford Ave",
)  # fmt: skip

PLACES = (
    ("New York", "NY", "10018"), ("Brooklyn", "NY", "11217"), ("Bronx", "NY", "10451"),
    ("Astoria", "NY", "11103"), ("Jersey City", "NJ", "07302"), ("Newark", "NJ", "07105"),
    ("Hoboken", "NJ", "07030"), ("White Plains", "NY", "10601"), ("Freeport", "NY", "11520"),
    ("Stamford", "CT", "06901"), ("Yonkers", "NY", "10701"), ("Bayonne", "NJ", "07002"),
)  # fmt: skip

AREA_CODES = (
    "646", "718", "917", "347", "929", "201", "973", "551", "914", "516", "631", "203", "475",
)  # fmt: skip

PRIVATE_DOMAINS = ("mailbox.example", "postbox.example", "homemail.example")

FIRMS = (
    ("Alder & Stone Architects", "alderstone.example"),
    ("Bluebird Pediatrics", "bluebirdkids.example"),
    ("Canal Street Pilates", "canalpilates.example"), ("Dockside Logistics", "docksidelog.example"),
    ("Eastgate Auto Body", "eastgateauto.example"), ("Fulton Coworking", "fultoncowork.example"),
    ("Garnet Capital Partners", "garnetcap.example"), ("Hearth & Rye Bakery", "hearthrye.example"),
    ("Ironbound Fitness", "ironboundfit.example"), ("Juniper Veterinary", "junipervet.example"),
    ("Kestrel Films", "kestrelfilms.example"), ("Larkfield Academy", "larkfield.example"),
    ("Meridian Hearing", "meridianhearing.example"), ("Northpier Insurance", "northpier.example"),
    ("Orchard Law Group", "orchardlaw.example"), ("Palisade Realty", "palisaderealty.example"),
    ("Quarry Hill School", "quarryhill.example"), ("Redhook Metalworks", "redhookmetal.example"),
    ("Saltmarsh Studio", "saltmarsh.example"), ("Tanager Travel", "tanagertravel.example"),
    ("Union Square Optics", "unionoptics.example"), ("Verano Salon", "veranosalon.example"),
    ("Westfield Printing", "westfieldprint.example"), ("Yarrow Wellness", "yarrowwell.example"),
)  # fmt: skip
