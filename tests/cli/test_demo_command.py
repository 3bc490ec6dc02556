"""demo: the sample firm really runs, and a second run finds nothing new."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from crm_hub.cli.main import run


def demo(folder: Path) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert run(["demo", "--dir", str(folder), "--no-serve"]) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def first_and_second(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    folder = tmp_path_factory.mktemp("demo") / "demo-hub"
    return folder, demo(folder), demo(folder)


def test_every_post_is_taken_and_every_stream_is_complete(first_and_second) -> None:
    _, shown, _ = first_and_second
    assert len(re.findall(r"^  /in/\S+ +200 ", shown, re.M)) == 12
    assert re.search(r"^All \d+ streams are complete\.$", shown, re.M)


def test_dana_is_one_person_with_one_timeline_and_a_suggestion(first_and_second) -> None:
    _, shown, _ = first_and_second
    story = shown.partition("One customer whole")[2].partition("Why her name")[0]
    for event in (
        "2026-03-19        invoice.paid",
        "2026-03-11 14:00  meeting.booked",
        "2026-03-10 11:12  email.received",
        "2026-03-10 10:26  call.in",
        "2026-03-10 09:15  ad.lead",
    ):
        assert event in story
    assert "form.submitted" in story
    assert re.search(r"Possibly the same person: P\d+ Dana Whitfield \(same name", story)
    assert "lost Whitfeld, from hubspot/" in shown


def test_a_second_run_posts_nothing_and_writes_no_row(first_and_second) -> None:
    _, first, second = first_and_second
    assert not re.search(r"^0 new, ", first, re.M)
    assert re.search(r"^0 new, 0 rows written$", second, re.M)
    assert "/in/" not in second.partition("What is covered")[0]
    story = "One customer whole"
    assert first.partition(story)[2] == second.partition(story)[2]


def test_an_edit_in_one_book_is_looked_at_and_arrives_in_the_other(first_and_second) -> None:
    folder, first, second = first_and_second
    back = first.partition("And back")[2].partition("What is covered")[0]
    assert "vans: 1 update" in back
    assert "title: Office Manager → Head of Facilities" in back
    assert re.search(r"^books/vans/\S+ says TITLE:Head of Facilities$", back, re.M)
    said = back.partition("reads on it:\n")[2].partition("\n\n")[0].splitlines()
    assert said[0] == "  Head of Facilities, Marlow & Finch LLP · customer · owner Clearwater Sales"
    assert said[1].startswith("  Last: 2026-03-19 invoice paid: Invoice INV-20677 paid")
    why = back.partition("Why it says so")[2]
    assert "from office/" in why
    assert "lost Office Manager, from hubspot/" in why
    assert " update" not in second.partition("And back")[2].partition("What is covered")[0]
    texts = [p.read_text() for p in (folder / "books").rglob("*.vcf") if "dana." in p.read_text()]
    assert [text.count("TITLE:Head of Facilities") for text in texts] == [1, 1]


def test_the_demo_s_secrets_stand_nowhere(first_and_second) -> None:
    from crm_hub.secrets import SealedStore

    folder, first, second = first_and_second
    store = SealedStore(folder)
    secrets = [store.get("meta", "app_secret"), store.get("google", "google_key")]
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret
        assert secret not in first + second
        assert secret.encode() not in kept


def test_a_hub_of_one_s_own_is_left_alone(crm, hub_dir: Path) -> None:
    before = (hub_dir / "hub.yaml").read_bytes()
    done = crm("demo", "--dir", hub_dir, "--no-serve")
    assert done.status == 2
    assert (hub_dir / "hub.yaml").read_bytes() == before


def test_a_demo_that_was_killed_while_it_was_made_is_made_again(crm, tmp_path: Path) -> None:
    from crm_hub.flow.demo import posts_due, prepare

    folder = tmp_path / "demo"
    assert prepare(folder)
    (folder / "hub.yaml").unlink()
    (folder / "hub.key").unlink()
    assert prepare(folder)
    assert not prepare(folder)
    assert len(posts_due(folder)) == 12
