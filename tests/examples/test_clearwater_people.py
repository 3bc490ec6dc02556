"""Who the sample firm's customers are: certain evidence alone finds exactly the true people."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations

from tests.examples import clearwater as firm
from tests.examples.clearwater import Evidence


def _same_name(one: str, other: str) -> bool:
    """Return whether two names may be one person's: same family name, given names not at odds."""
    (*given_1, family_1), (*given_2, family_2) = one.split(), other.split()
    first, second = " ".join(given_1), " ".join(given_2)
    if family_1 != family_2:
        return False
    short, long = sorted((first.rstrip("."), second.rstrip(".")), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))


def _certain(one: Evidence, other: Evidence) -> bool:
    return bool(one.emails & other.emails) or (
        bool(one.phones & other.phones) and _same_name(one.name, other.name)
    )


def _clusters(found: list[Evidence]) -> set[frozenset[tuple[str, str]]]:
    """Return the groups of records that shared addresses, or number and name, tie together."""
    parent = list(range(len(found)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    by_key = defaultdict(list)
    for index, one in enumerate(found):
        for key in one.emails | one.phones:
            by_key[key].append(index)
    for members in by_key.values():
        for a, b in combinations(members, 2):
            if _certain(found[a], found[b]):
                parent[root(a)] = root(b)
    groups = defaultdict(set)
    for index, one in enumerate(found):
        groups[root(index)].add(one.record)
    return {frozenset(group) for group in groups.values()}


def test_every_record_of_a_person_has_a_truth_and_every_truth_a_record(
    found: list[Evidence], person_of: dict[tuple[str, str], str]
) -> None:
    records = Counter(one.record for one in found)
    assert set(records) == set(person_of)
    assert max(records.values()) == 1


def test_certain_evidence_finds_exactly_the_true_people(
    found: list[Evidence], person_of: dict[tuple[str, str], str]
) -> None:
    expected = defaultdict(set)
    for record, person in person_of.items():
        expected[person].add(record)
    for fact in firm.load("truth.json")["apart"]:
        record = (fact["connection"], fact["id"])
        expected[fact["person"]].remove(record)
        expected[f"{fact['person']} apart"].add(record)
    assert _clusters(found) == {frozenset(group) for group in expected.values()}


def test_what_stands_apart_resembles_its_person_by_name_and_city() -> None:
    lead = firm.load("inbound/meta-leads/911000222333401.json")
    said = {field["name"]: field["values"][0] for field in lead["field_data"]}
    (account,) = [r for r in firm.rows("erp/customers.csv") if r["customer_number"] == "C-1042"]
    assert (said["full_name"], said["city"], said["company_name"]) == (
        account["contact_name"], account["city"], account["company"]
    )  # fmt: skip
    elenas = [r for r in firm.rows("crm/hubspot-contacts.csv") if r["Last Name"] == "Petrova"]
    assert len(elenas) == 2
    assert len({(r["First Name"], r["City"], r["Street Address"]) for r in elenas}) == 1


def _holders(found: list[Evidence], number: str) -> set[str]:
    return {" ".join(one.name.split()) for one in found if number in one.phones}


def test_shared_numbers_are_held_by_the_people_the_readme_names(found: list[Evidence]) -> None:
    assert _holders(found, "+17185550171") == {"walter brandt", "kevin brandt"}
    assert _holders(found, "+19735550172") == {"ngozi okafor", "chidi okafor", "amara okafor"}
    assert len(_holders(found, "+12125550160")) == 12


def test_three_people_share_one_info_mailbox() -> None:
    shared = "info@harborviewdental.example"
    contacts = firm.rows("crm/hubspot-contacts.csv")
    named = [r["Last Name"] for r in contacts if r["Email"].strip().lower() == shared]
    holders = {name.strip().lower() for name in named}
    assert holders == {"cho", "bell", "ruiz"}
    senders = {name for m in firm.messages() for name, a in firm.people_of(m)[:1] if a == shared}
    assert senders == {"Helen Cho", "Marcus Bell", "Tanya Ruiz"}


def test_the_former_employee_has_two_firms_and_one_mobile(
    found: list[Evidence], person_of: dict[tuple[str, str], str]
) -> None:
    hers = [one for one in found if person_of[one.record] == "priya-raman"]
    assert {a for one in hers for a in one.emails} == {
        "priya.raman@brightloom.example", "priya@cobaltyoga.example"
    }  # fmt: skip
    assert {p for one in hers for p in one.phones} == {"+13475550175"}


def test_the_two_maria_garcias_share_nothing_but_their_name(
    found: list[Evidence], person_of: dict[tuple[str, str], str]
) -> None:
    keys: dict[str, set[str]] = defaultdict(set)
    for one in found:
        if person_of[one.record].startswith("maria-garcia"):
            keys[person_of[one.record]] |= one.emails | one.phones
    first, second = keys.values()
    assert first
    assert second
    assert not first & second


def test_hubspot_holds_nine_people_twice(person_of: dict[tuple[str, str], str]) -> None:
    counts = Counter(p for (connection, _), p in person_of.items() if connection == "hubspot")
    assert Counter(counts.values())[2] == 9
    assert max(counts.values()) == 2
