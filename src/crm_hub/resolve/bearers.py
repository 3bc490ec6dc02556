"""Who else may be meant: the records that bear a name, or one that it may stand for.

"J. Kestrel" is any Kestrel whose first name begins so, Bill is William, and one of two surnames is
whoever has it as one of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from crm_hub.resolve.profile import Profile


class Bearers:
    """The places of records by surname and first name."""

    def __init__(
        self,
        profiles: Sequence[Profile],
        name_of: Callable[[Profile], tuple[str, str] | None],
    ) -> None:
        self._name_of = name_of
        self._named: dict[str, dict[str, list[int]]] = {}
        self._wholes: dict[str, set[str]] = {}
        for place, one in enumerate(profiles):
            if name := name_of(one):
                given, family = name
                self._named.setdefault(family, {}).setdefault(given, []).append(place)
                for part in one.families - {family}:
                    self._wholes.setdefault(part, set()).add(family)

    def of(self, ones: Iterable[Profile]) -> Iterator[int]:
        """Yield the places of all who may bear one of the names of these, some more than once.

        Those of the very name come first, since who asks is often content with a few.
        """
        people = list(ones)
        done: set[tuple[str, str]] = set()
        for names in (map(self._own, people), chain.from_iterable(map(self._meant, people))):
            for name in names:
                if name and name not in done:
                    done.add(name)
                    family, given = name
                    yield from self._named[family][given]

    def _own(self, one: Profile) -> tuple[str, str] | None:
        name = self._name_of(one)
        return (name[1], name[0]) if name else None

    def _meant(self, one: Profile) -> Iterator[tuple[str, str]]:
        """Yield the names, as surname and first name, that somebody bears and this one may mean."""
        if not (name := self._name_of(one)):
            return
        given, family = name
        for other in {family, *one.families, *self._wholes.get(family, ())}:
            held = self._named.get(other, {})
            if len(given) == 1:
                yield from ((other, first) for first in held if first[0] == given)
            else:
                yield from ((other, first) for first in {given, *one.givens} if first in held)
