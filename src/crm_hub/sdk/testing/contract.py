"""The contract suite: what every connector must survive, run against a real source.

An author writes a Harness (see `harness.py`, and `example.py` for a whole one), then

    class TestMine(ContractSuite):
        harness = MyHarness()

in a pytest file; or, without pytest, `print(run(MyHarness()))`. A case that a connector cannot
have by its Caps is exempt, with the reason printed; the quality tier is computed from the rest.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from crm_hub.sdk.quality import Tier, reached, read_quality, untrue
from crm_hub.sdk.testing import cases_flow, cases_pull, cases_push, cases_setup, cases_tokens
from crm_hub.sdk.testing.bench import bench
from crm_hub.sdk.testing.harness import CANARY, WRONG, Alteration, Exempt, Harness, MiniHub, Source

__all__ = [
    "CANARY",
    "CASES",
    "WRONG",
    "Alteration",
    "ContractSuite",
    "Exempt",
    "Harness",
    "MiniHub",
    "Result",
    "Source",
    "SuiteReport",
    "run",
    "run_case",
    "tier",
]

Status = Literal["pass", "fail", "exempt", "todo"]

CASES: Mapping[int, Callable[[Harness], list[str]]] = {
    1: cases_setup.settings_form,
    2: cases_setup.credentials,
    3: cases_setup.discovery,
    4: cases_setup.keys,
    5: cases_pull.kill_and_resume,
    6: cases_pull.equal_stamps,
    7: cases_pull.change_is_seen,
    8: cases_pull.delete_is_seen,
    9: cases_pull.bad_network,
    10: cases_tokens.token_expires,
    11: cases_push.same_key_twice,
    12: cases_push.stale_guard,
    13: cases_push.only_named_fields,
    14: cases_push.one_bad_of_ten,
    15: cases_push.own_write,
    16: cases_flow.webhooks,
    17: cases_setup.secrets,
    18: cases_pull.altered_form,
    19: cases_flow.times,
    20: cases_flow.stops,
    21: cases_pull.window_pull,
    22: cases_pull.merge_is_followed,
}
"""Case number → the function that runs it; its first docstring line says what must hold."""

_WRITING = frozenset({11, 12, 13, 14, 15})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case; reason says why it failed or is exempt, or what was left out."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """The results of one connector by case number."""

    connector: str
    results: Mapping[int, Result] = field(default_factory=dict)

    @property
    def failed(self) -> list[int]:
        return [case for case, result in self.results.items() if result.status == "fail"]

    def __str__(self) -> str:
        lines = [f"{self.connector}: {tier(self)}"]
        for case, result in sorted(self.results.items()):
            reason = f" ({result.reason.splitlines()[0]})" if result.reason else ""
            lines.append(f"{case:>4} {result.status:<6} {title(case)}{reason}")
        return "\n".join(lines)


def title(case: int) -> str:
    """Return what must hold in this case, in one line."""
    text = CASES[case].__doc__ or ""
    return text.partition("\n")[0].partition(": ")[2].rstrip(".")


def run(harness: Harness, cases: Iterable[int] | None = None) -> SuiteReport:
    """Run the suite, or some of its cases, and return the report."""
    wanted = list(cases) if cases is not None else sorted(CASES)
    results = {case: run_case(harness, case) for case in wanted}
    return SuiteReport(harness.connector.manifest.id, results)


def run_case(harness: Harness, case: int) -> Result:
    """Run one case against fresh sources and return its result."""
    if reason := harness.exempt.get(case) or _exempt_by_caps(harness, case):
        return Result("exempt", reason)
    try:
        notes = CASES[case](harness)
    except Exempt as exempt:
        return Result("exempt", str(exempt))
    except AssertionError as failure:
        return Result("fail", str(failure))
    except Exception as exc:  # noqa: BLE001 - a connector's bug is a failed case, with its traceback
        last = "".join(traceback.format_exception(exc)[-4:])
        return Result("fail", f"{type(exc).__name__}: {exc}\n{last}")
    return Result("pass", "without " + "; ".join(notes) if notes else "")


def _exempt_by_caps(harness: Harness, case: int) -> str:
    if case not in _WRITING:
        return ""
    try:
        with bench(harness, 1) as b:
            writes = any(stream.caps.write for stream in b.connect().discover())
    except Exception:  # noqa: BLE001 - cases 2 and 3 say what is wrong
        return ""
    return "" if writes else "it writes nothing to the far side"


def tier(report: SuiteReport, freshness_s: float | None = None) -> Tier:
    """Return the highest tier whose cases, and those of all lower tiers, passed or are exempt.

    freshness_s: how old news is when it arrives, as measured; without it there is no platinum.
    """
    held = {case for case, one in report.results.items() if one.status in ("pass", "exempt")}
    return reached(held, freshness_s)


class ContractSuite:
    """Base of a pytest class: one test for each case; exempt ones are skipped with the reason.

    `report()` gives what was collected, and `tier(report)` the quality tier.
    """

    harness: ClassVar[Harness]
    results: ClassVar[dict[str, dict[int, Result]]] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Give pytest the cases; their titles are the test ids."""
        if "case" in metafunc.fixturenames:
            cases = sorted(CASES)
            metafunc.parametrize("case", cases, ids=[f"{c} {title(c)}" for c in cases])

    def test_case(self, case: int) -> None:
        import pytest

        result = run_case(self.harness, case)
        self.results.setdefault(type(self).__qualname__, {})[case] = result
        if result.status == "fail":
            pytest.fail(f"case {case}, {title(case)}: {result.reason}", pytrace=False)
        if result.status in ("exempt", "todo"):
            pytest.skip(f"case {case} {result.status}: {result.reason}")

    def test_the_quality_file_says_what_was_found(self) -> None:
        """quality.yaml beside the connector, from which its tier is shown, is true."""
        import pytest

        module = sys.modules[self.harness.connector.__module__]
        path = Path(module.__file__ or "").with_name("quality.yaml")
        report = self.report()
        if not path.is_file():
            pytest.skip("there is no quality.yaml beside the connector")
        if set(report.results) != set(CASES):
            pytest.skip("not every case was run")
        found = {case: one.status for case, one in report.results.items()}
        wrong = untrue(read_quality(path.read_text("utf-8")), found)
        if wrong:
            pytest.fail(f"{path.name} of {report.connector}: {'; '.join(wrong)}", pytrace=False)

    @classmethod
    def report(cls) -> SuiteReport:
        """Return what was collected so far in this run."""
        kind = cls.harness.connector.manifest.id
        return SuiteReport(kind, dict(cls.results.get(cls.__qualname__, {})))
