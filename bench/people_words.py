"""Names, places and firms of nine countries for bench/people.py: short lists, made longer by parts.

First names and surnames stand in the order of how common they are; `people` draws them by a Zipf
law. The tails of the surnames are composed, so that a million people do not share 60 names.
"""

from __future__ import annotations

from people_land import Land

_W = str.split

LANDS: dict[str, Land] = {
    "US": Land(
        _W("Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Margaret Nancy Lisa Betty Sandra Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma Nicole Helen Samantha Katherine Christine Rachel Janet Maria Diane Julie Heather Victoria Abigail Alice Megan Hannah Jacqueline Gloria Teresa Sara Janice Jean Kathryn Judith Olivia Grace Denise Amber Danielle Brittany Diana Jane Natalie Theresa Beverly Charlotte Kayla Lauren"),
        _W("James Robert John Michael David William Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Timothy Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry Tyler Aaron Jose Adam Nathan Henry Douglas Zachary Peter Kyle Walter Ethan Jeremy Harold Keith Christian Roger Noah Gerald Carl Terry Sean Austin Arthur Lawrence Jesse"),
        _W("Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster O'Brien McCarthy"),
        _W("Ash Black Brad Brook Cal Carl Clay Cold Dun East Fair Farn Gold Grant Hart Haw Holl Kirk Lang Mar Mill North Old Pem Red Rock Sand Shel Stan Thorn Wake Wal West Whit Win Wood"),
        _W("berry bourne bridge brook bury by cott croft dale den er field ford gate ham hurst land leigh ley man mont more ridge shaw stead ston ton ville well wick wood worth"),
        ["Main Street", "Oak Avenue", "Maple Drive", "Park Road", "Cedar Lane", "Elm Street", "Washington Boulevard", "Lake View Drive", "Hillside Avenue", "Church Street", "River Road", "Sunset Court"],
        ["New York", "Columbus", "Austin", "Portland", "Denver", "Madison", "Springfield", "Dayton", "Salem", "Augusta", "Fort Wayne", "St. Paul"],
        "1", "", _W("212 312 415 503 614 718 512 303 608 937"), 7,
        ["Inc.", "LLC", "Corp.", "Ltd.", "Co."], _W("gmail.com yahoo.com outlook.com icloud.com aol.com hotmail.com"), "com", [],
    ),
    "GB": Land(
        _W("Olivia Amelia Margaret Susan Sarah Elizabeth Patricia Emma Claire Helen Karen Jane Nicola Rebecca Victoria Charlotte Lucy Hannah Gemma Alison Fiona Kirsty Heather Sophie Rachel Jacqueline Catherine Louise Angela Samantha Joanne Tracey Deborah Harriet Florence Imogen"),
        _W("David John Michael Paul James Stephen Andrew Peter Robert Mark Christopher William Richard Simon Ian Thomas Matthew Graham Alan Kevin Philip Neil Stuart Craig Oliver Harry Jack George Gareth Alistair Nigel Edward Daniel Benjamin Samuel Alexander"),
        _W("Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White Roberts Green Hall Thomas Clarke Jackson Wood Harris Edwards Turner Martin Cooper Hill Ward Hughes Moore Clark King Harrison Lewis Baker Lee Allen Morris Khan Scott Watson Davis Parker James Bennett Young Phillips Richardson Mitchell Bailey Carter Cook Singh Shaw Bell Collins Morgan Kelly Begum Miller Cox Hussain Marshall Simpson Price Anderson Adams Wilkinson Foster Ellis Murphy Chapman Mason Gray MacDonald McKenzie"),
        _W("Ash Brad Brough Cart Chad Crom Dar Eccles Ferns Gar Hather Holm Ingle Kings Lang Lyth Marl New Oak Pres Rother Scar Shuttle Stan Thorn Ul Wade Whit Win"),
        _W("bottom bridge brook burn by caster cliffe combe dale field ford ham head hurst land ley low more over rigg royd shaw side stall stone thwaite ton wick worth"),
        ["High Street", "Station Road", "Church Lane", "Victoria Road", "Green Lane", "Manor Road", "Queensway", "The Crescent", "Mill Lane", "Albert Terrace"],
        ["London", "Leeds", "Bristol", "Sheffield", "York", "Cardiff", "Glasgow", "Norwich", "Exeter", "Derby"],
        "44", "7", _W("20 113 117 114 1904 29 141"), 7,
        ["Ltd", "Limited", "plc", "LLP"], _W("gmail.com hotmail.co.uk yahoo.co.uk btinternet.com outlook.com icloud.com"), "co.uk", [],
    ),
    "DE": Land(
        _W("Maria Ursula Monika Petra Elisabeth Sabine Renate Karin Helga Brigitte Ingrid Erika Andrea Gisela Claudia Susanne Gabriele Christa Christine Hildegard Anna Birgit Barbara Gerda Martina Angelika Katharina Julia Stefanie Sandra Nicole Melanie Anja Kathrin Laura Lena Sophie Charlotte Johanna Franziska Käthe Jutta Bärbel Heike Silke Tanja"),
        _W("Peter Michael Wolfgang Thomas Klaus Hans Jürgen Günter Werner Andreas Manfred Horst Helmut Heinz Bernd Stefan Uwe Walter Frank Gerhard Dieter Christian Martin Karl Josef Alexander Matthias Heinrich Friedrich Markus Sebastian Johannes Maximilian Florian Tobias Jörg Jan Daniel Philipp Lukas Felix Jens Rüdiger Björn Karl-Heinz Hans-Peter"),
        _W("Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Yılmaz"),
        _W("Alt Bach Berg Birn Brand Brück Dorn Eber Eich Feld Gold Grün Hag Hasel Hoch Kalt Kirch König Lang Linden Mühl Neu Ober Rot Schön Stein Stern Tann Unter Wald Weid Wies Wolf"),
        _W("acker auer bach bauer baum beck berger born brink burg dorf eck feld felder fels grund hagen haus heim hof hofer horst ing lein loh mann meier reuter schmidt stein thal wald"),
        ["Hauptstraße", "Bahnhofstraße", "Gartenstr.", "Lindenweg", "Schillerstraße", "Am Markt", "Goethestr.", "Mühlenweg", "Kirchplatz", "Bergstraße", "Rosenweg"],
        ["Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Stuttgart", "Düsseldorf", "Leipzig", "Nürnberg", "Göttingen", "Münster", "Kassel"],
        "49", "15", _W("30 40 89 221 69 711 341 911 551 251"), 7,
        ["GmbH", "AG", "KG", "GmbH & Co. KG", "UG (haftungsbeschränkt)", "e.K."], _W("gmx.de web.de t-online.de gmail.com freenet.de outlook.de"), "de", ["von"],
    ),
    "FR": Land(
        _W("Marie Nathalie Isabelle Sylvie Catherine Françoise Valérie Christine Monique Sandrine Véronique Nicole Stéphanie Sophie Anne Céline Chantal Patricia Brigitte Julie Jacqueline Aurélie Laurence Christelle Dominique Hélène Émilie Camille Léa Manon Chloé Élodie Marie-Claire Anne-Sophie Geneviève Joséphine"),
        _W("Jean Philippe Michel Alain Patrick Nicolas Christophe Pierre Christian Éric Frédéric Laurent Stéphane David Pascal Daniel Gérard Thierry Julien Olivier Bernard Sébastien Alexandre Thomas François Jérôme Benoît Grégoire Théo Hugo Lucas Antoine Jean-Pierre Jean-Luc André Rémi Étienne"),
        _W("Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Lefèvre Mercier Dupont Lambert Bonnet François Martinez Legrand Garnier Faure Rousseau Blanc Guérin Müller Henry Roussel Nicolas Perrin Morin Mathieu Clément Gauthier Dumont Lopez Fontaine Chevalier Robin Masson Sanchez Gérard Nguyen Boyer Denis Lemaire Duval Joly Gautier Roger Roche Roy Noël Meyer Lucas Meunier Jean Perez Marchand Dufour Blanchard Marie Barbier Brun Dumas"),
        _W("Beau Bel Bois Bon Bour Char Clair Cour Dela Dela Fon Font Gran Haut Lam Lan Mal Mar Mon Mont Per Pont Ray Roch Saint Val Vau Ville"),
        _W("ard aud bert champ chet court croix dier don dray fort gnon lain lard let lier lin mart mont nard net nier nois pied quet rel ret rin ron taud tel tier val vert vier"),
        ["rue de la Paix", "avenue Victor Hugo", "rue des Lilas", "place de l'Église", "boulevard Voltaire", "rue du Moulin", "chemin des Vignes", "rue Pasteur"],
        ["Paris", "Lyon", "Marseille", "Nantes", "Lille", "Orléans", "Besançon", "Nîmes", "Angers", "Dijon"],
        "33", "6", _W("1 4 2 3 5"), 8, ["SARL", "SAS", "SA", "EURL"], _W("gmail.com orange.fr free.fr wanadoo.fr laposte.net hotmail.fr"), "fr", ["de", "Le"],
    ),
    "ES": Land(
        _W("María Carmen Josefa Isabel Ana Dolores Laura Pilar Teresa Cristina Marta Francisca Antonia Mercedes Lucía Elena Rosario Raquel Sara Paula Concepción Juana Beatriz Rocío Patricia Inmaculada Encarnación Montserrat Guadalupe Ángela"),
        _W("Antonio José Manuel Francisco Juan David Javier Daniel Jesús Carlos Alejandro Miguel Rafael Pedro Pablo Ángel Sergio Fernando Jorge Luis Alberto Álvaro Diego Adrián Raúl Iván Rubén Enrique Ramón Vicente Andrés Joaquín Santiago Eduardo Ignacio"),
        _W("García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Hernández Ruiz Díaz Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez Ramos Vázquez Ramírez Gil Serrano Morales Molina Blanco Suárez Castro Ortega Delgado Ortiz Marín Rubio Núñez Medina Sanz Castillo Iglesias Cortés Garrido Santos Guerrero Lozano Cano Cruz Méndez Flores Prieto Herrera Peña León Márquez Cabrera Gallego Calvo Vidal Campos Reyes Vega Fuentes Carrasco"),
        _W("Al Alba Are Bar Bel Cal Cara Cas Cas Cor Esca Fuen Gal Gar Lar Lla Mal Mon Mont Oli Ova Pala Peral Quin Riva Sal Sando Sola Tor Val Villa Za"),
        _W("bal ballo bella bra brera cedo co dera do dora gado gas lba lero lla llas llo lvo mora na nares nda nero ño ra rdo reda ri rola rres ta tero tes val vera za"),
        ["Calle Mayor", "Avenida de la Constitución", "Calle Real", "Plaza de España", "Calle del Sol", "Paseo del Prado", "C/ Cervantes"],
        ["Madrid", "Barcelona", "Valencia", "Sevilla", "Málaga", "Bilbao", "Córdoba", "Cádiz", "A Coruña"],
        "34", "6", _W("91 93 96 95 94"), 7, ["S.L.", "S.A.", "SLU"], _W("gmail.com hotmail.es yahoo.es telefonica.net outlook.es"), "es", ["de"],
    ),
    "IT": Land(
        _W("Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Carmela Caterina Francesca Antonietta Carla Elena Concetta Rita Margherita Franca Paola Laura Giulia Chiara Federica Valentina Alessandra Silvia Elisa Martina Sara Elisabetta Antonella Raffaella"),
        _W("Giuseppe Antonio Giovanni Mario Francesco Luigi Angelo Vincenzo Pietro Salvatore Carlo Franco Domenico Bruno Paolo Michele Giorgio Aldo Sergio Luciano Andrea Alessandro Marco Luca Matteo Lorenzo Davide Stefano Roberto Riccardo Niccolò Daniele Gabriele Fabio Raffaele"),
        _W("Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De\u00a0Luca Mancini Costa Giordano Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone Longo Gentile Martinelli Vitale Lombardo Serra Coppola De\u00a0Santis D'Angelo Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini Grasso Valentini Messina Sala D'Amico Gatti Pellegrini Palumbo Sanna Farina Rizzi Monti Cattaneo Morelli Amato Silvestri Mazza Testa Grassi Pellegrino"),
        _W("Ales Bal Bar Bel Ber Bor Cal Cam Cap Car Cas Fer Fra Gal Gar Gri Lam Man Mar Mon Nar Pal Pas Per Pie Ross San Sca Tom Val Ven Zan"),
        _W("dini doni gari letti lini maldi mari mondi nelli netti ngoni no nucci razzi retti rini ro roni sini sotti ssini stelli ti tini toni tti vani velli zani zetti zoli zzi zzoli"),
        ["Via Roma", "Via Garibaldi", "Corso Italia", "Piazza del Popolo", "Via Verdi", "Viale dei Mille", "Via Dante"],
        ["Roma", "Milano", "Torino", "Bologna", "Firenze", "Forlì", "Padova", "Genova", "Bari"],
        "39", "3", _W("06 02 011 051 055"), 7, ["S.r.l.", "S.p.A.", "S.n.c.", "S.a.s."], _W("gmail.com libero.it tiscali.it virgilio.it alice.it hotmail.it"), "it", ["Di", "Della"],
    ),
    "NL": Land(
        _W("Johanna Maria Cornelia Anna Wilhelmina Elisabeth Hendrika Catharina Adriana Margaretha Petronella Emma Julia Sophie Lotte Anouk Sanne Femke Marieke Ingrid Esther Mirjam Saskia Annemarie Jacoba Geertruida"),
        _W("Johannes Jan Cornelis Hendrik Willem Pieter Gerrit Petrus Jacobus Dirk Adrianus Daan Sem Lucas Bram Ruben Thijs Jeroen Martijn Marcel Rob Frank Erik Maarten Wouter Bas Antonius Theodorus Nicolaas Gijsbert"),
        _W("Jong Jansen Vries Berg Bakker Dijk Visser Janssen Smit Meijer Boer Mulder Groot Bos Vos Peters Hendriks Leeuwen Dekker Brouwer Wit Dijkstra Smits Graaf Meer Linden Kok Jacobs Haan Vermeulen Heuvel Veen Broek Bruijn Schouten Beek Heijden Willems Vliet Ven Hoekstra Maas Verhoeven Koster Dam Wal Prins Blom Huisman Peeters Jonge Kuipers Veenstra Post Kramer Brink Scholten Wijk"),
        _W("Aal Berk Bos Brom Dijk Elz Groen Haas Heer Hof Kam Klaver Lang Lin Mid Nieuw Ooster Oud Riet Rook Scho Sneek Ster Veld Vlier Water Wester Wouden Zand Zuid"),
        _W("aar beek berg boer bosch burg daal dijk donk dorp ema enaar enga feld ga geest haven heim hoek hof huis huizen kamp land man meijer ra ringa rode sma stra veen veld wijk"),
        ["Dorpsstraat", "Kerkstraat", "Molenweg", "Schoolstraat", "Stationsweg", "Julianalaan", "Prinsengracht", "Nieuwstraat"],
        ["Amsterdam", "Rotterdam", "Utrecht", "Eindhoven", "Groningen", "Tilburg", "Breda", "'s-Hertogenbosch"],
        "31", "6", _W("20 10 30 40 50"), 7, ["B.V.", "N.V.", "V.O.F."], _W("gmail.com hotmail.nl ziggo.nl kpnmail.nl xs4all.nl outlook.com"), "nl", ["de", "van", "van de", "van der"],
    ),
    "SE": Land(
        _W("Maria Anna Margareta Elisabeth Eva Kristina Birgitta Karin Elisabet Marie Ingrid Christina Linnéa Sofia Kerstin Marianne Lena Helena Emma Inger Johanna Linda Malin Åsa Märta Ulrika Annika Katarina"),
        _W("Erik Lars Karl Anders Johan Per Nils Carl Mikael Jan Hans Peter Olof Lennart Gunnar Sven Fredrik Bengt Bo Daniel Alexander Gustav Göran Åke Magnus Björn Håkan Jörgen Mats Stefan"),
        _W("Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson Jansson Hansson Bengtsson Jönsson Lindberg Jakobsson Magnusson Lindström Olofsson Lindqvist Lindgren Berg Axelsson Bergström Lundberg Lind Lundgren Lundqvist Mattsson Berglund Fredriksson Sandberg Henriksson Forsberg Sjöberg Wallin Ali Engström Mohamed Eklund Danielsson Lundin Håkansson Björk Bergman Gunnarsson Wikström Holm Öberg Åberg"),
        _W("Ahl Alm Berg Björk Ceder Dal Ek Fors Gran Gren Hag Hall Hed Holm Kron Lag Lind Löf Lund Malm Nor Ny Ros Sand Sjö Söder Stål Ström Sund Väster Wall Åker Öst"),
        _W("bäck berg blad blom borg dahl feldt fors gren gård holm hult kvist land lin ling lund löf man mark quist rot sjö stedt sten ström strand vall wall"),
        ["Storgatan", "Kungsgatan", "Skolvägen", "Björkvägen", "Ringvägen", "Strandvägen", "Drottninggatan"],
        ["Stockholm", "Göteborg", "Malmö", "Uppsala", "Västerås", "Örebro", "Linköping", "Umeå"],
        "46", "7", _W("8 31 40 18 21"), 6, ["AB", "HB", "KB"], _W("gmail.com hotmail.com telia.com live.se outlook.com bredband.net"), "se", ["af"],
    ),
    "PL": Land(
        _W("Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Elżbieta Zofia Teresa Magdalena Joanna Janina Monika Danuta Jadwiga Aleksandra Halina Irena Beata Marta Dorota Jolanta Natalia Julia Karolina Łucja"),
        _W("Piotr Krzysztof Andrzej Tomasz Jan Paweł Michał Marcin Stanisław Jakub Adam Marek Łukasz Grzegorz Mateusz Wojciech Mariusz Dariusz Zbigniew Jerzy Maciej Rafał Robert Kamil Jacek Józef Szymon Kazimierz Bartłomiej Stefan"),
        _W("Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Wojciechowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Michalski Król Wieczorek Jabłoński Wróbel Nowakowski Majewski Olszewski Stępień Malinowski Jaworski Adamczyk Dudek Nowicki Pawlak Górski Witkowski Walczak Sikora Baran Rutkowski Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski"),
        _W("Bart Biel Bor Brzez Cegiel Dob Drog Gaw Grab Jar Jez Kal Kliń Koł Kras Lip Łab Mak Mil Niem Ols Paw Pod Rog Sad Sob Sos Stan Tar Urb Wil Wit Zab Zaw"),
        _W("acki aczyk ak alski anek arski as czak czyk ecki eja ek ela ewicz icki iec ik ikowski iński inski kiewicz niak nik och oń orski owicz owski ski szewski ucki uk ula yński"),
        ["ul. Polna", "ul. Leśna", "ul. Słoneczna", "ul. Krótka", "ul. Szkolna", "ul. Ogrodowa", "al. Jana Pawła II"],
        ["Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk", "Szczecin", "Lublin"],
        "48", "5", _W("22 12 42 71 61"), 7, ["Sp. z o.o.", "S.A.", "Sp. j."], _W("wp.pl onet.pl o2.pl interia.pl gmail.com"), "pl", [],
    ),
}  # fmt: skip

