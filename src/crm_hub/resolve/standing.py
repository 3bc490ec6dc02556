"""How likely two clusters are one person, when the weight of their best pair is only a part of it.

A pair's weight knows the two records. It does not know that a third cluster bears the same name
and would fit as well (a rival), that the other records of the two clusters speak against it, or
that two people of that name are known. `standing` puts these together, in bits, so that 0 is an
even chance.
The numbers are a logistic regression over worlds of the generator, rounded
(bench/fit_standing.py); they hold at any size, since rivals are counted and not expected.
"""

from __future__ import annotations

from math import log2

MOST_RIVALS = 3
# From here up a pair decides by itself: nothing below is looked at.
SURE = 12.0
# What a pair of other names weighs less: a weak pair is better than its weight where names agree.
OTHER_NAME = 2.2

_EVEN = 1.55
_PAIR = 0.71
_AGAINST, _MOST_AGAINST = 0.5, 8.0
_FOR, _MOST_FOR = 0.16, 12.0
_RIVALS = (0.0, 1.35, 2.0, 2.5)
_SIZE, _SMALLER = 0.3, 0.2


def standing(
    bits: float,
    together: float | None = None,
    rivals: int = 0,
    size: int = 2,
    smaller: int = 1,
    contested: float = 0.0,
) -> float:
    """Return the log2 of the odds that two clusters are one.

    bits: the weight of their best pair. together: what all records of both weigh, where there are
    more than two. rivals: other clusters of the same name. size, smaller: the records of
    both, and of the smaller one. contested: what it takes more, when two
    people of the name are known.
    """
    found = _EVEN + _PAIR * bits - _RIVALS[min(rivals, MOST_RIVALS)] - contested
    if together is not None:
        if together < bits:
            found -= _AGAINST * min(bits - together, _MOST_AGAINST)
        else:
            found += _FOR * min(together - bits, _MOST_FOR)
    return found - _SIZE * (log2(size) - 1) - _SMALLER * log2(smaller)
