"""receive: the HTTP door for forms and webhooks."""

from __future__ import annotations

import threading

import click

from crm_hub.cli.common import hub_option
from crm_hub.cli.main import hub_folder
from crm_hub.flow.hooks import Door
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound
from crm_hub.model.errors import ConfigError
from crm_hub.observe import redact
from crm_hub.service.limits import Limits
from crm_hub.service.receiver import serve


@click.command()
@hub_option
@click.option("--host", help="Address to listen on; default from hub.yaml, 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default from hub.yaml, 8765; 0 = any.")
@click.option("--no-sync", is_flag=True, help="Only keep requests; `crm-hub sync` walks them.")
def receive(hub_dir: str | None, host: str | None, port: int | None, no_sync: bool) -> None:
    """Open the HTTP door: each request is durable before it is answered.

    \b
    Example:
      crm-hub receive --hub ./hub --port 8765
    """
    hub = Hub(hub_folder(hub_dir))
    stop = threading.Event()
    walker = threading.Thread(target=_walk_requests, args=(hub.folder, stop), daemon=True)
    try:
        open_door(hub, host, port, on_start=None if no_sync else walker.start)
    finally:
        stop.set()
        if walker.is_alive():
            walker.join(timeout=30)
        hub.close()


def open_door(hub: Hub, host: str | None, port: int | None, on_start: object = None) -> None:
    """Serve until a signal; print where to post."""
    config = hub.config.receiver

    def started(url: str) -> None:
        for name in receivers(hub):
            click.echo(f"{name}: post to {url}/in/{name}")
        click.echo(f"listening on {url}", err=True)
        if callable(on_start):
            on_start()

    _ = hub.store  # migrations run before the door opens
    try:
        serve(
            Door(hub),
            host or config.host,
            config.port if port is None else port,
            Limits(max_body_bytes=config.max_body_bytes),
            on_start=started,
        )
    except KeyboardInterrupt:
        click.echo("closed", err=True)


def receivers(hub: Hub) -> list[str]:
    """Return the connections whose connector takes webhooks or forms."""
    found = []
    for name, one in hub.config.connections.items():
        try:
            connector = hub.connector(name)
            if any(s.caps.webhooks for s in connector.discover()):
                found.append(name)
        except ConfigError as error:
            click.echo(f"{name} ({one.kind}): {redact(error.message)}", err=True)
    return found


def _walk_requests(folder: object, stop: threading.Event) -> None:
    """Walk kept requests once a second, with a hub of its own: the door never waits for it."""
    with_hub = Hub(hub_folder(str(folder)))
    with_hub.stopping = stop.is_set
    names = receivers(with_hub)
    while not stop.wait(1.0):
        for name in names:
            inbound = Inbound(with_hub, name)
            report = inbound.recorded(inbound.drain_due)
            if report.error is not None:
                click.echo(f"{name}: {redact(report.error.message)}", err=True)
    with_hub.close()


COMMANDS = {"receive": receive}
