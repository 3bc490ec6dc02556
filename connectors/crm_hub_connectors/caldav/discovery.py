"""From an address to calendars: the user's principal, its home, and what stands there.

Source: RFC 5397 (current-user-principal), RFC 4791 section 6.2 (calendar-home-set), RFC 6764
section 6 (the order of attempts).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from crm_hub.sdk import ConfigError
from crm_hub_connectors.caldav.dav import Dav, Forbidden, NoCalDav
from crm_hub_connectors.caldav.davxml import Response
from crm_hub_connectors.caldav.hrefs import folder_of, path_of

_WELL_KNOWN = "/.well-known/caldav"
_ABOUT = (
    "D:resourcetype",
    "D:displayname",
    "C:supported-calendar-component-set",
    "D:supported-report-set",
)
_WHO = ("D:current-user-principal", "C:calendar-home-set", *_ABOUT)
_ENTRIES = ("VEVENT", "VTODO")


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar. name: of its stream. components: VEVENT, VTODO; reports: those it offers,
    None when the server does not say."""

    name: str
    path: str
    title: str
    components: tuple[str, ...]
    reports: frozenset[str] | None

    def offers(self, report: str) -> bool:
        return self.reports is None or report in self.reports


@dataclass(frozen=True, slots=True)
class Account:
    """Where a user's calendars stand. is_home: false where the one home is a calendar itself."""

    principal: str
    homes: tuple[str, ...]
    is_home: bool = True


def find_account(dav: Dav, path: str) -> Account:
    """Return the account behind the address that the admin gave.

    Raises: NoCalDav saying what was tried, AuthRefused, Unavailable.
    """
    problems: list[ConfigError] = []
    for start in dict.fromkeys((path, _WELL_KNOWN, "/")):
        try:
            return _account(dav, start)
        except (NoCalDav, Forbidden) as error:
            problems.append(error)
    forbidden = [p for p in problems if isinstance(p, Forbidden)]
    raise forbidden[0] if forbidden else problems[0]


def _account(dav: Dav, start: str) -> Account:
    here, responses = dav.find(start, _WHO)
    if any(_is_calendar(r) for r in responses):
        return Account("", (folder_of(here),), is_home=False)
    homes = _hrefs(dav, responses, "calendar-home-set")
    principals = _hrefs(dav, responses, "current-user-principal")
    if not homes and principals:
        _, responses = dav.find(principals[0], ("C:calendar-home-set",))
        homes = _hrefs(dav, responses, "calendar-home-set")
    if not homes:
        raise NoCalDav(
            f"{start} names no user with calendars",
            remedy="Set `url` to the address that your calendar server gives for CalDAV.",
        )
    return Account(principals[0] if principals else "", tuple(folder_of(h) for h in homes))


def _hrefs(dav: Dav, responses: list[Response], name: str) -> list[str]:
    nodes = [r.properties[name] for r in responses if name in r.properties]
    return list(dict.fromkeys(dav.same_host(href) for node in nodes for href in node.hrefs()))


def find_calendars(dav: Dav, account: Account) -> list[Calendar]:
    """Return the calendars of the account's homes that hold events or tasks, by name."""
    found: dict[str, Calendar] = {}
    for place, home in enumerate(account.homes):
        for response in dav.find(home, _ABOUT, int(account.is_home))[1]:
            if not _is_calendar(response):
                continue
            calendar = _calendar(response, home if place == 0 else "")
            if calendar.components:
                found.setdefault(calendar.path, calendar)
    return sorted(found.values(), key=lambda one: one.name)


def _is_calendar(response: Response) -> bool:
    kinds = response.properties.get("resourcetype")
    return kinds is not None and any(node.name == "calendar" for node in kinds.children)


def _calendar(response: Response, home: str) -> Calendar:
    path = folder_of(response.href)
    # In the first home its name there; elsewhere the whole path, which nobody else has.
    inside = path.removeprefix(home) if home else path
    inside = inside or path.rstrip("/").rpartition("/")[2]
    named = response.properties.get("supported-calendar-component-set")
    names = [n.attributes.get("name", "").upper() for n in named.all("comp")] if named else []
    reports = response.properties.get("supported-report-set")
    offered = reports and frozenset(n.name for r in reports.all("report") for n in r.children)
    return Calendar(
        unquote(inside.rstrip("/"))[:200],
        path,
        " ".join(response.text("displayname").split())[:200],
        tuple(c for c in _ENTRIES if not names or c in names),
        offered or None,
    )


def choose(calendars: list[Calendar], wanted: tuple[str, ...]) -> list[Calendar]:
    """Return the calendars whose name or title is wanted; all when none is named.

    Raises: ConfigError naming the one that is not there and those that are.
    """
    if not wanted:
        return calendars
    chosen: dict[str, Calendar] = {}
    for word in wanted:
        hits = [c for c in calendars if word.lower() in (c.name.lower(), c.title.lower())]
        if not hits:
            names = ", ".join(c.name for c in calendars) or "none"
            raise ConfigError(
                f"there is no calendar {word!r}",
                remedy=f"Set `calendars` to some of these: {names}.",
            )
        chosen.update((c.path, c) for c in hits)
    return [c for c in calendars if c.path in chosen]


def start_path(url_path: str) -> str:
    """Return where discovery begins for the path of the setting `url`."""
    return path_of(url_path) or "/"
