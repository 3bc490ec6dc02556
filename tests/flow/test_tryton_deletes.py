"""When an ERP suddenly lists almost nothing, the hub asks before it forgets anybody."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crm_hub.flow import reading
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import MassDelete
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.tryton import tryton
from crm_hub.sdk.testing.servers.tryton_data import Books
from tests.flow.test_tryton_figures import make_hub, read


def test_a_mass_delete_waits_for_a_person_and_then_is_done(tmp_path: Path) -> None:
    try:
        with tryton() as erp:
            books = Books(erp)
            parties = [books.party(f"Short Lived {n} Ltd") for n in range(8)]
            hub = make_hub(tmp_path / "hub", erp)
            assert read(hub)["new"] == 8
            gone = ",".join(map(str, parties[:6]))
            with closing(sqlite3.connect(erp.path, timeout=30)) as db, db:
                for table, column in (("party_address", "party"), ("party_party", "id")):
                    db.execute(f"DELETE FROM {table} WHERE {column} IN ({gone})")
            (report,) = sync(hub)
            assert isinstance(report.error, MassDelete)
            assert len(reading.people(hub, "Short Lived")) == 8
            (report,) = sync(hub, accept_deletes=True)
            assert report.error is None
            assert report.counts["deleted"] == 6
            assert len(reading.people(hub, "Short Lived")) == 2
            # One more is told like any other.
            erp.model("party.party", "delete", [parties[6]])
            assert read(hub)["deleted"] == 1
            hub.close()
    except Unobtainable as missing:
        pytest.skip(str(missing))
