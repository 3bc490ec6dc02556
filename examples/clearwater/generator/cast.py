"""The scripted people: Dana's five doors, and each situation the README names."""

from __future__ import annotations

from .world import Firm, Person

MARLOW = Firm("marlow", "Marlow & Finch LLP", "marlowfinch.example",
              "405 Lexington Ave, Fl 26", "New York", "NY", "10174")  # fmt: skip
MARLOW_PHONE = "+12125550140"
HARBORVIEW = Firm("harborview", "Harborview Dental", "harborviewdental.example",
                  "88 Hudson St", "Jersey City", "NJ", "07302")  # fmt: skip
TIDEWATER = Firm("tidewater", "Tidewater Property Group", "tidewaterproperty.example",
                 "1180 6th Ave", "New York", "NY", "10036")  # fmt: skip
SWITCHBOARD = "+12125550160"
BRIGHTLOOM = Firm("brightloom", "Brightloom Design", "brightloom.example",
                  "61 Greenpoint Ave", "Brooklyn", "NY", "11222")  # fmt: skip
COBALT = Firm("cobalt", "Cobalt Yoga Studios", "cobaltyoga.example",
              "240 Court St", "Brooklyn", "NY", "11201")  # fmt: skip
ASTORIA = Firm("astoria", "Astoria Print Works", "astoriaprint.example",
               "31-18 Broadway", "Astoria", "NY", "11106")  # fmt: skip


def _at(firm: Firm, given: str, family: str, email: str, phone: str, systems: str,
        title: str = "", private_email: str = "") -> Person:  # fmt: skip
    key = f"{given}-{family}".lower()
    return Person(key, given, family, email, phone, systems, firm.street, firm.city, firm.region,
                  firm.postcode, firm, title, private_email)  # fmt: skip


def _home(key: str, given: str, family: str, email: str, phone: str, systems: str, street: str,
          city: str, region: str, postcode: str) -> Person:  # fmt: skip
    return Person(key, given, family, email, phone, systems, street, city, region, postcode)


DANA = _at(MARLOW, "Dana", "Whitfield", "dana.whitfield@marlowfinch.example", "+12125550147",
           "HPE", "Office Manager", "dana.whitfield@mailbox.example")  # fmt: skip

LANDLINE = "+17185550171"
BRANDTS = (
    _home("walter-brandt", "Walter", "Brandt", "walter.brandt@postbox.example", LANDLINE, "HP",
          "1422 76th St", "Brooklyn", "NY", "11228"),
    _home("kevin-brandt", "Kevin", "Brandt", "kevin.brandt@mailbox.example", LANDLINE, "HE",
          "1422 76th St", "Brooklyn", "NY", "11228"),
)  # fmt: skip

FAMILY_PHONE = "+19735550172"
OKAFORS = tuple(
    _home(f"{given.lower()}-okafor", given, "Okafor", f"{given.lower()}.okafor@{domain}",
          FAMILY_PHONE, "H", "57 Elm Rd", "Newark", "NJ", "07105")
    for given, domain in (("Ngozi", "mailbox.example"), ("Chidi", "mailbox.example"),
                          ("Amara", "postbox.example"))
)  # fmt: skip

INFO_MAILBOX = "info@harborviewdental.example"
HARBORVIEW_STAFF = (
    _at(HARBORVIEW, "Helen", "Cho", INFO_MAILBOX, "+12015550174", "HE", "Practice Manager"),
    _at(HARBORVIEW, "Marcus", "Bell", INFO_MAILBOX, "", "H", "Reception"),
    _at(HARBORVIEW, "Tanya", "Ruiz", INFO_MAILBOX, "", "H", "Dental Assistant"),
)

_TIDEWATER_NAMES = (
    ("Gloria", "Stein"), ("Peter", "Vance"), ("Ruth", "Amsel"), ("Dion", "Marsh"),
    ("Carla", "Fuentes"), ("Neil", "Osborne"), ("Sonia", "Batra"), ("Ivan", "Petrenko"),
    ("Lydia", "Crane"), ("Tom", "Hadley"), ("Mina", "Sato"), ("Ralph", "Kerrigan"),
)  # fmt: skip
TIDEWATER_STAFF = tuple(
    _at(TIDEWATER, given, family, f"{given}.{family}@tidewaterproperty.example".lower(),
        SWITCHBOARD, ("HPE", "HP", "HP", "HP")[index] if index < 4 else "H", "Property Manager")
    for index, (given, family) in enumerate(_TIDEWATER_NAMES)
)  # fmt: skip

PRIYA = _at(COBALT, "Priya", "Raman", "priya@cobaltyoga.example", "+13475550175", "HPE",
            "Studio Manager")  # fmt: skip
PRIYA_OLD_EMAIL = "priya.raman@brightloom.example"
OWEN = _at(BRIGHTLOOM, "Owen", "Hart", "owen.hart@brightloom.example", "+17185550178", "HE",
           "Office Manager")  # fmt: skip

MARIAS = (
    _home("maria-garcia-newark", "Maria", "Garcia", "maria.garcia@mailbox.example",
          "+19735550176", "HE", "12 Ferry St", "Newark", "NJ", "07105"),
    Person("maria-garcia-astoria", "Maria", "Garcia", "m.garcia@astoriaprint.example",
           "+17185550177", "HP", ASTORIA.street, ASTORIA.city, ASTORIA.region, ASTORIA.postcode,
           ASTORIA, "Owner"),
)  # fmt: skip

ELENA = _home("elena-petrova", "Elena", "Petrova", "elena.petrova@homemail.example",
              "+16465550179", "H", "300 E 59th St", "New York", "NY", "10022")  # fmt: skip
ELENA_OTHER_EMAIL = "epetrova@postbox.example"

CAST: tuple[Person, ...] = (
    DANA, *BRANDTS, *OKAFORS, *HARBORVIEW_STAFF, *TIDEWATER_STAFF, PRIYA, OWEN, *MARIAS, ELENA,
)  # fmt: skip
