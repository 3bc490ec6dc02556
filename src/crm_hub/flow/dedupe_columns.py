"""Which column of a table means what, for `crm-hub dedupe`: by usual names, or as told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_hub.model.errors import ConfigError
from crm_hub.sdk.guess import fields_of
from crm_hub.sdk.guess.columns import with_bare_names
from crm_hub.sdk.guess.words import BARE_NAMES, fold

# Usual names beside those of sdk/guess: what only a list to be deduplicated has.
_MORE = {
    "reference": "externalref externalreference reference customerref customerno custno "
    "customernumber customerid "
    "clientnumber kundennummer kundennr debitor debitornumber debtornumber "
    "accountnumber memberno membernumber socsecid ssn nationalid taxpayerid debitorennummer "
    "debitorennr kunnr referenceclient numeroclient nclient nclientes numerodecliente ncliente "
    "codigocliente codigodocliente codicecliente klantnummer klantnr relatienummer numerklienta "
    "nrklienta kundnummer asiakasnumero cislozakaznika codicefiscale cpf pesel dni personnummer "
    "fodselsnummer rodnecislo",
    "house_number": "streetnumber housenumber houseno hausnummer hausnr huisnummer huisnr "
    "numerocivico civico numerodomu nrdomu numeroderue housenum housenum1",
    "city": "suburb postaltown ort01 city1 defaultaddresscity",
    "postcode": "postalzip pstlz postcode1",
    "street": "stras",
    "birth_name": "birthname maidenname previousname formername previouslastname formerlastname "
    "geburtsname nomdenaissance nomdejeunefille apellidodesoltera cognomedanubile meisjesnaam "
    "nazwiskorodowe nazwiskopanienskie",
    "source": "sourcesystem system",
    "email": "email3 privatemail smtpaddr pec",
    "phone": "landline homephone2 phone3 mobile2 telf1 telf2 telnumber mobnumber",
    "birthday": "birthdate dateofbirth dob gbdat",
}
_PERSON = (
    "given_name", "nickname", "middle_name", "family_name", "birth_name", "suffix", "display_name",
    "email", "phone", "company", "domain", "title", "house_number", "street", "city",
    "postcode", "country",
    "birthday",
    "reference", "source",
)  # fmt: skip
_ORGANIZATION = (
    "company", "display_name", "legal_name", "email", "phone", "domain", "url", "house_number",
    "street", "city", "postcode", "country", "vat_id", "registry_id", "source",
)  # fmt: skip
_TELLING = {
    "person": ("given_name", "family_name", "display_name", "email", "phone"),
    "organization": ("company", "display_name", "legal_name", "domain", "url"),
}


def fields_for(
    entity: str, columns: Sequence[str], told: Mapping[str, str], id_column: str
) -> dict[str, list[str]]:
    """Return field → columns, in the table's order. told: column → field, from --map.

    Raises: ConfigError for a column or a field that does not exist, and when nothing is left that
    tells who somebody is.
    """
    allowed = _PERSON if entity == "person" else _ORGANIZATION
    found: dict[str, list[str]] = {}
    for column in columns:
        field = told.get(column)
        field = _field_named(field, allowed) if field is not None else _recognised(column)
        if field in allowed and (column != id_column or column in told):
            found.setdefault(field, []).append(column)
    if not any(fold(column) in BARE_NAMES for column in told):
        found = with_bare_names(found)
    for column in told:
        if column not in columns:
            raise ConfigError(
                f"--map names a column {column!r} that the table does not have.",
                remedy=f"Its columns are: {', '.join(columns)}.",
            )
    if not any(field in found for field in _TELLING[entity]):
        raise ConfigError(
            f"No column says who the {entity}s are; the columns are: {', '.join(columns)[:500]}.",
            remedy=f"Name them: --map COLUMN=FIELD, FIELD one of {', '.join(allowed)}.",
        )
    return found


def _recognised(column: str) -> str:
    plain = fold(column)
    for field, names in _MORE.items():
        if plain in names.split():
            return field
    return next(iter(fields_of([column])), "")


def _field_named(field: str, allowed: Sequence[str]) -> str:
    """Return the field that a person means by `first_name` or `given_name`; "-" leaves it out."""
    if field == "-":
        return ""
    name = field if field in allowed else _recognised(field)
    if name not in allowed:
        raise ConfigError(
            f"--map: there is no field {field!r}.",
            remedy=f"There are: {', '.join(allowed)}, and -.",
        )
    return name
