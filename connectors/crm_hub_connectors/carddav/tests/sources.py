"""Address book servers as sources of the contract suite: real ones, behind the fault server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from crm_hub.sdk.formats.vcard import card_payload
from crm_hub.sdk.testing.contract import CANARY, WRONG, Alteration, Exempt, Source
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.cyrus import Cyrus
from crm_hub.sdk.testing.servers.radicale import Radicale, radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos

_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def card(number: int, name: str = "Visitor", *more: str, uid: str = "", rev: str = "") -> str:
    """Return a card with a name, an address and a number."""
    return "\r\n".join([
        "BEGIN:VCARD", "VERSION:3.0", f"UID:{uid or f'visitor-{number}@clearwater.example'}",
        f"FN:{name} {number}", f"N:{number};{name};;;", f"EMAIL:v{number}@visitors.example",
        f"item1.TEL;TYPE=WORK:+1202555{100 + number % 100:04d}", "item1.X-ABLabel:front desk",
        *more, f"REV:{rev or '2026-01-05T08:00:00Z'}", "END:VCARD", "",
    ])  # fmt: skip


def told(raw: bytes | None) -> Mapping[str, Any] | None:
    """Return what a card says, by the paths that are written."""
    if raw is None:
        return None
    said = card_payload(raw)
    out = {f"n.{part}": value for part, value in said.pop("n").items()}
    for name in ("emails", "tels"):
        out[f"{name}.value"] = [one["value"] for one in said.pop(name)]
    return {**said, **out}


class RadicaleSource(Source):
    """A book of a Radicale; its files are changed on disk, as its own PUT does."""

    def __init__(self, behind: Radicale, server: FaultServer) -> None:
        self.server = server
        self.radicale = behind
        self.book = behind.collection("people", kind="addressbook", title="People")
        self._numbers = count(1)

    def settings(self) -> dict[str, Any]:
        url = self.server.url if self.server else ""
        return {"url": url, "username": "ann", "password": CANARY}

    def bad_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": WRONG}

    def dead_settings(self) -> dict[str, Any]:
        return {**self.settings(), "url": f"http://127.0.0.1:{free_port()}"}

    def ids(self) -> Set[str]:
        return self.book.names()

    def put(self, name: str, text: str) -> None:
        self.book.write(name, text)

    def raw(self, id: str) -> bytes | None:
        path = self.book.folder / id
        return path.read_bytes() if path.exists() else None

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        names = []
        for _ in range(count):
            number = next(self._numbers)
            names.append(f"visitor-{number:06d}.vcf")
            rev = (at or _START).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self.put(names[-1], card(number, rev=rev))
        return names

    def change(self, id: str) -> None:
        number = int(id[8:14])
        self.put(id, card(number, f"Moved {next(self._numbers)}"))

    def delete(self, id: str) -> None:
        self.book.remove(id)

    def alter(self, how: Alteration) -> None:
        lines = {"field added": "X-NEW-FIELD;X-PARAM=1:news", "field removed": "",
                 "field retyped": "BDAY:soon"}  # fmt: skip
        id = min(self.ids())
        text = card(int(id[8:14]), "Visitor", lines[how])
        if how == "field removed":
            text = text.replace("EMAIL", "X-MAIL")
        self.put(id, text)

    # what is written to it ----------------------------------------------------------------

    def new_fields(self) -> Mapping[str, Any]:
        return {
            "kind": "individual", "fn": "Bea Ott", "n.given": "Bea", "n.family": "Ott",
            "emails.value": ["bea.ott@x.example"], "note": "a\nb",
        }  # fmt: skip

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"title": f"Head of {id}", "emails.value": [f"{id}@changed.example"]}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"bday": "soon"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        return told(self.raw(id))


@contextmanager
def radicale_source(records: int) -> Iterator[RadicaleSource]:
    """Yield a Radicale with a book of this many cards."""
    with radicale(password=CANARY) as behind, FaultServer() as server:
        forward(server, behind.url)
        source = RadicaleSource(behind, server)
        source.add(records)
        if records > 1_000:
            behind.index(source.book.path)
        yield source


class PutSource(RadicaleSource):
    """The address book of a Xandikos or a Cyrus, changed by PUT and DELETE."""

    def __init__(self, behind: Xandikos | Cyrus, server: FaultServer) -> None:
        self.server = server
        self.behind = behind
        self._numbers = count(1)

    def bad_settings(self) -> dict[str, Any]:
        if isinstance(self.behind, Xandikos):
            raise Exempt("this Xandikos asks for no password")
        return super().bad_settings()

    def ids(self) -> Set[str]:
        return self.behind.names(self.behind.addressbook)

    def raw(self, id: str) -> bytes | None:
        return self.behind.get(self.behind.addressbook + id)

    def put(self, name: str, text: str) -> None:
        self.behind.put(self.behind.addressbook + name, text, "text/vcard")

    def delete(self, id: str) -> None:
        self.behind.delete(self.behind.addressbook + id)
