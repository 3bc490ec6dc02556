"""Real servers for tests: found where they run, started in a folder of our own where they can be.

    with postgres() as base, postgres_database(base) as url:
        ...                                       # a fresh database, dropped afterwards

A server that cannot be had raises Unobtainable, whose text says how to get it; a fixture turns
that into a skip with the reason.
"""

from crm_hub.sdk.testing.servers.postgresql import postgres, postgres_database
from crm_hub.sdk.testing.servers.process import Unobtainable, free_port

__all__ = ["Unobtainable", "free_port", "postgres", "postgres_database"]
