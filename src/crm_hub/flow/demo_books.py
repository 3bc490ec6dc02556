"""The demo's way back: two address books of the sample firm, which the hub keeps equal.

Before: demo, which made the hub. Everything goes the way an admin's own book goes; the one thing
that is played is the hand that corrects a card.
"""

from __future__ import annotations

from pathlib import Path

from crm_hub.disk import write_private
from crm_hub.flow.demo import DANA
from crm_hub.flow.hub import Hub
from crm_hub.flow.setup import connect
from crm_hub.model.errors import ConfigError
from crm_hub.sdk.formats.vcard import card_payload

BOOKS = ("office", "vans")
OLD_TITLE, NEW_TITLE = "Office Manager", "Head of Facilities"
_FOR_WHOM = """\
# Who gets a card in the address books: whoever can be called and written to.
version: 1
connector: files
streams:
  cards:
    create: {when: [display_name, phone, email]}
"""


def say_for_whom(folder: Path) -> None:
    """Say in the hub's own mapping who gets a card; what an admin has written stays."""
    path = folder / "mappings" / "files.yaml"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(path, _FOR_WHOM.encode())


def connect_books(hub: Hub) -> list[str]:
    """Connect the two books, empty folders at first; return those that are new."""
    new = [name for name in BOOKS if name not in hub.config.connections]
    for name in new:
        (hub.folder / "books" / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {"path": f"books/{name}", "format": "vdir"}
        is_on_the_road = name == "vans"
        connect(hub, "files", name, settings, checked=False, direction="both", brief=is_on_the_road)
    hub.forget_tools()
    return new


def card(folder: Path, book: str) -> Path:
    """Return Dana's card in a book. Raises: ConfigError when there is none."""
    for path in sorted((folder / "books" / book).glob("*.vcf")):
        if DANA in path.read_text("utf-8"):
            return path
    raise ConfigError(f"the book {book} has no card of Dana's", remedy="Run the demo anew.")


def title(path: Path) -> str:
    """Return the title that stands on a card."""
    lines = path.read_text("utf-8").splitlines()
    return next((line.partition(":")[2] for line in lines if line.startswith("TITLE")), "")


def brief(path: Path) -> list[str]:
    """Return what the hub itself says on a card."""
    return str(card_payload(path.read_bytes()).get("brief", "")).splitlines()


def correct(folder: Path) -> bool:
    """Correct Dana's title on her card in the office's book; False when it was done before."""
    path = card(folder, "office")
    if title(path) == NEW_TITLE:
        return False
    text = path.read_bytes()
    write_private(path, text.replace(f"TITLE:{OLD_TITLE}".encode(), f"TITLE:{NEW_TITLE}".encode()))
    return title(path) == NEW_TITLE
