"""How well firms are found again: generated organizations whose truth is known.

    python bench/firms.py --records 20000 --seeds 1 2 3

Each firm has a name, a legal form, a domain, a number in the VAT register, and one to three sites;
four kinds of systems hold it, each with other columns and its own way to write the name. Traps: firms
of one name in two towns, and daughters that bear the name of the mother with another word and use her
switchboard. Thresholds are those of mappings/identity.yaml, fixed before.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

from identity_data import measured, traps_sprung
from people_words import FIRM_HEADS, FIRM_TAILS, LANDS
from people_words_more import MORE_FIRM_HEADS, MORE_FIRM_TAILS, MORE_LANDS
from people_world import plain

from crm_hub.flow.dedupe_rows import Layout, organization_of
from crm_hub.flow.understanding import understand
from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve.kinds import FIRMS
from crm_hub.resolve.weights import read_model, shipped
from crm_hub.resolve.whole import resolve

COLUMNS = "record_id company domain email phone street city postcode country vat_id source".split()
FIELDS = {name: [name] for name in COLUMNS[1:]}
ALL = LANDS | MORE_LANDS


class Firms:
    """A world of firms and the records about them."""

    def __init__(self, records: int, seed: int) -> None:
        self.rng = random.Random(f"firms {seed}")
        self.rows: list[dict[str, str]] = []
        self.truth: list[int] = []
        self.traps: dict[str, list[tuple[int, int]]] = {"one name": [], "daughter": []}
        self.firms: list[dict[str, object]] = []
        while len(self.rows) < records:
            self._firm()
        order = list(range(len(self.rows)))
        self.rng.shuffle(order)
        self.rows = [self.rows[at] | {"record_id": f"f{n:06d}"} for n, at in enumerate(order)]
        self.truth = [self.truth[at] for at in order]

    def _firm(self) -> None:
        rng, at = self.rng, len(self.firms)
        code = rng.choice(list(ALL))
        land = ALL[code]
        heads, tails = (
            (FIRM_HEADS, FIRM_TAILS) if code in LANDS else (MORE_FIRM_HEADS, MORE_FIRM_TAILS)
        )
        base = (
            f"{rng.choice(land.surnames)} {rng.choice(tails)}"
            if rng.random() < 0.4
            else f"{rng.choice(heads)} {rng.choice(tails)}"
        )
        site = self._site(code)
        draw = rng.random()
        if self.firms and draw < 0.12:
            other = rng.randrange(at)
            base = str(self.firms[other]["base"])
            if draw < 0.06:
                self.traps["one name"].append((other, at))
            else:
                base = (
                    f"{base} {rng.choice(('Logistik', 'Service', 'International', 'Immobilien'))}"
                )
                site["phone"] = self.firms[other]["sites"][0]["phone"]  # type: ignore[index]
                self.traps["daughter"].append((other, at))
        sites = [site, *(self._site(code) for _ in range(rng.choice((0, 0, 0, 1, 2))))]
        domain = f"{plain(base.replace(' ', '-'), True)}{rng.choice(('', '', f'-{at}'))}.{land.tld}"
        if any(domain == f["domain"] for f in self.firms[-4000:]):
            domain = f"{at}-{domain}"
        vat = f"{code}{rng.randrange(10**9):09d}"
        firm = {"base": base, "form": rng.choice(land.forms), "domain": domain, "vat": vat}
        self.firms.append(firm | {"sites": sites, "code": code})
        for _ in range(min(9, 1 + int(rng.expovariate(0.6)))):
            self.rows.append(self._record(self.firms[-1], at))
            self.truth.append(at)

    def _site(self, code: str) -> dict[str, str]:
        rng, land = self.rng, ALL[code]
        city = rng.choice(land.cities)
        number = "".join(str(rng.randrange(10)) for _ in range(land.digits))
        return {
            "street": f"{rng.choice(land.streets)} {rng.randrange(1, 120)}",
            "city": city,
            "postcode": f"{sum(map(ord, city)) % 90 + 10}{rng.randrange(999):03d}",
            "phone": f"+{land.call}{rng.choice(land.area).lstrip('0')}{number}",
            "country": code,
        }

    def _record(self, firm: dict[str, object], at: int) -> dict[str, str]:
        rng = self.rng
        site = rng.choice(firm["sites"])  # type: ignore[arg-type]
        kind = rng.choice(("crm", "erp", "invoices", "web list"))
        row = dict.fromkeys(COLUMNS, "") | {"source": kind}
        name = f"{firm['base']} {firm['form']}" if rng.random() < 0.6 else str(firm["base"])
        if rng.random() < 0.08:
            name = name.upper()
        if rng.random() < 0.04 and len(name) > 6:
            cut = rng.randrange(1, len(name) - 1)
            name = name[:cut] + name[cut + 1 :]
        row["company"] = name
        fill = {
            "crm": {"domain": 0.6, "phone": 0.5, "city": 0.6, "country": 0.7},
            "erp": {"vat_id": 0.6, "street": 0.9, "phone": 0.6, "email": 0.4},
            "invoices": {"vat_id": 0.5, "street": 1.0},
            "web list": {"domain": 0.9, "email": 0.5, "phone": 0.4, "city": 0.4},
        }[kind]
        values = {**site, "domain": firm["domain"], "vat_id": firm["vat"]}
        values["email"] = f"info@{firm['domain']}"
        for column, share in fill.items():
            if rng.random() < share:
                row[column] = str(values[column])
                if column == "street":
                    row |= {c: site[c] for c in ("city", "postcode", "country")}
        return row


def measure(records: int, seed: int) -> str:
    """Return a line of the table."""
    world = Firms(records, seed)
    rules = read_identity()
    layout = Layout([*world.rows[0]], FIELDS, "organization")
    contacts = (
        organization_of(row["record_id"], [*row.values()], layout, "") for row in world.rows
    )
    profiles = understand(contacts, "organization", rules)
    model = read_model(shipped(FIRMS.model), FIRMS.comparisons)
    found = resolve(profiles, model, rules.bands, FIRMS).clusters.groups
    told = measured(found, world.truth)
    traps = traps_sprung(found, world.truth, world.traps)
    figures = " | ".join(f"{told[k]:.3f}" for k in ("F1", "precision", "recall", "B3"))
    sprung = " | ".join(f"{share:.1%} of {count}" for share, count in traps.values())
    return f"| {len(world.rows):,} seed {seed} | {figures} | {told['largest']} | {sprung} |"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    args = parser.parse_args(argv)
    print("| firms | pair F1 | precision | recall | B³ F1 | largest | daughter | one name |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in args.seeds:
        print(measure(args.records, seed), flush=True)


if __name__ == "__main__":
    main()
