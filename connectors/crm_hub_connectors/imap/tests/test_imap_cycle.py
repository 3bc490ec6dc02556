"""What changes in a mailbox between two pulls, and what the hub then holds."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from crm_hub_connectors.imap.wire import Wire


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every FETCH that asked for whole messages, as the UIDs it named."""
    asked: list[str] = []
    real = Wire.fetch

    def fetch(self: Wire, uids: str, items: str, more: str = "") -> Any:
        if "BODY.PEEK[]" in items:
            asked.append(uids)
        return real(self, uids, items, more)

    monkeypatch.setattr(Wire, "fetch", fetch)
    return asked


def test_all_folders_are_read_but_junk_trash_and_drafts(either: Mailbox) -> None:
    for number, folder in enumerate(
        ["INBOX", "Sent", "Work/Pumps", "Junk", "Trash", "Drafts", "Entwürfe", "Archiv & Alt"]
    ):
        if folder.isascii() and "&" not in folder:
            either.deliver(folder, mail(number, subject=folder))
    with either.user_session() as user:
        for folder in ("Entwürfe", "Archiv & Alt"):
            user.create_folder(folder)
            user.append(folder, mail(9 if folder[0] == "E" else 8, subject=folder[:6]))
    (page,) = either.pull()
    assert page.complete
    assert either.subjects() == {
        "INBOX": ["INBOX"], "Sent": ["Sent"], "Work/Pumps": ["Work/Pumps"],
        "Archiv": ["Archiv & Alt"],
    }  # fmt: skip
    assert page.source_count == 4


def test_folders_can_be_chosen_by_name_and_pattern(box: Mailbox) -> None:
    for number, folder in enumerate(["INBOX", "Work/A", "Work/B", "Junk"]):
        box.deliver(folder, mail(number, subject=folder))
    box.restart(folders="inbox, Work/*")
    box.pull()
    assert set(box.subjects()) == {"INBOX", "Work/A", "Work/B"}
    box.restart(folders="Junk")
    box.pull()
    assert set(box.subjects()) == {"Junk"}


def test_nothing_new_gives_no_page_at_all_even_after_a_restart(either: Mailbox) -> None:
    either.deliver("INBOX", *map(mail, range(5)))
    either.pull()
    assert either.pull() == []
    either.restart()
    assert either.pull() == []


def test_new_mail_is_fetched_alone(either: Mailbox, fetched: list[str]) -> None:
    either.deliver("INBOX", *map(mail, range(5)))
    either.pull()
    fetched.clear()
    either.deliver("INBOX", mail(5), mail(6))
    either.pull()
    assert fetched == ["6:7"]
    assert len(either.records) == 7


def test_a_change_of_flags_costs_no_body_and_changes_no_record(
    either: Mailbox, fetched: list[str]
) -> None:
    either.deliver("INBOX", *map(mail, range(5)))
    either.pull()
    before = dict(either.records)
    fetched.clear()
    with either.user_session() as user:
        user.add_flags([1, 2, 3], [b"\\Seen", b"\\Answered", b"Later"])
    pages = either.pull()
    assert fetched == []
    assert [page.changes for page in pages] in ([], [[]])
    assert either.records == before
    assert either.pull() == []


def test_an_expunged_message_is_a_tombstone(either: Mailbox) -> None:
    either.deliver("INBOX", *map(mail, range(6)))
    either.pull()
    with either.user_session() as user:
        user.delete_messages([2, 5])
        user.expunge()
    either.pull()
    assert either.deletes == 2
    assert set(either.subjects()) == {"Order 0", "Order 2", "Order 3", "Order 5"}
    assert either.counts[-1] == 4


def test_an_expunge_and_as_many_new_mails_at_once_are_both_seen(either: Mailbox) -> None:
    either.deliver("INBOX", *map(mail, range(6)))
    either.pull()
    with either.user_session() as user:
        user.delete_messages([2])
        user.expunge()
    either.deliver("INBOX", mail(6))
    either.pull()
    assert either.deletes == 1
    assert set(either.subjects()) == {f"Order {n}" for n in (0, 2, 3, 4, 5, 6)}


def test_a_move_is_one_record_with_another_place(either: Mailbox) -> None:
    either.deliver("INBOX", *map(mail, range(4)))
    either.deliver("Archive", mail(9))
    either.pull()
    ids = set(either.records)
    with either.user_session() as user:
        for uid in (2, 3):
            user.copy([uid], "Archive")
        user.delete_messages([2, 3])
        user.expunge()
    pages = either.pull()
    assert either.deletes == 0
    assert either.pulled == 2
    assert set(either.records) == ids
    assert either.subjects()["Order 1"] == ["Archive"]
    assert pages[-1].source_count == 5


