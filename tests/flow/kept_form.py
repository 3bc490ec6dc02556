"""A receiver in a process of its own, to be killed: prints its URL, then takes what is posted."""

from __future__ import annotations

import sys
from pathlib import Path

from crm_hub.flow.hooks import Door
from crm_hub.flow.hub import Hub
from crm_hub.service.receiver import serve


def main() -> None:
    hub = Hub(Path(sys.argv[1]))
    serve(Door(hub), port=0, on_start=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
