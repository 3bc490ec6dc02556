"""Calendars of a CalDAV server."""

from crm_hub_connectors.caldav.connector import CaldavConnector, connector

__all__ = ["CaldavConnector", "connector"]
