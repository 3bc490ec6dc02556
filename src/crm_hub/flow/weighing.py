"""What weighs pairs in a hub: the weights and the measure of the last rebuild.

Also whether all pairs that are one by them are kept in the store, so that only what changed has to
be weighed (docs/adr/0035).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from crm_hub.flow.batch import Tools
from crm_hub.resolve.kinds import KINDS, Kind
from crm_hub.resolve.measured import NOT_MEASURED, OWN_MODEL, Measured, load, rules_mark
from crm_hub.resolve.score import Scorer
from crm_hub.resolve.weights import Model, calibrated, model_of, read_model, shipped
from crm_hub.store import Likeness

_log = logging.getLogger(__name__)

_measures: dict[tuple[str, str, int], tuple[Scorer, Measured]] = {}


class Weighing(NamedTuple):
    """What weighs pairs of a kind. pairs: whether all that are one are among the kept ones."""

    scorer: Scorer
    measured: Measured
    pairs: Literal["kept", "some missing", "of other rules"]


def weighing(repo: Likeness, tools: Tools, kind: Kind) -> Weighing:
    """Return what weighs pairs of a kind now."""
    given = tools.measured.get(kind.entity)
    at_us, kept = repo.measured_at(kind.entity) if given is None else (given[0], "")
    key = (kind.entity, repo.place, at_us)
    if key not in _measures:
        if len(_measures) > 8:
            _measures.clear()
        doc = repo.measured(kind.entity) if given is None else given[1]
        measured = load(doc)
        model = calibrated(_model_of(kind, doc), measured.population)
        _measures[key] = Scorer(model, measured.population, kind.names), measured
    scorer, measured = _measures[key]
    if measured is NOT_MEASURED or kept == rules_mark(tools.rules, kind.model):
        return Weighing(scorer, measured, "kept")
    return Weighing(scorer, measured, "of other rules" if kept else "some missing")


def _model_of(kind: Kind, doc: Mapping[str, Any]) -> Model:
    """Return the weights that the last rebuild took: the hub's own, where it had some."""
    if own := doc.get(OWN_MODEL):
        try:
            return model_of(own, kind.comparisons)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("the trained model is of another version: %s", error)
    return _model(kind.entity)


@lru_cache(4)
def _model(entity: str) -> Model:
    kind = KINDS[entity]
    return read_model(shipped(kind.model), kind.comparisons)
