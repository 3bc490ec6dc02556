"""Twelve more countries for bench/people.py, whose words nothing was fitted on: the held-out ones.

Other first names, surnames, streets, firms, pastimes and short forms than those of people_words, and
habits of their own: two surnames (pt, br), the surname first (hu), another script (gr).
"""

from __future__ import annotations

from people_land import Land

_W = str.split

MORE_LANDS: dict[str, Land] = {
    "AT": Land(
        _W("Elfriede Waltraud Edeltraud Roswitha Notburga Hannelore Margit Eveline Gerlinde Romana Viktoria Theresa Veronika Cornelia Daniela Bettina Manuela Silvia Eva Astrid Melitta Hermine Leopoldine Adelheid Annemarie Doris Sonja Lisa-Marie Magdalena Valentina"),
        _W("Leopold Alois Rupert Kilian Engelbert Gottfried Ferdinand Johann Georg Gerald Herbert Harald Helmuth Reinhard Roland Siegfried Norbert Erwin Rudolf Hubert Christoph Gregor Clemens Benedikt Raphael Dominik Elias Franz-Josef Hannes Bernhard"),
        _W("Gruber Hubmann Pichler Steiner Moser Mayr Hofer Leitner Eder Reiter Egger Brunner Aigner Lechner Wallner Wimmer Haider Lehner Ebner Strasser Auer Stadler Binder Ziegler Schwaiger Rainer Mayrhofer Hölzl Zauner Kogler Grabner Thaler Köck Stöger Höller Pölzl Weiß Öttl Fürst Haslinger"),
        _W("Ach Alm Am Brand Buch Edel Eib Fein Förg Gais Hint Holz Inn Kalten Kar Kron Lind Matz Nuss Ötz Pfaff Ram Sattel Schatz Tax Ur Wein Zell"),
        _W("egger ender enhuber lehner öder reiter schwandtner stätter steiner wanger wimmer bichler pointner gruber lechner hauser kofler"),
        ["Mariahilfer Straße", "Landstraßer Hauptstraße", "Schlossgasse", "Feldgasse", "Wiener Straße", "Kirchengasse", "Am Anger", "Grazer Gasse"],
        ["Wien", "Graz", "Linz", "Salzburg", "Innsbruck", "Klagenfurt", "Sankt Pölten", "Dornbirn"],
        "43", "664", _W("1 316 732 662 512"), 7, ["GmbH", "OG", "e.U.", "AG"], _W("gmx.at aon.at chello.at gmail.com outlook.at"), "at", ["von"],
    ),
    "CH": Land(
        _W("Ruth Verena Rosmarie Heidi Trudi Marianne Vreni Rahel Simone Corinne Fabienne Mirjam Ladina Seraina Claudine Noémie Mélanie Giulia Alessia Tamara Jasmin Nadine Sibylle Priska Beatrice Käthi Nora Selina"),
        _W("Ueli Hansruedi Urs Beat Reto Röbi Köbi Fritz Ruedi Marcel Roland Fabrice Yves Didier Loïc Gian Andri Flurin Luca Nino Sandro Remo Silvan Adrian Lukas Matthias Christoph Cédric"),
        _W("Müller Meier Schmid Keller Weber Huber Schneider Meyer Steiner Fischer Gerber Brunner Baumann Frei Zimmermann Moser Widmer Wyss Graf Roth Suter Baumgartner Bachmann Kunz Bühler Christen Ammann Tanner Lüthi Zürcher Favre Rochat Blanc Bernasconi Caduff Aebi Hürlimann Nägeli Rüegg Wüthrich"),
        _W("Aesch Bär Bieri Brüg Burk Egli Fröh Gisi Gut Häfe Hirs Iten Jegg Küng Leu Näf Ober Rüti Schär Stäh Tschu Walli Zog Zumst"),
        _W("bach berger eller halder hauser hofer holzer li lin mann matter rich schi städter stein wiler eggen"),
        ["Bahnhofstrasse", "Dorfstrasse", "Seestrasse", "Hauptstrasse", "Rue du Lac", "Chemin du Bois", "Via Cantonale", "Oberdorfweg"],
        ["Zürich", "Genève", "Basel", "Bern", "Lausanne", "Luzern", "St. Gallen", "Lugano"],
        "41", "79", _W("44 22 61 31 21"), 7, ["AG", "GmbH", "SA", "Sàrl"], _W("bluewin.ch gmx.ch hispeed.ch gmail.com sunrise.ch"), "ch", ["von", "de"],
    ),
    "PT": Land(
        _W("Inês Beatriz Mariana Catarina Joana Filipa Rita Sofia Margarida Leonor Matilde Fátima Conceição Lurdes Graça Fernanda Graziela Teresa Vera Susana Sílvia Paula Cristina Ana Helena Luísa Madalena Raquel"),
        _W("João Tiago Rui Nuno Gonçalo Duarte Rodrigo Afonso Vasco Henrique Luís Jorge Paulo Pedro Miguel Hugo Filipe Bruno Ricardo Sérgio Vítor Hélder Joaquim Armando Álvaro Simão Martim Bernardo"),
        _W("Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Jesus Sousa Fernandes Gonçalves Gomes Lopes Marques Alves Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Nunes Soares Vieira Monteiro Cardoso Rocha Raposo Neves Coelho Cruz Cunha Pires Ramos Reis Simões Antunes Matos Fonseca Morgado Araújo"),
        _W("Abran Azev Bar Cal Cam Carv Cast Ceb Figuei Fra Gou Guer Lou Mach Mag Mal Med Mour Nog Pach Pai Quei Sal Sar Tav Vas"),
        _W("alho ado ão edo eira elha eiro ela ela enço endes ides inha ique ós oso ueira veia"),
        ["Rua da Liberdade", "Avenida da República", "Rua de Santa Catarina", "Travessa do Carmo", "Largo do Rossio", "Rua das Flores"],
        ["Lisboa", "Porto", "Braga", "Coimbra", "Faro", "Évora", "Aveiro"],
        "351", "91", _W("21 22 253 239 289"), 6, ["Lda.", "S.A.", "Unipessoal Lda."], _W("sapo.pt gmail.com hotmail.com iol.pt outlook.pt"), "pt", ["da", "de", "dos"],
    ),
    "BR": Land(
        _W("Ana Fernanda Juliana Camila Bruna Larissa Letícia Gabriela Aline Patrícia Adriana Vanessa Débora Luciana Renata Simone Tatiane Rosângela Francisca Antônia Raimunda Aparecida Vitória Yasmin Thaís Priscila Natália Bianca"),
        _W("José Antônio Carlos Francisco Marcos Luiz Gabriel Rafael Lucas Marcelo Felipe Rodrigo Fábio Anderson Wesley Leandro Thiago Gustavo Vinícius Éverton Márcio Adriano Raimundo Sebastião Edson Diego Caio Otávio"),
        _W("Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Ribeiro Carvalho Almeida Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques Machado Mendes Freitas Cardoso Ramos Gonçalves Santana Teixeira Araújo Cavalcante Bezerra Figueiredo Assis Schmitt Rossi Nakamura Batista Campos"),
        _W("Agui Alenc Bran Buen Caval Dru Falc Fon Gus Hol Lac Maran Mont Mur Pache Pei Pess Pinh Quin Rez San Sique Tole Torq Valad Xav"),
        _W("ada ado al ana ante ar ão eda eira eiro elos ende es ieri inho ino ista ita ona or osa oso oto ucci uza xoto"),
        ["Rua das Palmeiras", "Avenida Paulista", "Rua XV de Novembro", "Avenida Brasil", "Rua Sete de Setembro", "Alameda Santos"],
        ["São Paulo", "Rio de Janeiro", "Belo Horizonte", "Curitiba", "Recife", "Goiânia", "Florianópolis"],
        "55", "119", _W("11 21 31 41 81"), 8, ["Ltda.", "S.A.", "ME", "EIRELI"], _W("gmail.com hotmail.com uol.com.br bol.com.br terra.com.br yahoo.com.br"), "com.br", ["da", "de", "dos"],
    ),
    "CZ": Land(
        _W("Jana Eva Hana Lenka Kateřina Lucie Věra Alena Petra Veronika Jaroslava Tereza Martina Michaela Jitka Helena Ludmila Zdeňka Ivana Markéta Eliška Barbora Kristýna Adéla Dagmar Božena"),
        _W("Jiří Jan Petr Josef Pavel Martin Jaroslav Miroslav Zdeněk Václav František Karel Milan Vladimír Lukáš Ladislav Stanislav Roman Ondřej Radek Vojtěch Aleš Bohumil Luboš Miloš Šimon Štěpán Matěj"),
        _W("Novák Svoboda Novotný Dvořák Černý Procházka Kučera Veselý Horák Němec Marek Pospíšil Pokorný Hájek Král Jelínek Růžička Beneš Fiala Sedláček Doležal Zeman Kolář Navrátil Čermák Urban Vaněk Blažek Kříž Kopecký Konečný Malý Holub Štěpánek Šimek Vlček Říha Ševčík Bláha Kašpar"),
        _W("Bed Bíl Brab Čap Dol Dra Hav Hla Hor Jand Kad Klem Koub Krat Lis Mach Mar Mik Ond Pav Pek Pol Rak Skál Sou Stra Šev Tich Tom Vond Zap Žák"),
        _W("áček ák an ánek áš ec ek el ička ík ina íček ka ný ovský ota ský ura uš"),
        ["Hlavní", "Nádražní", "Školní", "Zahradní", "Komenského", "Husova", "Lipová", "Pod Lesem"],
        ["Praha", "Brno", "Ostrava", "Plzeň", "Liberec", "Olomouc", "České Budějovice"],
        "420", "60", _W("2 5 37 48 58"), 7, ["s.r.o.", "a.s.", "spol. s r.o."], _W("seznam.cz email.cz centrum.cz gmail.com volny.cz"), "cz", [],
    ),
    "TR": Land(
        _W("Fatma Ayşe Emine Hatice Zeynep Elif Meryem Şerife Sultan Hanife Merve Büşra Esra Özlem Gül Gülsüm Yasemin Selin Derya Çiğdem İrem Ebru Sibel Tuğba Pınar Nurcan"),
        _W("Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim İsmail Osman Yusuf Murat Ömer Ramazan Halil Süleyman Abdullah Mahmut Recep Salih Fatih Kadir Emre Serkan Burak Çağlar Gökhan Onur Barış"),
        _W("Yılmaz Kaya Demir Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt Özkan Şimşek Polat Korkmaz Özcan Erdoğan Yavuz Can Acar Şen Aktaş Güler Yalçın Güneş Bozkurt Bulut Keskin Ünal Turan Gül Özer Işık"),
        _W("Ak Al Ay Bay Boz Çam Dağ De Er Gök Gün Kar Koca Kuz Ol Öz Sar Şan Taş Tek Uç Ün Yal Yar"),
        _W("alp baş bey çay çınar demir dağ er gil göz gür kan kaya kol kut man oğlu soy su tekin tuna türk"),
        ["Atatürk Caddesi", "Cumhuriyet Caddesi", "İstiklal Caddesi", "Gül Sokak", "Bağdat Caddesi", "İnönü Bulvarı"],
        ["İstanbul", "Ankara", "İzmir", "Bursa", "Antalya", "Eskişehir"],
        "90", "53", _W("212 216 312 232 224"), 7, ["A.Ş.", "Ltd. Şti.", "Tic. Ltd. Şti."], _W("gmail.com hotmail.com mynet.com yandex.com outlook.com"), "com.tr", [],
    ),
    "DK": Land(
        _W("Anne Kirsten Mette Hanne Helle Susanne Lone Inge Karen Bente Pia Gitte Birthe Tine Camilla Louise Ida Freja Rikke Signe Astrid Maja Dorthe Åse Søs Lærke"),
        _W("Jens Lars Søren Niels Henrik Jørgen Hans Ole Thomas Morten Jesper Torben Kim Bent Flemming Kurt Rasmus Mads Kasper Frederik Mikkel Svend Erik Børge Åge Kjeld Poul-Erik Ejnar"),
        _W("Nielsen Jensen Hansen Pedersen Andersen Christensen Larsen Sørensen Rasmussen Jørgensen Petersen Madsen Kristensen Olsen Thomsen Christiansen Poulsen Johansen Møller Mortensen Knudsen Holm Lund Friis Kjær Østergaard Bøgh Vestergaard Dahl Krogh Bruun Lassen Mikkelsen Nørgaard Skov Frandsen Winther Toft Iversen Bæk"),
        _W("Bjerre Brøn Dal Eg Fuglsang Gam Grøn Hed Høj Kirke Klit Lang Mark Ny Ravn Sand Skjold Sten Toft Tran Ul Vej Vind Åen"),
        _W("bak bjerg borg dahl gaard holm holt hus kjær lund mose rup skov strup sted toft vad vang"),
        ["Algade", "Vestergade", "Søndergade", "Kirkevej", "Skolegade", "Strandvejen", "Nørregade"],
        ["København", "Aarhus", "Odense", "Aalborg", "Esbjerg", "Næstved"],
        "45", "2", _W("33 86 65 98 75"), 6, ["ApS", "A/S", "I/S"], _W("gmail.com hotmail.com live.dk mail.dk youmail.dk"), "dk", [],
    ),
    "FI": Land(
        _W("Anneli Tuula Päivi Anne Leena Pirjo Sari Minna Tiina Marja Hannele Kaarina Riitta Aino Eeva Helmi Sanna Hanna Kirsi Jaana Mervi Outi Ulla Satu Veera Emmi"),
        _W("Juhani Timo Kari Mikko Antti Jari Jukka Matti Pekka Juha Markku Hannu Heikki Seppo Janne Sami Ville Petri Olli Eero Tapio Veikko Pertti Esa Lauri Väinö"),
        _W("Korhonen Virtanen Mäkinen Nieminen Mäkelä Hämäläinen Laine Heikkinen Koskinen Järvinen Lehtonen Lehtinen Saarinen Niemi Salonen Heinonen Heikkilä Salminen Kinnunen Turunen Salo Laitinen Tuominen Rantanen Karjalainen Jokinen Mattila Savolainen Lahtinen Ahonen Öhman Wikström Ojala Leppänen Hiltunen Kallio Miettinen Väisänen Räsänen Pitkänen"),
        _W("Aal Ala Hart Hiet Honk Illi Kar Kiv Koiv Kuus Lamm Lep Louhi Marj Mets Niit Paj Pelt Pöl Rau Ris Suo Tam Val Vuor Yli"),
        _W("aho ala amo ela ikainen ikka inen järvi kangas koski lahti la lainen lampi niemi nen oja pelto puro ranta saari salo talo vaara"),
        ["Mannerheimintie", "Kauppakatu", "Rantatie", "Koulukatu", "Puistokatu", "Asematie", "Hämeenkatu"],
        ["Helsinki", "Tampere", "Turku", "Oulu", "Jyväskylä", "Lahti", "Vaasa"],
        "358", "40", _W("9 3 2 8 14"), 7, ["Oy", "Oyj", "Ky"], _W("gmail.com kolumbus.fi luukku.com hotmail.com elisanet.fi"), "fi", [],
    ),
    "HU": Land(
        _W("Mária Erzsébet Katalin Ilona Éva Anna Zsuzsanna Margit Judit Ágnes Julianna Andrea Ildikó Krisztina Eszter Mónika Edit Gabriella Tímea Nikoletta Réka Zsófia Boglárka Piroska"),
        _W("László István József János Zoltán Sándor Gábor Ferenc Attila Péter Tamás Zsolt Tibor András Csaba Imre Lajos György Balázs Gyula Róbert Dániel Bence Máté Ádám Mihály"),
        _W("Nagy Kovács Tóth Szabó Horváth Varga Kiss Molnár Németh Farkas Balogh Papp Takács Juhász Lakatos Mészáros Oláh Simon Rácz Fekete Szilágyi Török Fehér Gál Kis Szűcs Kocsis Pintér Fodor Orsós Szalai Sipos Magyar Lukács Gulyás Biró Király Katona Bogdán Jakab"),
        _W("Alm And Bakt Bere Böször Csan Deb Erd Földv Gyöng Hajd Jász Kecs Kör Leng Mar Nyír Or Pes Sár Sop Szeg Szol Tisz Vár Zal"),
        _W("ádi ai áki ári asi átfi dai di édi egi ei elyi ényi ési házi i kei meni monyi ösi szegi várdi vári völgyi"),
        ["Kossuth Lajos utca", "Petőfi Sándor utca", "Fő utca", "Rákóczi út", "Dózsa György út", "Ady Endre utca"],
        ["Budapest", "Debrecen", "Szeged", "Miskolc", "Pécs", "Győr"],
        "36", "30", _W("1 52 62 46 72"), 6, ["Kft.", "Zrt.", "Bt."], _W("freemail.hu gmail.com citromail.hu t-online.hu indamail.hu"), "hu", [],
    ),
    "RO": Land(
        _W("Elena Ioana Andreea Alexandra Cristina Mihaela Gabriela Daniela Alina Georgiana Ana-Maria Raluca Simona Oana Roxana Florentina Doina Rodica Viorica Lăcrămioara Ștefania Camelia Anca Diana"),
        _W("Andrei Alexandru Ionuț Mihai Gheorghe Ion Vasile Constantin Nicolae Dumitru Florin Adrian Cătălin Bogdan Răzvan Cosmin Gabriel Marius Ștefan Radu Dragoș Sorin Liviu Petru Traian"),
        _W("Popa Popescu Ionescu Pop Radu Dumitru Gheorghe Stoica Stan Munteanu Constantin Andrei Rusu Anghel Matei Marin Mihai Ciobanu Serban Stefan Lazar Florea Dumitrescu Barbu Stanciu Vasile Ilie Cristea Toma Moldovan Oprea Dinu Tudor Ionita Ion Ungureanu Constantinescu Georgescu Balan Neagu"),
        _W("Alb Ard Bad Brat Buc Cap Câmp Cioc Cor Dob Drag Fil Gal Grig Ian Lup Man Mir Neg Olt Păun Pet Sav Sim Tem Urs Val Vlad"),
        _W("an anu aru ariu ău ea ean eanu escu eș ici ilă iș iu oi oiu onu oșu ulescu uț"),
        ["Strada Unirii", "Bulevardul Eroilor", "Strada Mihai Eminescu", "Calea Victoriei", "Strada Libertății", "Aleea Trandafirilor"],
        ["București", "Cluj-Napoca", "Timișoara", "Iași", "Constanța", "Brașov"],
        "40", "72", _W("21 264 256 232 241"), 7, ["SRL", "S.A.", "S.R.L."], _W("yahoo.com gmail.com yahoo.ro hotmail.com"), "ro", [],
    ),
    "NO": Land(
        _W("Anne Inger Kari Marit Ingrid Liv Eva Berit Astrid Bjørg Hilde Anna Solveig Marianne Randi Ida Nina Maria Elin Kristin Silje Ragnhild Åshild Turid Gro Guro"),
        _W("Jan Per Bjørn Ole Lars Kjell Knut Arne Svein Thomas Hans Geir Tor Morten Terje Odd Erik Martin Andreas John Øyvind Håkon Sindre Eirik Magnus Stian"),
        _W("Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen Johnsen Pettersen Eriksen Berg Haugen Hagen Johannessen Andreassen Jacobsen Dahl Jørgensen Halvorsen Henriksen Lund Sørensen Jakobsen Moen Gundersen Iversen Strand Solberg Svendsen Eide Knutsen Martinsen Bakken Kristoffersen Mathisen Lie Amundsen Rønning Bråthen"),
        _W("Aas Bjør Brek Eik Fjell Flat Fos Grøn Gul Haug Hel Hov Kval Lang Lil Myk Nor Røy Skar Sol Stein Sten Tor Tven Ul Vest Østen"),
        _W("aker bakk berg bø dal eng eset heim haug holt land lien mo moen nes rud seth set sæther stad tveit vik vold ås"),
        ["Storgata", "Kirkegata", "Skolegata", "Strandgata", "Bjørkeveien", "Solveien", "Fjordgata"],
        ["Oslo", "Bergen", "Trondheim", "Stavanger", "Tromsø", "Drammen"],
        "47", "9", _W("22 55 73 51 77"), 6, ["AS", "ASA", "ANS"], _W("online.no gmail.com hotmail.com live.no broadpark.no"), "no", [],
    ),
    "GR": Land(
        _W("Μαρία Ελένη Αικατερίνη Βασιλική Σοφία Αγγελική Γεωργία Δήμητρα Κωνσταντίνα Παναγιώτα Ειρήνη Ευαγγελία Άννα Χρυσούλα Φωτεινή Αναστασία Ιωάννα Θεοδώρα Ζωή Ευτυχία"),
        _W("Γεώργιος Δημήτριος Κωνσταντίνος Ιωάννης Νικόλαος Παναγιώτης Χρήστος Βασίλειος Αθανάσιος Μιχαήλ Ευάγγελος Σπυρίδων Αντώνιος Αναστάσιος Θεόδωρος Ανδρέας Χαράλαμπος Αλέξανδρος Ηλίας Σταύρος Στέφανος Πέτρος"),
        _W("Παπαδόπουλος Βλάχος Αγγελόπουλος Νικολαΐδης Γεωργίου Παπαγεωργίου Δημητρίου Οικονόμου Παπανικολάου Κωνσταντίνου Αλεξίου Μακρής Ιωάννου Αντωνίου Χριστοδούλου Καραγιάννης Αθανασίου Ζαχαρίου Σταματίου Παππάς Κυριακίδης Λάμπρου Θεοδωρίδης Μαυρίδης Σαμαράς Τσακίρης"),
        _W("Αγγελ Αναγνωστ Βασιλ Γιαννακ Δημητρ Ζαφειρ Θεοδωρ Καλογερ Κωστ Λαμπρ Μαντζ Νικολ Παναγ Πετρ Σπυρ Σταυρ Τριανταφυλλ Χατζ Χρηστ"),
        _W("ακος άκης άδης ίδης έας ίου όπουλος ούλης ίτης άτος όγλου"),
        ["Ερμού", "Πατησίων", "Σταδίου", "Αγίου Δημητρίου", "Βενιζέλου", "Τσιμισκή"],
        ["Αθήνα", "Θεσσαλονίκη", "Πάτρα", "Ηράκλειο", "Λάρισα"],
        "30", "69", _W("210 2310 2610 2810 2410"), 6, ["Α.Ε.", "Ε.Π.Ε.", "Ο.Ε."], _W("gmail.com yahoo.gr hotmail.com otenet.gr"), "gr", [],
    ),
}  # fmt: skip

