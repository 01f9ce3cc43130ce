"""With LANGGRAPH_STRICT_MSGPACK LangGraph's savers give the same objects back here as under LangGraph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def shown(start: list[str], strict: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, *start, str(HERE / "runner.py"), str(HERE / "strict")],
        capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": strict},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(220)
@pytest.mark.parametrize("strict", ["true", "false"])
def test_the_same_objects_come_back(strict: str) -> None:
    theirs = shown([], strict)
    assert len(theirs) == 5, theirs
    assert not [lines for lines in theirs.values() if lines[-1].startswith("raised ")]
    assert shown(["-m", "stepgraph.compat", "run"], strict) == theirs
    assert ("'other': {'z': 1}" in "".join(theirs["typed.kept"])) == (strict == "true")
