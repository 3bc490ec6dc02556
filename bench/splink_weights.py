"""Weights that Splink gives to pairs: run by the Python that has Splink, on a folder of JSON files.

    .venv-peers/bin/python bench/splink_weights.py FOLDER

FOLDER holds settings.json, rows.json, tf.json (column → value → share) and pairs.json; the weights
go to weights.json as [id, id, bits]. For tests/resolve: the hub's own weight must be the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

_LISTS = (
    "givens", "families", "mails", "domains", "phones", "lines", "firms", "refs", "form_lands",
)  # fmt: skip
_FLAGS = ("common_given", "common_family", "family_is_given", "contested", "mail_free")


def table(rows: list[dict]) -> pa.Table:
    """Return the rows as Arrow, every column with its type even where all are NULL."""
    fields = [
        pa.field(
            name,
            pa.list_(pa.string())
            if name in _LISTS
            else pa.bool_()
            if name in _FLAGS
            else pa.string(),
        )
        for name in rows[0]
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def main() -> None:
    folder = Path(sys.argv[1])
    settings, rows, shares, pairs = (
        json.loads((folder / f"{name}.json").read_text("utf-8"))
        for name in ("settings", "rows", "tf", "pairs")
    )
    con = duckdb.connect()
    con.execute("SET threads = 1")
    api = DuckDBAPI(con)
    linker = Linker(api.register(table(rows)), settings, log_level=None)
    for column, values in shares.items():
        lookup = pa.table({column: list(values), f"tf_{column}": list(values.values())})
        linker.table_management.register_term_frequency_lookup(api.register(lookup), column)
    blocked = pa.table(
        {
            "match_key": ["0"] * len(pairs),
            "join_key_l": [a for a, _ in pairs],
            "join_key_r": [b for _, b in pairs],
        }
    )
    linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
    found = linker.inference.predict().as_record_list()
    out = [[row["id_l"], row["id_r"], row["match_weight"]] for row in found]
    (folder / "weights.json").write_text(json.dumps(out), "utf-8")


if __name__ == "__main__":
    main()