# Countries where people have two surnames and systems hold one or both; where the surname goes first.
TWO_SURNAMES = frozenset(("PT", "BR", "ES"))
SURNAME_FIRST = frozenset(("HU",))

MORE_SHORT: dict[str, list[str]] = {}
for _pair in (
    "Leopold:Poldi Alois:Luis Ferdinand:Ferdl Johann:Hansi Rudolf:Rudi Christoph:Stoffl Theresa:Resi Veronika:Vroni Magdalena:Leni Hermine:Mina "
    "Beatrice:Bea Fabienne:Fabi Adrian:Adi Matthias:Mätthu Christoph:Chrigu "
    "Francisco:Chico José:Zé Antônio:Tonho Fernanda:Nanda Gabriela:Gabi Luciana:Lu Eduardo:Dudu Rafael:Rafa Filipa:Pipa Margarida:Guida Henrique:Quim Joaquim:Quim Luís:Lu "
    "Josef:Pepa František:Franta Jaroslav:Jarda Miroslav:Mirek Václav:Vašek Kateřina:Katka Jana:Janička Jiří:Jirka Zdeněk:Zdena Vladimír:Vláďa Ladislav:Láďa Stanislav:Standa Vojtěch:Vojta Ondřej:Ondra Tereza:Terka Barbora:Bára Martina:Márťa "
    "İbrahim:İbo Mehmet:Memo Süleyman:Sülo Fatma:Fato Mustafa:Mıstık Abdullah:Apo "
    "Frederik:Frede Mikkel:Mik Rasmus:Ras Kirsten:Kis Camilla:Milla Thomas:Tom Johan:Jo "
    "Antti:Antsa Mikko:Miksu Jukka:Jussi Hannele:Hanna Katariina:Kati Heikki:Hessu "
    "Erzsébet:Bözsi Erzsébet:Erzsi Katalin:Kati István:Pista József:Józsi János:Jani Sándor:Sanyi Ferenc:Feri László:Laci Zsuzsanna:Zsuzsa Ilona:Ica György:Gyuri Mihály:Misi Gábor:Gabi Lajos:Lali "
    "Gheorghe:Gigi Ion:Ionel Constantin:Costel Nicolae:Nicu Alexandru:Alex Elena:Lenuța Mihaela:Miha Gabriela:Gabi Dumitru:Mitică "
    "Γεώργιος:Γιώργος Δημήτριος:Δημήτρης Κωνσταντίνος:Κώστας Ιωάννης:Γιάννης Νικόλαος:Νίκος Παναγιώτης:Πάνος Βασίλειος:Βασίλης Αθανάσιος:Θανάσης Αικατερίνη:Κατερίνα Ευαγγελία:Λίτσα Δημήτρα:Μίτση Σπυρίδων:Σπύρος"
).split():
    _long, _, _short = _pair.partition(":")
    MORE_SHORT.setdefault(_long, []).append(_short)

