"""The sealed store: a hub's secrets at rest, useless without the hub's key.

Comes before `settings`, which fills a connector's settings from it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from crm_hub.disk import create_private, edit_lock, write_private
from crm_hub.model.errors import ConfigError
from crm_hub.observe import hide
from crm_hub.secrets.references import hide_all, reveal

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_VARIABLE = "CRM_HUB_KEY"
_KEY_FILE = "hub.key"
_STORE_FILE = "secrets.sealed"


class SealedStore:
    """The hub's secrets in `secrets.sealed`: Fernet tokens, each bound to its connection and field.

    The key is in `hub.key` (mode 0600) or in the environment variable CRM_HUB_KEY, which wins and
    may be a reference (`file:PATH`). Several keys, newest first, are separated by blanks or commas.
    """

    def __init__(self, hub_dir: Path) -> None:
        self.folder = hub_dir.absolute()
        self._path = self.folder / _STORE_FILE
        self._key_path = self.folder / _KEY_FILE

    def create_key(self) -> bool:
        """Make `hub.key` for a new hub; False when there is one, or CRM_HUB_KEY stands for it."""
        if os.environ.get(KEY_VARIABLE) or self._key_path.exists():
            return False
        return create_private(self._key_path, _new_key() + b"\n")

    def get(self, connection: str, field: str) -> str | None:
        """Return the secret, None when there is none.

        Raises: ConfigError when the key is missing, readable by others, or not the right one.
        """
        token = self._read().get(connection, {}).get(field)
        if token is None:
            return None
        return self._open(token, connection, field)

    def put(self, connection: str, field: str, secret: str) -> None:
        """Seal the secret, replacing the one before it. Raises: ConfigError as `get` does."""
        hide_all([secret])
        bound = json.dumps([connection, field, secret]).encode()
        token = self._cipher().encrypt(bound).decode()
        with edit_lock(self.folder):
            sealed = self._read()
            sealed.setdefault(connection, {})[field] = token
            self._write(sealed)

    def delete(self, connection: str, field: str | None = None) -> None:
        """Forget one secret of a connection, or all of them; none there is fine."""
        if not self._path.exists():
            return
        with edit_lock(self.folder):
            sealed = self._read()
            fields = sealed.get(connection, {})
            kept = {k: v for k, v in fields.items() if field is not None and k != field}
            if kept == fields:
                return
            sealed[connection] = kept
            self._write({name: tokens for name, tokens in sealed.items() if tokens})

    def rotate(self) -> int:
        """Seal every secret anew with a fresh key; return how many there were.

        A stop at any moment leaves all readable: the old key goes only after the last token.
        With CRM_HUB_KEY set, its first key is the fresh one and the file is left alone.
        """
        with edit_lock(self.folder):
            if os.environ.get(KEY_VARIABLE):
                return self._reseal()
            old, fresh = self._keys(), _new_key()
            write_private(self._key_path, b"\n".join([fresh, *old]) + b"\n")
            count = self._reseal()
            write_private(self._key_path, fresh + b"\n")
            return count

    def _reseal(self) -> int:
        sealed, cipher = self._read(), self._cipher()
        for connection, fields in sealed.items():
            for field, token in fields.items():
                self._open(token, connection, field)
                fields[field] = cipher.rotate(token.encode()).decode()
        if sealed:
            self._write(sealed)
        return sum(len(fields) for fields in sealed.values())

    def _open(self, token: str, connection: str, field: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            bound = json.loads(self._cipher().decrypt(token.encode()))
        except (InvalidToken, ValueError):
            bound = None
        if not isinstance(bound, list) or bound[:2] != [connection, field]:
            raise ConfigError(
                f"{self._path}: {field} of {connection} cannot be opened with this hub's key.",
                remedy=f"Put the hub's own key back ({self._key_source()}), or seal the secret "
                f"again: crm-hub connect KIND {connection} --set {field}=VALUE",
            )
        hide_all([bound[2]])
        return str(bound[2])

    def _cipher(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        keys = self._keys()
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ConfigError(
                f"the key in {self._key_source()} is not a Fernet key (44 characters).",
                remedy="Restore it from the backup; a new key cannot open what is sealed.",
            ) from None

    def _keys(self) -> list[bytes]:
        given = os.environ.get(KEY_VARIABLE)
        text = reveal(given, self.folder, KEY_VARIABLE, or_itself=True) if given else None
        keys = (self._read_key_file() if text is None else text).replace(",", " ").split()
        hide_all(keys)
        return [key.encode() for key in keys]

    def _read_key_file(self) -> str:
        path = self._key_path
        try:
            with path.open(encoding="ascii", errors="replace") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise ConfigError(
                        f"{path} can be read by others (mode {mode:04o}); it was not used.",
                        remedy=f"Close it: chmod 600 {path}",
                    )
                return file.read(10_000)
        except FileNotFoundError:
            raise ConfigError(
                f"the hub's key is missing: there is no {path}.",
                remedy=f"Restore it from the backup or set {KEY_VARIABLE}; for a new hub, "
                "crm-hub init makes one.",
            ) from None
        except OSError as error:
            raise _unreadable(path, error) from None

    def _key_source(self) -> str:
        return KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else str(self._key_path)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            content = json.loads(self._path.read_bytes())
            return {name: dict(fields) for name, fields in content["secrets"].items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _unreadable(self._path, error) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f"{self._path} is damaged; it was left as it is.",
                remedy="Restore it from the backup, or move it away and seal the secrets again: "
                "crm-hub connect KIND NAME --set key=value",
            ) from None

    def _write(self, sealed: dict[str, dict[str, str]]) -> None:
        content = json.dumps({"version": 1, "secrets": sealed}, indent=1, sort_keys=True)
        write_private(self._path, content.encode() + b"\n")


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    key = Fernet.generate_key()
    hide([key.decode()])
    return key


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be read ({error.strerror}).",
        remedy="Run the command as the user who owns the hub's folder.",
    )
