"""The weight of a pair: the golden waterfall, the model file, the same number as Splink."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from crm_hub.flow.dedupe_rows import Layout, contact_of
from crm_hub.model.errors import ConfigError
from crm_hub.resolve.blocking import candidates
from crm_hub.resolve.firm_levels import ORGANIZATION
from crm_hub.resolve.kinds import FIRMS, PEOPLE, Kind
from crm_hub.resolve.ladder import Comparison
from crm_hub.resolve.levels import PERSON
from crm_hub.resolve.population import TF_COLUMNS, Population, settle
from crm_hub.resolve.profile import Contact, Profile, firm_profile, profile, table_row
from crm_hub.resolve.score import Scorer
from crm_hub.resolve.weights import calibrated, model_of, read_model, settings_of, shipped
from tests.resolve.population_of_tests import MODEL, RULES, others, resolved

ROOT = Path(__file__).parents[2]
PAIRS = 6_000


def test_a_waterfall_shows_both_values_the_level_and_the_weight_of_each_comparison() -> None:
    a = Contact("a", "William", "Kestrel", emails=("will.kestrel@acme.example",),
                phones=("+4915155501000",), company="Acme GmbH", title="Buyer")  # fmt: skip
    b = Contact(
        "b", "Bill", "Kestrel", phones=("+4915155501000",), company="ACME", birth="1980-03-01"
    )
    found = resolved([a, b])
    profiles = [profile(c, RULES) for c in (a, b, *others())]
    settle(profiles)
    steps = found.scorer.waterfall(profiles[0], profiles[1])
    assert [(s.comparison, s.left, s.right, s.level) for s in steps] == [
        ("first name", "william", "bill", "short form of the first name"),
        ("last name", "kestrel", "kestrel", "same last name"),
        ("phone", "+4915155501000", "+4915155501000", "same number"),
        ("firm or address", "acme", "acme", "same company"),
    ]
    total = found.scorer.prior_bits + sum(s.bits for s in steps)
    levels = found.scorer.levels(profiles[0], profiles[1])
    assert total == pytest.approx(found.scorer.weight(levels, profiles[0], profiles[1]), abs=0.01)
    assert all(s.bits > 0 for s in steps)


def test_a_rare_name_weighs_more_than_a_usual_one() -> None:
    usual = [Contact(f"u{at}", "Ann", "Lee", emails=(f"b{at}@x{at}.example",)) for at in range(60)]
    rare = [Contact(n, "Quirina", "Zwiebelfisch") for n in ("r1", "r2")]
    found = resolved([*usual, *rare])
    profiles = [profile(c, RULES) for c in (*usual, *rare, *others())]
    settle(profiles)
    weigh = [found.scorer.waterfall(*pair) for pair in (profiles[:2], profiles[60:62])]
    bits = [sum(s.bits for s in steps if "name" in s.comparison) for steps in weigh]
    assert bits[1] > bits[0] + 4


@pytest.mark.parametrize("kind", [PEOPLE, FIRMS], ids=lambda k: k.entity)
def test_the_shipped_model_is_splink_s_and_has_every_level_of_the_code(kind: Kind) -> None:
    data = json.loads(shipped(kind.model).read_text("utf-8"))
    model = model_of(data, kind.comparisons)
    assert json.loads(json.dumps(settings_of(model))) == data
    for weights in model.levels:
        assert all(0 < w.m <= 1 and 0 < w.u <= 1 for w in weights)


@pytest.mark.parametrize("comparison", [*PERSON, *ORGANIZATION], ids=lambda c: c.name)
def test_a_level_is_declared_in_all_three_languages(comparison: Comparison) -> None:
    for level in comparison.levels:
        assert level.duckdb
        assert level.spark
        assert "list_has_any" not in level.spark
        assert "jaro_winkler_similarity" not in level.spark
        assert "starts_with" not in level.spark


def test_a_model_of_other_levels_is_refused(tmp_path: Path) -> None:
    data = json.loads(shipped().read_text("utf-8"))
    data["comparisons"][0]["comparison_levels"][1]["sql_condition"] = "given_l = given_l"
    (tmp_path / "model.json").write_text(json.dumps(data))
    with pytest.raises(ConfigError, match="no identity model of this version"):
        read_model(tmp_path / "model.json")


def test_more_records_make_a_name_weigh_less_and_a_mailbox_as_much() -> None:
    def profiles(count: int) -> list[Profile]:
        return [profile(c, RULES) for c in others(count)]

    small, large = (settle(profiles(n)) for n in (500, 5_000))
    few, many = calibrated(MODEL, small), calibrated(MODEL, large)
    assert many.prior == pytest.approx(few.prior / 10, rel=0.01)
    at = [c.name for c in PERSON].index("e-mail")
    gain = few.levels[at][1].u / many.levels[at][1].u
    assert gain == pytest.approx(10, rel=0.01)


def test_of_very_many_records_a_chance_pair_is_held_less_unlikely() -> None:
    hundred_thousand, many, million = (
        calibrated(MODEL, Population(n, {})).prior for n in (100_000, 200_000, 1_000_000)
    )
    assert hundred_thousand == pytest.approx(2 * many)
    assert many / million == pytest.approx(5**0.6)


def splink_python() -> str:
    """Return a Python that has Splink: this one with the extra `bulk`, or that of the peers."""
    if importlib.util.find_spec("splink") and importlib.util.find_spec("duckdb"):
        return sys.executable
    peers = os.environ.get("CRM_HUB_BENCH_PEERS", "")
    python = Path(peers) / "python"
    if peers and python.exists():
        probe = subprocess.run([python, "-c", "import splink, duckdb"], capture_output=True)
        if probe.returncode == 0:
            return str(python)
    pytest.skip("no Splink: install the extra `bulk`, or set CRM_HUB_BENCH_PEERS (scripts/bench)")


def _people() -> list[Profile]:
    """Return varied records: of the sample people, each as several systems would mangle it."""
    rng = random.Random(11)
    fields = {"given_name": ["f"], "family_name": ["l"], "email": ["e"], "phone": ["p"],
              "company": ["c"], "street": ["s"], "city": ["t"], "postcode": ["z"],
              "country": ["k"], "birthday": ["b"], "reference": ["r"], "title": ["j"]}  # fmt: skip
    rows = []
    base = others(300)
    for at in range(1_800):
        one = rng.choice(base)
        first, last = one.first, one.last
        draw = rng.random()
        if draw < 0.15:
            first = first[:1]
        elif draw < 0.3:
            spot = rng.randrange(len(last))
            last = last[:spot] + rng.choice("aeinr") + last[spot + 1 :]
        elif draw < 0.4:
            first, last = last, first
        elif draw < 0.5:
            first = rng.choice(("Hans-Peter", "Bill", "William", "Maria", "Marta", "Jürgen"))
        row = {
            "f": first, "l": last, "e": one.emails[0].replace("box", rng.choice(("box", "bx", f"{first}."))),
            "p": one.phones[0], "c": one.company, "s": one.street, "t": one.city, "z": one.postcode,
            "k": rng.choice(("DE", "FR", "US")), "b": f"19{rng.randrange(60, 70)}-0{rng.randrange(1, 4)}-1{rng.randrange(3)}",
            "r": f"K{rng.randrange(10**7):07d}", "j": rng.choice(("Buyer", "CEO", "Sales")),
        }  # fmt: skip
        row = {k: v if rng.random() < 0.6 or k in "fl" else "" for k, v in row.items()}
        layout = Layout([*row], fields, "person")
        rows.append(profile(contact_of(f"id{at}", [*row.values()], layout, "DE"), RULES))
    return rows


def _firms() -> list[Profile]:
    rng = random.Random(12)
    names = (
        "Acme Bau",
        "Acme",
        "Zenith Werke",
        "Zenit Werke",
        "Nord Logistik",
        "Nordlogistik",
        "Adler",
    )
    return [
        firm_profile(
            Contact(
                f"f{at}", company=f"{rng.choice(names)} {rng.choice(('GmbH', 'AG', ''))}",
                domain=rng.choice(("", "acme.example", "zenith.example")),
                phones=(f"+4930{rng.randrange(40):07d}",) if rng.random() < 0.5 else (),
                emails=(f"info@{rng.choice('abc')}firm.example",) if rng.random() < 0.5 else (),
                city=rng.choice(("", "Riverton", "Lakeside")), postcode=rng.choice(("", "12345", "54321")),
                street=rng.choice(("", "Mill Lane 4", "Mill Ln 4", "Road 7")),
                refs=(f"vat DE{rng.randrange(5)}23456789",) if rng.random() < 0.3 else (),
                country=rng.choice(("", "DE", "AT")),
            ),
            RULES,
        )
        for at in range(500)
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [PEOPLE, FIRMS], ids=lambda k: k.entity)
def test_a_weight_is_splink_s_weight(kind: Kind, tmp_path: Path) -> None:
    python = splink_python()
    profiles = _people() if kind is PEOPLE else _firms()
    population = settle(profiles)
    model = calibrated(read_model(shipped(kind.model), kind.comparisons), population)
    scorer = Scorer(model, population)
    rng = random.Random(3)
    near = sorted({(b, a) for a, bs in candidates(profiles, kind.keys) for b in bs})
    pairs = set(rng.sample(near, min(len(near), PAIRS // 2)))
    while len(pairs) < PAIRS:
        a, b = sorted(rng.sample(range(len(profiles)), 2))
        pairs.add((a, b))
    used = {level.tf for c in model.comparisons for level in c.levels}
    settings = settings_of(model) | {
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": "1=1", "sql_dialect": "duckdb"}
        ]
    }
    given = {
        "settings": settings,
        "rows": [table_row(p) for p in profiles],
        "tf": {c: dict(population.tf[c]) for c in TF_COLUMNS if c in used and population.tf[c]},
        "pairs": [[profiles[a].id, profiles[b].id] for a, b in sorted(pairs)],
    }
    for name, value in given.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    script = ROOT / "bench" / "splink_weights.py"
    subprocess.run([python, script, tmp_path], check=True, capture_output=True, timeout=300)
    theirs = {
        frozenset(row[:2]): row[2] for row in json.loads((tmp_path / "weights.json").read_text())
    }
    assert len(theirs) == len(pairs)
    apart = [
        (a, b)
        for a, b in pairs
        if abs(
            scorer.weight(scorer.levels(profiles[a], profiles[b]), profiles[a], profiles[b])
            - theirs[frozenset((profiles[a].id, profiles[b].id))]
        )
        > 0.01
    ]
    assert len(apart) <= len(pairs) / 1_000
