"""crm-hub receive: the HTTP door for webhooks and forms."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.observe import configure

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub


@hub_command("crm-hub receive", "crm-hub receive --host 0.0.0.0 --port 8080", as_json=False)
@click.option("--host", help="Address to listen on. [default: receiver.host of hub.yaml]")
@click.option("--port", type=int, help="Port; 0 takes a free one. [default: receiver.port]")
@click.option("--no-sync", is_flag=True, help="Only keep what comes in; a sync walks it later.")
def receive(hub_dir: str | None, host: str | None, port: int | None, no_sync: bool) -> None:
    """Receive webhooks and forms until Ctrl-C or SIGTERM.

    A post is answered 200 once it is durable. What came in is walked a second later, and stands
    on the timelines then. Put a TLS proxy in front before the internet may reach it.
    """
    from crm_hub.flow.setup import receiving

    configure("WARNING")
    with opened(hub_dir) as hub:
        names = receiving(hub)
        config = hub.config.receiver
        where = (host or config.host, config.port if port is None else port)
        serve_hub(hub, names, *where, drained=not no_sync)
    output.say("Stopped; everything that was answered 200 is kept.", err=True)


def serve_hub(
    hub: Hub, names: Sequence[str], host: str, port: int, *, drained: bool, hint: str = ""
) -> None:
    """Serve the door of a hub until Ctrl-C or SIGTERM; with `drained`, walk what comes in as well.

    hint: a last line to print once it listens, `{url}` in it filled in. Returns when all requests
    under way are answered and the batch under way is walked.
    """
    from crm_hub.flow.draining import Drainer
    from crm_hub.flow.hooks import Door
    from crm_hub.service.receiver import Limits, serve

    limits = Limits(max_body_bytes=hub.config.receiver.max_body_bytes)
    _ = hub.store  # opened here, before two threads ask for it
    # The server raises the signal that ended it once more; as KeyboardInterrupt it unwinds.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        if drained:
            stack.enter_context(Drainer(hub, names))
        started = partial(_started, names, hint)
        serve(Door(hub), host, port, limits, on_start=started)


def _started(names: Sequence[str], hint: str, url: str) -> None:
    output.say(f"Receiving on {url}")
    for name in names:
        output.say(f"  {name}: {url}/in/{name}")
    if not names:
        output.say("  No connection takes posts yet. Connect one: crm-hub connect web_form form")
    if hint:
        output.say(hint.format(url=url))


command = receive
