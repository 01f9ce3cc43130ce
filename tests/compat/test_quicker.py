"""Tools in langgraph-prebuilt's node run without a pool of threads where nobody can tell."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from stepgraph.compat.quicker import Executor

PROGRAM = """
import asyncio, threading
from contextvars import ContextVar
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import interrupt

mark = ContextVar("mark", default="unset")
both = threading.Barrier(2)

@tool
def lone(x: int) -> str:
    "Says what it finds, and leaves something."
    found = mark.get()
    mark.set(f"left by {x}")
    return found

@tool
def meets(x: int) -> str:
    "Waits for the other one."
    both.wait(60)
    return "met"

@tool
def loops(x: int) -> str:
    "Runs an event loop of its own."
    async def body():
        return f"looped {x}"
    return asyncio.run(body())

@tool
def fails(x: int) -> str:
    "Fails."
    raise LookupError(f"no {x}")

@tool
def stops(x: int) -> str:
    "Ends as an iterator does."
    raise StopIteration(x)

@tool
def asks(x: int) -> str:
    "Asks a person."
    return interrupt(f"{x}?")

tools = ToolNode([lone, meets, loops, fails, stops, asks], handle_tool_errors=False)
app = StateGraph(MessagesState).add_node("tools", tools).add_edge(START, "tools").compile()

def told(*names, **config):
    calls = [{"name": name, "args": {"x": place}, "id": str(place)} for place, name in enumerate(names)]
    try:
        said = app.invoke({"messages": [AIMessage("", tool_calls=calls)]}, config)
    except Exception as error:
        return type(error).__name__, str(error)
    return [message.content for message in said["messages"][1:]], [each.value for each in said.get("__interrupt__", ())]

async def on_a_loop():
    return told("loops"), told("lone")

mark.set("the caller's")
print(told("lone"), told("lone", "lone"), mark.get())
print(told("meets", "meets"), told("meets", "meets", max_concurrency=2), told("lone", max_concurrency=1))
print(told("loops"), asyncio.run(on_a_loop()))
print(told("fails"), told("lone", "fails"), told("stops"), told("asks"))
print(threading.active_count())
"""


def printed(folder: Path, *how: str) -> str:
    program = folder / "app.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *how, str(program)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tools_give_the_same_on_both_engines(tmp_path: Path) -> None:
    assert printed(tmp_path, "-m", "stepgraph.compat", "run") == printed(tmp_path)


class Pools:
    """Makes pools, and counts."""

    def __init__(self) -> None:
        self.configs: list[Any] = []
        self.closed = 0

    @contextmanager
    def make(self, config: Any) -> Iterator[ThreadPoolExecutor]:
        self.configs.append(config)
        with ThreadPoolExecutor(config["max_concurrency"]) as pool:
            yield pool
        self.closed += 1


def where(_: int) -> threading.Thread:
    return threading.current_thread()


CONFIG = {"max_concurrency": 2}


def test_a_lone_call_runs_here_and_opens_no_pool() -> None:
    pools = Pools()
    with Executor(pools.make, CONFIG) as executor:
        assert list(executor.map(where, [1])) == [threading.current_thread()]
    assert pools.configs == []


def test_what_a_lone_call_sets_in_its_context_stays_there() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)
    with Executor(Pools().make, CONFIG) as executor:
        assert list(executor.map(lambda number: (variable.get(), variable.set(number))[0], [1])) == [0]
    assert variable.get() == 0


@pytest.mark.parametrize("count", [0, 2, 3])
def test_several_calls_or_none_go_to_one_pool(count: int) -> None:
    pools = Pools()
    with Executor(pools.make, CONFIG) as executor:
        found = [*executor.map(where, range(count)), *executor.map(where, range(count))]
        submitted = executor.submit(where, 1).result()
    assert threading.current_thread() not in {*found, submitted}
    assert (pools.configs, pools.closed, len(found)) == ([CONFIG], 1, 2 * count)


def test_a_lone_call_in_an_event_loop_goes_to_a_pool() -> None:
    async def body() -> list[threading.Thread]:
        with Executor(Pools().make, CONFIG) as executor:
            return list(executor.map(where, [1]))

    assert asyncio.run(body()) != [threading.current_thread()]


def test_a_pool_is_closed_when_a_call_fails() -> None:
    pools = Pools()
    with pytest.raises(ZeroDivisionError), Executor(pools.make, CONFIG) as executor:
        list(executor.map(lambda number: 1 // number, [0, 1]))
    assert pools.configs == [CONFIG]
