"""From an address to calendars or address books: the user's principal, its home, what is there.

Source: RFC 5397 (current-user-principal), RFC 4791 section 6.2 and RFC 6352 section 7.1 (the home
sets), RFC 6764 section 6 (the order of attempts).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from crm_hub.model.errors import ConfigError
from crm_hub.sdk.dav.client import Dav, Forbidden, NoDavHere
from crm_hub.sdk.dav.davxml import Response
from crm_hub.sdk.dav.hrefs import folder_of, path_of
from crm_hub.sdk.dav.kinds import Kind

_ABOUT = (
    "D:resourcetype", "D:displayname", "D:supported-report-set", "D:current-user-privilege-set",
)  # fmt: skip
_WRITING = frozenset({"all", "write", "write-content", "bind"})


@dataclass(frozen=True, slots=True)
class Collection:
    """One calendar or address book. name: of its stream. components: VEVENT, VTODO of a calendar;
    reports: those it offers, None when the server does not say. is_writable: as far as it says."""

    name: str
    path: str
    title: str
    components: tuple[str, ...]
    reports: frozenset[str] | None
    is_writable: bool = True

    def offers(self, report: str) -> bool:
        return self.reports is None or report in self.reports


@dataclass(frozen=True, slots=True)
class Account:
    """Where a user's collections stand. is_home: false where the one home is such itself."""

    principal: str
    homes: tuple[str, ...]
    is_home: bool = True


def find_account(dav: Dav, path: str) -> Account:
    """Return the account behind the address that the admin gave.

    Raises: NoDavHere saying what was tried, AuthRefused, Unavailable.
    """
    problems: list[ConfigError] = []
    for start in dict.fromkeys((path, dav.kind.well_known, "/")):
        try:
            return _account(dav, start)
        except (NoDavHere, Forbidden) as error:
            problems.append(error)
    forbidden = [p for p in problems if isinstance(p, Forbidden)]
    raise forbidden[0] if forbidden else problems[0]


def _account(dav: Dav, start: str) -> Account:
    kind = dav.kind
    home = kind.home.partition(":")[2]
    about = (*_ABOUT, *kind.about)
    here, responses = dav.find(start, ("D:current-user-principal", kind.home, *about))
    if any(_is_one(r, kind) for r in responses):
        return Account("", (folder_of(here),), is_home=False)
    homes = _hrefs(dav, responses, home)
    principals = _hrefs(dav, responses, "current-user-principal")
    if not homes and principals:
        _, responses = dav.find(principals[0], (kind.home,))
        homes = _hrefs(dav, responses, home)
    if not homes:
        raise NoDavHere(
            f"{start} names no user with {kind.words}",
            remedy=f"Set `url` to the address that your {kind.word} server gives for "
            f"{kind.service}.",
        )
    return Account(principals[0] if principals else "", tuple(folder_of(h) for h in homes))


def _hrefs(dav: Dav, responses: list[Response], name: str) -> list[str]:
    nodes = [r.properties[name] for r in responses if name in r.properties]
    return list(dict.fromkeys(dav.same_host(href) for node in nodes for href in node.hrefs()))


def find_collections(dav: Dav, account: Account) -> list[Collection]:
    """Return what of the kind stands in the account's homes, by name.

    Of calendars those that hold events or tasks.
    """
    kind = dav.kind
    found: dict[str, Collection] = {}
    for place, home in enumerate(account.homes):
        about = (*_ABOUT, *kind.about)
        for response in dav.find(home, about, int(account.is_home))[1]:
            if not _is_one(response, kind):
                continue
            one = _collection(response, home if place == 0 else "", kind)
            if one.components or not kind.components:
                found.setdefault(one.path, one)
    return sorted(found.values(), key=lambda one: one.name)


def _is_one(response: Response, kind: Kind) -> bool:
    kinds = response.properties.get("resourcetype")
    return kinds is not None and any(node.name == kind.resource for node in kinds.children)


def _collection(response: Response, home: str, kind: Kind) -> Collection:
    path = folder_of(response.href)
    # In the first home its name there; elsewhere the whole path, which nobody else has.
    inside = path.removeprefix(home) if home else path
    inside = inside or path.rstrip("/").rpartition("/")[2]
    named = response.properties.get("supported-calendar-component-set")
    names = [n.attributes.get("name", "").upper() for n in named.all("comp")] if named else []
    reports = response.properties.get("supported-report-set")
    offered = reports and frozenset(n.name for r in reports.all("report") for n in r.children)
    return Collection(
        unquote(inside.rstrip("/"))[:200],
        path,
        " ".join(response.text("displayname").split())[:200],
        tuple(c for c in kind.components if not names or c in names),
        offered or None,
        _is_writable(response),
    )


def _is_writable(response: Response) -> bool:
    told = response.properties.get("current-user-privilege-set")
    if told is None:
        return True
    return bool(_WRITING & {n.name for p in told.all("privilege") for n in p.children})


def choose(found: list[Collection], wanted: tuple[str, ...], kind: Kind) -> list[Collection]:
    """Return those whose name or title is wanted; all when none is named.

    Raises: ConfigError naming the one that is not there and those that are.
    """
    if not wanted:
        return found
    chosen: dict[str, Collection] = {}
    for word in wanted:
        hits = [c for c in found if word.lower() in (c.name.lower(), c.title.lower())]
        if not hits:
            names = ", ".join(c.name for c in found) or "none"
            raise ConfigError(
                f"there is no {kind.word} {word!r}",
                remedy=f"Set `{kind.setting}` to some of these: {names}.",
            )
        chosen.update((c.path, c) for c in hits)
    return [c for c in found if c.path in chosen]


def start_path(url_path: str) -> str:
    """Return where discovery begins for the path of the setting `url`."""
    return path_of(url_path) or "/"
