"""Any JSON list API by settings alone: where the list is, what names a record, how it pages."""
