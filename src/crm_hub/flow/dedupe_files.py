"""The files that `crm-hub dedupe` writes: clusters, open questions, rows set aside."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_hub.model.errors import ConfigError
from crm_hub.model.records import Reject
from crm_hub.resolve.score import Step, probability

if TYPE_CHECKING:
    from crm_hub.flow.dedupe import Deduped

_NUMBER = re.compile(r"[+-]?\d[\d .,()/-]*")
_MOST_REASONS = 3
_LEAST_BITS = 1.0


def safe_cell(text: str) -> str:
    """Return a cell that a spreadsheet shows and does not run: '=… for =…; numbers stay."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def refuse_unwritable(path: Path) -> None:
    """Refuse a place where no file can be put, before hours of work. Raises: ConfigError.

    A device or a pipe would be replaced by the file.
    """
    if path.is_dir():
        why = "it is a folder"
    elif str(path) == "-" or (path.exists() and not path.is_file()):
        why = "it is no ordinary file"
    elif not path.absolute().parent.is_dir():
        why = "there is no such folder"
    elif not os.access(path.absolute().parent, os.W_OK):
        why = "its folder is read-only"
    else:
        return
    raise ConfigError(f"{path} cannot be written: {why}.", remedy="Name another place.")


def write_clusters(path: Path, found: Deduped) -> None:
    """Write record_id, cluster_id, score and why for every record, in the table's order.

    cluster_id: the id of the cluster's first record in the order of ids, so that it depends on
    who is in it and not on the order of the rows. score: the chance behind the edge by which the
    record came in; 1 for a record that is alone.
    """
    clusters = found.resolved.clusters
    name_of: dict[int, str] = {}
    alone = set()
    for group in clusters.groups:
        name = min(found.profiles[at].id for at in group)
        name_of |= dict.fromkeys(group, name)
        if len(group) == 1:
            alone.add(group[0])
    with _writing(path, ("record_id", "cluster_id", "score", "why")) as write:
        for at, one in enumerate(found.profiles):
            if at in alone:
                write((one.id, name_of[at], "1.0000", "alone"))
                continue
            edge = clusters.by[at]
            other = edge.b if edge.a == at else edge.a
            why = f"{_why(found, at, other)} (with {found.profiles[other].id})"
            write((one.id, name_of[at], f"{probability(edge.bits):.4f}", why))


def _why(found: Deduped, a: int, b: int) -> str:
    steps = found.resolved.scorer.waterfall(found.profiles[a], found.profiles[b])
    best = sorted((s for s in steps if s.bits >= _LEAST_BITS), key=lambda s: -s.bits)
    return "; ".join(step.level for step in best[:_MOST_REASONS]) or "weak signs together"


def write_questions(path: Path, found: Deduped) -> None:
    """Write the pairs that somebody should look at, the likeliest first, with their waterfall."""
    header = ("record_id_1", "record_id_2", "score", "bits", "reason", "waterfall")
    with _writing(path, header) as write:
        for question in found.resolved.questions:
            a, b = found.profiles[question.a], found.profiles[question.b]
            steps = found.resolved.scorer.waterfall(a, b)
            score = f"{probability(question.bits):.4f}"
            bits = f"{question.bits:.2f}"
            write((a.id, b.id, score, bits, question.reason, "; ".join(map(_line, steps))))


def _line(step: Step) -> str:
    return f"{step.comparison}: {step.left} / {step.right}: {step.level} ({step.bits:+.1f})"


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write the rows that were set aside, with reason and remedy."""
    with _writing(path, ("line", "reason", "remedy", "excerpt")) as write:
        for one in rejects:
            write((one.id.removeprefix("line:"), one.reason, one.remedy, one.excerpt))


@contextmanager
def _writing(path: Path, header: Sequence[str]) -> Iterator[Any]:
    """Yield a function that writes a row; the file takes its place when all of it is written."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)

            def write(row: Iterable[str]) -> None:
                writer.writerow([safe_cell(cell) for cell in row])

            yield write
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}.", remedy="Name another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)
