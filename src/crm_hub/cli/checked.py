"""What a check found, for people and as data; used by connect, check and try."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crm_hub.cli import output

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.setup import Checked


def as_data(found: Checked) -> dict[str, Any]:
    """Return what a check found as plain data."""
    return {**asdict(found), "streams": [stream._asdict() for stream in found.streams]}


def show(hub: Hub, found: Checked) -> None:
    """Write what a check found: account, remarks, and the streams that the remarks leave out."""
    account = f", account {found.account}" if found.account else ""
    output.say(f"{found.connection}: it answers{output.plain(account)}.")
    for line in found.lines:
        output.say(f"  {output.plain(line)}")
    if found.scopes:
        output.say(f"  rights: {', '.join(found.scopes)}")
    if found.clock_skew_s is not None and abs(found.clock_skew_s) >= 1:
        output.say(f"  its clock differs by {found.clock_skew_s:.0f} s")
    if found.receives:
        output.say(f"  posts to: {door(hub, found.connection)}")
    unknown = [stream for stream in found.streams if not stream.mapped]
    output.say(f"  {len(found.streams)} streams, {len(unknown)} of them without a mapping")
    told = "\n".join(found.lines)
    for stream in found.streams:
        if stream.guess and stream.guess not in told:
            output.say(f"  {output.plain(stream.guess)}")


def door(hub: Hub, name: str) -> str:
    """Return the address that a connection's webhooks and forms are posted to."""
    receiver = hub.config.receiver
    return f"http://{receiver.host}:{receiver.port}/in/{name}"
