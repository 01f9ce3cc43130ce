"""LangSmith's tracing, switched on in code before langchain-core made its first callback manager."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WAYS = {
    "context": "with tracing_context(enabled=True, client=client): show(graph.invoke({'x': 1}))",
    "async": "with tracing_context(enabled=True, client=client): show(asyncio.run(graph.ainvoke({'x': 1})))",
    "traceable": (
        "with tracing_context(enabled=True, client=client): show(traceable(lambda: graph.invoke({'x': 1}), name='f')())"
    ),
    "off": "with tracing_context(enabled=False, client=client): show(graph.invoke({'x': 1}))",
    "debug": "langchain_core.globals.set_debug(True); show(graph.invoke({'x': 1}))",
}
PROGRAM = """
import asyncio, contextlib, io, json, sys
from typing import Any
from unittest.mock import MagicMock
import langchain_core.globals
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langsmith import Client, traceable
from langsmith.run_helpers import get_current_run_tree, tracing_context
from typing_extensions import TypedDict

class Kept(Client):
    def __init__(self):
        nowhere = {"api_url": "http://127.0.0.1:9", "api_key": "k", "session": MagicMock()}
        super().__init__(auto_batch_tracing=False, info={}, **nowhere)
        self.told = {}
    def create_run(self, name, inputs, run_type, **more):
        parent = self.told.get(more.get("parent_run_id"), [None])[0]
        self.told[more["id"]] = [name, run_type, parent, sorted(more.get("tags") or []), repr(inputs)]
    def update_run(self, run_id, **more):
        self.told[run_id].append(repr(more.get("outputs")))

class State(TypedDict):
    x: int
    y: Any

@traceable
def helper(x):
    return x, get_current_run_tree().name

def node(state):
    run = get_current_run_tree()
    return {"y": (run and run.name, helper(state["x"]) if run else None)}

client, shown, printed = Kept(), [], io.StringIO()
show = lambda value: shown.append(repr(value))
graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile()
with contextlib.redirect_stdout(printed):
    WAY
json.dump([shown, list(client.told.values()), printed.getvalue().count("Entering Chain run")], sys.stdout)
"""


@pytest.mark.parametrize("way", WAYS)
def test_runs_of_a_graph_are_told_as_langgraph_tells_them(way: str, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.replace("WAY", WAYS[way]), encoding="utf-8")

    def told(*start: str) -> Any:
        done = subprocess.run(
            [sys.executable, *start, str(file)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    theirs = told()
    assert told("-m", "stepgraph.compat", "run") == theirs
    shown, runs, printed = theirs
    assert len(shown) == 1
    assert (len(runs), printed) == {"off": (0, 0), "debug": (0, 2), "traceable": (4, 0)}.get(way, (3, 0))


def test_a_version_of_langsmith_without_these_variables_is_no_obstacle() -> None:
    program = """
import sys
import langsmith.run_helpers
del sys.modules["langsmith._internal._context"]._PARENT_RUN_TREE_REF
from stepgraph import START, StateGraph
graph = StateGraph(dict).add_node("a", lambda s: {"x": 1}).add_edge(START, "a").compile()
from langchain_core.runnables import RunnableLambda
print(graph.invoke({"x": 0}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "{'x': 1}\n", done.stderr
