"""Secrets at rest and in use: the sealed store, references, and settings with secrets filled in.

Comes after config, whose hub.yaml says `sealed`, `env:NAME` or `file:PATH` where a secret stands,
and before flow, which makes connectors from the settings resolved here. Every secret that passes
through is handed to `crm_hub.observe.hide`, so that no log line of this process can show it.
"""

from crm_hub.secrets.references import is_reference, reveal
from crm_hub.secrets.sealed import KEY_VARIABLE, SealedStore
from crm_hub.secrets.settings import resolve_settings, seal_settings, secret_fields

__all__ = [
    "KEY_VARIABLE",
    "SealedStore",
    "is_reference",
    "resolve_settings",
    "reveal",
    "seal_settings",
    "secret_fields",
]
