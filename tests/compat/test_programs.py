"""Programs as LangGraph's users write them, unchanged under the hook: they show what they show on LangGraph."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE / "programs"


def programs() -> list[str]:
    """`module.function` of every program."""
    return [
        f"{path.stem}.{node.name}"
        for path in sorted(FOLDER.glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and [each.arg for each in node.args.args] == ["show"]
    ]


@pytest.fixture(scope="module")
def shown() -> dict[str, dict[str, list[str]]]:
    """Engine -> program -> lines."""
    how = {"langgraph": [], "stepgraph": ["-m", "stepgraph.compat", "run"]}
    running = {
        engine: subprocess.Popen(
            [sys.executable, *start, str(HERE / "runner.py"), str(FOLDER)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for engine, start in how.items()
    }  # fmt: skip
    found = {}
    for engine, process in running.items():
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        found[engine] = json.loads(printed)
    return found


@pytest.mark.timeout(320)
@pytest.mark.parametrize("name", programs())
def test_a_program_shows_the_same(name: str, shown: dict[str, dict[str, list[str]]]) -> None:
    assert name in shown["langgraph"], shown["langgraph"].get(name.partition(".")[0])
    assert not any(line.startswith("raised ") for line in shown["langgraph"][name][-1:]), "it ended before its end"
    assert name in shown["stepgraph"], shown["stepgraph"].get(name.partition(".")[0])
    assert shown["stepgraph"][name] == shown["langgraph"][name]


ALONE = ("checkpoints", "control", "deltas", "memories", "persistence", "savers", "states", "walkthroughs")
"""Programs that ask savers, stores and caches most."""


@pytest.fixture(scope="module")
def alone() -> dict[str, list[str]]:
    """What they show where none of LangGraph's distributions is installed."""
    done = subprocess.run(
        [sys.executable, str(HERE / "alone.py"), str(HERE / "runner.py"), str(FOLDER), *ALONE],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(620)
@pytest.mark.parametrize("name", [each for each in programs() if each.startswith(tuple(f"{part}." for part in ALONE))])
def test_a_program_shows_the_same_where_nothing_of_langgraph_is_installed(
    name: str, alone: dict[str, list[str]], shown: dict[str, dict[str, list[str]]]
) -> None:
    assert [as_lists(line) for line in alone[name]] == [as_lists(line) for line in shown["langgraph"][name]]


def as_lists(line: str) -> str:
    """A line whose tuples are lists, which LangGraph's serializer makes of them; ours keeps them."""
    return line.replace("(", "[").replace(",)", "]").replace(")", "]")