def test_a_moved_mail_is_never_gone_between_two_pages(box: Mailbox) -> None:
    box.page_items = 2
    box.deliver("INBOX", *map(mail, range(12)))
    box.deliver("Archive", mail(99))
    box.pull()
    with box.user_session() as user:
        user.move(list(range(1, 13)), "Archive")
    while pages := box.pull(pages=1):
        assert box.deletes == 0, pages
        assert len(box.records) == 13
        box.restart()
    assert {p for places in box.subjects().values() for p in places} == {"Archive"}


def test_a_copy_is_the_same_record_in_two_places(either: Mailbox) -> None:
    either.deliver("INBOX", mail(1), mail(2))
    either.pull()
    with either.user_session() as user:
        user.create_folder("Work")
        user.copy([1], "Work")
    either.pull()
    assert either.subjects() == {"Order 1": ["INBOX", "Work"], "Order 2": ["INBOX"]}
    assert either.counts[-1] == 2
    with either.user_session() as user:
        user.delete_messages([1])
        user.expunge()
    either.pull()
    assert either.deletes == 0
    assert either.subjects() == {"Order 1": ["Work"], "Order 2": ["INBOX"]}


def test_a_renamed_folder_changes_places_and_deletes_nothing(either: Mailbox) -> None:
    either.deliver("INBOX", mail(0))
    either.deliver("Work", mail(1), mail(2))
    either.pull()
    with either.user_session() as user:
        user.rename_folder("Work", "Pumps")
    either.pull()
    assert either.deletes == 0
    assert either.subjects()["Order 2"] == ["Pumps"]


def test_mail_in_all_is_read_once_and_its_place_counts_only_when_no_other_does(
    box: Mailbox, fetched: list[str]
) -> None:
    box.deliver("INBOX", mail(1), mail(2))
    box.deliver("All Mail", mail(1), mail(2), mail(3))
    box.pull()
    assert box.subjects() == {"Order 1": ["INBOX"], "Order 2": ["INBOX"], "Order 3": ["All Mail"]}
    assert fetched == ["1:2", "3"]
    assert box.counts[-1] == 3
    with box.user_session() as user:
        user.delete_messages([1])
        user.expunge()
    box.pull()
    assert box.deletes == 0
    assert box.subjects()["Order 1"] == ["All Mail"]


# numbering ------------------------------------------------------------------------------------


def test_a_new_uidvalidity_brings_no_duplicates_and_the_mail_of_the_gap(
    either: Mailbox, fetched: list[str]
) -> None:
    either.deliver("INBOX", *map(mail, range(8)))
    either.pull()
    before = dict(either.records)
    fetched.clear()
    either.close()
    either.deliver("INBOX", mail(8))
    either.server.renumber("INBOX", either.user)
    for path in sorted((either.server.maildir("INBOX", either.user) / "cur").iterdir())[2:4]:
        path.unlink()
    validity = either.checkpoint["folders"]["INBOX"]["v"]  # type: ignore[index]
    either.pull()
    assert either.checkpoint["folders"]["INBOX"]["v"] != validity  # type: ignore[index]
    assert either.pulled == 1
    assert either.deletes == 2
    assert fetched == ["7"]
    assert {k: v for k, v in either.records.items() if k in before} == {
        k: v for k, v in before.items() if v["subject"] not in ("Order 2", "Order 3")
    }
    assert "Order 8" in either.subjects()
    assert either.pull() == []


def test_a_modseq_ahead_of_its_time_hides_no_new_mail(box: Mailbox) -> None:
    """The cursor's two halves are never combined: what is new is told by its UID alone."""
    box.deliver("INBOX", *map(mail, range(3)))
    box.pull()
    assert box.checkpoint is not None
    box.checkpoint["folders"]["INBOX"]["m"] += 1_000
    box.restart()
    box.deliver("INBOX", mail(3))
    box.pull()
    assert "Order 3" in box.subjects()


def test_a_null_modseq_fetches_nothing_anew(box: Mailbox, fetched: list[str]) -> None:
    box.deliver("INBOX", *map(mail, range(3)))
    box.pull()
    assert box.checkpoint is not None
    box.checkpoint["folders"]["INBOX"]["m"] = None
    fetched.clear()
    box.restart()
    box.pull()
    assert fetched == []
    assert box.pulled == 0
    assert box.checkpoint["folders"]["INBOX"]["m"] > 0


def test_an_expunge_is_seen_where_the_modseq_was_null(box: Mailbox) -> None:
    box.deliver("INBOX", *map(mail, range(3)))
    box.pull()
    assert box.checkpoint is not None
    box.checkpoint["folders"]["INBOX"]["m"] = None
    box.restart()
    with box.user_session() as user:
        user.delete_messages([2])
        user.expunge()
    box.pull()
    assert box.deletes == 1


