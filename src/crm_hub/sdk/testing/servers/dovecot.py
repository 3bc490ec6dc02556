"""A Dovecot for tests: a real IMAP server in a folder of its own, plain and with TLS.

    with dovecot() as server:
        server.deliver("INBOX", [b"From: ...", ...])
        IMAPClient(server.host, server.port, ssl=False).login(server.user, server.password)

Mail lies in Maildir, so a test can deliver by writing files. Dovecot refuses to run as root; it
then runs as nobody, and needs a folder that nobody may reach.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from crm_hub.sdk.testing.servers.process import (
    NOBODY,
    Unobtainable,
    free_port,
    port_problem,
    program,
    running,
    unprivileged,
)

CAPABILITIES_WITHOUT_QRESYNC = (
    "IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN MOVE SPECIAL-USE"
)
_GET = "`apt-get install --no-install-recommends dovecot-imapd`"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:~/Maildir
mail_fsync = never
verbose_proctitle = no
mail_max_userip_connections = 200
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
login_trusted_networks = 127.0.0.0/8
ssl = {ssl}
{certificate}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
  mailbox Trash {{
    special_use = \\Trash
  }}
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox "All Mail" {{
    special_use = \\All
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # One wrong password would make every later log-in from 127.0.0.1 wait for seconds.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  user = {user}
}}
service auth-worker {{
  user = {user}
}}
protocol imap {{
  {imap}
}}
"""


@dataclass(slots=True)
class Dovecot:
    """A running server; any user may log in with its password, and has a mailbox of their own.

    ca_file: the certificate it shows. folder: its files; mail lies in `maildir(folder)`.
    """

    host: str
    port: int
    tls_port: int
    folder: Path
    ca_file: Path
    user: str
    password: str
    numbers: Iterator[int]

    def maildir(self, folder: str = "INBOX", user: str = "") -> Path:
        """Return where the messages of a mail folder lie, whether or not it is there yet."""
        top = self.folder / "mail" / (user or self.user) / "Maildir"
        return top if folder.upper() == "INBOX" else top / ("." + folder.replace("/", "."))

    def deliver(self, folder: str, messages: Iterable[bytes], user: str = "") -> list[str]:
        """Put messages into a folder by writing Maildir files; return the file names.

        The folder is made when it is missing. Line ends become LF, as a delivery agent writes.
        """
        place = self.maildir(folder, user)
        names = []
        for part in ("cur", "new", "tmp"):
            self._make(place / part)
        for message in messages:
            body = message.replace(b"\r\n", b"\n")
            wire = len(body) + body.count(b"\n")
            name = f"{1_770_000_000 + next(self.numbers)}.M1P1.test,S={len(body)},W={wire}:2,"
            path = place / "cur" / name
            path.write_bytes(body)
            _give(path)
            names.append(name)
        return names

    def renumber(self, folder: str, user: str = "") -> None:
        """Let a mail folder lose its numbering: its UIDVALIDITY and all UIDs become others."""
        for pattern in ("dovecot-uidlist*", "dovecot.index*"):
            for path in self.maildir(folder, user).glob(pattern):
                path.unlink()

    def _make(self, place: Path) -> None:
        missing = [p for p in (place, *place.parents) if not p.exists()]
        place.mkdir(parents=True, exist_ok=True)
        for one in missing:
            _give(one)

    def said(self) -> str:
        """Return Dovecot's own log."""
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""


@contextmanager
def dovecot(
    user: str = "ann@clearwater.example",
    password: str = "secret",  # noqa: S107 - of a server on 127.0.0.1 that lives for one test
    *,
    capabilities: str = "",
    tls: bool = False,
) -> Iterator[Dovecot]:
    """Yield a Dovecot on 127.0.0.1 that ends with the block.

    capabilities: what it claims to be able to do instead of everything it can. tls: with a
    self-signed certificate for `localhost` and 127.0.0.1.
    Raises: Unobtainable.
    """
    binary = program("dovecot", _GET)
    before = unprivileged("Dovecot")
    folder = Path(tempfile.mkdtemp(prefix="crm-hub-dovecot-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        for name in ("run", "state", "mail"):
            (folder / name).mkdir()
        server = Dovecot(
            "127.0.0.1", free_port(), free_port(), folder, folder / "cert.pem",
            user, password, count(1),
        )  # fmt: skip
        if tls:
            _certificate(folder)
        (folder / "dovecot.conf").write_text(_config(server, capabilities, tls), "utf-8")
        for path in (folder, *folder.iterdir()):
            _give(path)
        command = [*before, str(binary), "-F", "-c", str(folder / "dovecot.conf")]
        with running("Dovecot", command, folder, lambda: port_problem(server.port)):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _config(server: Dovecot, capabilities: str, tls: bool) -> str:
    import grp
    import pwd

    number = NOBODY if os.geteuid() == 0 else os.geteuid()
    group = NOBODY if os.geteuid() == 0 else os.getegid()
    folder = server.folder
    certificate = f"ssl_cert = <{folder}/cert.pem\nssl_key = <{folder}/key.pem" if tls else ""
    return _CONFIG.format(
        folder=folder,
        password=server.password,
        user=pwd.getpwuid(number).pw_name,
        group=grp.getgrgid(group).gr_name,
        uid=number,
        gid=group,
        port=server.port,
        tls_port=server.tls_port,
        ssl="yes" if tls else "no",
        certificate=certificate,
        imap=f"imap_capability = {capabilities}" if capabilities else "",
    )


def _certificate(folder: Path) -> None:
    openssl = program("openssl", "`apt-get install openssl`")
    done = subprocess.run(  # noqa: S603 - an installed program, no input from outside
        [
            str(openssl), "req", "-x509", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
        ],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unobtainable(f"openssl made no certificate: {done.stderr[-200:].decode()}")


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
