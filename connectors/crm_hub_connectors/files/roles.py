"""Call logs and ERP tables: the columns that every program names in its own way.

Such a table has no vendor's fixed header. `shapes` recognises it by the roles below, and the
mapping's hook lays the same roles over a row before it is mapped, so that mappings/files.yaml can
speak of `customer_number` whatever the column is called. The row itself is stored untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from crm_hub.sdk.guess.words import fold

# shape → role → column names, folded (see `fold`), the likeliest first.
ROLES: dict[str, dict[str, str]] = {
    "calls": {
        "call_id": "callid uniqueid linkedid calluuid callsid sid sessionid recordid id",
        "from": "from caller src callernumber callerid fromnumber callingnumber source ani "
        "anrufer appelant llamante origen beller",
        "to": "to callee dst calleenumber tonumber callednumber called destination dialednumber "
        "dnis angerufener appele destino gebelde",
        "started_at": "startedat start calldate starttime startdate datetime calltime "
        "callstart startdatetime timestamp date beginn debut inicio begintijd",
        "duration_s": "durations billsec durationseconds durationsec durationinseconds duration "
        "talktime calldurationseconds callduration dauer duree duracion duur",
        "direction": "direction calldirection calltype type richtung sens direccion richting",
        "disposition": "disposition callstatus status result callresult outcome answered ergebnis",
        "line": "line did trunk queue department extension leitung",
        "caller_name": "callername fromname cnam contactname name",
    },
    "invoices": {
        "invoice_number": "invoicenumber invoiceno invoicenr invoiceid invoice documentnumber "
        "rechnungsnummer rechnungsnr rechnungnr belegnummer numerofacture nofacture "
        "numerodefactura numerofactura factuurnummer",
        "customer_number": "customernumber customerno customernr customerid custno accountnumber "
        "clientnumber debtornumber kundennummer kundennr debitor numeroclient codeclient "
        "numerodecliente codigocliente klantnummer",
        "customer_name": "customername customer clientname client accountname company kunde "
        "nomclient nombrecliente klant",
        "order_number": "ordernumber orderno ordernr orderid salesorder auftragsnummer "
        "numerocommande numeropedido ordernummer",
        "issued_on": "issuedon invoicedate issuedate dateissued issuedat date rechnungsdatum "
        "belegdatum datefacture fechafactura factuurdatum datum",
        "due_on": "dueon duedate dueat datedue faelligam falligam falligkeit faelligkeit "
        "dateecheance echeance fechavencimiento vencimiento vervaldatum",
        "paid_on": "paidon paiddate paymentdate datepaid paidat settledon bezahltam zahldatum "
        "datepaiement fechapago betaaldatum",
        "status": "status state invoicestatus paymentstatus zustand statut estado",
        "net": "net netamount subtotal amountnet netto montantht baseimponible bedragexcl",
        "tax": "tax taxamount vat vatamount mwst ust tva iva btw",
        "total": "total totalamount grandtotal gross grossamount amount invoicetotal amountdue "
        "brutto bruttobetrag betrag gesamtbetrag montantttc montant importe bedrag totaal",
        "open_amount": "openamount balance outstanding balancedue amountopen openbalance offen "
        "offenerbetrag soldedu restantdu saldo openstaand",
        "currency": "currency currencycode waehrung wahrung devise moneda valuta",
    },
    "orders": {
        "order_number": "ordernumber orderno ordernr orderid order salesorder salesordernumber "
        "auftragsnummer auftragsnr bestellnummer numerocommande nocommande numeropedido "
        "ordernummer bestelnummer",
        "customer_number": "customernumber customerno customernr customerid custno accountnumber "
        "clientnumber debtornumber kundennummer kundennr debitor numeroclient codeclient "
        "numerodecliente codigocliente klantnummer",
        "customer_name": "customername customer clientname client accountname company kunde "
        "nomclient nombrecliente klant",
        "ordered_at": "orderedat orderdate orderedon dateordered placedat createdat date "
        "auftragsdatum bestelldatum datecommande fechapedido orderdatum besteldatum datum",
        "delivered_on": "deliveredon deliverydate delivereddate shippedon shipdate lieferdatum "
        "geliefertam datelivraison fechaentrega leverdatum",
        "status": "status state orderstatus zustand statut estado",
        "net": "net netamount subtotal netto montantht bedragexcl",
        "tax": "tax taxamount vat vatamount mwst ust tva iva btw",
        "total": "total totalamount grandtotal gross grossamount amount ordertotal brutto "
        "gesamtbetrag betrag montantttc montant importe bedrag totaal",
        "currency": "currency currencycode waehrung wahrung devise moneda valuta",
        "lines": "lines items orderlines products positionen artikel articles articulos regels",
    },
    "payments": {
        "payment_number": "paymentnumber paymentno paymentid payment receiptnumber transactionid "
        "zahlungsnummer numeropaiement numeropago betalingsnummer",
        "customer_number": "customernumber customerno customernr customerid custno accountnumber "
        "clientnumber debtornumber kundennummer kundennr debitor numeroclient codeclient "
        "numerodecliente codigocliente klantnummer",
        "invoice_number": "invoicenumber invoiceno invoicenr invoiceid invoice rechnungsnummer "
        "rechnungsnr numerofacture numerofactura factuurnummer",
        "paid_at": "paidat paidon paymentdate datepaid receivedon date zahldatum datepaiement "
        "fechapago betaaldatum datum",
        "amount": "amount paidamount total paymentamount betrag montant importe bedrag",
        "currency": "currency currencycode waehrung wahrung devise moneda valuta",
        "method": "method paymentmethod type zahlungsart mode moyen metodo betaalwijze",
    },
    "customers": {
        "customer_number": "customernumber customerno customernr customerid custno accountnumber "
        "clientnumber debtornumber kundennummer kundennr debitor numeroclient codeclient "
        "numerodecliente codigocliente klantnummer",
        "company": "company companyname organization organisation firm businessname firma "
        "firmenname societe entreprise raisonsociale empresa razonsocial bedrijf bedrijfsnaam",
        "contact": "contactname contactperson contact primarycontact ansprechpartner "
        "nomcontact personadecontacto contactpersoon",
        "given_name": "firstname givenname forename vorname prenom nombre voornaam",
        "family_name": "lastname familyname surname nachname nom apellido apellidos achternaam",
        "name": "name customername customer clientname displayname kundenname nomclient "
        "nombrecliente klantnaam naam",
        "email": "email emailaddress mail emailaddresses courriel correo correoelectronico",
        "phone": "phone phonenumber telephone tel telefon telefonnummer telefono telefoon",
        "mobile": "mobile mobilephone cell cellphone mobil handy portable movil mobiel",
        "street": "street address streetaddress address1 addressline1 strasse adresse rue "
        "direccion calle straat adres",
        "city": "city town ort stadt ville ciudad plaats stad",
        "region": "region state province county bundesland provincia provincie",
        "postcode": "postcode postalcode zip zipcode plz codepostal codigopostal",
        "country": "country countrycode land pays pais",
        "vat_id": "vatid vatnumber vat taxid ustid ustidnr numerotva nif cif btwnummer",
        "credit_status": "creditstatus credit creditrating bonitaet bonitat",
        "status": "status customerstatus state active",
        "created_at": "createdon createdat created datecreated since angelegtam",
        "updated_at": "updatedat updatedon modifiedat modified lastmodified lastupdated",
    },
}

NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "calls": (("from",), ("to",), ("started_at",), ("duration_s", "direction", "disposition")),
    "invoices": (("invoice_number",), ("issued_on", "due_on"), ("total", "open_amount", "net")),
    "payments": (("payment_number",), ("paid_at",), ("amount",)),
    "orders": (("order_number",), ("ordered_at",), ("total", "net", "status", "lines")),
    "customers": (
        ("customer_number",),
        ("name", "company", "contact", "family_name"),
        ("email", "phone", "mobile", "street", "city", "vat_id", "postcode"),
    ),
}
"""shape → groups of roles; of each group at least one has a column. In the order of trying."""

_PERSONAL = ("contact", "given_name", "family_name")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})$")
_EXTENSION_DIGITS = 6


@lru_cache(maxsize=16)
def _index(shape: str) -> dict[str, tuple[tuple[int, str], ...]]:
    found: dict[str, tuple[tuple[int, str], ...]] = {}
    for role, names in ROLES[shape].items():
        for rank, name in enumerate(names.split()):
            found[name] = (*found.get(name, ()), (rank, role))
    return found


def columns_by_role(shape: str, columns: Iterable[str]) -> dict[str, str]:
    """Return role → column: for each role the column with its likeliest name, used once."""
    index = _index(shape)
    offers = sorted(
        (rank, place, role, column)
        for place, column in enumerate(columns)
        for rank, role in index.get(fold(column), ())
    )
    taken: dict[str, str] = {}
    used: set[str] = set()
    for _, _, role, column in offers:
        if role not in taken and column not in used:
            taken[role] = column
            used.add(column)
    return taken


def recognise(columns: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """Return the shape and the columns by role of a call log or an ERP table."""
    names = tuple(columns)
    for shape, groups in NEEDS.items():
        roles = columns_by_role(shape, names)
        if all(any(r in roles for r in group) for group in groups):
            if shape == "customers" and not any(r in roles for r in _PERSONAL):
                shape = "customer_companies"
            return shape, roles
    return None


@lru_cache(maxsize=1024)
def _columns(shape: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(columns_by_role(shape, columns).items())


def _roles(shape: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    # Roles first decided on the row's own columns: blank cells are not there, which is well.
    row = dict(payload)
    row.update((role, payload[column]) for role, column in _columns(shape, tuple(payload)))
    return row


def calls(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `calls`: roles, duration in seconds, and the direction where it is plain.

    A telephone system's log (Asterisk's CDR) knows no direction, but its own extensions are short.
    """
    row = _roles("calls", payload)
    if clock := _CLOCK.match(str(row.get("duration_s", ""))):
        hours, minutes, seconds = (int(p or 0) for p in clock.groups())
        row["duration_s"] = str(hours * 3600 + minutes * 60 + seconds)
    if not row.get("direction"):
        inside, outside = (_is_extension(row.get(end)) for end in ("from", "to"))
        row["direction"] = "out" if inside and not outside else "in" if outside else ""
    return row


def _is_extension(number: object) -> bool:
    text = str(number or "")
    return 0 < len(text) <= _EXTENSION_DIGITS and text.isdigit()


def customers(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `customers`: roles, and whether the row names a person or only a company.

    `name` is the customer's: beside a contact it is the company, alone it is the person.
    """
    row = _roles("customers", payload)
    personal = any(row.get(role) for role in _PERSONAL)
    if personal and not row.get("company") and row.get("contact"):
        row["company"] = row.get("name", "")
    if not personal and row.get("company"):
        row["entity"] = "organization"
    return row


def customer_companies(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `customer_companies`: customers of whom no person is named."""
    return _roles("customers", payload)


def orders(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `orders`."""
    return _roles("orders", payload)


def invoices(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `invoices`."""
    return _roles("invoices", payload)


def payments(payload: dict[str, Any]) -> dict[str, Any]:
    """Hook of shape `payments`."""
    return _roles("payments", payload)
