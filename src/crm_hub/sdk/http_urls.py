"""URLs of HTTP calls: joined to a base, compared by origin, named in messages without a query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import httpx

from crm_hub.model.errors import ConfigError
from crm_hub.observe import redact

Params = Mapping[str, Any] | Iterable[tuple[str, Any]] | None


def parse_url(text: str) -> httpx.URL:
    """Return the URL of a text. Raises: ConfigError when it is none."""
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        raise ConfigError(
            "the address to call cannot be read as a URL", remedy="Give it as https://host/path."
        ) from None


def host_limit(base: httpx.URL | None, more: Collection[str] | None) -> frozenset[str] | None:
    """Return the only hosts a client may call; None for any."""
    if base is None and more is None:
        return None
    hosts = {host.lower() for host in more or ()}
    return frozenset(hosts | {base.host.lower()} if base else hosts)


def joined(base: httpx.URL | None, url: str) -> httpx.URL:
    """Return the absolute URL; whatever has no "://" is a path below the base."""
    if "://" in url.partition("?")[0] or base is None:
        return parse_url(url)
    if not url or url.startswith("?"):
        return parse_url(f"{base}{url}")
    return parse_url(f"{str(base).rstrip('/')}/{url.lstrip('/')}")


def merged(target: httpx.URL, params: Params) -> httpx.URL:
    """Return the URL with `params` added to its own query; a value of None is left out."""
    if params is None:
        return target
    pairs = params.items() if isinstance(params, Mapping) else params
    return target.copy_merge_params([(k, v) for k, v in pairs if v is not None])


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """True for the same host and port, or the step from plain http to https on it."""
    if one.host.lower() != other.host.lower():
        return False
    ports = (_port(one), _port(other))
    return (one.scheme == other.scheme and ports[0] == ports[1]) or (
        (one.scheme, other.scheme, *ports) == ("http", "https", 80, 443)
    )


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def where_of(call: httpx.Request) -> str:
    """Return method, host and path for messages; never the query, which may hold a secret."""
    port = f":{call.url.port}" if call.url.port else ""
    return redact(f"{call.method} {call.url.host}{port}{call.url.path[:200]}")
