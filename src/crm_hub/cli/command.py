"""What every command has: --hub, --json, --debug, an example in its help, and how it fails.

Comes between `main` and the commands. Heavy rooms are imported when a command runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.main import FAILED, STOPPED, USAGE
from crm_hub.model.errors import ConfigError, HubError
from crm_hub.observe import configure, redact

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub

HUB_FILE = "hub.yaml"
HUB_VARIABLE = "CRM_HUB_DIR"
_DEBUG = "crm_hub.debug"
_LOG = Path("run") / "errors.log"


class HubCommand(click.Command):
    """A command that ends in an exit status, never in a traceback of something foreseen."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; its errors become a message, a remedy and an exit status."""
        debug = bool(ctx.meta.get(_DEBUG))
        configure("DEBUG" if debug else "ERROR")
        try:
            return super().invoke(ctx)
        except HubError as error:
            ctx.exit(_refused(error, as_json=bool(ctx.params.get("as_json"))))
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            _reader_gone(ctx)
        except Exception as error:
            if debug:
                raise
            ctx.exit(_bug(error, ctx))


def hub_command(
    *examples: str, hub: bool = True, as_json: bool = True, name: str | None = None
) -> Callable[[Callable[..., Any]], HubCommand]:
    """Make a function a command with the options that all of them have.

    examples: whole command lines, shown in the help. hub, as_json: whether it takes --hub and
    prints data; the function then gets `hub_dir` and `as_json`.
    """
    shown = "\n".join(f"  {line}" for line in examples)
    epilog = f"\b\nExample{'s' if len(examples) > 1 else ''}:\n{shown}"

    def made(function: Callable[..., Any]) -> HubCommand:
        function = _debug_option(function)
        if as_json:
            function = _JSON(function)
        if hub:
            function = _HUB(function)
        found = click.command(cls=HubCommand, name=name, epilog=epilog)(function)
        found.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        return found

    return made


_HUB = click.option(
    "--hub",
    "hub_dir",
    metavar="DIR",
    help=f"The hub's folder. [default: {HUB_VARIABLE}, else the nearest folder with a hub]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _debug_option(function: Callable[..., Any]) -> Callable[..., Any]:
    def remember(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        ctx.meta[_DEBUG] = value

    option = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Log what is done, and show the traceback of a bug.",
    )
    return option(function)


def find_hub(given: str | None) -> Path:
    """Return the hub's folder: as given, from the environment, or the nearest one above."""
    named = given or os.environ.get(HUB_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / HUB_FILE).is_file():
            return folder
    raise ConfigError(
        f"{here} holds no hub, nor does any folder above it.",
        remedy=f"Name it with --hub or {HUB_VARIABLE}, or create one: crm-hub init",
    )


@contextmanager
def opened(hub_dir: str | None) -> Iterator[Hub]:
    """Open the hub that the command is about, and close it at the end."""
    from crm_hub.flow.hub import Hub

    hub = Hub(find_hub(hub_dir))
    try:
        yield hub
    finally:
        hub.close()


def _reader_gone(ctx: click.Context) -> None:
    """End as if all had been read: `crm-hub people | head` is no failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # what is still buffered must go somewhere
    ctx.exit(0)


def _refused(error: HubError, *, as_json: bool) -> int:
    output.problem(error.message, error.remedy)
    if as_json and not isinstance(error, output.Unwritable):
        output.emit({"error": redact(error.message), "remedy": redact(error.remedy)})
    return USAGE if isinstance(error, ConfigError) else FAILED


def _bug(error: Exception, ctx: click.Context) -> int:
    place = _keep_traceback(error, ctx.params.get("hub_dir"))
    message = f"crm-hub itself failed ({type(error).__name__}); the traceback is in {place}"
    output.problem(message, "Run the command again with --debug to see it here.")
    if ctx.params.get("as_json"):
        output.emit({"error": message, "remedy": "Run the command again with --debug."})
    return FAILED


def _keep_traceback(error: Exception, hub_dir: str | None) -> Path:
    """Append the traceback to the hub's log, or to a file of its own when there is no hub."""
    import traceback
    from datetime import UTC, datetime

    when = datetime.now(UTC).isoformat(timespec="seconds")
    text = redact("".join([f"{when}\n", *traceback.format_exception(error), "\n"]))
    try:
        path = find_hub(hub_dir) / _LOG
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except (HubError, OSError):
        handle, name = tempfile.mkstemp(prefix="crm-hub-error-", suffix=".log")
        path = Path(name)
    with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path


__all__ = [
    "FAILED",
    "HUB_FILE",
    "HUB_VARIABLE",
    "STOPPED",
    "USAGE",
    "HubCommand",
    "find_hub",
    "hub_command",
    "opened",
]
