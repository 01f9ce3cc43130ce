"""Engine speed as ratios: a bare loop, LangGraph and stepgraph run the same program in turn, in one process.

    python tests/benchmarks/engine.py [--rounds 5] [--quick] [--only chain,loop]

CPU time of the whole process (all threads), garbage collected before each; every ratio is taken inside one round, the
median over the rounds is printed with its quartiles. LangGraph against itself varies by about 15 % a row.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import operator
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict


class Count(TypedDict):
    n: int


class Gather(TypedDict):
    out: Annotated[list[int], operator.add]


class Engine:
    """One library under test: its names, and its checkpointers."""

    def __init__(self, name: str) -> None:
        self.name = name
        if name == "langgraph":
            from langgraph.graph import END, START, StateGraph
            from langgraph.types import Send
        else:
            from stepgraph import END, START, Send, StateGraph  # type: ignore[assignment]  # twins
        self.StateGraph, self.Send, self.START, self.END = StateGraph, Send, START, END
        self._runs = 0

    def checkpointer(self, kind: str, folder: Path, asynchronous: bool) -> Any:
        if kind == "none":
            return None
        if self.name == "stepgraph":
            from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer

            self._runs += 1
            return MemoryCheckpointer() if kind == "memory" else SqliteCheckpointer(folder / f"ours{self._runs}.db")
        if kind == "memory":
            from langgraph.checkpoint.memory import InMemorySaver

            return InMemorySaver()
        return None


def chain(engine: Engine, length: int, asynchronous: bool) -> Any:
    graph = engine.StateGraph(Count)

    def node(state: Count) -> Any:
        return {"n": state["n"]}

    async def anode(state: Count) -> Any:
        return {"n": state["n"]}

    previous = engine.START
    for position in range(length):
        graph.add_node(f"n{position}", anode if asynchronous else node)
        graph.add_edge(previous, f"n{position}")
        previous = f"n{position}"
    return graph


def loop(engine: Engine, length: int, asynchronous: bool) -> Any:
    graph = engine.StateGraph(Count)

    def node(state: Count) -> Any:
        return {"n": state["n"] + 1}

    async def anode(state: Count) -> Any:
        return {"n": state["n"] + 1}

    def again(state: Count) -> str:
        return "node" if state["n"] < length else engine.END

    graph.add_node("node", anode if asynchronous else node)
    graph.add_edge(engine.START, "node")
    graph.add_conditional_edges("node", again, {"node": "node", engine.END: engine.END})
    return graph


def fan_out(engine: Engine, width: int, asynchronous: bool) -> Any:
    graph = engine.StateGraph(Gather)

    def node(number: int) -> Any:
        return {"out": [number]}

    async def anode(number: int) -> Any:
        return {"out": [number]}

    graph.add_node("node", anode if asynchronous else node)
    graph.add_conditional_edges(
        engine.START, lambda _: [engine.Send("node", number) for number in range(width)], ["node"]
    )
    return graph


SHAPES: dict[str, tuple[Callable[..., Any], Any, int]] = {
    "chain": (chain, {"n": 0}, 1000),
    "loop": (loop, {"n": 0}, 1000),
    "fan-out": (fan_out, {"out": []}, 1000),
}


def bare(shape: str, size: int) -> None:
    """The same work as a Python loop."""
    state: dict[str, Any] = {"n": 0}
    found: list[int] = []
    for number in range(size):
        if shape == "fan-out":
            found = [*found[-1:], number]
        else:
            state.update({"n": state["n"] + 1})


def measure(action: Callable[[], Any]) -> float:
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def action_for(engine: Engine, shape: str, size: int, asynchronous: bool, kind: str, folder: Path) -> Callable[[], Any]:
    """A function that runs the shape once on a new thread."""
    build, given, _ = SHAPES[shape]
    config: dict[str, Any] = {"recursion_limit": size + 10}
    builder = build(engine, size, asynchronous)
    if kind == "sqlite" and engine.name == "langgraph":
        return _langgraph_sqlite(builder, given, config, asynchronous, folder)
    saver = engine.checkpointer(kind, folder, asynchronous)
    graph = builder.compile(checkpointer=saver)
    count = iter(range(10**9))

    def run() -> None:
        settings = {**config, "configurable": {"thread_id": f"t{next(count)}"}}
        if asynchronous:
            asyncio.run(graph.ainvoke(given, settings))
        else:
            graph.invoke(given, settings)
        if kind == "sqlite":
            saver.flush()

    return run


def _langgraph_sqlite(builder: Any, given: Any, config: Any, asynchronous: bool, folder: Path) -> Callable[[], Any]:
    count = iter(range(10**9))

    def run() -> None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(folder / f"theirs{next(count)}.db")) as saver:
            builder.compile(checkpointer=saver).invoke(given, {**config, "configurable": {"thread_id": "t"}})

    async def arun() -> None:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with AsyncSqliteSaver.from_conn_string(str(folder / f"theirs{next(count)}.db")) as saver:
            await builder.compile(checkpointer=saver).ainvoke(given, {**config, "configurable": {"thread_id": "t"}})

    return (lambda: asyncio.run(arun())) if asynchronous else run


def row(shape: str, size: int, asynchronous: bool, kind: str, rounds: int) -> float:
    """Print one row; returns the median ratio LangGraph / stepgraph."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = action_for(Engine("langgraph"), shape, size, asynchronous, kind, folder)
        ours = action_for(Engine("stepgraph"), shape, size, asynchronous, kind, folder)
        measure(theirs), measure(ours)
        samples = []
        for _ in range(rounds):
            bottom = measure(lambda: bare(shape, size))
            samples.append((measure(theirs), measure(ours), bottom))
    ratios = [slow / fast for slow, fast, _ in samples]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    slow, fast, bottom = (statistics.median(column) / size * 1e6 for column in zip(*samples, strict=True))
    mode = "async" if asynchronous else "sync"
    print(
        f"{shape:8} {mode:5} {kind:6}  LangGraph {slow:8.1f} µs  stepgraph {fast:6.2f} µs  "
        f"{middle:6.1f}× ({low:.1f}–{high:.1f})  {fast / max(bottom, 1e-9):5.1f} bare loops",
        flush=True,
    )
    return middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 200 supersteps")
    parser.add_argument("--only", default="", help="shapes, e.g. chain,loop")
    parser.add_argument("--kinds", default="none,memory,sqlite")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}; µs of CPU a superstep (fan-out: a task); ratio: median (quartiles)")
    ratios = []
    for shape, (_, _, size) in SHAPES.items():
        if options.only and shape not in options.only.split(","):
            continue
        for kind in options.kinds.split(","):
            for asynchronous in (False, True):
                rounds, amount = (3, 200) if options.quick else (options.rounds, size)
                ratios.append(row(shape, amount, asynchronous, kind, rounds))
    print(f"geometric mean {statistics.geometric_mean(ratios):.1f}×")


if __name__ == "__main__":
    main()