def test_the_gap_detector_finds_mail_that_the_cursor_passed_over(either: Mailbox) -> None:
    either.deliver("INBOX", *map(mail, range(6)))
    either.pull()
    lost = next(k for k, v in either.records.items() if v["subject"] == "Order 2")
    del either.records[lost]
    folder = either.checkpoint["folders"]["INBOX"]  # type: ignore[index]
    # As if a server had hidden UID 3 from us once: it is in no list, and the cursor is beyond.
    folder["u"] = "1:2,4:6"
    keys = base64.b64decode(folder["k"])
    folder["k"] = base64.b64encode(keys[:16] + keys[24:]).decode()
    either.restart()
    either.pull()
    assert lost in either.records
    assert either.pulled == 1


def test_the_count_of_the_server_is_told_while_a_first_pull_is_under_way(box: Mailbox) -> None:
    box.page_items = 4
    box.deliver("INBOX", *map(mail, range(10)))
    box.pull(pages=1)
    assert len(box.records) == 4
    assert box.counts == [10]


# limits ---------------------------------------------------------------------------------------


def test_mail_before_the_day_of_since_is_left_out_and_not_counted(box: Mailbox) -> None:
    with box.user_session() as user:
        user.append("INBOX", mail(1), msg_time=datetime(2025, 3, 1, tzinfo=UTC))
        user.append("INBOX", mail(2), msg_time=datetime(2026, 3, 1, tzinfo=UTC))
    box.restart(since="2026-01-01")
    (page,) = box.pull()
    assert set(box.subjects()) == {"Order 2"}
    assert page.source_count == 1
    box.restart(since=None)
    box.pull()
    assert set(box.subjects()) == {"Order 1", "Order 2"}


def test_a_draft_is_no_record_until_it_is_one_no_more(box: Mailbox) -> None:
    with box.user_session() as user:
        user.append("INBOX", mail(1), [b"\\Draft"])
        user.append("INBOX", mail(2))
    box.pull()
    assert set(box.subjects()) == {"Order 2"}
    assert box.counts[-1] == 1
    with box.user_session() as user:
        user.remove_flags([1], [b"\\Draft"])
        user.add_flags([2], [b"\\Draft"])
    box.pull()
    assert set(box.subjects()) == {"Order 1"}
    assert box.counts[-1] == 1


def test_mails_without_an_id_are_told_apart_and_followed(either: Mailbox) -> None:
    either.deliver("INBOX", mail(1, message_id=""), mail(2, message_id=""))
    either.pull()
    assert len(either.records) == 2
    with either.user_session() as user:
        user.create_folder("Work")
        user.move([1], "Work") if user.has_capability("MOVE") else None
    either.pull()
    assert either.deletes == 0
    assert either.subjects() == {"Order 1": ["Work"], "Order 2": ["INBOX"]}


def test_two_mails_of_a_program_that_gives_all_the_same_id_are_two_records(box: Mailbox) -> None:
    box.deliver("INBOX", *(mail(n, message_id="<1@broken.example>") for n in range(3)))
    box.pull()
    assert len(box.records) == 3


def test_a_message_that_is_none_is_set_aside_and_the_rest_goes_on(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1), b"no header in here at all\n\n", mail(2))
    (page,) = box.pull()
    assert set(box.subjects()) == {"Order 1", "Order 2"}
    (reject,) = box.rejects
    assert (reject.place, reject.reason) == ("INBOX, UID 2", "there is no mail header in it")
    assert page.source_count == 3
    assert box.pull() == []


# stops ----------------------------------------------------------------------------------------


def test_a_stop_between_two_pages_loses_nothing(box: Mailbox) -> None:
    box.page_items = 3
    box.deliver("INBOX", *map(mail, range(10)))
    while box.pull(pages=1):
        pass
    assert len(box.records) == 10


# windows --------------------------------------------------------------------------------------


def test_a_window_gives_its_span_by_arrival_and_no_checkpoint(either: Mailbox) -> None:
    with either.user_session() as user:
        for day in range(1, 9):
            user.append("INBOX", mail(day), msg_time=datetime(2026, 2, day, 12, tzinfo=UTC))
        user.create_folder("Work")
        user.copy([4], "Work")
    pages = either.window(datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 5, 12, tzinfo=UTC))
    found = {
        c.payload["subject"]: c.payload["locations"] for p in pages for c in p.changes if c.payload
    }
    assert found == {"Order 3": ["INBOX"], "Order 4": ["INBOX", "Work"]}
    assert all(page.checkpoint is None and not page.complete for page in pages)
    either.pull()
    ids = {c.id: c.payload for p in pages for c in p.changes}
    assert {k: either.records[k] for k in ids} == ids


# news -----------------------------------------------------------------------------------------


def test_waiting_ends_when_mail_comes(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.pull()
    assert box.connector.wait(0.05) is False
    with box.user_session() as user:
        later = threading.Timer(0.2, lambda: user.append("INBOX", mail(2)))
        later.start()
        assert box.connector.wait(20) is True
        later.join()
    box.pull()
    assert len(box.records) == 2


def test_mail_that_came_between_pull_and_waiting_is_news_at_once(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.pull()
    box.deliver("INBOX", mail(2))
    assert box.connector.wait(20) is True
