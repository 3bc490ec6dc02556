"""Splink 5 over the generator's table: the peer of bench/identity.py, run by the peers' Python.

    .venv-peers/bin/python bench/splink_dedupe.py rows.json out.json

With a list of rows, set up as its guide recommends: names in lower case without accents and cut
apart, phones as their last nine digits, role mailboxes left out, term frequencies, u by random
sampling, m from the truth itself (by EM it got no further). This is one set-up by one hand: what
separates it from the second is evidence (what a value is, and who shares it), not Splink. Clusters at
ten thresholds; the caller takes the best. With the hub's own evidence and model instead,
only blocking and clustering are Splink's. Prints nothing; out.json holds the clusters of
each threshold, seconds and peak memory.
"""

from __future__ import annotations

import json
import logging
import re
import resource
import sys
import time
import unicodedata
from pathlib import Path

import duckdb
import pyarrow as pa
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI
from splink_weights import table as typed

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999)
ROLES = {"info", "sales", "office", "contact", "kontakt", "buchhaltung", "service", "einkauf", "accueil",
         "commercial", "administracion", "ufficio", "support"}  # fmt: skip
TITLES = {"dr", "prof", "herr", "frau", "mr", "mrs", "mme", "ing"}


def plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ł", "l"))
    return "".join(c for c in text if not unicodedata.combining(c))


def names(row: dict[str, str]) -> tuple[str, str]:
    """Return first and last name, from the parts or cut out of the whole."""
    first, last = plain(row["first_name"]), plain(row["last_name"])
    if not first and not last:
        full = re.sub(r"\(.*?\)", "", plain(row["full_name"]))
        head, comma, tail = full.partition(",")
        words = [
            w
            for w in (f"{tail} {head}" if comma else full).replace(".", " ").split()
            if w not in TITLES
        ]
        if words:
            first, last = words[0], words[-1] if len(words) > 1 else ""
    return first.strip(" ."), last.strip()


def prepared(row: dict[str, str]) -> dict[str, str | None]:
    first, last = names(row)
    phone, mobile = (re.sub(r"\D", "", row[c])[-9:] for c in ("phone", "mobile"))
    email = row["email"].lower()
    if email.partition("@")[0] in ROLES:
        email = ""
    out = {
        "unique_id": row["record_id"], "person": row["person"], "first": first, "last": last, "email": email,
        "local": email.partition("@")[0], "phone": phone, "mobile": mobile, "company": plain(row["company"]),
        "street": plain(row["street"]), "city": plain(row["city"]), "postcode": row["postcode"],
        "born": row["birth_date"],
    }  # fmt: skip
    return {key: value or None for key, value in out.items()}


def settings() -> SettingsCreator:
    from splink.internals import comparison_library as cl

    names_rule = [
        cl.JaroWinklerAtThresholds("first", [0.92, 0.8]).configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("last", [0.92, 0.8]).configure(term_frequency_adjustments=True),
    ]
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            *names_rule,
            cl.ExactMatch("email").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.ExactMatch("mobile").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("company", [0.9]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.ExactMatch("born"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("email"), block_on("phone"), block_on("mobile"), block_on("last", "first"),
            block_on("last", "company"), block_on("last", "postcode"), block_on("first", "company"),
            block_on("local"), block_on("born", "last"),
        ],
    )  # fmt: skip


def main() -> None:
    logging.disable(logging.WARNING)
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    began = time.perf_counter()
    linker = shared_levels(given) if isinstance(given, dict) else by_the_guide(given)
    edges = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    write(linker, edges, began)


def shared_levels(given: dict) -> Linker:
    """Return a linker with the hub's own evidence, levels and weights: what is left is Splink's
    blocking and its clusters by connected components."""
    api = DuckDBAPI(duckdb.connect())
    rules = [
        block_on("given", "family"), block_on("family", "postcode"), block_on("family", "company"),
        block_on("birth", "family"), block_on("mail_own"), block_on("given", "company"),
        *(block_on(c, arrays_to_explode=[c]) for c in ("mails", "phones", "refs")),
    ]  # fmt: skip
    settings = given["settings"] | {
        "blocking_rules_to_generate_predictions": [
            r.create_blocking_rule_dict("duckdb") for r in rules
        ]
    }
    linker = Linker(api.register(typed(given["rows"])), settings, log_level=None)
    for column, values in given["tf"].items():
        lookup = pa.table({column: list(values), f"tf_{column}": list(values.values())})
        linker.table_management.register_term_frequency_lookup(api.register(lookup), column)
    return linker


def by_the_guide(rows: list[dict]) -> Linker:
    """Return a linker that cleaned and trained as the guide says."""
    api = DuckDBAPI(duckdb.connect())
    columns = list(prepared(rows[0]))
    schema = pa.schema([(name, pa.string()) for name in columns])
    table = pa.Table.from_pylist([prepared(row) for row in rows], schema=schema)
    linker = Linker(api.register(table), settings(), log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("email"), block_on("mobile")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    linker.training.estimate_m_from_label_column("person")
    return linker


def write(linker: Linker, edges: object, began: float) -> None:
    """Write the clusters of every threshold."""
    id = linker._settings_obj.column_info_settings.unique_id_column_name
    found = {}
    not_paid = 0.0
    for threshold in THRESHOLDS:
        start = time.perf_counter()
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            edges, threshold_match_probability=threshold
        )
        groups: dict[str, list[str]] = {}
        for row in clusters.as_record_list():
            groups.setdefault(row["cluster_id"], []).append(row[id])
        found[str(threshold)] = list(groups.values())
        not_paid += time.perf_counter() - start if threshold != THRESHOLDS[-1] else 0.0
    # One threshold is what a user pays for.
    seconds = time.perf_counter() - began - not_paid
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Path(sys.argv[2]).write_text(
        json.dumps({"seconds": seconds, "peak_mb": peak, "clusters": found})
    )


if __name__ == "__main__":
    main()
