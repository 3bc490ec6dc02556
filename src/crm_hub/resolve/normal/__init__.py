"""Values as evidence: what a record's texts say once spelling, titles and formats are taken away.

Pure. `VERSION` goes up when the same text would give another value, so that whoever stored
normalised values or keys knows to make them anew.
"""

from crm_hub.resolve.normal.emails import Mailbox, MailboxKind, mailbox
from crm_hub.resolve.normal.organization import FirmName, firm_name
from crm_hub.resolve.normal.person import PersonName, person_name
from crm_hub.resolve.normal.places import Place, place
from crm_hub.resolve.normal.values import birth_date, country_code, phone_key, vat_id

VERSION = 3

__all__ = [
    "VERSION",
    "FirmName",
    "Mailbox",
    "MailboxKind",
    "PersonName",
    "Place",
    "birth_date",
    "country_code",
    "firm_name",
    "mailbox",
    "person_name",
    "phone_key",
    "place",
    "vat_id",
]
