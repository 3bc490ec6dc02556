"""Putting a file in place at once: after a crash it holds the old content or the new, never a mix.

The new content lies beside the file under a hidden name that ends in .tmp, which no reader of such
folders takes for one of its own, and is on the disk before it takes the name.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path


def beside(path: Path) -> Path:
    """Return where the new content of a file waits; the same place each time, so none is left."""
    return path.with_name(f".{path.name}.crm-hub.tmp")


def drop(path: Path) -> None:
    """Remove a file if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def lay_beside(path: Path, raw: bytes, mode: int | None = None) -> Path:
    """Write the content beside a file, down to the disk, and return where. Raises: OSError."""
    waiting = beside(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(waiting, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                os.fchmod(file.fileno(), mode)
    except BaseException:
        drop(waiting)
        raise
    return waiting


def take_place(waiting: Path, path: Path) -> None:
    """Let what waits take the place of a file."""
    os.replace(waiting, path)
    settle(path.parent)


def take_free_place(waiting: Path, path: Path) -> None:
    """Let what waits take a name that is free. Raises: FileExistsError when it is not."""
    try:
        # Unlike a rename, a link never takes the place of a file that is there.
        os.link(waiting, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        os.replace(waiting, path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Let a folder's entries survive a power cut; some file systems cannot, and need not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
