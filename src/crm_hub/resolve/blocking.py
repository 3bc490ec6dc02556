"""Which pairs are worth scoring: those that share one of many cheap keys.

A key that too many records share names nobody: it is left out, and finer keys that contain it
(name with town, name with firm) stand in. Pairs come record by record, so memory stays flat.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from crm_hub.resolve.normal.text import sound
from crm_hub.resolve.profile import Profile

# Letter of a key → the most records it may have. What names one person may be many records' own;
# a name alone is worth less the more people have it.
CAPS = {
    "m": 200, "p": 200, "r": 200, "l": 200, "n": 20, "f": 20, "b": 60, "a": 60, "o": 60, "s": 60,
    "c": 60, "t": 60, "g": 30, "x": 60, "h": 20,
}  # fmt: skip


def keys(one: Profile) -> list[str]:
    """Return the blocking keys of a record; the first letter tells the kind."""
    out = [f"m{box}" for box in one.mails]
    out += [f"p{number}" for number in one.phones]
    out += [f"r{ref}" for ref in one.refs]
    if one.mail_own:
        out.append(f"l{one.mail_own}")
    given, family = one.given, one.family
    if one.birth:
        out.append(f"b{one.birth} {sound(family)}")
    if one.address:
        out.append(f"h{one.address}")
    if one.spot:
        out.append(f"h{one.spot} {one.city[:4]}")
        if one.birth:
            out.append(f"b{one.birth}")
    if not family or not given:
        if given or family:
            out += [f"x{given or family} {place}" for place in _places(one)]
        return out
    first, last = sound(given), sound(family)
    low, high = (family, given) if family < given else (given, family)
    places = _places(one)
    out.append(f"n{low} {high}")
    out += [f"n{low} {high} {place}" for place in places]
    out.append(f"f{first} {last}")
    out.append(f"f{given[0]} {family}")
    out.append(f"f{given} {family[:3]}")
    out += [f"f{given[0]} {last} {place}" for place in places]
    out += [f"g{first} {place}" for place in places if place[0] in "fai"]
    for name in one.givens:
        if name != given:
            out.append(f"s{name} {family}")
        out += [f"s{name} {family} {place}" for place in places]
    for part in one.families:
        if part != family:
            pair = (part, given) if part < given else (given, part)
            out.append(f"n{pair[0]} {pair[1]}")
    if one.mail and not one.mail_own:
        out.append(f"t{one.mail[:4]} {last} {given[0]}")
    return out


def _places(one: Profile) -> list[str]:
    out = [f"f{firm}" for firm in one.firms]
    out += [f"i{line}" for line in one.lines]
    if one.address:
        out.append(f"a{one.address}")
    if one.postcode:
        out.append(f"z{one.postcode}")
    if one.city:
        out.append(f"y{one.city}")
    return out


def firm_keys(one: Profile) -> list[str]:
    """Return the blocking keys of an organization's record."""
    out = [f"m{d}" for d in one.domains]
    out += [f"m{box}" for box in (*one.mails, *one.lines)]
    out += [f"p{number}" for number in one.phones]
    out += [f"r{ref}" for ref in one.refs]
    out += [f"n{firm}" for firm in one.firms]
    if one.address:
        out.append(f"h{one.address}")
    if one.company:
        head = one.company.split(" ")[0]
        out.append(f"f{one.company[:8]}")
        out += [f"f{sound(head)} {place}" for place in (one.city, one.postcode) if place]
        out += [f"c{word} {one.city}" for word in one.families if one.city]
    return out


def candidates(
    profiles: Sequence[Profile], keys_of: Callable[[Profile], list[str]] = keys
) -> Iterator[tuple[int, set[int]]]:
    """Yield each record's place and those before it that share a key with it."""
    blocks = _Blocks(profiles, keys_of)
    for index in range(len(profiles)):
        yield index, blocks.put(index)


class _Blocks:
    """The records of every key that at least two have and not too many, in flat arrays.

    Most keys are one record's alone. Two sketches that count by a part of the key throw these away
    before anything else is kept of them, and the rest is counted part by part, so that a million
    records need megabytes and not gigabytes.
    """

    def __init__(
        self, profiles: Sequence[Profile], keys_of: Callable[[Profile], list[str]]
    ) -> None:
        seen = _Seen(len(profiles))
        every, ends = array("q"), array("I")
        for one in profiles:
            found = _packed(keys_of(one))
            seen.add(found)
            every.extend(found)
            ends.append(len(every))
        block_of, sizes = _shared(every, seen)
        # The blocks of each record one after the other, and where those of the next begin.
        self._of, self._ends = array("I"), array("I")
        start = 0
        for end in ends:
            held = [block_of[key] for key in every[start:end] if key in block_of]
            self._of.extend(held)
            self._ends.append(len(self._of))
            start = end
        self._starts = array("I", accumulate(sizes, initial=0))
        self._filled = array("I", self._starts)
        self._places = array("I", bytes(array("I").itemsize * self._starts[-1]))

    def put(self, index: int) -> set[int]:
        """Put a record into its blocks, and return those that stood there before it."""
        near: set[int] = set()
        begin = self._ends[index - 1] if index else 0
        for block in self._of[begin : self._ends[index]]:
            filled = self._filled[block]
            near.update(self._places[self._starts[block] : filled])
            self._places[filled] = index
            self._filled[block] = filled + 1
        return near


class _Seen:
    """Which keys came twice, and a few others that look like one of these."""

    def __init__(self, records: int) -> None:
        bits = max(16, (records * 32).bit_length())
        self._mask = (1 << bits) - 1
        self._low, self._high = bytearray(1 << bits), bytearray(1 << bits)

    def add(self, keys: Iterable[int]) -> None:
        mask, low, high = self._mask, self._low, self._high
        for key in keys:
            at, other = key >> 8 & mask, key >> 34 & mask
            low[at] = 2 if low[at] else 1
            high[other] = 2 if high[other] else 1

    def twice(self, keys: Iterable[int]) -> Iterator[int]:
        mask, low, high = self._mask, self._low, self._high
        return (key for key in keys if low[key >> 8 & mask] == 2 == high[key >> 34 & mask])


def _shared(every: Sequence[int], seen: _Seen) -> tuple[dict[int, int], array[int]]:
    """Return key → block for the keys of two records and more, and the size of each block."""
    parts = [array("q") for _ in range(_PARTS)]
    for key in seen.twice(every):
        parts[(key >> 8) % _PARTS].append(key)
    block_of: dict[int, int] = {}
    sizes = array("I")
    while parts:  # one after the other, so that the counts of a part alone stand in memory
        for key, count in Counter(parts.pop()).items():
            if 2 <= count <= key & _CAP_BITS:
                block_of[key] = len(sizes)
                sizes.append(count)
    return block_of, sizes


_PARTS = 8
_CAP_BITS = 255


def _packed(names: list[str]) -> tuple[int, ...]:
    """Return each key once as a number, its cap in the lowest byte: a tenth of the memory."""
    return tuple({hash(name) & ~_CAP_BITS | CAPS[name[0]] for name in names})
