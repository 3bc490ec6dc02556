"""Files that must never be half written or read by strangers: hub.yaml, keys, sealed secrets.

Comes before config and secrets, which both edit such files while other processes may too.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crm_hub.model.errors import ConfigError

_LOCK_NAME = ".edit.lock"
_LOCK_WAIT_S = 10.0
_LOCK_POLL_S = 0.02


@contextmanager
def edit_lock(folder: Path, *, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
    """Hold the folder's edit lock: one process at a time reads, changes and writes its files.

    The lock is the kernel's (flock), so a killed process leaves none behind.
    Raises: ConfigError when another process holds it longer than `wait_s` seconds.
    """
    try:
        lock = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        _take(lock, folder, time.monotonic() + wait_s)
        yield
    finally:
        os.close(lock)


def _take(lock: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise ConfigError(
                    f"{folder}: another crm-hub command is editing this hub; nothing was changed.",
                    remedy="Wait for it to finish, then run the command again.",
                ) from error
        time.sleep(_LOCK_POLL_S)


def write_private(path: Path, content: bytes) -> None:
    """Replace the file at once: after a crash it holds the old content or the new, never a mix.

    Mode 0600; a symbolic link stays a link and its target is replaced.
    Raises: ConfigError when the disk refuses; the old file is then untouched.
    """
    target = path.resolve()
    try:
        _replace(target, content)
    except OSError as error:
        raise _refused(path, error) from error


def create_private(path: Path, content: bytes) -> bool:
    """Write a new file of mode 0600; False, with nothing changed, when one is there already.

    Raises: ConfigError when the disk refuses.
    """
    temporary = None
    try:
        temporary = _write_temporary(path, content)
        os.link(temporary, path)  # unlike a rename, it never replaces what is there
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return True


def _replace(target: Path, content: bytes) -> None:
    temporary = _write_temporary(target, content)
    try:
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _write_temporary(target: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; some file systems cannot sync a folder, and need not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} could not be written ({error.strerror}); what was there is unchanged.",
        remedy="Free space or correct the folder's owner and mode, then run the command again.",
    )
