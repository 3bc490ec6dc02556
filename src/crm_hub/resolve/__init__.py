"""Step 4: which records are one identity, and which id it has.

Pure. Its answer depends on the set of records alone, never on the order in which they
came: whenever a record moves, all that it is connected with by keys that tie are clustered again.
"""

from crm_hub.resolve.assign import Assignment, assign
from crm_hub.resolve.cluster import Cluster, Member, cluster, sharing
from crm_hub.resolve.keys import EmailKind, claimed, email_kind, joining, keys_of, name_key
from crm_hub.resolve.names import (
    NameForm,
    Similarity,
    compare_names,
    names_agree,
    organization_form,
    person_form,
)
from crm_hub.resolve.rulings import Ruling

__all__ = [
    "Assignment",
    "Cluster",
    "EmailKind",
    "Member",
    "NameForm",
    "Ruling",
    "Similarity",
    "assign",
    "claimed",
    "cluster",
    "compare_names",
    "email_kind",
    "joining",
    "keys_of",
    "name_key",
    "names_agree",
    "organization_form",
    "person_form",
    "sharing",
]
