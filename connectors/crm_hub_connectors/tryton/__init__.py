"""Tryton, an open ERP: parties, orders, invoices, payments and opportunities over JSON-RPC."""
