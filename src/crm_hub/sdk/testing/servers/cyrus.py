"""A Cyrus for tests: CalDAV, CardDAV and IMAP of one server, with scheduling.

Debian's Cyrus and Dovecot exclude each other as packages, so Cyrus is not installed: its packages
are downloaded and unpacked once, into a cache folder, and run from there as nobody.
"""

from __future__ import annotations

import fcntl
import imaplib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, build_opener
from urllib.request import Request as UrlRequest

from crm_hub.sdk.testing.servers.listing import BODY, HEADERS, member_names
from crm_hub.sdk.testing.servers.process import (
    NOBODY,
    Unobtainable,
    free_port,
    port_problem,
    running,
    unprivileged,
)

_CACHE = Path("/var/cache/crm-hub-tests/cyrus")
_PACKAGES = (
    "cyrus-common", "cyrus-imapd", "cyrus-caldav", "sasl2-bin", "libical3", "libpcre3", "libshp2",
    "libwrap0", "libxapian30", "libzephyr4",
)  # fmt: skip
_REALM = "localhost"
_IMAPD = """\
configdirectory: {folder}/conf
partition-default: {folder}/spool
defaultpartition: default
cyrus_user: nobody
cyrus_group: nogroup
servername: {realm}
admins: admin
unixhierarchysep: on
virtdomains: off
allowplaintext: yes
autocreate_quota: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/users
sasl_mech_list: PLAIN
httpmodules: caldav carddav
calendar_user_address_set: clearwater.example
sendmail: {folder}/sendmail
sievedir: {folder}/conf/sieve
lmtpsocket: {folder}/conf/socket/lmtp
idlesocket: {folder}/conf/socket/idle
notifysocket: {folder}/conf/socket/notify
"""
# In place of a mail server, run as `sendmail -bs`: it speaks SMTP, and each mail becomes a file.
_MAILER = """\
#!/bin/sh
say() {{ printf '%s\\r\\n' "$1"; }}
hear() {{ IFS= read -r line && line=$(printf '%s' "$line" | tr -d '\\r'); }}
say '220 localhost ESMTP'
while hear; do
  case $line in
    MAIL*) file=$(mktemp {folder}/mails/mail.XXXXXX); echo "$line" > "$file"; say '250 ok' ;;
    RCPT*) echo "$line" >> "$file"; say '250 ok' ;;
    DATA*) say '354 go on'
      while hear && [ "$line" != . ]; do echo "$line" >> "$file"; done
      say '250 ok' ;;
    QUIT*) say '221 bye'; exit 0 ;;
    *) say '250 localhost' ;;
  esac
done
"""
_MASTER = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {folder}/imapd.conf" listen="127.0.0.1:{imap}" prefork=0
  http cmd="{programs}/httpd -C {folder}/imapd.conf" listen="127.0.0.1:{http}" prefork=0
}}
EVENTS {{
}}
"""


@dataclass(frozen=True, slots=True)
class Cyrus:
    """A running server with one user; a client finds the calendars from `url` by itself.

    mails: the folder in which the mails lie that the server would have sent.
    """

    url: str
    user: str
    password: str
    calendar: str
    addressbook: str
    mails: Path

    def put(self, path: str, text: str, content_type: str = "text/calendar") -> None:
        """Store an object. Raises: OSError when the server does not take it."""
        self._call("PUT", path, text.encode(), content_type)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def get(self, path: str) -> bytes | None:
        """Return what stands there, None when nothing does."""
        try:
            return self._call("GET", path)
        except HTTPError as error:
            if error.code != 404:
                raise
            return None

    def names(self, path: str) -> set[str]:
        """Return the names of what stands in a collection."""
        return member_names(self._call("PROPFIND", path, BODY, headers=HEADERS))

    def sent(self) -> list[str]:
        """Return the mails that the server has sent since it was started."""
        return [one.read_text("utf-8", "replace") for one in sorted(self.mails.iterdir())]

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "text/calendar",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        keys = HTTPPasswordMgrWithDefaultRealm()
        keys.add_password(None, self.url, self.user, self.password)
        headers = {"Content-Type": f"{content_type}; charset=utf-8", **(headers or {})}
        call = UrlRequest(f"{self.url}{path}", body, headers, method=method)  # noqa: S310
        with build_opener(HTTPBasicAuthHandler(keys)).open(call, timeout=30) as answer:
            told: bytes = answer.read()
        return told


@contextmanager
def cyrus(user: str = "ann", password: str = "cyrus-secret") -> Iterator[Cyrus]:  # noqa: S107
    """Yield a fresh Cyrus with a user who has an empty calendar `Default`. Raises: Unobtainable."""
    before, root = unprivileged("Cyrus"), _unpacked()
    yield from _running(before, root, user, password)


def _running(before: list[str], root: Path, user: str, password: str) -> Iterator[Cyrus]:
    programs = root / "usr/lib/cyrus/bin"
    libraries = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    imap, http = free_port(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="crm-hub-cyrus-"))
    try:
        _configure(folder, programs, imap, http)
        _run(
            [str(root / "usr/sbin/saslpasswd2"), "-f", str(folder / "users"), "-c", "-p", "-u",
             _REALM, user], environment, password.encode(),
        )  # fmt: skip
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        config = ["-C", str(folder / "imapd.conf"), "-M", str(folder / "cyrus.conf")]
        pid = ["-p", str(folder / "pid"), "-D"]
        command = [*before, str(programs / "master"), *config, *pid]
        with running("Cyrus", command, folder, lambda: _problem(imap, http), environment):
            _make_mailbox(imap, user, password)
            url = f"http://127.0.0.1:{http}"
            home = f"user/{user}/Default/"
            yield Cyrus(
                url, user, password, f"/dav/calendars/{home}", f"/dav/addressbooks/{home}",
                folder / "mails",
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpacked() -> Path:
    """Return the folder with Cyrus's files; they are downloaded the first time."""
    how = "a Debian machine, as root: its packages are unpacked, not installed"
    if os.geteuid() != 0 or not all(shutil.which(word) for word in ("apt-get", "dpkg")):
        raise Unobtainable(f"Cyrus is not here; getting it needs {how}")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        # Two test runs at once fetch it once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetched(_CACHE / "root")


