"""The sample firm as a hub: its files connected, its morning posted through the real door.

Everything goes the way an admin's own data goes. What differs is only who the far side is: the
hub's own receiver gets the posts, and a stand-in on this machine plays Meta's Graph API.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crm_hub.data import data_folder
from crm_hub.disk import write_private
from crm_hub.flow.hub import Hub
from crm_hub.flow.setup import connect, create_hub
from crm_hub.model.errors import ConfigError, Unavailable

DANA = "dana.whitfield@marlowfinch.example"
FILES = {
    "mail": "mail",
    "calendar": "calendar",
    "hubspot": "crm/hubspot-contacts.csv",
    "pipedrive": "crm/pipedrive-people.csv",
    "erp": "erp",
    "phone": "phone",
}
_FOLDERS = ("mail", "calendar", "crm", "erp", "phone")
_POSTED = Path("run") / "demo-posted.json"


@dataclass(frozen=True, slots=True)
class Post:
    """One request of the story: where it goes, what it carries, and its hour of the morning."""

    file: str
    connection: str
    path: str
    content_type: str
    expect: str
    at: datetime


def prepare(folder: Path) -> bool:
    """Make the sample firm's hub, or leave the one that is there; return whether it was made.

    Raises: ConfigError when there is a hub in the folder that is not the demo's.
    """
    if (folder / "hub.yaml").is_file():
        if not (folder / _POSTED).is_file():
            raise ConfigError(
                f"{folder} holds a hub of yours; the demo left it alone.",
                remedy="Choose another folder: crm-hub demo --dir FOLDER",
            )
        return False
    sample = data_folder("clearwater")
    (folder / _POSTED).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / _POSTED, b"[]\n")
    for name in _FOLDERS:
        shutil.copytree(sample / name, folder / name, dirs_exist_ok=True)
    from crm_hub.flow.demo_books import say_for_whom

    say_for_whom(folder)
    own = ["clearwater.example"]
    create_hub(folder, name="Clearwater", region="US", zone="America/New_York", own=own)
    return True


def connect_all(folder: Path, graph_url: str, graph_token: str) -> None:
    """Connect the nine tools, or only tell the Meta connection where its far side is now.

    The secrets are random, made once for each hub, and sealed like any other.
    """
    hub = Hub(folder)
    try:
        for name, path in FILES.items():
            if name not in hub.config.connections:
                connect(hub, "files", name, {"path": path}, checked=False)
        if "form" not in hub.config.connections:
            connect(hub, "web_form", "form", {"forms": "contact,quote"}, checked=False)
        if "google" not in hub.config.connections:
            google = {"google_key": secrets.token_urlsafe(24)}
            connect(hub, "google_ads", "google", google, checked=False)
        meta = {"base_url": graph_url}
        if "meta" not in hub.config.connections:
            meta |= {
                "app_secret": secrets.token_hex(16),
                "verify_token": secrets.token_urlsafe(16),
                "access_token": graph_token,
            }
        connect(hub, "meta_ads", "meta", meta, checked=False, replace=True)
    finally:
        hub.close()


def graph_token(folder: Path) -> str:
    """Return the token of the Graph stand-in: the sealed one, a new one for a new hub."""
    hub = Hub(folder)
    kept = hub.secrets.get("meta", "access_token")
    return kept or secrets.token_urlsafe(24)


@contextmanager
def graph(token: str) -> Iterator[str]:
    """Run the stand-in of the Graph API that belongs to the sample; yields its base URL."""
    sample = data_folder("clearwater")
    spec = importlib.util.spec_from_file_location("crm_hub_clearwater_graph", sample / "graph.py")
    if spec is None or spec.loader is None:
        raise ConfigError("the sample's graph.py is missing", remedy="Install crm-hub again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    leads = sample / "inbound" / "meta-leads"
    server: AbstractContextManager[Any] = module.GraphStandIn(leads, token)
    with server as running:
        yield running.url


def posts_due(folder: Path) -> list[Post]:
    """Return the requests of the story that this hub has not been sent yet, in their order."""
    done = set(json.loads((folder / _POSTED).read_text("utf-8")))
    listed = json.loads((data_folder("clearwater") / "inbound" / "posts.json").read_text("utf-8"))
    posts = [
        Post(
            one["file"],
            one["connection"],
            one["path"],
            one["content_type"],
            one["expect"],
            datetime.fromisoformat(one["at"]),
        )
        for one in listed
    ]
    return [post for post in posts if post.file not in done]


def send(hub: Hub, url: str, post: Post) -> int:
    """Post one request as its sender would, signed with this hub's secrets; return the status.

    Raises: Unavailable when the receiver did not take it.
    """
    import httpx

    body = (data_folder("clearwater") / post.file).read_bytes()
    headers = {"Content-Type": post.content_type}
    if post.connection == "google":
        key = hub.secrets.get("google", "google_key") or ""
        body = body.replace(b"{{google_key}}", key.encode())
    if post.connection == "meta":
        secret = hub.secrets.get("meta", "app_secret") or ""
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature-256"] = f"sha256={digest}"
    path = f"/in/{post.connection}/{post.path}".rstrip("/")
    try:
        answer = httpx.post(url + path, content=body, headers=headers, timeout=30)
    except httpx.HTTPError as error:
        raise Unavailable(f"the receiver did not answer: {type(error).__name__}") from None
    if answer.status_code >= 300:
        raise Unavailable(f"{post.file} was answered {answer.status_code}")
    _remember(hub.folder, post.file)
    return answer.status_code


def _remember(folder: Path, file: str) -> None:
    done = json.loads((folder / _POSTED).read_text("utf-8"))
    write_private(folder / _POSTED, (json.dumps([*done, file], indent=1) + "\n").encode())
