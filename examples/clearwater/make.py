"""Write the sample firm's files, or with --check say which of them differ from what it would write.

The files are committed: nobody needs to run this to use the sample. Run it after a change to
`generator/`; the same code always writes the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from generator import agenda, crm, erp, inbound, mailbox, phone
from generator.truth import truth
from generator.world import Fact, Output

HERE = Path(__file__).resolve().parent
_MODULES: tuple[Callable[[], Output], ...] = (
    mailbox.mailbox, agenda.agenda, crm.hubspot, crm.pipedrive, erp.erp, phone.phone,
    inbound.inbound,
)  # fmt: skip


def build() -> dict[str, bytes]:
    """Return every generated file, by its path below this folder."""
    files: dict[str, bytes] = {}
    facts: list[Fact] = []
    for module in _MODULES:
        made = module()
        files |= made.files
        facts += made.facts
    return files | {"truth.json": truth(facts)}


def _different(files: dict[str, bytes]) -> list[str]:
    def as_committed(name: str) -> bytes | None:
        path = HERE / name
        return path.read_bytes() if path.is_file() else None

    return [name for name, content in files.items() if as_committed(name) != content]


def main(arguments: list[str]) -> int:
    """Return 0, or 1 when --check finds a file that differs."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python make.py [--check]\n")
        return 2
    files = build()
    changed = _different(files)
    for name in changed:
        sys.stdout.write(f"{'differs' if arguments else 'written'}: {name}\n")
        if not arguments:
            (HERE / name).parent.mkdir(parents=True, exist_ok=True)
            (HERE / name).write_bytes(files[name])
    return 1 if arguments and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
