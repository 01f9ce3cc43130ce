"""Agents and tool nodes as LangGraph's users write them show the same with our prebuilt package as with LangGraph's."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNNER = HERE.parent / "compat" / "runner.py"
FOLDERS = {HERE / "programs": (), HERE.parent / "compat" / "programs": ("agents", "namespaces", "transformers")}
"""Folder -> the modules in it that are run; none means all."""


def names(folder: Path, modules: tuple[str, ...]) -> list[str]:
    """`module.function` of every program."""
    return [
        f"{path.stem}.{node.name}"
        for path in sorted(folder.glob("*.py"))
        if not modules or path.stem in modules
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and [each.arg for each in node.args.args] == ["show"]
    ]


@pytest.fixture(scope="module")
def shown() -> dict[str, dict[str, list[str]]]:
    """Engine -> program -> lines."""
    how = {"langgraph": [], "stepgraph": ["-m", "stepgraph.compat", "run", "--own-prebuilt"]}
    found: dict[str, dict[str, list[str]]] = {}
    for engine, start in how.items():
        found[engine] = {}
        for folder, modules in FOLDERS.items():
            command = [sys.executable, *start, str(RUNNER), str(folder), *modules]
            done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
            assert done.returncode == 0, done.stderr
            found[engine].update(json.loads(done.stdout))
    return found


@pytest.mark.timeout(520)
@pytest.mark.parametrize("name", [name for each in FOLDERS.items() for name in names(*each)])
def test_a_program_shows_the_same(name: str, shown: dict[str, dict[str, list[str]]]) -> None:
    assert name in shown["langgraph"], shown["langgraph"].get(name.partition(".")[0])
    assert not any(line.startswith("raised ") for line in shown["langgraph"][name][-1:]), "it ended before its end"
    assert name in shown["stepgraph"], shown["stepgraph"].get(name.partition(".")[0])
    assert shown["stepgraph"][name] == shown["langgraph"][name]
