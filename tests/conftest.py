"""What every test shares: a clone, and the account of skipped tests at the end of a run, for people and for .ci/run."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import services


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--skips=FILE`: where .ci/run wants the account of skipped tests."""
    parser.addoption("--skips", type=Path, help="write what was skipped, and why, to this JSON file")


ALONE = (
    "notebooks/",
    "tests/benchmarks/",
    "tests/browser/",
    "tests/debug/",
    "tests/notebooks/",
    "tests/panels/",
    "tests/test_binder.py",
    "tests/test_make.py",
    "tests/test_public_api.py",
)
"""Tests that measure, start kernels, browsers and environments, or watch threads: nothing runs beside them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `-n`: long files come first, and what runs alone last, so that the processes are ready for it together."""
    if hasattr(config, "workerinput"):  # this is one of the processes
        sizes = Counter(item.path for item in items)
        items.sort(key=lambda item: (0, -sizes[item.path]) if not runs_alone(item.nodeid) else (1, 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """With `-n`: who is handed which tests."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


class Scheduling(LoadFileScheduling):
    """A file's tests go to one process, and all that run alone to one when the others have ended."""

    def _split_scope(self, nodeid: str) -> str:
        return "alone" if runs_alone(nodeid) else str(super()._split_scope(nodeid))

    def _reschedule(self, node: Any) -> None:
        others = (work for other, work in self.assigned_work.items() if other is not node)
        # A process always keeps a test or two: it begins one when it knows the next.
        if next(iter(self.workqueue), None) != "alone" or all(self._pending_of(work) <= 2 for work in others):
            super()._reschedule(node)


def runs_alone(nodeid: str) -> bool:
    """Whether nothing may run beside a test."""
    return nodeid.startswith(ALONE)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository's files, without anything that git ignores: what somebody gets who clones it."""
    copy = tmp_path_factory.mktemp("clone") / "stepgraph"
    names = services.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
    for name in filter(None, names):
        if (services.ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(services.ROOT / name, copy / name)
    return copy


def pytest_sessionstart(session: pytest.Session) -> None:
    """The account of lost messages is of this run."""
    if not hasattr(session.config, "workerinput"):
        services.LOST.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what was skipped and why, one reason once, and writes the same to the file of `--skips`.

    Says also where a kernel had to be started anew because it never got, or never sent, a message.
    """
    if services.LOST.exists():
        terminalreporter.section("kernels that were started anew: a message was lost")
        terminalreporter.write_line(services.LOST.read_text())
    skipped = {report.nodeid: reason(report) for report in terminalreporter.getreports("skipped")}
    show(terminalreporter, skipped)
    file = config.getoption("--skips")
    if file is not None:
        ran = sum(len(terminalreporter.getreports(outcome)) for outcome in ("passed", "failed"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"ran": ran, "skipped": skipped}, indent=2))


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The words of a skipped report, without pytest's prefix."""
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ")


def show(terminal: pytest.TerminalReporter, skipped: dict[str, str]) -> None:
    """Names each reason once, with the number of tests and the first of them."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for test, why in skipped.items():
        by_reason[why].append(test)
    terminal.section("skipped: nothing" if not skipped else f"skipped: {len(skipped)}, for these reasons")
    for why, tests in sorted(by_reason.items()):
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        terminal.write_line(f"{why}\n    {tests[0]}{more}")