MORE_FIRM_HEADS = _W(
    "Alba Altis Amber Anchor Apex Argo Aurum Avanti Balder Basalt Birch Bison Borealis Canyon Capella Castor Ceres Chalk Cirrus Corvus "
    "Dawn Dolomit Edel Elan Fenix Flint Gamma Garnet Helios Heron Ibis Indigo Kestrel Lyra Magnet Marlin Mistral Monte Nimbus Opal Otter "
    "Pallas Pegas Quercus Rigel Saffron Sirius Slate Tempo Tundra Ultra Umbra Velo Vesta Wolfram Yarrow Zephyr"
)
MORE_FIRM_TAILS = _W(
    "Agro Aviation Bakery Beton Cosmetics Dental Express Facility Garage Glass Group Handel Haustechnik Import Interiors Invest Kaffee "
    "Keramik Kliniken Leather Marine Metall Möbel Nutrition Optik Paper Planung Precision Recycling Reisen Retail Seeds Shipping Sport "
    "Stahl Studio Supply Telecom Timber Toys Verlag Water"
)
MORE_TITLES = (
    "CTO|COO|Head of Sales|Key Account Manager|Obchodní ředitel|Jednatel|Diretor comercial|Gerente de compras|Satış Müdürü|Genel Müdür|"
    "Toimitusjohtaja|Direktør|Daglig leder|Ügyvezető|Director general|Prokurist|Leiter Einkauf|Responsable des ventes|Product Owner|"
    "Research Lead|Receptionist|Plant Manager|Controller|HR Manager"
).split("|")
MORE_ROLES = _W(
    "info office hello bestellung vendas compras obchod fakturace muhasebe satis salg myynti ertekesites comenzi post reception hr"
)
MORE_HOBBIES = _W(
    "rainbow cactus falcon pirate wizard shadow rocket lemon cherry pepper storm winter summer runner biker77 drummer gamer hiker sailor "
    "zorro elvis kiwi mango phoenix comet thunder velvet ghost cobra maverick"
)
