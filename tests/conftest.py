"""What every test shares: a clone, and the account of skipped tests at the end of a run, for people and for .ci/run."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from tests import services


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--skips=FILE`: where .ci/run wants the account of skipped tests."""
    parser.addoption("--skips", type=Path, help="write what was skipped, and why, to this JSON file")


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what was skipped and why, one reason once, and writes the same to the file of `--skips`."""
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
