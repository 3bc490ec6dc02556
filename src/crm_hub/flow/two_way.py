"""Where a hub writes to: hub.yaml allows it, the mapping says what, and a plan was approved.

Before: Hub, whose tools carry the result. Nothing here is done for a hub that only reads.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from crm_hub.flow.batch import BriefRules, TwoWay
from crm_hub.mapping import compile_outbound
from crm_hub.model.entities import MADE
from crm_hub.model.errors import ConfigError
from crm_hub.model.routes import Ability, OutSection, Route
from crm_hub.sdk import StreamInfo
from crm_hub.store import Outbox, RouteRow

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub


def two_way_of(hub: Hub) -> TwoWay | None:
    """Return the approved routes, None when there is none."""
    names = hub.written_to()
    if not names:
        return None
    with hub.store.read() as db:
        rows = [row for row in Outbox(db).routes() if row.connection in names]
    routes = [route for row in rows if (route := route_of(hub, row)) is not None]
    return of_routes(hub, routes)


def of_routes(hub: Hub, routes: Iterable[Route]) -> TwoWay | None:
    """Return these routes as planning takes them."""
    found = {(route.connection, route.stream): route for route in routes}
    if not found:
        return None
    entities = frozenset(e for route in found.values() for e in route.section.entities)
    briefs = None
    if any(route.section.makes for route in found.values()):
        briefs = BriefRules(hub.config.company.zone, hub.config.timeline_url)
    return TwoWay(found, entities, _steady(hub), briefs)


def _steady(hub: Hub) -> frozenset[str]:
    """Return the connections that keep records under an id of their own."""
    found = set()
    for name in hub.config.connections:
        try:
            sections = hub.plan(name).sections.values()
        except ConfigError:
            continue  # a broken connection says so when it is asked itself
        if any(section.has_strong_id for section in sections):
            found.add(name)
    return frozenset(found)


def route_of(hub: Hub, row: RouteRow) -> Route | None:
    """Return a stored route with the mapping as it is now; None when nothing goes out any more."""
    section = out_section(hub, row.connection, row.shape)
    if section is None:
        return None
    caps = row.caps
    ability = Ability(
        frozenset(caps["write"]), caps["guard"], caps["idempotency"], caps["batch_size"],
        caps["types"], caps.get("deletes") == "tombstone",
    )  # fmt: skip
    one = hub.connection(row.connection)
    return Route(row.connection, row.stream, section, ability, one.creates, one.deletes, one.only)


def out_section(hub: Hub, name: str, shape: str) -> OutSection | None:
    """Return what of a shape goes out, by the mapping files and hub.yaml alone."""
    file = hub.mapping(name)
    section = file.sections.get(shape)
    if section is None:
        return None
    company, one = hub.config.company, hub.connection(name)
    found = compile_outbound(
        shape, section, connection=name, region=company.region, zone=company.zone,
        digest=hub.plan(name).sections[shape].digest,
    )  # fmt: skip
    if found is None:
        return None
    if not one.brief:
        found = replace(found, fields={n: f for n, f in found.fields.items() if n not in MADE})
    elif found.makes or one.only:
        said = [found.digest, hub.config.timeline_url, sorted(one.only.items())]
        mark = blake2b(repr(said).encode(), digest_size=16).hexdigest()
        found = replace(found, digest=mark)
    return found if found.fields else None


def possible_routes(hub: Hub, name: str) -> list[RouteRow]:
    """Return the routes that a connection could have: asks the far side what it can do.

    Raises: ConfigError when the hub may not write there, or nothing of it can be written.
    """
    if hub.connection(name).direction == "pull":
        raise ConfigError(
            f"{name}: the hub does not write there",
            remedy="Set `direction: both` (or push) at the connection in hub.yaml.",
        )
    found = []
    for info in hub.connector(name).discover():
        section = out_section(hub, name, info.shape)
        if section is not None and info.caps.write:
            found.append(_row(name, info, section))
    if not found:
        raise ConfigError(
            f"{name}: nothing can be written there",
            remedy="No stream can be written to, or no field of its mapping is `dir: both` or "
            "`dir: push`.",
        )
    return found


def _row(name: str, info: StreamInfo, section: OutSection) -> RouteRow:
    paths = [path for field in section.fields.values() for path in field.paths]
    caps = {
        "write": sorted(info.caps.write),
        "guard": info.caps.guard,
        "idempotency": info.caps.idempotency,
        "batch_size": info.caps.batch_size,
        "deletes": info.caps.deletes,
        "types": {path: info.fields[path] for path in paths if path in info.fields},
    }
    return RouteRow(name, info.name, info.shape, caps, section.digest, 0)


UNPLANNED = ""
"""The digest of a route that was approved and whose first plan is not whole yet."""


def approve(hub: Hub, rows: Iterable[RouteRow]) -> None:
    """Let the hub write along these routes from now on; what goes there is yet to be planned."""
    from crm_hub.model.values import to_us

    now_us = to_us(hub.now())
    with hub.store.write() as db:
        new = [row._replace(digest=UNPLANNED, approved_at_us=now_us) for row in rows]
        Outbox(db).approve(new)
    hub.forget_tools()


def unapproved(hub: Hub, name: str, known: Container[str]) -> list[RouteRow]:
    """Return the routes of a connection whose first plan nobody has approved yet.

    known: the streams of those that were approved.
    """
    return [r for r in possible_routes(hub, name) if r.stream not in known]
