"""Which program wrote a table, told by its header: a table of headers, tried from the top.

The names are those of the vendors' own exports, case and all; README.md says which were confirmed
where. A shape is a section of mappings/files.yaml. What is not found here goes to `guess`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crm_hub.sdk.guess import RowKeys
from crm_hub_connectors.files import roles

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A known export. needs: of each group one column is there. id, changed: the first there."""

    name: str
    title: str
    needs: tuple[Names, ...]
    id: Names
    changed: Names = ()


_HUBSPOT_ID = ("Record ID", "Record ID - Contact", "Record ID - Company", "Record ID - Deal")
_HUBSPOT_CHANGED = ("Last Modified Date", "Last Modified Date - Contact")
_SALESFORCE_CHANGED = ("LastModifiedDate", "SystemModstamp", "Last Modified Date")

SHAPES: tuple[Shape, ...] = (
    Shape(
        "hubspot_deals",
        "HubSpot deals export",
        ((*_HUBSPOT_ID, "Deal ID"), ("Deal Name", "Deal name"), ("Deal Stage", "Pipeline")),
        (*_HUBSPOT_ID, "Deal ID"),
        _HUBSPOT_CHANGED,
    ),
    Shape(
        "hubspot_contacts",
        "HubSpot contacts export",
        (
            (*_HUBSPOT_ID, "Contact ID"),
            ("First Name", "Last Name", "Email"),
            ("Contact owner", "Lifecycle Stage", "Lead Status", "Create Date",
             "Associated Company", "Associated Company IDs", "Marketing contact status"),
        ),
        (*_HUBSPOT_ID, "Contact ID"),
        _HUBSPOT_CHANGED,
    ),
    Shape(
        "hubspot_companies",
        "HubSpot companies export",
        (
            (*_HUBSPOT_ID, "Company ID"),
            ("Company name", "Company Name", "Company Domain Name"),
            ("Company owner", "Company Domain Name", "Lifecycle Stage", "Create Date"),
        ),
        (*_HUBSPOT_ID, "Company ID"),
        _HUBSPOT_CHANGED,
    ),
    Shape(
        "pipedrive_deals",
        "Pipedrive deals export",
        (("Deal - Title",), ("Deal - ID", "Deal - Stage", "Deal - Status", "Deal - Value")),
        ("Deal - ID",),
        ("Deal - Update time",),
    ),
    Shape(
        "pipedrive_people",
        "Pipedrive people export",
        (
            ("Person - Name", "Person - First name"),
            ("Person - ID", "Person - Email - Work", "Person - Phone - Work", "Person - Email",
             "Person - Organization", "Person - Email (Work)", "Person - Phone"),
        ),
        ("Person - ID",),
        ("Person - Update time",),
    ),
    Shape(
        "pipedrive_organizations",
        "Pipedrive organizations export",
        (("Organization - Name",), ("Organization - ID", "Organization - Address",
                                    "Organization - Owner", "Organization - Labels")),
        ("Organization - ID",),
        ("Organization - Update time",),
    ),
    Shape(
        "zoho_deals",
        "Zoho CRM deals export",
        (("Record Id", "Deal Id"), ("Deal Name",), ("Stage", "Deal Owner", "Closing Date")),
        ("Record Id", "Deal Id"),
        ("Modified Time",),
    ),
    Shape(
        "zoho_leads",
        "Zoho CRM leads export",
        (("Record Id", "Lead Id"), ("Last Name",), ("Lead Owner", "Lead Status", "Lead Name")),
        ("Record Id", "Lead Id"),
        ("Modified Time",),
    ),
    Shape(
        "zoho_contacts",
        "Zoho CRM contacts export",
        (("Record Id", "Contact Id"), ("Last Name",), ("Contact Owner", "Account Name",
                                                       "Contact Name", "Mailing City")),
        ("Record Id", "Contact Id"),
        ("Modified Time",),
    ),
    Shape(
        "zoho_accounts",
        "Zoho CRM accounts export",
        (("Record Id", "Account Id"), ("Account Name",), ("Account Owner", "Billing City",
                                                          "Account Type", "Website")),
        ("Record Id", "Account Id"),
        ("Modified Time",),
    ),
    Shape(
        "salesforce_opportunities",
        "Salesforce opportunities export",
        (
            ("Id", "Opportunity ID"),
            ("StageName", "Stage"),
            ("Name", "Opportunity Name"),
        ),
        ("Id", "Opportunity ID"),
        _SALESFORCE_CHANGED,
    ),
    Shape(
        "salesforce_contacts",
        "Salesforce contacts export",
        (
            ("Id", "Contact ID"),
            ("LastName", "Last Name"),
            ("AccountId", "MailingCity", "MailingStreet", "Account ID", "Account Name",
             "Mailing City", "Mailing Street", "ReportsToId", "HomePhone"),
        ),
        ("Id", "Contact ID"),
        _SALESFORCE_CHANGED,
    ),
    Shape(
        "salesforce_leads",
        "Salesforce leads export",
        (
            ("Id", "Lead ID"),
            ("LastName", "Last Name"),
            ("Company", "Company / Account"),
            ("Status", "LeadSource", "IsConverted", "Lead Status", "Lead Source", "Lead Owner"),
        ),
        ("Id", "Lead ID"),
        _SALESFORCE_CHANGED,
    ),
    Shape(
        "salesforce_accounts",
        "Salesforce accounts export",
        (
            ("Id", "Account ID"),
            ("Name", "Account Name"),
            ("BillingCity", "BillingStreet", "BillingCountry", "ParentId", "NumberOfEmployees",
             "AccountNumber", "Billing City", "Billing Street", "Account Owner", "Industry"),
        ),
        ("Id", "Account ID"),
        _SALESFORCE_CHANGED,
    ),
)  # fmt: skip
_ROLE_TITLES = {
    "calls": "call log",
    "customers": "customers of an ERP",
    "customer_companies": "customers of an ERP, companies alone",
    "orders": "orders",
    "invoices": "invoices",
    "payments": "payments",
}
_ROLE_IDS = {
    "calls": "call_id",
    "customers": "customer_number",
    "customer_companies": "customer_number",
    "orders": "order_number",
    "invoices": "invoice_number",
    "payments": "payment_number",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a header was recognised as: the mapping section, words for people, the keys."""

    shape: str
    title: str
    keys: RowKeys


def recognise(columns: Iterable[str]) -> Known | None:
    """Return the shape of a table with these columns, None when no known program wrote it."""
    names = tuple(columns)
    there = set(names)
    for shape in SHAPES:
        if all(not there.isdisjoint(group) for group in shape.needs):
            keys = RowKeys(_first(shape.id, there), _first(shape.changed, there))
            return Known(shape.name, shape.title, keys)
    found = roles.recognise(names)
    if found is None:
        return None
    name, by_role = found
    keys = RowKeys(by_role.get(_ROLE_IDS[name], ""), by_role.get("updated_at", ""))
    return Known(name, _ROLE_TITLES[name], keys)


def _first(wanted: Names, there: set[str]) -> str:
    return next((name for name in wanted if name in there), "")
