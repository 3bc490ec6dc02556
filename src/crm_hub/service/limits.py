"""The bounds of the receiver, in one place, so that no request can cost more than they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one moment and one shutdown may cost.

    max_headers, max_header_bytes: of one request, its query string included.
    header_time_s, body_time_s: how long a sender may take over each (slow loris).
    batch_size, gather_s: how many requests share one commit, and how long the first of them
        waits for company.
    max_waiting, max_waiting_bytes: requests and body bytes in memory; beyond them 503.
    keep_time_s: after this long without a commit the waiting requests are answered 503.
    stop_time_s: how long a graceful stop waits for requests under way.
    """

    max_body_bytes: int = 1_000_000
    max_headers: int = 100
    max_header_bytes: int = 16_384
    header_time_s: float = 10.0
    body_time_s: float = 20.0
    batch_size: int = 500
    gather_s: float = 0.002
    max_waiting: int = 5_000
    max_waiting_bytes: int = 100_000_000
    keep_time_s: float = 30.0
    retry_after_s: int = 1
    max_connections: int = 10_000
    stop_time_s: int = 10
