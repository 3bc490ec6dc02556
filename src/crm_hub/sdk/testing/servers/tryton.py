"""A Tryton ERP for tests: a small firm in a prepared SQLite database, copied for each server.

    with tryton() as erp:
        erp.call("model.party.party.create", [{"name": "Ann Bell"}], erp.context)

The prepared database takes some 30 s to make, once for each set of installed versions and year;
it lies in the user's cache folder. What the firm holds, `tryton_setup` says.
Protocol: JSON-RPC at /<database>/rpc/, as trytond 8.2 answers it (trytond/protocols/jsonrpc.py).
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from crm_hub.sdk.testing.servers import tryton_setup
from crm_hub.sdk.testing.servers.process import Unobtainable, free_port, program, running

DATABASE = "erp"
USER = "hub"
"""The user a connection would have: it may read what the connector reads, and no more."""

_MODULES = ("party", "product", "sale", "account_invoice", "sale_opportunity")
_HOW_TO_GET = "`pip install -r tests/servers.txt` into an environment of its own"
_SETUP_S = 300


class ErpError(Exception):
    """Tryton answered with an error; `error` is what stood in it."""

    def __init__(self, method: str, error: Any) -> None:
        super().__init__(f"{method}: {error}")
        self.error = error


class Erp:
    """A running Tryton. `call` speaks as its administrator; `path` is the SQLite database.

    encode, decode: Tryton's own types of JSON; a Decimal never passes through a float.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.path = folder / f"{DATABASE}.sqlite"
        self._client = httpx.Client(timeout=60)

    @staticmethod
    def password(user: str = USER) -> str:
        return tryton_setup.PASSWORDS[user]

    @cached_property
    def context(self) -> dict[str, Any]:
        """The administrator's context: company, language."""
        context: dict[str, Any] = self.call("model.res.user.get_preferences", True, {})
        return context

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of a remote call; a warning is confirmed as a user would.

        Raises: ErpError.
        """
        while True:
            answer = self._answered(method, params)
            error = answer.get("error")
            if error is None:
                return decode(answer["result"])
            if error[0] != "UserWarning":
                raise ErpError(method, error)
            seen = {"user": 1, "name": error[1][0], "always": False}
            self.call("model.res.user.warning.create", [seen], self.context)

    def model(self, name: str, method: str, *params: Any) -> Any:
        """Return the result of a method of a model, called with the administrator's context."""
        return self.call(f"model.{name}.{method}", *params, self.context)

    def problem(self) -> str:
        """Return why nobody can log in; "" when the server is up."""
        try:
            self._session  # noqa: B018 - it logs in
        except (httpx.HTTPError, ErpError) as error:
            return str(error)
        return ""

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _session(self) -> str:
        proof = {"password": self.password("admin")}
        answer = self._post("common.db.login", ("admin", proof, "en"), {})
        if "result" not in answer:
            raise ErpError("common.db.login", answer.get("error"))
        user_id, token, _bus = answer["result"]
        return "Session " + base64.b64encode(f"admin:{user_id}:{token}".encode()).decode()

    def _answered(self, method: str, params: Any) -> dict[str, Any]:
        try:
            return self._post(method, params, {"authorization": self._session})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 401:
                raise
        # Tryton ends a session after five idle minutes, which a slow test may take.
        del self._session
        return self._post(method, params, {"authorization": self._session})

    def _post(self, method: str, params: Any, headers: dict[str, str]) -> dict[str, Any]:
        ask = {"id": 0, "method": method, "params": encode(list(params))}
        answer = self._client.post(f"{self.url}/{DATABASE}/rpc/", json=ask, headers=headers)
        answer.raise_for_status()
        got: dict[str, Any] = answer.json()
        return got


def encode(value: Any) -> Any:
    """Return a value in Tryton's JSON."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{n: getattr(value, n) for n in names}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dict):
        return {k: encode(v) for k, v in value.items()}
    return [encode(v) for v in value] if isinstance(value, list | tuple) else value


def decode(value: Any) -> Any:
    """Return a value from Tryton's JSON."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    rest = {k: v for k, v in value.items() if k != "__class__"}
    if kind == "Decimal":
        return Decimal(rest["decimal"])
    if kind == "datetime":
        return datetime(**rest, tzinfo=UTC)
    if kind == "date":
        return date(**rest)
    return {k: decode(v) for k, v in value.items()}


@contextmanager
def tryton() -> Iterator[Erp]:
    """Yield a running Tryton on a copy of the prepared database. Raises: Unobtainable."""
    server, base = program("trytond", _HOW_TO_GET), prepared()
    with tempfile.TemporaryDirectory(prefix="crm-hub-tryton-") as name:
        folder, port = Path(name), free_port()
        shutil.copyfile(base, folder / f"{DATABASE}.sqlite")
        settings = _configured(folder, port)
        command = [str(server), "-c", str(settings), "-d", DATABASE]
        erp = Erp(port, folder)
        try:
            with running("Tryton", command, folder, erp.problem):
                yield erp
        finally:
            erp.close()


def prepared() -> Path:
    """Return the prepared database, made now if there is none. Raises: Unobtainable."""
    admin = program("trytond-admin", _HOW_TO_GET)
    python = admin.parent / "python"
    folder = _cache()
    target = folder / f"tryton-{_mark(python)}.sqlite"
    with (folder / "tryton.lock").open("w") as lock:
        # Two test runs at once make it once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _make(admin, python, target)
    return target


def _mark(python: Path) -> str:
    """Return what a prepared database depends on: versions, what is set up, and the year."""
    listed = (
        "import importlib.metadata as m;"
        "print(sorted((d.name, d.version) for d in m.distributions()"
        " if d.name.lower().startswith(('trytond', 'proteus'))))"
    )
    versions = _run([str(python), "-c", listed], {})
    script = Path(tryton_setup.__file__).read_text(encoding="utf-8")
    text = f"{versions}{script}{_year()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _year() -> int:
    return datetime.now(UTC).year


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for folder in (Path(home) / "crm-hub-tests", Path(tempfile.gettempdir()) / "crm-hub-tests"):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    raise Unobtainable("no folder for the prepared database of Tryton can be written to")


def _make(admin: Path, python: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="crm-hub-tryton-") as name:
        folder = Path(name)
        settings = _configured(folder, 0)
        database = folder / f"{DATABASE}.sqlite"
        database.touch()
        words = folder / "password"
        words.write_text(tryton_setup.PASSWORDS["admin"], encoding="utf-8")
        command = [str(admin), "-c", str(settings), "-d", DATABASE, "--all"]
        command += ["--email", "admin@tidewater.example", "-u", *_MODULES]
        _run([*command, "--activate-dependencies"], {"TRYTONPASSFILE": str(words)})
        where = {"TRYTOND_CONFIG": str(settings), "DB_NAME": DATABASE}
        _run([str(python), tryton_setup.__file__, str(_year())], where)
        half = target.with_suffix(".part")
        shutil.copyfile(database, half)
        half.replace(target)


def _configured(folder: Path, port: int) -> Path:
    settings = folder / "trytond.conf"
    settings.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n",
        encoding="utf-8",
    )
    return settings


def _run(command: list[str], environment: dict[str, str]) -> str:
    # Only what the program needs: a TRYTOND_DATABASE_URI of the user would lead elsewhere.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TRYTON")}
    done = subprocess.run(  # noqa: S603 - an installed program
        command, capture_output=True, text=True, check=False, timeout=_SETUP_S,
        env={**clean, **environment},
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unobtainable(f"Tryton could not be set up: {' '.join(last)}")
    return done.stdout
