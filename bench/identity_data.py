"""What bench/identity.py and bench/fit_identity.py share: rows to profiles, and how well it went."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crm_hub.flow.dedupe_rows import Layout, contact_of
from crm_hub.flow.understanding import understand
from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve.profile import Profile

FIELDS = {
    "given_name": ["first_name"], "family_name": ["last_name"], "display_name": ["full_name"],
    "email": ["email", "email2"], "phone": ["phone", "mobile"], "company": ["company"],
    "title": ["job_title"], "street": ["street"], "city": ["city"], "postcode": ["postcode"],
    "country": ["country"], "birthday": ["birth_date"], "reference": ["external_ref"],
    "source": ["source"],
}  # fmt: skip


def profiles_of(rows: Sequence[Mapping[str, str]]) -> list[Profile]:
    """Return the evidence of the generator's rows, as `crm-hub dedupe` makes it."""
    rules = read_identity()
    fields = {field: [c for c in columns if c in rows[0]] for field, columns in FIELDS.items()}
    layout = Layout([*rows[0]], fields, "person")
    contacts = (contact_of(row["record_id"], [*row.values()], layout, "") for row in rows)
    return understand(contacts, "person", rules)


def measured(groups: Iterable[Sequence[int]], truth: Sequence[int]) -> dict[str, float]:
    """Return pair F1, precision, recall, B³ F1 and the largest cluster of a clustering."""
    groups = list(groups)
    sizes = Counter(truth)
    all_pairs = sum(n * (n - 1) // 2 for n in sizes.values())
    right = found = 0
    b3_precision = b3_recall = 0.0
    for group in groups:
        inside = Counter(truth[i] for i in group)
        right += sum(n * (n - 1) // 2 for n in inside.values())
        found += len(group) * (len(group) - 1) // 2
        b3_precision += sum(n * n / len(group) for n in inside.values())
        b3_recall += sum(n * n / sizes[who] for who, n in inside.items())
    precision, recall = right / max(found, 1), right / all_pairs
    b3_precision, b3_recall = b3_precision / len(truth), b3_recall / len(truth)
    return {
        "F1": 2 * precision * recall / (precision + recall) if right else 0.0,
        "precision": precision,
        "recall": recall,
        "B3": 2 * b3_precision * b3_recall / (b3_precision + b3_recall),
        "largest": max(map(len, groups)),
        "largest_true": max(sizes.values()),
    }


def traps_sprung(
    groups: Iterable[Sequence[int]],
    truth: Sequence[int],
    traps: Mapping[str, Sequence[tuple[int, int]]],
) -> dict[str, tuple[float, int]]:
    """Return, for each kind of trap, the share of its pairs of people that got into one cluster."""
    where: dict[int, set[int]] = defaultdict(set)
    for at, group in enumerate(groups):
        for index in group:
            where[truth[index]].add(at)
    out = {}
    for kind, pairs in sorted(traps.items()):
        present = [(a, b) for a, b in pairs if a in where and b in where]
        if present:
            wrong = sum(1 for a, b in present if where[a] & where[b])
            out[kind] = (wrong / len(present), len(present))
    return out