# Short forms as people use them; some of them no list of nicknames knows.
SHORT: dict[str, str] = dict(
    pair.split(":")
    for pair in (
        "William:Bill William:Will Robert:Bob Robert:Rob Richard:Rick Michael:Mike Elizabeth:Liz Elizabeth:Beth James:Jim "
        "Joseph:Joe Thomas:Tom Charles:Chuck Christopher:Chris Daniel:Dan Matthew:Matt Anthony:Tony Donald:Don Steven:Steve "
        "Andrew:Andy Joshua:Josh Kenneth:Ken Timothy:Tim Ronald:Ron Edward:Ed Jeffrey:Jeff Nicholas:Nick Jonathan:Jon "
        "Stephen:Steve Benjamin:Ben Samuel:Sam Gregory:Greg Alexander:Alex Raymond:Ray Patrick:Pat Zachary:Zach Lawrence:Larry "
        "Patricia:Pat Jennifer:Jen Barbara:Barb Susan:Sue Jessica:Jess Margaret:Peggy Deborah:Debbie Rebecca:Becky Cynthia:Cindy "
        "Kathleen:Kathy Angela:Angie Pamela:Pam Samantha:Sam Katherine:Kate Christine:Chris Victoria:Vicky Theresa:Terry Kimberly:Kim "
        "Amanda:Mandy Jacqueline:Jackie Philip:Phil David:Dave Alistair:Ali Harriet:Hattie Florence:Flo Gareth:Gaz "
        "Wolfgang:Wolfi Josef:Sepp Johannes:Hannes Maximilian:Max Sebastian:Basti Matthias:Matze Friedrich:Fritz Heinrich:Heiner "
        "Alexander:Alex Katharina:Kathi Elisabeth:Lisa Ursula:Uschi Gabriele:Gabi Stefanie:Steffi Susanne:Susi Johanna:Hanna Franziska:Franzi "
        "Karl-Heinz:Kalle Philipp:Flip Andreas:Andi Michael:Michi Thomas:Tommy Brigitte:Gitti Angelika:Geli "
        "Philippe:Phil Frédéric:Fred Christophe:Chris Alexandre:Alex Jean-Pierre:JP Stéphanie:Steph Joséphine:Josy Catherine:Cathy Nathalie:Nath "
        "Francisco:Paco José:Pepe Manuel:Manolo Dolores:Lola Josefa:Pepa Rosario:Charo Concepción:Concha Enrique:Quique Ignacio:Nacho Alejandro:Álex Francisca:Paqui Montserrat:Montse Encarnación:Encarni Santiago:Santi Eduardo:Edu "
        "Giuseppe:Beppe Salvatore:Totò Alessandro:Ale Francesco:Franco Vincenzo:Enzo Domenico:Mimmo Elisabetta:Betta Raffaella:Lella Giovanna:Vanna Luigi:Gigi Antonella:Anto "
        "Johannes:Jan Cornelis:Kees Hendrik:Henk Willem:Wim Petrus:Piet Jacobus:Koos Johanna:Jo Cornelia:Corrie Wilhelmina:Mien Catharina:Trijn Antonius:Toon Nicolaas:Klaas Theodorus:Theo Geertruida:Truus "
        "Karl:Kalle Gustav:Gurra Lars:Lasse Nils:Nisse Johan:Janne Margareta:Greta Katarina:Kattis Fredrik:Frille Stefan:Steffo "
        "Katarzyna:Kasia Małgorzata:Gosia Agnieszka:Aga Krzysztof:Krzysiek Stanisław:Staszek Tomasz:Tomek Paweł:Pawełek Aleksandra:Ola Magdalena:Magda Elżbieta:Ela Zofia:Zosia Jan:Janek Jakub:Kuba Joanna:Asia Piotr:Piotrek Grzegorz:Grzesiek Łukasz:Luki Wojciech:Wojtek Andrzej:Jędrek"
    ).split()
)

