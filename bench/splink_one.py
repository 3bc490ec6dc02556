"""Splink 5 asked about one record at a time: the peer of bench/hub_one.py, run by the peers' Python.

    .venv-peers/bin/python bench/splink_one.py people.csv late.json out.json

Set up as in splink_dedupe.py; trained once. The table of all records is registered beforehand, and
so are its term frequencies: timed is predict_between alone, with its result read.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
from splink import Linker, block_on
from splink.backends.duckdb import DuckDBAPI
from splink_dedupe import prepared, settings


def table(rows: list[dict]) -> pa.Table:
    made = [prepared({"person": "", **row}) for row in rows]
    schema = pa.schema([(name, pa.string()) for name in made[0] if name != "person"])
    return pa.Table.from_pylist(made, schema=schema)


def main() -> None:
    logging.disable(logging.WARNING)
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    late = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    api = DuckDBAPI(duckdb.connect())
    stored = api.register(table(rows))
    linker = Linker(stored, settings(), log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("email"), block_on("mobile")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("email"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("last", "first"))
    for column in ("first", "last", "email", "phone", "mobile", "company", "postcode", "city"):
        linker.table_management.compute_tf_table(column)
    seconds, pairs = [], 0
    for row in late:
        one = api.register(table([row]))
        began = time.perf_counter()
        found = linker.inference.predict_between(stored, one, threshold_match_probability=0.5)
        pairs += len(found.as_record_list())
        seconds.append(time.perf_counter() - began)
    Path(sys.argv[3]).write_text(
        json.dumps({"seconds": seconds, "records": len(rows), "pairs": pairs / len(late)})
    )


if __name__ == "__main__":
    main()
