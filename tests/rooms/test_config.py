"""hub.yaml: read strictly, edited gently."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub import config, disk, yamltext
from crm_hub.model.errors import ConfigError

GOOD = """\
version: 1
store: sqlite:///hub.db   # beside this file
company: {name: Clearwater, region: US, zone: America/New_York, own: [Clearwater.example]}
receiver: {host: 127.0.0.1, port: 8765, max_body_bytes: 1000000}
connections:
  # the office mailbox
  mail: {kind: files, settings: {path: ./mail}, paused: false}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    (tmp_path / "hub.yaml").write_text(GOOD)
    return tmp_path


def text_of(hub: Path) -> str:
    return (hub / "hub.yaml").read_text(encoding="utf-8")


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        config.parse(text, Path("/hub"))
    assert error.value.remedy
    return error.value.message


def test_a_whole_file_becomes_settings(hub: Path) -> None:
    settings = config.load(hub)
    assert settings.company.own == ("clearwater.example",)
    assert settings.connections["mail"].settings == {"path": "./mail"}
    assert settings.store_url() == f"sqlite:///{hub / 'hub.db'}"


def test_settings_cannot_be_changed_in_memory(hub: Path) -> None:
    settings = config.load(hub)
    with pytest.raises(ValueError, match="frozen"):
        settings.version = 1
    with pytest.raises(TypeError):
        settings.connections["other"] = settings.connections["mail"]  # type: ignore[index]


def test_a_version_line_alone_is_a_hub_with_defaults() -> None:
    settings = config.parse("version: 1\ncompany:\nconnections:\n", Path("/hub"))
    assert (settings.company.zone, settings.receiver.port) == ("UTC", 8765)
    assert dict(settings.connections) == {}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("version: 1\nstor: x\n", "2:1", "did you mean 'store'"),
        ("version: 2\n", "1:10", "'version' should be 1; a file of a newer crm-hub"),
        ("company: {}\n", "1:1", "'version' is missing"),
        ("version: 1\ncompany: {regoin: US}\n", "2:11", "allowed here: name, region, zone, own"),
        ("version: 1\ncompany: {region: UK}\n", "2:19", "GB"),
        ("version: 1\ncompany: {zone: America/NewYork}\n", "2:17", "America/New_York"),
        ("version: 1\ncompany: {zone: ../../etc/passwd}\n", "2:17", "IANA"),
        ("version: 1\ncompany: {own: [a b]}\n", "2:17", "domain or an e-mail address"),
        ("version: 1\ncompany: Clearwater\n", "2:10", "lines of `key: value`"),
        ("version: 1\nreceiver: {port: 99999}\n", "2:18", "65535"),
        ("version: 1\nreceiver: {port: x}\n", "2:18", "integer"),
        ("version: 1\nstore: mysql://a/b\n", "2:8", "sqlite:///FILE or postgresql://"),
        ("version: 1\nstore: 'postgresql://[u'\n", "2:8", "sqlite:///FILE or postgresql://"),
        ("version: 1\nconnections: {Mail: {kind: files}}\n", "2:15", "cannot name a connection"),
        ("version: 1\nconnections: {a: {kind: ../x}}\n", "2:25", "a connector's name"),
        ("version: 1\nconnections: {a: {knd: x}}\n", "2:18", "did you mean 'kind'"),
        ("version: 1\nconnections: {a: {kind: x, name: b}}\n", "2:28", "unknown setting"),
        ("version: 1\nconnections: {a: {kind: x, settings: 3}}\n", "2:38", "mapping"),
        ("version: 1\nconnections: [a]\n", "2:14", "mapping"),
        ("version: 1\nfolder: /etc\n", "2:1", "unknown setting 'folder'"),
        ("version: 1\nversion: 1\n", "2:1", "stands here twice"),
        ("version: 1\n\tstore: x\n", "2:1", "not YAML"),
        ("version: &a 1\nstore: *a\n", "1:10", "anchors (&) and aliases (*)"),
        ("version: 1\nstore: !!python/name:os.system x\n", "2:8", "tags"),
        ("version: 1\n<<: {store: x}\n", "2:1", "merge keys"),
        ("- 1\n", "1:1", "must hold keys and values"),
        ("", "1:1", "write `version: 1`"),
    ],
)
def test_an_error_names_file_line_column_and_what_is_allowed(
    text: str, place: str, says: str
) -> None:
    message = refused(text)
    assert f"/hub/hub.yaml:{place}: " in message
    assert says in message


