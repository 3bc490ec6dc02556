"""hub.yaml: what this hub is, where it stores, which connections it has. Read and edited here.

Comes before everything that runs. Secrets are never in hub.yaml: a secret setting says `sealed`,
`env:NAME` or `file:PATH`, and `crm_hub.secrets` looks it up.
"""

from crm_hub.config.edit import add_connection, create, remove_connection, set_paused
from crm_hub.config.read import (
    FILE_NAME,
    CompanyConfig,
    ConnectionConfig,
    HubConfig,
    ReceiverConfig,
    StoreConfig,
    check_name,
    load,
    parse,
)

__all__ = [
    "FILE_NAME",
    "CompanyConfig",
    "ConnectionConfig",
    "HubConfig",
    "ReceiverConfig",
    "StoreConfig",
    "add_connection",
    "check_name",
    "create",
    "load",
    "parse",
    "remove_connection",
    "set_paused",
]
