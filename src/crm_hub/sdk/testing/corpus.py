"""Nasty inputs against a parser, each under a limit of time and memory.

    cases = {"deep nesting": b"[" * 100_000, ...}
    bad = [f for f in run("mypackage.reader:parse", cases) if f.is_bad]
    assert not bad, report(bad)

The parser is imported once in a program of its own, which forks for each case: a case that
hangs, eats memory or crashes the interpreter harms no other. A HubError is a fine answer to bad
input; any other exception is not. Needs a system with fork.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crm_hub.model.errors import HubError

Outcome = Literal["read", "refused", "uncaught", "slow", "big", "crashed"]
_POLL_S = 0.005
_WAITS = 8
"""A case that computes nothing is given this many times the limit: then it hangs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one case; memory_mb is what it took beyond the idle program."""

    case: str
    outcome: Outcome
    seconds: float
    memory_mb: float
    detail: str = ""

    @property
    def is_bad(self) -> bool:
        return self.outcome not in ("read", "refused")


def run(
    parser: str, cases: Mapping[str, bytes], *, time_s: float = 2.0, memory_mb: float = 100.0
) -> list[Finding]:
    """Return one finding for each case, in order.

    parser: "module:function" of bytes; what it returns is consumed when it is an iterator.
    time_s: seconds of CPU, so that other work on the machine decides nothing.
    Raises: RuntimeError when the parser cannot be imported.
    """
    job = {
        "parser": parser,
        "path": sys.path,
        "time_s": time_s,
        "memory_mb": memory_mb,
        "cases": {name: base64.b64encode(raw).decode() for name, raw in cases.items()},
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", __name__],
        input=json.dumps(job).encode(),
        capture_output=True,
        timeout=60 + len(cases) * (time_s * _WAITS + 1),
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    if done.returncode != 0:
        raise RuntimeError(f"{parser} did not start: {done.stderr.decode(errors='replace')[-500:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return [Finding(**finding) for finding in found]


def report(findings: Iterable[Finding]) -> str:
    """Return the findings as lines for an assertion message."""
    return "\n".join(
        f"{f.case}: {f.outcome} after {f.seconds:.2f} s, {f.memory_mb:.0f} MB {f.detail}"
        for f in findings
    )


def _serve() -> None:
    job = json.load(sys.stdin)
    sys.path[:] = job["path"]
    module, _, name = job["parser"].partition(":")
    parser = getattr(importlib.import_module(module), name)
    found = [
        _watched(parser, case, base64.b64decode(raw), job["time_s"], job["memory_mb"])
        for case, raw in job["cases"].items()
    ]
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def _watched(
    parser: Callable[[bytes], Any], case: str, raw: bytes, time_s: float, memory_mb: float
) -> dict[str, Any]:
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _parse_and_leave(parser, raw, writing, memory_mb)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        # The child's own beginning: a fork holds less than its parent, who shares its libraries.
        idle_mb = float(pipe.readline() or 0)
        outcome, peak_mb = _wait(child, started, time_s, idle_mb, memory_mb)
        said = pipe.read().decode("utf-8", "replace")
    if not outcome:
        kind, _, detail = said.partition(" ")
        outcome = kind or "crashed"
    else:
        detail = ""
    return {
        "case": case,
        "outcome": outcome,
        "seconds": time.monotonic() - started,
        "memory_mb": peak_mb,
        "detail": detail,
    }


def _wait(
    child: int, started: float, time_s: float, idle_mb: float, memory_mb: float
) -> tuple[str, float]:
    """Return ("", or "slow" or "big") and the peak; the child is gone afterwards."""
    peak_mb, verdict = 0.0, ""
    while True:
        peak_mb = max(peak_mb, _resident_mb(child) - idle_mb)
        gone, _, usage = os.wait4(child, os.WNOHANG)
        if gone:
            # The kernel's own high-water mark also sees a peak between two looks.
            peak_mb = max(peak_mb, _maxrss_mb(usage) - idle_mb)
            return verdict or ("big" if peak_mb > memory_mb else ""), peak_mb
        lasted_s = max(_cpu_s(child), (time.monotonic() - started) / _WAITS)
        if not verdict and lasted_s > time_s:
            verdict = "slow"
            os.kill(child, signal.SIGKILL)
        elif not verdict and peak_mb > memory_mb:
            verdict = "big"
            os.kill(child, signal.SIGKILL)
        time.sleep(_POLL_S)


def _parse_and_leave(
    parser: Callable[[bytes], Any], raw: bytes, writing: int, memory_mb: float
) -> None:
    """Run the parser in the forked child and end it; never returns."""
    said = "read "
    os.write(writing, b"%f\n" % _resident_mb(os.getpid()))
    try:
        # A last wall, so that a bomb cannot take the machine before it is seen.
        wall = int((_virtual_mb() + 8 * memory_mb + 256) * 1_000_000)
        resource.setrlimit(resource.RLIMIT_AS, (wall, wall))
        result = parser(raw)
        if hasattr(result, "__next__"):
            for _ in result:
                pass
    except HubError as exc:
        said = f"refused {type(exc).__name__}"
    except MemoryError:
        said = "big MemoryError"
    except BaseException as exc:  # noqa: BLE001 - the child reports whatever it was
        said = f"uncaught {type(exc).__name__}: {str(exc)[:200]}"
    os.write(writing, said.encode("utf-8", "replace")[:4000])
    os._exit(0)


def _resident_mb(pid: int) -> float:
    return _status_mb(pid, "VmRSS:")


def _cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process has had; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _virtual_mb() -> float:
    return _status_mb(os.getpid(), "VmSize:")


def _status_mb(pid: int, name: str) -> float:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def _maxrss_mb(usage: resource.struct_rusage) -> float:
    # Kilobytes on Linux, bytes on macOS.
    return usage.ru_maxrss / (1000 if sys.platform == "linux" else 1_000_000)


if __name__ == "__main__":
    _serve()
