"""What records seem to mean, told by their field names: for connectors whose shapes vary."""

from crm_hub.sdk.guess.columns import Guess, RowKeys, fields_of, guess
from crm_hub.sdk.guess.objects import columns_of, field_types, json_shape

__all__ = ["Guess", "RowKeys", "columns_of", "field_types", "fields_of", "guess", "json_shape"]
