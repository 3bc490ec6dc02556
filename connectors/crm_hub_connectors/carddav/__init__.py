"""Address books of a CardDAV server."""

from crm_hub_connectors.carddav.connector import CarddavConnector, connector

__all__ = ["CarddavConnector", "connector"]