def _fetched(root: Path) -> Path:
    if (root / "usr/lib/cyrus/bin/httpd").exists():
        return root
    with tempfile.TemporaryDirectory(dir=_CACHE) as fresh:
        Path(fresh).chmod(0o755)
        _run(["apt-get", "download", *_PACKAGES], {}, cwd=fresh)
        for package in sorted(Path(fresh).glob("*.deb")):
            _run(["dpkg", "-x", str(package), f"{fresh}/root"], {})
        shutil.rmtree(root, ignore_errors=True)
        (Path(fresh) / "root").rename(root)
    if not (root / "usr/lib/cyrus/bin/httpd").exists():
        raise Unobtainable("Debian's cyrus-caldav holds no httpd here")
    return root


def _configure(folder: Path, programs: Path, imap: int, http: int) -> None:
    folder.chmod(0o755)
    for name in "db proc socket log msg user quota sieve lock".split():
        (folder / "conf" / name).mkdir(parents=True)
    for name in ("spool", "mails"):
        (folder / name).mkdir()
    mailer = folder / "sendmail"
    mailer.write_text(_MAILER.format(folder=folder), "utf-8")
    mailer.chmod(0o755)
    (folder / "imapd.conf").write_text(_IMAPD.format(folder=folder, realm=_REALM), "utf-8")
    master = _MASTER.format(folder=folder, programs=programs, imap=imap, http=http)
    (folder / "cyrus.conf").write_text(master, "utf-8")


def _run(
    command: Sequence[str],
    environment: dict[str, str],
    told: bytes = b"",
    cwd: str | None = None,
) -> None:
    done = subprocess.run(  # noqa: S603 - Debian's tools, and Cyrus's own
        command, input=told, capture_output=True, check=False, timeout=300, cwd=cwd,
        env={**os.environ, **environment},
    )  # fmt: skip
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unobtainable(f"{command[0]} failed: {' '.join(last) or done.returncode}")


def _problem(imap: int, http: int) -> str:
    return port_problem(imap) or port_problem(http)


def _make_mailbox(imap: int, user: str, password: str) -> None:
    """Log in once: that makes the user's mailbox, and his calendars on his first look at them."""
    with imaplib.IMAP4("127.0.0.1", imap, timeout=30) as link:
        link.login(user, password)
