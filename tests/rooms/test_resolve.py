"""Which records are one identity: a function of the set, cautious with names, ids for ever."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.mapping import read_identity
from crm_hub.model.canonical import Claim
from crm_hub.resolve import (
    Member,
    Similarity,
    assign,
    cluster,
    compare_names,
    joining,
    keys_of,
    organization_form,
    person_form,
)

RULES = read_identity([])


def _name(text: str):
    return person_form({"display_name": text})


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Dana Whitfield", "dana WHITFIELD", Similarity.SAME),
        ("Whitfield, Dana", "Dana Whitfield", Similarity.SAME),
        ("Dr. Jürgen Müller", "Jurgen Muller", Similarity.SAME),
        ("D. Whitfield", "Dana Whitfield", Similarity.COMPATIBLE),
        ("Dana Whitfeld", "Dana Whitfield", Similarity.COMPATIBLE),
        ("Dana", "Dana Whitfield", Similarity.COMPATIBLE),
        ("", "Dana Whitfield", Similarity.UNKNOWN),
        ("Dana Whitfield", "Bob Whitfield", Similarity.CLASH),
        ("Mario Garcia", "Maria Garcia", Similarity.CLASH),
        ("Tom Reed Jr.", "Tom Reed Sr.", Similarity.CLASH),
        ("Dana Whitfield", "Dana Okafor", Similarity.CLASH),
    ],
)
def test_names_are_compared_as_a_careful_person_would(a, b, expected):
    assert compare_names("person", _name(a), _name(b)) is expected
    assert compare_names("person", _name(b), _name(a)) is expected


def test_firms_are_compared_without_their_legal_form():
    a, b = (organization_form({"display_name": n}) for n in ("Acme, Inc.", "ACME LLC"))
    assert compare_names("organization", a, b) is Similarity.SAME


def _keys(*claims: Claim) -> list[str]:
    return keys_of(claims, _name("Dana Whitfield"), "person", RULES).all


def test_the_joining_keys_of_a_new_record_are_those_it_has_once_stored():
    claims = [
        Claim("email", "email", "info@firm.example"),
        Claim("email", "email", "dana@firm.example"),
        Claim("phone", "phone", "+12125550140"),
        Claim("domain", "domain", "firm.example"),
        Claim("strong", "crm_id", "7", "crm"),
    ]
    for entity in ("person", "organization"):
        keys = keys_of(claims, _name("Dana Whitfield"), entity, RULES)
        assert keys.joining == joining(keys.all, entity, RULES)
        assert ("e:info@firm.example" in keys.joining) is (entity == "organization")


def test_a_role_mailbox_is_a_key_to_find_by_but_never_to_join_people_by():
    (key, _) = _keys(Claim("email", "email", "INFO@firm.example"))
    assert key == "e:info@firm.example"
    assert joining([key, "e:dana@firm.example"], "person", RULES) == ["e:dana@firm.example"]


def test_junk_makes_no_key():
    junk = sorted(RULES.junk_emails)[0]
    assert _keys(Claim("email", "email", junk)) == ["n:dana whitfield"]


def _member(number: int, name: str, **more) -> Member:
    return Member(number, f"crm/{number:03}", "person", _name(name), **more)


def _groups(members, holders):
    return {frozenset(c.record_ids) for c in cluster(members, holders)}


def test_a_couple_on_one_mailbox_stays_two_and_the_nameless_record_joins_neither():
    members = [
        _member(1, "Ann Smith"),
        _member(2, "Bob Smith"),
        _member(3, "Ann Smith"),
        _member(4, ""),
    ]
    found = _groups(members, {"e:home@x.example": [1, 2, 3, 4]})
    assert found == {frozenset({1, 3}), frozenset({2}), frozenset({4})}


def test_a_strong_id_joins_whatever_the_names_say():
    members = [_member(1, "Ann Smith"), _member(2, "Bob Jones")]
    assert _groups(members, {"s:crm:id:7": [1, 2]}) == {frozenset({1, 2})}


def test_two_customer_numbers_are_never_one_identity():
    members = [
        _member(1, "Ann Smith", exclusive=(("erp:number", "1"),)),
        _member(2, "Ann Smith", exclusive=(("erp:number", "2"),)),
        _member(3, "Ann Smith"),
    ]
    found = _groups(members, {"e:ann@x.example": [1, 2, 3]})
    assert len(found) == 2
    assert not any({1, 2} <= group for group in found)


NAMES = ["Ann Smith", "A. Smith", "Bob Smith", "Ann Jones", "", "Ann", "Carl Weber"]


@given(
    names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=9),
    keys=st.lists(
        st.tuples(
            st.sampled_from(["e:a@x", "e:b@x", "p:+1", "p:+2", "s:c:id:1"]),
            st.sets(st.integers(0, 8), min_size=2, max_size=5),
        ),
        max_size=5,
    ),
    data=st.data(),
)
def test_the_clusters_do_not_depend_on_the_order_of_records_or_keys(names, keys, data):
    members = [_member(i, name) for i, name in enumerate(names)]
    holders = {key: sorted(ids & set(range(len(names)))) for key, ids in keys}
    expected = _groups(members, holders)
    shuffled = data.draw(st.permutations(members))
    mixed = dict(data.draw(st.permutations([(k, v[::-1]) for k, v in holders.items()])))
    assert _groups(shuffled, mixed) == expected
    assert sorted(r for group in expected for r in group) == list(range(len(names)))


def _clusters(*groups):
    members = [_member(i, "") for group in groups for i in group]
    holders = {f"s:x:id:{n}": list(group) for n, group in enumerate(groups)}
    return [c for g in groups for c in cluster(members, holders) if set(c.record_ids) == set(g)]


def test_a_merge_keeps_the_older_id_and_a_split_gives_the_other_back():
    first = assign(_clusters({1}, {2}), {}, {}, count(10))
    assert first.identity_of == {1: 10, 2: 11}
    homes = dict(first.identity_of)
    joined = assign(_clusters({1, 2}), first.identity_of, homes, count(20))
    assert (joined.identity_of, joined.redirects) == ({1: 10, 2: 10}, {11: 10})
    parted = assign(_clusters({1}, {2}), joined.identity_of, homes, count(30))
    assert (parted.identity_of, parted.revived) == ({1: 10, 2: 11}, {11})