def test_all_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    message = refused("version: 1\nreceiver: {port: -1}\ncompany: {regoin: US, zone: X/Y}\n")
    assert re.findall(r"hub.yaml:(\d+):", message) == ["2", "3", "3"]


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://hub:geheim@db.example/hub",
        "postgresql://hub@db.example/hub?password=geheim",
        "{url: postgresql://hub@db.example/hub, password: geheim}",
    ],
)
def test_a_password_in_hub_yaml_is_refused_and_not_repeated(store: str) -> None:
    message = refused(f"version: 1\nstore: {store}\n")
    assert "env:NAME" in message
    assert "geheim" not in message


def test_a_store_password_is_put_into_the_url_quoted() -> None:
    text = "version: 1\nstore: {url: postgresql://hub@db.example:5/hub, password: env:X}\n"
    url = config.parse(text, Path("/hub")).store_url("p@ss/:w")
    assert url == "postgresql://hub:p%40ss%2F%3Aw@db.example:5/hub"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "{" * 60_000,
        "- " * 30_000,
        "version: 1\n" * 5_000,
        "- a\n" * 16_000,
        "a: " + "9" * 5_000,
        "a: .nan",
        "a: \ud800",
        "a: \x00",
        "a" * 64_001,
        "%YAML 9.9\n---\na: 1",
        "? [a]\n: 1",
        "a: 'b",
        "--- 1\n--- 2",
        "a: !!set {b, c}",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_hostile_yaml_ends_soon_in_a_clear_error(text: str) -> None:
    began = time.process_time()
    assert "/hub/hub.yaml" in refused(text)
    assert time.process_time() - began < 10  # a guard against hanging; 2 s are the goal


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        config.parse(text, Path("/hub"))


@pytest.mark.soak
def test_the_yaml_reader_survives_a_long_hunt() -> None:
    pieces = st.sampled_from(
        ["a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "|"]
    )
    texts = st.lists(pieces | st.text(max_size=3), max_size=60).map("".join)

    @settings(max_examples=5_000 * int(os.environ.get("CRM_HUB_SOAK_SCALE", "1")), deadline=None)
    @given(texts)
    def hunt(text: str) -> None:
        with suppress(ConfigError):
            yamltext.read(text, "hub.yaml")

    hunt()


def test_a_missing_hub_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="crm-hub init"):
        config.load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"\xff\xfev\x00", b"version: \xe9"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hub.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(tmp_path)


