"""What people call the columns of a contact list: canonical field → usual names, folded.

English first, then German, French, Spanish, Dutch, and then Italian, Portuguese, Polish, the
Nordic languages, Czech, Hungarian and Romanian. `columns` reads it; add a name where one is
missing. A name stands under one field only, which a test keeps.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

WORDS: dict[str, str] = {
    "record_id": "id recordid contactid personid leadid accountid companyid clientid memberid "
    "customerid customernumber externalid uid uuid guid key number nr no kundennummer kundennr "
    "numeroclient numerodecliente klantnummer "
    "identifiant identificador identyfikator tunniste",
    "email": "email emails emailaddress emailaddresses mail mailaddress primaryemail workemail "
    "email1 email2 email1value email2value emailwork emailhome emailprivate privateemail "
    "secondaryemail personalemail businessemail contactemail emailid "
    "mailadresse emailadresse epost courriel adressemail adresseemail adresseelectronique correo "
    "correoelectronico emailadres mailadres "
    "email2address email3address email3value email4value emailsecondary "
    "secondaryemailaddress alternateemail alternativeemail otheremail additionalemail "
    "additionalemailaddresses fromaddress senderaddress emailprivat emailgeschaftlich "
    "emailpersonnel emailprofessionnel mel correopersonal indirizzoemail indirizzomail "
    "postaelettronica indirizzodipostaelettronica correioeletronico correioelectronico "
    "enderecodeemail adresemail pocztaelektroniczna epostadress epostadresse sahkoposti "
    "sahkopostiosoite emailovaadresa emailcim",
    "phone": "phone phones phonenumber phonenumbers telephone telephonenumber tel telno mobile "
    "mobilephone mobilenumber mobileno cell cellphone cellular workphone homephone businessphone "
    "officephone directphone directline phone1 phone2 phone1value phone2value phonework phonehome "
    "phonemobile primaryphone contactnumber contactphone otherphone whatsapp whatsappnumber "
    "telefon telefonnummer rufnummer mobil mobilnummer mobiltelefon handy handynummer festnetz "
    "telephonemobile mobilephonenumber numerodetelephone portable telephoneportable "
    "telefono movil celular numerodetelefono telefoonnummer telefoon mobiel mobielnummer gsm "
    "worknumber homenumber workphonenumber homephonenumber officenumber directdial ddi "
    "carphone companymainphone whatsappphonenumber handynr telefonprivat "
    "telefongeschaftlich telprivat telgeschaftlich telmobil telephonefixe telephonefix "
    "telephoneprofessionnel telephonepersonnel telfixe telportable telefonomovil "
    "telefonofijo telefonoparticular telefonotrabajo numerotelefono cellulare "
    "telefonocellulare telefonofisso telefonoufficio telefonocasa numeroditelefono telefone "
    "telemovel telefonecelular telefonefixo telefonemovel numerodetelefone mobieletelefoon "
    "gsmnummer numertelefonu nrtelefonu telefonkomorkowy komorka telefonstacjonarny "
    "mobiltelefonnummer puhelin puhelinnumero matkapuhelin telefonnicislo mobilnitelefon "
    "telefonszam mobilszam telefonmobil telefonfix",
    "given_name": "firstname first givenname given forename fname vorname prenom "
    "nombre nombres primernombre voornaam namefirst "
    "imie imiona fornamn fornavn etunimi etunimet keresztnev utonev prenume primeironome "
    "voornamen nomedibattesimo krestnijmeno",
    "family_name": "lastname last surname familyname family lname secondname nachname "
    "familienname nomdefamille apellido apellidos primerapellido achternaam familienaam namelast "
    "cognome nazwisko sobrenome apelido apelidos ultimonome efternamn efternavn etternavn "
    "sukunimi prijmeni vezeteknev csaladnev soyad soyadi nomdusage apellidopaterno",
    "middle_name": "middlename middle additionalname additionalnames zweitername zweitname "
    "deuxiemeprenom segundonombre tussenvoegsel "
    "secondonome drugieimie nomedomeio mellannamn mellomnavn tussenvoegsels",
    "display_name": "name fullname displayname contactname contact personname clientname "
    "customername leadname vollername ansprechpartner kontakt kontaktname kundenname nom "
    "nomcomplet nomprenom nombrecompleto nombreyapellidos naam volledigenaam contactpersoon "
    "fileas namevorname nachnamevorname vornamename vornamenachname vorundnachname "
    "nometprenom prenometnom prenomnom nombresyapellidos apellidosynombre nome nomecompleto "
    "nomeecognome nomecognome cognomeenome cognomenome nominativo imieinazwisko "
    "nazwiskoiimie nazwa namn fullstandigtnamn navn fuldenavn fulltnavn fulltnamn nimi "
    "kokonimi jmeno jmenoaprijmeni prijmeniajmeno celejmeno nev teljesnev nume numecomplet "
    "numesiprenume adsoyad",
    "prefix": "salutation prefix title1 courtesytitle nameprefix honorific anrede titel civilite "
    "tratamiento aanhef",
    "suffix": "suffix namesuffix generation sufijo suffixe suffisso",
    "nickname": "nickname rufname spitzname surnom apodo roepnaam",
    "title": "title jobtitle position role function jobfunction designation occupation profession "
    "organization1title organizationtitle funktion berufsbezeichnung stellung poste fonction cargo "
    "puesto functie functietitel "
    "qualifica ruolo mansione stanowisko funcao befattning yrkestitel stilling tittel "
    "titteli nimike pozice munkakor beosztas functia",
    "department": "department dept division organizationdepartment abteilung service departement "
    "departamento afdeling "
    "reparto ufficio dzial avdelning avdeling afdelning osasto oddeleni osztaly",
    "company": "company companyname organization organisation organizationname organisationname "
    "organization1name employer account accountname firm business businessname "
    "firma firmenname unternehmen arbeitgeber gesellschaft societe entreprise raisonsociale "
    "nomentreprise empresa nombreempresa nombredelaempresa compania razonsocial bedrijf "
    "bedrijfsnaam organisatie "
    "companyaccount primarycompany associatedcompany azienda nomeazienda ragionesociale "
    "societa ditta impresa nazwafirmy przedsiebiorstwo razaosocial nomedaempresa foretag "
    "foretagsnamn virksomhed virksomhet bedrift firmanavn firmanamn yritys yrityksennimi "
    "spolecnost nazevspolecnosti ceg cegnev companie",
    "domain": "domain domainname companydomain companydomainname emaildomain",
    "url": "website webpage web url homepage websiteurl companywebsite linkedin linkedinurl "
    "linkedinprofile profileurl internet webseite siteweb siteinternet paginaweb sitioweb "
    "sitoweb hemsida nettside hjemmeside",
    "street": "street streetaddress address address1 addressline1 address1street mailingstreet "
    "billingstreet mailingaddress postaladdress homestreet businessstreet workstreet "
    "strasse strassehausnummer strasseundhausnummer strassenr anschrift adresse rue adresse1 "
    "adressepostale direccion calle domicilio adres straat straatnaam "
    "shippingstreet shippingaddress1 shippingaddress billingaddress1 billingaddress "
    "otherstreet addressstreet indirizzo viaenumero endereco morada rua ulica ulicainumer "
    "ulicaanumer straatenhuisnummer gata gatuadress gateadresse gade vejnavn adress "
    "katuosoite osoite lahiosoite ulice utca lakcim adresa strada",
    "city": "city town locality address1city mailingcity billingcity homecity businesscity "
    "ort stadt wohnort ville commune ciudad poblacion localidad plaats woonplaats stad "
    "shippingcity othercity citta comune localita cidade localidade municipio gemeente "
    "miasto miejscowosc poststed postort postitoimipaikka kaupunki mesto obec varos helyseg "
    "telepules oras localitate",
    "region": "state province region county stateregion stateprovince address1region "
    "mailingstate billingstate bundesland provincia comunidadautonoma provincie "
    "shippingstate otherstate voivodato wojewodztwo estado lan fylke",
    "postcode": "postcode postalcode zip zipcode zippostalcode address1postalcode mailingzip "
    "billingzip plz postleitzahl codepostal cp codigopostal postcodeplaats "
    "mailingpostalcode mailingzippostalcode otherpostalcode otherzip homepostalcode "
    "businesspostalcode homezip businesszip shippingzip shippingpostalcode cap "
    "codicepostale cep kodpocztowy postnummer postnr postinumero psc iranyitoszam codpostal",
    "country": "country countryregion countrycode address1country mailingcountry billingcountry "
    "land staat pays pais "
    "homecountry homecountryregion businesscountry businesscountryregion othercountry "
    "shippingcountry landerkennzeichen laenderkennzeichen landercode landcode landkod "
    "codepays codigopais paese nazione kraj panstwo maa zeme stat orszag tara",
    "birthday": "birthday birthdate dateofbirth dob birth geburtstag geburtsdatum "
    "datedenaissance naissance anniversaire fechadenacimiento fechanacimiento geboortedatum "
    "bday birthdaydate gebdatum gebdat geboren geborenam neele datanaissance fnacimiento "
    "datadinascita datanascita natoil datadenascimento datanascimento nascimento "
    "dataurodzenia dataur fodelsedatum fodselsdato fdselsdato fodselsdag fdselsdag "
    "syntymaaika datumnarozeni szuletesidatum datanasterii",
    "gender": "gender sex geschlecht sexe genre sexo genero geslacht",
    "language": "language languages preferredlanguage locale sprache langue idioma taal",
    "tags": "tags tag labels label groups group categories category groupmembership "
    "schlagworte schlagwort gruppe gruppen kategorie kategorien etiquette etiquettes groupe "
    "etiquetas etiqueta grupo categoria categorie",
    "note": "note notes comment comments remark remarks description memo notiz notizen bemerkung "
    "bemerkungen kommentar commentaire commentaires remarque nota notas comentario comentarios "
    "observaciones opmerking opmerkingen notitie notities",
    "source": "source leadsource origin originalsource howdidyouhear herkunft quelle "
    "origine provenance origen procedencia herkomst bron "
    "fuente fonte origem zrodo zrodlo kilde kalla lahde zdroj",
    "owner": "owner contactowner leadowner accountowner assignedto salesrep accountmanager "
    "betreuer zustandig zustaendig kundenbetreuer responsable commercial propietario asignadoa "
    "eigenaar accountbeheerder",
    "created_at": "createdat created createddate createdate creationdate datecreated createdon "
    "createdtime signupdate registered registrationdate optintime angelegtam erstelltam "
    "erstellungsdatum anlagedatum datedecreation creele fechadecreacion creado aangemaakt "
    "aanmaakdatum",
    "changed_at": "updatedat updated modifiedat modified modifiedtime lastmodified "
    "lastmodifieddate lastupdated updatetime changedat lastchanged geandertam geaendertam "
    "letzteanderung modifiele datedemodification fechademodificacion modificado gewijzigd "
    "aktualisiertam dateactualisation actualizado fechaactualizacion ultimamodifica "
    "zmodyfikowano",
    "vat_id": "vatid vatnumber vat vatno taxid taxnumber ustid ustidnr ustidnummer umsatzsteuerid "
    "steuernummer numerotva tva notva tvaintracommunautaire nif cif nifcif btw btwnummer "
    "partitaiva piva cnpj dic adoszam nip vatregnumber vatregistrationnumber",
    "registry_id": "registrationnumber companynumber companyregistrationnumber registernumber "
    "handelsregisternummer hrb siret siren kvk kvknummer "
    "orgnr organisationsnummer organisasjonsnummer cvr cvrnummer krs regon ico ytunnus kbo",
    "industry": "industry sector branch lineofbusiness branche secteur secteurdactivite "
    "sectoractividad",
    "employees": "employees numberofemployees employeecount headcount staff mitarbeiter "
    "mitarbeiterzahl anzahlmitarbeiter effectif nombredesalaries empleados numerodeempleados "
    "medewerkers aantalmedewerkers",
    "legal_name": "legalname registeredname",
    "parent": "parentcompany parentaccount muttergesellschaft",
}

# Before a usual name: whose it is. `Attendee email` is an e-mail address, `Person - Phone` a phone.
OF_WHOM = (
    "person contact attendee invitee participant requester sender customer client buyer subscriber "
    "member lead usercolumn user your from defaultaddress"
).split()
# A bare "name" is the surname beside a column of given names, and the given name beside surnames.
BARE_NAMES = frozenset("name nom nome naam namn navn nimi jmeno nev nume nazwa".split())

ADDRESS = ("street", "city", "region", "postcode", "country")
ORGANIZATION_SIGNS = ("vat_id", "registry_id", "industry", "employees", "legal_name", "domain")
PERSON_SIGNS = ("given_name", "family_name", "middle_name", "birthday", "title", "nickname",
                "gender", "prefix", "department")  # fmt: skip


@lru_cache(maxsize=4096)
def fold(column: str) -> str:
    """Return a column's name in letters and digits alone: `Kunden-Nr.` is kundennr."""
    plain = unicodedata.normalize("NFKD", column).casefold().replace("ß", "ss")
    return "".join(c for c in plain if c.isalnum() and c.isascii())
