"""Running the conformance kit without a test file: `check(Telegram)` and what came of it."""

import contextlib
import importlib.util
import io
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from socialsupport_core.contract import CRM, ConfigError, Connector
from socialsupport_core.testing.problems import crashed

Outcome = Literal["passed", "failed", "skipped"]

Told = Callable[[int, int], None]

_MODULE = "from socialsupport_core.testing.check import subject\n\nTestConformance = subject()\n"
_under_test: list[type] = []
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Result:
    """One property, of one golden case where it runs over cases."""

    name: str
    """`golden_inbound_cases`."""
    case: str
    """The golden case, or nothing."""
    sentence: str
    """What holds, for people."""
    outcome: Outcome
    message: str
    """Why it failed or was skipped; nothing where it passed."""
    duration: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    subject: str
    """The connector's or the CRM adapter's name."""
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """At least one property holds and none fails."""
        return not self.failed and any(result.outcome == "passed" for result in self.results)

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.outcome == "failed")

    @property
    def skipped(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.outcome == "skipped")


def untold(done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


def check(connector: type[Connector[Any]], only: Sequence[str] = (), told: Told = untold) -> Report:
    """Every property of the kit, or `only` those named. Raises ConfigError when the kit is not installed.

    `told` hears how many of how many results there are.
    """
    installed()
    from socialsupport_core.testing.conformance import ConnectorConformance  # noqa: PLC0415 - imports pytest

    tests = type("TestConformance", (ConnectorConformance,), {"connector": connector})
    return _run(connector, tests, only, told)


def check_crm(
    crm: type[CRM[Any]], simulator: type[Any] | None = None, only: Sequence[str] = (), told: Told = untold
) -> Report:
    """The same for a CRM adapter and its simulator, which `Registry.simulators` holds by its name."""
    installed()
    from socialsupport_core.testing.crm import CRMConformance  # noqa: PLC0415 - imports pytest

    tests = type("TestConformance", (CRMConformance,), {"crm": crm, "simulator": simulator})
    return _run(crm, tests, only, told)


def subject() -> type:
    """The class that the running check is about; called by the module that pytest collects."""
    return _under_test[-1]


def installed() -> None:
    missing = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the conformance kit needs {' and '.join(missing)}; "
            "install the extra: pip install 'socialsupport[testing]'"
        )


def _run(kind: type[Any], tests: type, only: Sequence[str], told: Told) -> Report:
    import pytest  # noqa: PLC0415 - an optional dependency

    recorder = _Recorder(told, kind.__module__.partition(".")[0])
    with _collected(tests) as file, contextlib.redirect_stdout(io.StringIO()) as said:
        wanted = [f"{file}::TestConformance::test_{one}" for one in only] or [str(file)]
        options = ["-c", str(file.with_name("pytest.ini")), "--rootdir", str(file.parent)]
        status = pytest.main([*options, "-q", "-p", "no:cacheprovider", *wanted], plugins=[recorder])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} or not recorder.results:
        raise ConfigError(f"the conformance kit could not run on {kind.name}: {said.getvalue().strip()[-2000:]}")
    return Report(kind.name, tuple(recorder.results))


@contextlib.contextmanager
def _collected(tests: type) -> Iterator[Path]:
    """A module for pytest to collect, which holds the tests. Its name is its own: pytest keeps modules by name."""
    name = f"test_conformance_{next(_numbers)}"
    _under_test.append(tests)
    try:
        with tempfile.TemporaryDirectory(prefix="socialsupport-check-") as folder:
            Path(folder, "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
            Path(folder, f"{name}.py").write_text(_MODULE)
            yield Path(folder, f"{name}.py")
    finally:
        _under_test.pop()
        sys.modules.pop(name, None)


@dataclass
class _Recorder:
    """The pytest plugin that collects what happened."""

    told: Told
    package: str
    """Of the plugin under test."""
    results: list[Result] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)
    crashes: dict[str, str] = field(default_factory=dict)
    """What somebody else's code has raised where the kit does not expect it."""

    def pytest_collection_modifyitems(self, items: Sequence[Any]) -> None:
        for item in items:
            self.sentences[item.nodeid] = (item.function.__doc__ or "").strip().partition("\n")[0]

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        """Says nothing itself: pytest makes the report."""
        error = call.excinfo and call.excinfo.value
        if isinstance(error, Exception) and (told := crashed(error, self.package)):
            self.crashes[item.nodeid] = told

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        name, _, case = report.nodeid.rpartition("::")[2].partition("[")
        self.results.append(
            Result(
                name=name.removeprefix("test_"),
                case=case.removesuffix("]"),
                sentence=self.sentences[report.nodeid],
                outcome=report.outcome,
                message="" if report.outcome == "passed" else _message(report, self.crashes),
                duration=report.duration,
            )
        )
        self.told(len(self.results), len(self.sentences))


def _message(report: Any, crashes: Mapping[str, str]) -> str:
    if report.outcome == "skipped":
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return crashes.get(report.nodeid) or str(report.longreprtext).strip()
