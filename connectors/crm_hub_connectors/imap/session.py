"""A session: connected, encrypted, logged in; kept between pulls and made anew when it broke."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError

from crm_hub.sdk import AuthRefused, ConfigError, Context, Unavailable
from crm_hub_connectors.imap.settings import ImapSettings
from crm_hub_connectors.imap.wire import Lost, Refused, Wire

CONNECT_S = 10.0
READ_S = 60.0
_TEMPORARY = ("UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN")
_STANDS = "Nothing is lost: the checkpoint stands, and the next sync goes on from there."


class Session:
    """One logged-in connection. fresh: it was made for the present pull."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        # imaplib would write every line that it reads or sends into a log.
        client._imap.debug = 0
        self.wire = Wire(client._imap)
        self.selected = b""
        self.capabilities = frozenset(
            name.decode("ascii", "replace").upper() for name in client.capabilities()
        )
        self.qresync = self._enabled("QRESYNC")
        self.condstore = self.qresync or "CONDSTORE" in self.capabilities

    def _enabled(self, name: str) -> bool:
        if not {name, "ENABLE"} <= self.capabilities:
            return False
        with contextlib.suppress(Refused):
            lines = self.wire.lines(b"ENABLE " + name.encode())
            return any(b"ENABLED" in line.upper() and name.encode() in line for line in lines)
        return False

    def can(self, name: str) -> bool:
        return name in self.capabilities

    def close(self) -> None:
        """Log out where that still works, and close the connection."""
        quiet = (Lost, OSError, imaplib.IMAP4.error, IMAPClientError, AttributeError, ValueError)
        if not self.wire.busy:
            with contextlib.suppress(*quiet):
                self._client.logout()
                return
        with contextlib.suppress(*quiet):
            self._client.shutdown()


class Keeper:
    """Keeps the session of a connection between pulls."""

    def __init__(self, settings: ImapSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._session: Session | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield the session, a new one where there is none or the old one is dead.

        It is given up when the block ends with an error or in the middle of an answer.
        Raises: AuthRefused, ConfigError, Unavailable.
        """
        session = self._session
        if session is None or not _alive(session):
            self.close()
            session = self._session = connect(self._settings, self._context)
        try:
            yield session
        except (Lost, Refused, OSError, imaplib.IMAP4.error, IMAPClientError) as error:
            self.close()
            raise self._unavailable(error) from error
        finally:
            if session.wire.busy:
                self.close()

    def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    def _unavailable(self, error: Exception) -> Unavailable:
        why = str(error) if isinstance(error, (Lost, Refused)) else type(error).__name__
        name, host = self._context.connection, self._settings.host
        return Unavailable(f"{name}: the sync with {host} broke off: {why}", remedy=_STANDS)


def _alive(session: Session) -> bool:
    # It also brings the open folder up to date: of that one a server may go on telling, in
    # LIST-STATUS too, what this session saw of it last (Dovecot does).
    try:
        session.wire.lines(b"NOOP")
    except (Lost, Refused):
        return False
    return True


def connect(settings: ImapSettings, context: Context) -> Session:
    """Return a new session. Raises: AuthRefused, ConfigError, Unavailable."""
    where = f"{settings.host}:{settings.effective_port}"
    name = context.connection
    trust = _trust(settings, context)
    client: Any = None
    try:
        client = IMAPClient(
            settings.host,
            settings.effective_port,
            ssl=settings.tls == "implicit",
            ssl_context=trust,
            timeout=SocketTimeout(CONNECT_S, READ_S),
        )
        if settings.tls == "starttls":
            client.starttls(trust)
        _log_in(client, settings)
        return Session(client)
    except LoginError as error:
        _shut(client)
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            # imapclient calls a line that broke during the log-in a refusal too.
            raise _unreachable(name, where, error.__context__) from None
        raise _login_error(name, where, str(error)) from None
    except ssl.SSLCertVerificationError as error:
        _shut(client)
        raise ConfigError(
            f"{name}: the certificate of {where} cannot be trusted: {error.verify_message}",
            remedy="If it is your own server, put its certificate into a file and set `ca_file`.",
        ) from None
    except CapabilityError:
        _shut(client)
        raise ConfigError(
            f"{name}: {where} offers no STARTTLS", remedy="Set `tls` to implicit."
        ) from None
    except (Lost, Refused, OSError, imaplib.IMAP4.error, IMAPClientError) as error:
        _shut(client)
        raise _unreachable(name, where, error) from None


def _unreachable(name: str, where: str, error: Exception) -> Unavailable:
    why = getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
    return Unavailable(
        f"{name}: {where} cannot be reached: {why}",
        remedy=f"Check `host`, `port` and `tls`. {_STANDS}",
    )


def _shut(client: Any) -> None:
    if client is not None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error, IMAPClientError):
            client.shutdown()


def _log_in(client: Any, settings: ImapSettings) -> None:
    user, password = settings.username, settings.password.get_secret_value()
    # LOGIN carries ASCII alone, and a server may forbid it.
    plain = not (user + password).isascii() or client.has_capability("LOGINDISABLED")
    client._imap.debug = 0
    if plain and client.has_capability("AUTH=PLAIN"):
        client.plain_login(user, password)
    else:
        client.login(user, password)


def _login_error(name: str, where: str, said: str) -> AuthRefused | Unavailable:
    if any(f"[{code}]" in said.upper() for code in _TEMPORARY):
        return Unavailable(f"{name}: {where} cannot log anybody in at the moment", remedy=_STANDS)
    return AuthRefused(
        f"{name}: {where} refused the user or the password. The sync is paused; nothing is lost.",
        remedy="Correct them; once it is connected: "
        f"crm-hub connect imap {name} --replace --set password=- (or the variable or file that "
        "it refers to). Where two-factor log-in is on, the provider wants an app password.",
    )


def _trust(settings: ImapSettings, context: Context) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    if not settings.ca_file:
        return ssl.create_default_context()
    path = context.base_dir / Path(settings.ca_file).expanduser()
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{context.connection}: the certificate file {settings.ca_file} cannot be used: "
            f"{error.strerror or 'it holds no certificate'}",
            remedy="Set `ca_file` to a PEM file that the hub may read.",
        ) from None
