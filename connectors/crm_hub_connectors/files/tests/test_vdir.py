"""A folder of cards: what is read, what is written, and what a crash or an editor may do meanwhile."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import vobject
from crm_hub_connectors.files import swap
from crm_hub_connectors.files.connector import FilesConnector, FilesSettings
from crm_hub_connectors.files.tests.test_vdir_contract import CARD

from crm_hub.sdk import Change, ConfigError, Context, NotSupported, Outcome, Page, Ref, Write
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.process import program

KEY = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
NEW = {"kind": "individual", "fn": "Dana Whitfield", "n.given": "Dana", "n.family": "Whitfield",
       "emails.value": ["dana@marlowfinch.example"], "note": "a, b; c\nd"}  # fmt: skip


def connect(folder: Path, **settings: Any) -> FilesConnector:
    given = FilesSettings.model_validate({"path": str(folder), "format": "vdir", **settings})
    return FilesConnector(given, Context("book", folder, now=lambda: NOW))


def card(folder: Path, id: str = "ann", name: str = "Ann Bell") -> Path:
    path = folder / f"{id}.vcf"
    path.write_bytes(CARD.format(id=id, name=name).encode())
    return path


def pull(folder: Path, checkpoint: Any = None) -> tuple[list[Page], Any]:
    connector = connect(folder)
    (info,) = connector.discover()
    pages = list(connector.pull(info, checkpoint))
    return pages, pages[-1].checkpoint if pages else checkpoint


def changes(pages: list[Page]) -> list[Change]:
    return [change for page in pages for change in page.changes]


def push(folder: Path, id: str | None, fields: dict[str, Any], **more: Any) -> Outcome:
    connector = connect(folder)
    (info,) = connector.discover()
    given = {"operation": "upsert", "base": {}, "guard": None, "idempotency_key": KEY, **more}
    (outcome,) = connector.push([Write(stream=info.name, id=id, fields=fields, **given)])
    return outcome


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_what_changed_is_read_and_what_is_gone_is_told(tmp_path: Path) -> None:
    for id in "abc":
        card(tmp_path, id)
    pages, checkpoint = pull(tmp_path)
    assert [c.id for c in changes(pages)] == ["a.vcf", "b.vcf", "c.vcf"]
    assert pages[-1].complete
    assert pull(tmp_path, checkpoint)[0] == []
    card(tmp_path, "b", "Ann Quist")
    (tmp_path / "c.vcf").unlink()
    pages, _ = pull(tmp_path, checkpoint)
    assert [(c.id, c.deleted) for c in changes(pages)] == [("b.vcf", False), ("c.vcf", True)]
    assert not pages[-1].complete


def test_hidden_and_temporary_files_are_no_cards(tmp_path: Path) -> None:
    card(tmp_path)
    for name in (".x.vcf", "y.vcf.tmp", ".z.vcf.tmp", "color", "displayname", "notes.txt"):
        (tmp_path / name).write_text("BEGIN:VCARD")
    os.mkfifo(tmp_path / "pipe.vcf")
    assert [c.id for c in changes(pull(tmp_path)[0])] == ["ann.vcf"]


def test_a_card_that_cannot_be_read_is_set_aside_and_not_deleted(tmp_path: Path) -> None:
    card(tmp_path, "a")
    card(tmp_path, "b")
    _, checkpoint = pull(tmp_path)
    (tmp_path / "a.vcf").write_text("no card")
    (tmp_path / "two.vcf").write_text(CARD.format(id="1", name="x") + CARD.format(id="2", name="y"))
    (tmp_path / "empty.vcf").write_text("")
    pages, checkpoint = pull(tmp_path, checkpoint)
    assert changes(pages) == []
    rejects = {r.id: r.reason for page in pages for r in page.rejects}
    assert sorted(rejects) == ["a.vcf", "empty.vcf", "two.vcf"]
    assert "2 cards" in rejects["two.vcf"]
    assert pull(tmp_path, checkpoint)[0] == []


def test_each_folder_inside_is_a_stream(tmp_path: Path) -> None:
    for name in ("work", "home", ".git"):
        (tmp_path / name).mkdir()
    card(tmp_path / "work")
    assert [s.name for s in connect(tmp_path).discover()] == ["home/", "work/"]
    assert all(s.shape == "cards" for s in connect(tmp_path).discover())


def test_a_file_put_back_from_an_old_copy_is_the_newest(tmp_path: Path) -> None:
    path = card(tmp_path)
    _, checkpoint = pull(tmp_path)
    path.write_bytes(CARD.format(id="ann", name="Old Name").encode())
    os.utime(path, (1_000_000_000, 1_000_000_000))
    (change,) = changes(pull(tmp_path, checkpoint)[0])
    assert change.changed_at == NOW


def test_a_change_leaves_every_other_byte_and_the_file_s_rights(tmp_path: Path) -> None:
    path = card(tmp_path)
    path.chmod(0o640)
    before = path.read_bytes()
    outcome = push(tmp_path, "ann.vcf", {"fn": "Ann Marlow"})
    assert outcome.result == "applied"
    assert path.read_bytes() == before.replace(b"FN:Ann Bell", b"FN:Ann Marlow")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert files(tmp_path) == ["ann.vcf"]
    (change,) = changes(pull(tmp_path)[0])
    assert change.version == outcome.version


def test_a_new_card_is_made_once_and_found_by_its_key(tmp_path: Path) -> None:
    first = push(tmp_path, None, NEW)
    again = push(tmp_path, None, NEW)
    assert (first.result, again.result) == ("applied", "duplicate")
    assert first.id == again.id
    assert first.version == again.version
    assert files(tmp_path) == [f"{KEY}.vcf"]
    ((_, found),) = connect(tmp_path).fetch([Ref(".", "", {"external_id": KEY})])
    assert found.id == first.id
    assert connect(tmp_path).fetch([Ref(".", "", {"external_id": "other"})]) == []


def test_a_card_of_that_name_that_somebody_changed_is_not_taken_for_ours(tmp_path: Path) -> None:
    push(tmp_path, None, NEW)
    path = tmp_path / f"{KEY}.vcf"
    path.write_bytes(path.read_bytes().replace(b"Dana Whitfield", b"Dana Quist"))
    again = push(tmp_path, None, NEW)
    assert (again.result, again.version) == ("duplicate", None)
    assert b"Dana Quist" in path.read_bytes()


def test_what_was_edited_meanwhile_is_a_conflict(tmp_path: Path) -> None:
    card(tmp_path)
    (change,) = changes(pull(tmp_path)[0])
    path = card(tmp_path, name="Ann Quist")
    outcome = push(tmp_path, "ann.vcf", {"title": "Buyer"}, guard=change.version)
    assert outcome.result == "conflict"
    assert outcome.current is not None
    assert outcome.current["fn"] == "Ann Quist"
    assert b"Buyer" not in path.read_bytes()


def test_an_edit_saved_while_ours_is_being_written_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card(tmp_path)
    real = os.fsync

    def saved(handle: int) -> None:
        real(handle)
        card(tmp_path, name="Ann Quist")

    monkeypatch.setattr(swap.os, "fsync", saved)
    outcome = push(tmp_path, "ann.vcf", {"title": "Buyer"})
    assert outcome.result == "conflict"
    assert b"Ann Quist" in (tmp_path / "ann.vcf").read_bytes()
    assert files(tmp_path) == ["ann.vcf"]


def test_deletes_and_what_is_gone(tmp_path: Path) -> None:
    card(tmp_path)
    (change,) = changes(pull(tmp_path)[0])
    done = push(tmp_path, "ann.vcf", {}, operation="delete", guard=change.version)
    assert done.result == "applied"
    assert push(tmp_path, "ann.vcf", {"fn": "x"}).result == "gone"
    assert push(tmp_path, "../ann.vcf", {"fn": "x"}).result == "gone"
    ((_, found),) = connect(tmp_path).fetch([Ref(".", "ann.vcf")])
    assert found.deleted


def test_a_link_to_another_place_is_not_written(tmp_path: Path) -> None:
    book, other = tmp_path / "book", tmp_path / "other"
    book.mkdir()
    other.mkdir()
    target = card(other)
    (book / "ann.vcf").symlink_to(target)
    before = target.read_bytes()
    assert push(book, "ann.vcf", {"fn": "x"}).result == "rejected"
    assert target.read_bytes() == before


def test_a_folder_that_cannot_be_written_pauses_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(swap.os, "open", refused)
    with pytest.raises(ConfigError, match="cannot be written"):
        push(tmp_path, None, NEW)


def test_other_files_are_only_read(tmp_path: Path) -> None:
    card(tmp_path)
    connector = connect(tmp_path, format="auto")
    assert not any(info.caps.write for info in connector.discover())
    one = Write("upsert", "ann.vcf", "ann", {"fn": "x"}, {}, None, KEY)
    with pytest.raises(NotSupported):
        connector.push([one])


# crashes ----------------------------------------------------------------------------------


class Died(BaseException):
    """The process is gone at this moment."""


class Doomed:
    """The module `os` of a process that dies at its n-th call, before or after it is done."""

    def __init__(self, n: int, after: bool) -> None:
        self.calls, self._n, self._after = 0, n, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in ("open", "fsync", "link", "replace", "fchmod", "unlink"):
            return real

        def called(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self._n and self.calls >= self._n:
                if self.calls == self._n and self._after:
                    with suppress(FileNotFoundError):
                        real(*given, **named)
                raise Died  # and whatever would clean up does nothing any more
            return real(*given, **named)

        return called


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["create", "change"])
def test_a_crash_at_any_moment_leaves_the_old_card_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, after: bool
) -> None:
    def act(folder: Path) -> Outcome:
        if kind == "create":
            return push(folder, None, NEW)
        return push(folder, "ann.vcf", {"fn": "Ann Marlow"})

    whole = tmp_path / "whole"
    whole.mkdir()
    old = card(whole).read_bytes()
    doomed = Doomed(0, after)
    monkeypatch.setattr(swap, "os", doomed)
    act(whole)
    wanted = {p.name: p.read_bytes() for p in whole.glob("*.vcf")}
    assert doomed.calls >= 5
    for n in range(1, doomed.calls + 1):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        card(folder)
        monkeypatch.setattr(swap, "os", Doomed(n, after))
        with pytest.raises(Died):
            act(folder)
        there = {p.name: p.read_bytes() for p in folder.glob("*.vcf")}
        assert all(raw in (old, wanted[name]) for name, raw in there.items())
        monkeypatch.setattr(swap, "os", os)
        assert act(folder).result in ("applied", "duplicate")
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == wanted


# second readers -----------------------------------------------------------------------------


def test_vobject_reads_what_was_written(tmp_path: Path) -> None:
    push(tmp_path, None, NEW)
    push(tmp_path, f"{KEY}.vcf", {"tels.value": ["+12125550147"], "categories": ["a,b", "c"]})
    found = vobject.readOne((tmp_path / f"{KEY}.vcf").read_text(encoding="utf-8"))
    assert found.fn.value == "Dana Whitfield"
    assert found.email.value == "dana@marlowfinch.example"
    assert found.note.value == "a, b; c\nd"
    assert found.tel.value == "+12125550147"
    assert found.categories.value == ["a,b", "c"]


def _run(name: str, how: str, settings: Path, *words: str) -> str:
    try:
        found = program(name, how)
    except Unobtainable as missing:
        pytest.skip(str(missing))
    command = [str(found), "-c", str(settings), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_khard_lists_what_was_written(tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.mkdir()
    card(book)
    push(book, None, NEW)
    push(book, "ann.vcf", {"emails.value": ["ann.marlow@bell.example"]})
    settings = tmp_path / "khard.conf"
    settings.write_text(f"[addressbooks]\n[[book]]\npath = {book}\n[general]\ndebug = no\n")
    how = "`pip install -r tests/servers.txt` into an environment of its own"
    listed = _run("khard", how, settings, "email", "--parsable")
    assert "dana@marlowfinch.example\tDana Whitfield" in listed
    assert "ann.marlow@bell.example\tAnn Bell" in listed


def test_vdirsyncer_carries_what_was_written_and_what_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = os.environ.get("CRM_HUB_BENCH_PEERS", "")
    monkeypatch.setenv("PATH", os.pathsep.join(filter(None, [peers, os.environ["PATH"]])))
    book, other = tmp_path / "book", tmp_path / "other"
    book.mkdir()
    other.mkdir()
    card(book)
    push(book, None, NEW)
    settings = tmp_path / "vdirsyncer.conf"
    settings.write_text(_VDIRSYNCER.format(folder=tmp_path))
    run: Callable[..., str] = lambda *words: _run(  # noqa: E731
        "vdirsyncer", "`pip install -r bench/peers.txt`", settings, *words
    )
    run("discover", "pair")
    run("sync")
    assert sorted(p.name for p in other.glob("*.vcf")) == files(book)
    _, checkpoint = pull(book)
    push(book, "ann.vcf", {"title": "Buyer"})
    theirs = next(p for p in other.glob("*.vcf") if b"Dana" in p.read_bytes())
    theirs.write_bytes(theirs.read_bytes().replace(b"FN:Dana Whitfield", b"FN:Dana Quist"))
    run("sync")
    assert b"TITLE:Buyer" in (other / "ann.vcf").read_bytes()
    told = {c.id: c.payload["fn"] for c in changes(pull(book, checkpoint)[0]) if c.payload}
    assert told == {"ann.vcf": "Ann Bell", f"{KEY}.vcf": "Dana Quist"}


_VDIRSYNCER = """\
[general]
status_path = "{folder}/status/"
[pair pair]
a = "ours"
b = "theirs"
collections = null
[storage ours]
type = "filesystem"
path = "{folder}/book"
fileext = ".vcf"
[storage theirs]
type = "filesystem"
path = "{folder}/other"
fileext = ".vcf"
"""
