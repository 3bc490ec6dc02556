"""How well and how fast people are found again: `crm-hub dedupe` beside Splink, on one table.

    python bench/identity.py                            20,000 and 100,000, FEBRL4, Splink beside
    python bench/identity.py --sizes 20000 --alone      without Splink
    python bench/identity.py --sizes 20000 --variants tuned "other lands" noisy sparse "one land"
    python bench/identity.py --sizes 1000000 --alone --seeds 4

The tables are those of bench/people.py. The model was fitted on seed 1 of the variant `tuned`
(bench/fit_identity.py); other seeds and the other variants were not looked at. Thresholds are
those of mappings/identity.yaml, fixed before; Splink gets the best of ten, told the truth:
once set up as its guide says (m taken from the truth), once with our evidence, levels and weights.
Its seconds are those of the whole run from the table: also of making the evidence, by two
processes as the hub does it. Below the sides stand ours divided by each of Splink's.
Each side runs in a process of its own, so that seconds and peak memory are its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from febrl import febrl4
from identity_data import measured, profiles_of, traps_sprung
from people import COLUMNS, VARIANTS, people

from crm_hub.resolve.population import TF_COLUMNS, settle
from crm_hub.resolve.profile import table_row
from crm_hub.resolve.weights import calibrated, read_model, settings_of, shipped

HERE = Path(__file__).resolve().parent
OURS, GUIDE, OUR_LEVELS = "crm-hub", "Splink", "Splink, our levels"


def ours(source: Path, target: Path) -> None:
    """Run `crm-hub dedupe` as the command line does; write clusters, seconds and peak memory."""
    from crm_hub.flow.dedupe import dedupe

    began = time.perf_counter()
    found = dedupe(source)
    seconds = time.perf_counter() - began
    groups = [[found.profiles[at].id for at in group] for group in found.resolved.clusters.groups]
    # The second process has ended long before the first one's peak; both are told all the same.
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = sum(resource.getrusage(who).ru_maxrss for who in both) // 1024
    told = {"seconds": seconds, "peak_mb": peak, "clusters": {"fixed": groups}}
    told |= {"pairs": found.resolved.pairs, "to_review": len(found.resolved.questions)}
    target.write_text(json.dumps(told))


def run(
    side: str, rows: Sequence[dict[str, str]], truth: Sequence[int], folder: Path
) -> dict[str, Any]:
    """Return what a side made of the rows, in a process of its own."""
    target = folder / "out.json"
    evidence = 0.0
    if side == OURS:
        source = folder / "rows.csv"
        _write_csv(source, rows)
        command = [sys.executable, str(HERE / "identity.py"), "--side", str(source), str(target)]
    else:
        source = folder / "rows.json"
        given: Any = [row | {"person": str(who)} for row, who in zip(rows, truth, strict=True)]
        if side == OUR_LEVELS:
            began = time.perf_counter()
            given = _evidence(rows)
            evidence = time.perf_counter() - began
        source.write_text(json.dumps(given))
        del given
        python = Path(os.environ["CRM_HUB_BENCH_PEERS"]) / "python"
        command = [str(python), str(HERE / "splink_dedupe.py"), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-3_000:]}")
    result: dict[str, Any] = json.loads(target.read_text())
    result["seconds"] += evidence
    return result


def _evidence(rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Return the hub's profiles of the rows with its model, for Splink to score."""
    profiles = profiles_of(rows)
    population = settle(profiles)
    model = calibrated(read_model(shipped()), population)
    used = {level.tf for c in model.comparisons for level in c.levels} & set(TF_COLUMNS)
    return {
        "settings": settings_of(model),
        "rows": [table_row(one) for one in profiles],
        "tf": {column: dict(population.tf[column]) for column in sorted(used)},
    }


def _write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def report(
    side: str,
    name: str,
    rows: Sequence[dict[str, str]],
    truth: Sequence[int],
    traps: dict[str, list[tuple[int, int]]],
    folder: Path,
) -> float:
    """Print a row of the table, and the traps of the side that is ours; return the seconds."""
    told = run(side, rows, truth, folder)
    place = {row["record_id"]: at for at, row in enumerate(rows)}
    scored = []
    for threshold, clusters in told["clusters"].items():
        groups = [[place[id] for id in group] for group in clusters]
        scored.append((measured(groups, truth), threshold, groups))
    best, threshold, groups = max(scored, key=lambda one: one[0]["F1"])
    print(
        f"| {name} | {side} | {best['F1']:.4f} | {best['precision']:.4f} | {best['recall']:.4f} | "
        f"{best['B3']:.4f} | {best['largest']:.0f}/{best['largest_true']:.0f} | {threshold} | "
        f"{told['seconds']:.1f} | {told['peak_mb']:,} |",
        flush=True,
    )
    if side == OURS and traps:
        told_traps = traps_sprung(groups, truth, traps)
        print(
            "  false merges: "
            + ", ".join(f"{kind} {rate:.2%} of {n:,}" for kind, (rate, n) in told_traps.items()),
            flush=True,
        )
    return float(told["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["tuned"])
    parser.add_argument("--alone", action="store_true", help="without Splink")
    parser.add_argument("--side", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        ours(*args.side)
        return
    sides = [OURS]
    if not args.alone and "CRM_HUB_BENCH_PEERS" in os.environ:
        sides += [GUIDE, OUR_LEVELS]
    elif not args.alone:
        print("No Splink beside: CRM_HUB_BENCH_PEERS is not set (scripts/bench sets it).")
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print("| data | side | pair F1 | precision | recall | B³ F1 | largest | threshold | s | MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            rows, truth = febrl4()
            report(OURS, "FEBRL4", rows, truth, {}, folder)
        except FileNotFoundError as error:
            print(f"FEBRL4 is left out: {error}")
        for variant in args.variants:
            for size in args.sizes:
                for seed in args.seeds:
                    world = people(size, seed, variant)
                    rows = [{c: row[c] for c in COLUMNS} for row in world.rows]
                    label = f"{variant} {size:,} seed {seed}"
                    seconds = {
                        side: report(side, label, rows, world.truth, world.traps, folder)
                        for side in sides
                    }
                    for side in sides[1:]:
                        ratio = seconds[OURS] / seconds[side]
                        print(f"  seconds, {OURS} / {side}: {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
