"""The connector on real folders: what it finds, when it reads, what it may claim."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.files import connector as shell
from crm_hub_connectors.files.connector import FilesConnector, FilesSettings, connector
from crm_hub_connectors.files.sources import find_sources, fingerprint
from pydantic import ValidationError

from crm_hub.sdk import ConfigError, Context, Page, Reject, StreamInfo, Unavailable, Window

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LETTER = (
    "From: Ann Lee <ann@acme.example>\nTo: office@clearwater.example\nMessage-ID: <{id}@acme>\n"
    "Date: Tue, 10 Mar 2026 08:00:00 -0500\nSubject: Water\n\nHello.\n"
)
EVENT = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1@x\nDTSTART:20260311T100000Z\n"
    "DTEND:20260311T110000Z\nSUMMARY:Visit\nEND:VEVENT\nEND:VCALENDAR\n"
)
CARD = "BEGIN:VCARD\nVERSION:3.0\nUID:c1\nFN:Ann Lee\nEMAIL:ann@acme.example\nEND:VCARD\n"


class ThreeAPage(FilesConnector):
    page_items = 3


def connect(
    folder: Path, kind: type[FilesConnector] = ThreeAPage, **settings: Any
) -> FilesConnector:
    context = Context("t", folder, now=lambda: NOW, zone="America/New_York")
    return kind(FilesSettings(**{"path": ".", **settings}), context)


def people(folder: Path, count: int, name: str = "people.csv", stamp: int = 0) -> Path:
    rows = "".join(f"{i},Ann {i},p{i}@x.example,2026-03-{1 + i:02} 08:00\n" for i in range(count))
    path = folder / name
    path.write_text("id,Name,Email,Updated\n" + rows)
    settle(path, stamp)
    return path


def settle(path: Path, stamp: int = 0) -> None:
    """Let the file look as if it had been written a while before the pull."""
    moment = NOW.timestamp() - 3_600 + stamp
    os.utime(path, (moment, moment))


def pull(it: FilesConnector, name: str = "people.csv", checkpoint: Any = None) -> list[Page]:
    return list(it.pull(stream(it, name), checkpoint))


def stream(it: FilesConnector, name: str) -> StreamInfo:
    return next(s for s in it.discover() if s.name == name)


def ids(pages: list[Page]) -> list[str]:
    return [change.id for page in pages for change in page.changes]


def everything(folder: Path) -> None:
    (folder / "sub").mkdir()
    people(folder, 4)
    people(folder, 1, "sub/list.tsv").write_text("Name\tEmail\nAnn\ta@x.example\n")
    (folder / "inbox.mbox").write_text("From a@b Tue Mar 10 08:00:00 2026\n" + LETTER.format(id=1))
    (folder / "Sent").write_text("From a@b Tue Mar 10 08:00:00 2026\n" + LETTER.format(id=2))
    (folder / "sub" / "one.eml").write_text(LETTER.format(id=3))
    for part in ("cur", "new", "tmp"):
        (folder / "Mail" / part).mkdir(parents=True)
    (folder / "Mail" / "cur" / "1773000000.1.host:2,S").write_text(LETTER.format(id=4))
    (folder / "calendar.ics").write_text(EVENT)
    (folder / "cards.vcf").write_text(CARD)
    (folder / "api.jsonl").write_text('{"id":"1","email":"a@x.example"}\n')


def test_a_folder_of_everything_gives_a_stream_for_each_thing(tmp_path: Path) -> None:
    everything(tmp_path)
    found = connect(tmp_path).discover()
    assert [(s.name, s.shape) for s in found] == [
        ("Mail/", "mail"),
        ("Mail/ (correspondents)", "correspondents"),
        ("Sent", "mail"),
        ("Sent (correspondents)", "correspondents"),
        ("api.jsonl", "api.jsonl"),
        ("calendar.ics", "calendar"),
        ("cards.vcf", "contacts"),
        ("inbox.mbox", "mail"),
        ("inbox.mbox (correspondents)", "correspondents"),
        ("people.csv", "people.csv"),
        ("sub/", "mail"),
        ("sub/ (correspondents)", "correspondents"),
        ("sub/list.tsv", "sub/list.tsv"),
    ]
    assert all(s.caps.read == "full" and s.caps.deletes == "reconcile" for s in found)
    assert found == connect(tmp_path).discover()


def test_every_stream_of_a_folder_of_everything_can_be_pulled_once(tmp_path: Path) -> None:
    everything(tmp_path)
    it = connect(tmp_path, own="clearwater.example")
    for info in it.discover():
        pages = list(it.pull(info, None))
        assert ids(pages), info.name
        assert pages[-1].complete, info.name
        assert pages[-1].source_count == len(ids(pages))
        assert list(it.pull(info, pages[-1].checkpoint)) == [], info.name


def test_a_mailbox_gives_the_people_who_wrote(tmp_path: Path) -> None:
    everything(tmp_path)
    it = connect(tmp_path, own="clearwater.example")
    (page,) = pull(it, "sub/ (correspondents)")
    assert [c.payload for c in page.changes] == [
        {"address": "ann@acme.example", "name": "Ann Lee", "seen_in": 1}
    ]
    assert not any("(corr" in s.name for s in connect(tmp_path, people="none").discover())


def test_other_own_addresses_let_a_mailbox_be_read_anew(tmp_path: Path) -> None:
    everything(tmp_path)
    done = pull(connect(tmp_path), "inbox.mbox")[-1].checkpoint
    (page,) = pull(connect(tmp_path, own="acme.example"), "inbox.mbox", done)
    assert page.changes[0].payload is not None
    assert page.changes[0].payload["direction"] == "out"


def test_a_text_file_is_a_table_when_it_has_columns(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Name\tEmail\nAnn\ta@x.example\n")
    assert ids(pull(connect(tmp_path), "list.txt")) == ["a@x.example"]


def test_a_single_file_is_a_connection_too(tmp_path: Path) -> None:
    everything(tmp_path)
    assert [s.name for s in connect(tmp_path, path="people.csv").discover()] == ["people.csv"]
    assert ids(pull(connect(tmp_path, path="sub/one.eml"), "one.eml")) == ["3@acme 20260310T130000"]


def test_a_named_format_reads_those_files_alone(tmp_path: Path) -> None:
    everything(tmp_path)
    (tmp_path / "Drafts").write_text(LETTER.format(id=9))
    found = [s.name for s in connect(tmp_path, format="mbox", people="none").discover()]
    assert found == ["Drafts", "Sent", "inbox.mbox"]


def test_what_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    people(tmp_path, 1)
    for name in (".hidden.csv", "~$book.xlsx", "x.csv.part", "picture.png", "readme"):
        (tmp_path / name).write_text("x")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("Call Ann, then Ben.\nBuy tea.\nRest, eat, sleep.\n")
    (tmp_path / "bad.xlsx").write_text("no workbook")
    (tmp_path / "line\nbreak.csv").write_text("id\n1\n")
    it = connect(tmp_path)
    assert [s.name for s in it.discover()] == ["people.csv"]
    lines = "\n".join(it.check().lines)
    for words in (
        ".hidden.csv: not read, a hidden file", "~$book.xlsx: not read, a temporary",
        "x.csv.part: not read, a temporary", "picture.png: not read, not a kind",
        "notes.txt: not read, not a kind", "readme: not read, not a kind", "pipe.csv: not read, not a regular file",
        "gone.csv: not read, it cannot be opened", "bad.xlsx: not read, it is not a workbook",
        "line?break.csv: not read, its name",
    ):  # fmt: skip
        assert words in lines
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)


def test_a_guess_and_a_table_of_nobody_are_told_by_check(tmp_path: Path) -> None:
    people(tmp_path, 1)
    (tmp_path / "sums.csv").write_text("Date,Amount\n2026,3\nx,4\n")
    (tmp_path / "bare.csv").write_text("1,ann@x.example\n")
    first, second, third = connect(tmp_path).check().lines
    assert first.startswith("bare.csv: cannot be read: the table has no header row")
    assert second.startswith("people.csv: person, 4 of 4 columns recognised")
    assert third.endswith("write a mapping file and set `mapping`")
    guessed = stream(connect(tmp_path), "people.csv")
    assert guessed.section is not None
    assert guessed.guess == second
    assert guessed.fields["Email"] == "string"


def test_with_a_mapping_file_an_unknown_table_takes_the_section_of_its_name(tmp_path: Path) -> None:
    people(tmp_path, 1, "members 2026.csv")
    (info,) = connect(tmp_path, mapping="my.yaml").discover()
    assert (info.shape, info.section) == ("members 2026", None)


def test_the_last_page_alone_is_complete_and_counts_the_rows(tmp_path: Path) -> None:
    people(tmp_path, 7)
    pages = pull(connect(tmp_path))
    assert [len(p.changes) for p in pages] == [3, 3, 1]
    assert [p.complete for p in pages] == [False, False, True]
    assert [p.source_count for p in pages] == [None, None, 7]


def test_a_resumed_pull_gives_the_rest_and_leads_to_a_whole_read(tmp_path: Path) -> None:
    people(tmp_path, 7)
    it = connect(tmp_path)
    first = pull(it)[0]
    rest = pull(it, checkpoint=first.checkpoint)
    assert ids(rest) == ["3", "4", "5", "6"]
    assert not any(p.complete for p in rest)
    again = pull(it, checkpoint=rest[-1].checkpoint)
    assert ids(again) == [str(i) for i in range(7)]
    assert again[-1].complete


def test_an_untouched_file_gives_no_page_and_neither_does_one_only_touched(tmp_path: Path) -> None:
    path = people(tmp_path, 4)
    it = connect(tmp_path)
    done = pull(it)[-1].checkpoint
    assert pull(it, checkpoint=done) == []
    settle(path, stamp=99)
    assert pull(it, checkpoint=done) == []


def test_a_change_of_the_same_size_within_the_same_moment_is_seen(tmp_path: Path) -> None:
    path = people(tmp_path, 4)
    moment = NOW.timestamp()
    os.utime(path, (moment, moment))
    it = connect(tmp_path)
    done = pull(it)[-1].checkpoint
    path.write_text(path.read_text().replace("Ann 0", "Ben 0"))
    os.utime(path, (moment, moment))
    assert ids(pull(it, checkpoint=done)) == ["0", "1", "2", "3"]


def test_a_change_of_the_same_size_in_the_middle_of_a_large_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "people.mbox"
    with path.open("wb") as file:
        file.truncate(70_000_000)
    before = fingerprint(path)
    with path.open("r+b") as file:
        file.seek(35_000_000)
        file.write(b"x")
    assert fingerprint(path) != before


def test_a_folder_is_gone_through_once_for_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        people(tmp_path, 1, f"{number}.csv")
    looks: list[Path] = []
    monkeypatch.setattr(
        shell, "find_sources", lambda root, how: looks.append(root) or find_sources(root, how)
    )
    it = connect(tmp_path)
    for one in it.discover():
        assert list(it.pull(one, None))
    assert len(looks) == 1


def test_a_file_changed_between_pages_is_read_from_the_start(tmp_path: Path) -> None:
    people(tmp_path, 7)
    it = connect(tmp_path)
    first = pull(it)[0].checkpoint
    people(tmp_path, 8, stamp=5)
    again = pull(it, checkpoint=first)
    assert ids(again) == [str(i) for i in range(8)]
    assert again[-1].complete


def test_a_file_that_grows_during_the_pull_is_never_called_complete(tmp_path: Path) -> None:
    path = people(tmp_path, 7)
    it = connect(tmp_path)
    flow = it.pull(stream(it, "people.csv"), None)
    pages = [next(flow)]
    with path.open("a") as end:
        end.write("7,Late,p7@x.example,\n")
    pages += flow
    assert not any(p.complete for p in pages)
    again = pull(it, checkpoint=pages[-1].checkpoint)
    assert "7" in ids(again)
    assert again[-1].complete


def test_a_row_that_cannot_be_read_is_no_deleted_one(tmp_path: Path) -> None:
    path = people(tmp_path, 4)
    path.write_text(path.read_text() + "9,x,y,z,too,many\n")
    settle(path)
    pages = pull(connect(tmp_path))
    assert [len(p.rejects) for p in pages] == [0, 1]
    assert not pages[-1].complete
    assert pages[-1].source_count == 4
    assert pull(connect(tmp_path), checkpoint=pages[-1].checkpoint) == []


def test_a_file_that_lost_its_header_deletes_nobody(tmp_path: Path) -> None:
    path = people(tmp_path, 4)
    path.write_text("1,Ann,ann@x.example\n")
    (page,) = pull(connect(tmp_path))
    assert not page.complete
    assert isinstance(page.rejects[0], Reject)


def test_a_window_gives_its_days_only_and_no_checkpoint(tmp_path: Path) -> None:
    people(tmp_path, 8)
    (tmp_path / "inbox.mbox").write_text(
        "From a@b Tue Mar 10 08:00:00 2026\n" + LETTER.format(id=1)
    )
    it = connect(tmp_path)
    day = datetime(2026, 3, 3, tzinfo=UTC)
    window = Window(day, day + timedelta(days=4))
    pages = list(it.pull(stream(it, "people.csv"), None, window))
    assert ids(pages) == ["2", "3", "4", "5"]
    assert all(p.checkpoint is None and not p.complete for p in pages)
    assert list(it.pull(stream(it, "inbox.mbox"), None, window)) == []
    later = Window(day, day + timedelta(days=9))
    assert ids(list(it.pull(stream(it, "inbox.mbox"), None, later))) == ["1@acme 20260310T130000"]


def test_the_same_id_twice_is_given_twice_and_the_later_row_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,Name,Email\n1,Ann,a@x.example\n1,Ben,b@x.example\n")
    (page,) = pull(connect(tmp_path))
    assert [(c.id, c.payload and c.payload["Name"]) for c in page.changes] == [
        ("1", "Ann"), ("1", "Ben"),
    ]  # fmt: skip


def test_a_missing_path_and_a_vanished_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        connect(tmp_path, path="nowhere").discover()
    assert "path" in missing.value.remedy
    path = people(tmp_path, 4)
    it = connect(tmp_path)
    info = stream(it, "people.csv")
    path.unlink()
    with pytest.raises(ConfigError, match="no longer there"):
        list(it.pull(info, None))


def test_a_file_taken_away_during_the_pull_is_unavailable_not_empty(tmp_path: Path) -> None:
    path = people(tmp_path, 7)
    it = connect(tmp_path)
    flow = it.pull(stream(it, "people.csv"), None)
    next(flow)
    path.unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        list(flow)


def test_settings_are_titled_described_and_closed() -> None:
    assert connector is FilesConnector
    for name, field in FilesSettings.model_json_schema()["properties"].items():
        assert field["title"], name
        assert field["description"], name
    for wrong in ({"path": ""}, {"path": ".", "format": "doc"}, {"path": ".", "colour": "blue"}):
        with pytest.raises(ValidationError):
            FilesSettings.model_validate(wrong)


def test_own_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither an address nor a domain"):
        FilesSettings(path=".", own="not an address")