def test_a_new_hub_is_private_commented_and_loads(tmp_path: Path) -> None:
    hub = tmp_path / "a" / "hub"
    path = config.create(hub, name='Clear "water" #1', region="GB", own=["clearwater.example"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(hub.stat().st_mode) == 0o700
    assert config.load(hub).company.name == 'Clear "water" #1'
    assert text_of(hub).count("#") > 5


def test_a_new_hub_never_overwrites_one(hub: Path) -> None:
    with pytest.raises(ConfigError, match="is there already"):
        config.create(hub)
    assert text_of(hub) == GOOD


def test_a_new_hub_with_a_bad_value_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IANA") as told:
        config.create(tmp_path / "hub", zone="Mars/Base")
    assert "hub.yaml" not in str(told.value)  # there is none to be corrected
    assert not (tmp_path / "hub").exists()


def test_edits_keep_comments_and_take_effect(hub: Path) -> None:
    config.add_connection(hub, "site-form", "web_form", {"token": "sealed", "forms": "quote"})
    config.set_paused(hub, "mail", True)
    settings = config.load(hub)
    assert settings.connections["mail"].paused
    assert settings.connections["site-form"].settings["token"] == "sealed"
    assert "# beside this file" in text_of(hub)
    assert "# the office mailbox" in text_of(hub)
    assert stat.S_IMODE((hub / "hub.yaml").stat().st_mode) == 0o600
    config.remove_connection(hub, "mail")
    config.remove_connection(hub, "site-form")
    assert dict(config.load(hub).connections) == {}


def test_the_first_connection_of_a_new_hub_keeps_its_comments(tmp_path: Path) -> None:
    config.create(tmp_path)
    before = [line for line in text_of(tmp_path).splitlines() if "#" in line]
    config.add_connection(tmp_path, "mail", "files", {"path": "./mail", "n": "007", "e": ""})
    assert [line for line in text_of(tmp_path).splitlines() if "#" in line] == before
    assert config.load(tmp_path).connections["mail"].settings["n"] == "007"


def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(hub: Path) -> None:
    with pytest.raises(ConfigError, match="'mail' already"):
        config.add_connection(hub, "mail", "files", {})
    assert text_of(hub) == GOOD
    config.add_connection(hub, "mail", "files", {"path": "./other"}, replace=True)
    assert config.load(hub).connections["mail"].settings == {"path": "./other"}


@pytest.mark.parametrize("name", ["", "Mail", "1mail", "a b", "a/b", "../a", "a" * 42, "mail\n"])
def test_a_bad_name_is_refused_before_anything_is_written(hub: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a connection"):
        config.add_connection(hub, name, "files", {})
    assert text_of(hub) == GOOD


def test_an_edit_that_would_not_load_again_is_not_written(hub: Path) -> None:
    for values in ({"a": object()}, {"a": float("nan")}, {"a": {"b": "x" * 64_000}}):
        with pytest.raises(ConfigError):
            config.add_connection(hub, "x", "files", values)
    with pytest.raises(ConfigError, match="there is no connection 'y'"):
        config.set_paused(hub, "y", True)
    assert text_of(hub) == GOOD


plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), plain | st.lists(plain, max_size=3)))
def test_settings_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, object]
) -> None:
    hub = tmp_path_factory.mktemp("hub")
    (hub / "hub.yaml").write_text(GOOD)
    try:
        config.add_connection(hub, "x", "files", settings)
    except ConfigError:
        assert text_of(hub) == GOOD  # refused whole: control characters, unusable keys
    else:
        assert config.load(hub).connections["x"].settings == settings


EDITOR = """
import sys
from pathlib import Path
from crm_hub import config
for n in range(10):
    config.add_connection(Path(sys.argv[1]), f"{sys.argv[2]}{n}", "files", {})
"""


def python(hub: Path, name: str) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen([sys.executable, "-c", EDITOR, str(hub), name], env=environment)


def test_two_processes_editing_at_once_lose_nothing(hub: Path) -> None:
    editors = [python(hub, "a"), python(hub, "b")]
    assert [editor.wait(60) for editor in editors] == [0, 0]
    assert len(config.load(hub).connections) == 21


def test_a_lock_held_too_long_is_told(hub: Path) -> None:
    with (
        disk.edit_lock(hub),
        pytest.raises(ConfigError, match="another crm-hub command"),
        disk.edit_lock(hub, wait_s=0.05),
    ):
        pass


@pytest.fixture
def broken_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)


@pytest.mark.usefixtures("broken_disk")
def test_a_full_disk_leaves_the_old_file_and_no_litter(hub: Path) -> None:
    with pytest.raises(ConfigError, match="No space left"):
        config.set_paused(hub, "mail", True)
    assert text_of(hub) == GOOD
    assert {path.name for path in hub.iterdir()} <= {"hub.yaml", ".edit.lock"}


def test_a_linked_hub_yaml_stays_a_link(hub: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.yaml"
    (hub / "hub.yaml").rename(real)
    (hub / "hub.yaml").symlink_to(real)
    config.set_paused(hub, "mail", True)
    assert (hub / "hub.yaml").is_symlink()
    assert config.load(hub).connections["mail"].paused