FIRM_HEADS = _W(
    "Aqua Arbor Astra Atlas Beacon Blue Bright Cedar Clear Cobalt Copper Crest Delta Eagle East Ember Ever Falcon First Forge Fox "
    "Global Granite Green Harbor High Horizon Iron Juniper Key Lake Lark Linden Lumen Maple Meridian Metro Nova North Oak Omni Orion "
    "Pine Polar Prime Quartz Raven River Royal Sage Silver Sky Solar Spring Star Sterling Stone Summit Terra Titan Trinity Union "
    "Valley Vector Vista West Willow Zenith Alpen Elbe Rhein Nord Hansa Loire Sol Luna Ponte Verde Adria Maas Vik Fjord Wisła Baltic"
)
FIRM_TAILS = _W(
    "Analytics Automotive Bau Capital Cargo Catering Chemie Clinic Consulting Construction Data Design Digital Dynamics Electric "
    "Elektronik Energy Engineering Events Fashion Films Finance Foods Freight Gardens Health Holding Hotels Immobilien Industries "
    "Instruments Insurance Labs Legal Logistics Logistik Machines Maschinenbau Media Medical Metals Mobility Motors Networks Optics "
    "Packaging Partners Pharma Plastics Power Print Properties Robotics Security Services Software Solutions Systems Technik "
    "Technology Textil Tools Trading Transport Travel Ventures Wines Works"
)
TITLES = (
    "Managing Director|Sales Manager|Purchasing|Buyer|CEO|CFO|Account Manager|Project Manager|Engineer|Head of IT|Assistant|"
    "Marketing Manager|Geschäftsführer|Einkauf|Vertrieb|Directeur|Responsable achats|Director comercial|Titolare|Inkoper|VD|Prezes|"
    "Office Manager|Consultant|Accountant|Owner|Operations Manager|Technician"
).split("|")
ROLES = _W(
    "info sales office contact kontakt buchhaltung service einkauf accueil commercial administracion ufficio support"
)
HOBBIES = _W(
    "sunny rocker biker turbo star angel tiger wolf dragon ninja happy lucky magic pixel chef surf ski golf jazz piano garden sea moon "
    "blue red gold silver mad crazy little big super cosmo panda koala"
)
