"""Engine speed as ratios: a bare loop, LangGraph and stepgraph run the same program in turn, in one process.

    python tests/benchmarks/engine.py [--quick] [--only chain,loop] [--kinds none,memory] [--modes sync] [--rounds 5]

CPU time of the whole process (all threads), garbage collected before each; every ratio is taken inside one round, the
median over the rounds is printed with its quartiles. A program that imports LangGraph's own packages runs in one
process an engine, still in turn. Compiling and opening a store are not measured; what is saved is
in the store when the clock stops. LangGraph against itself varies by about 15 % a row. Programs: `shapes.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.shapes import SHAPES, Names, Node, Shape, Wide

_numbers = count()


@contextmanager
def opened(engine: str, kind: str, folder: Path) -> Iterator[Any]:
    """A new, empty checkpointer of the engine's, or None."""
    if kind == "none":
        yield None
    elif engine == "stepgraph":
        from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer

        saver = MemoryCheckpointer() if kind == "memory" else SqliteCheckpointer(folder / f"ours{next(_numbers)}.db")
        saver.threads()  # opens the file, as `setup` does
        yield saver
        saver.close()
    elif kind == "memory":
        from langgraph.checkpoint.memory import InMemorySaver

        yield InMemorySaver()
    else:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(folder / f"theirs{next(_numbers)}.db")) as theirs:
            theirs.setup()
            yield theirs


@asynccontextmanager
async def aopened(engine: str, kind: str, folder: Path) -> AsyncIterator[Any]:
    """The same for async runs."""
    if (engine, kind) != ("langgraph", "sqlite"):
        with opened(engine, kind, folder) as saver:
            yield saver
        return
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(folder / f"theirs{next(_numbers)}.db")) as theirs:
        await theirs.setup()
        yield theirs


def synchronous(function: Node) -> Node:
    return function


def asynchronous(function: Node) -> Any:
    async def node(state: Any) -> Any:
        return function(state)

    return node


Action = Callable[[], float]
"""Runs a program once and gives the CPU seconds that it took."""


def action(engine: str, shape: Shape, size: int, is_async: bool, kind: str, folder: Path) -> Action:
    """What measures one engine."""
    made = asynchronous if is_async else synchronous
    graph = shape.compiled(Names(engine), size, made)
    config = {"recursion_limit": 10 * size + 100}

    def runs() -> Iterator[tuple[Any, Any]]:
        for _ in range(shape.repeat):
            yield shape.given(size), {**config, "configurable": {"thread_id": f"t{next(_numbers)}"}}

    def flush() -> None:
        if engine == "stepgraph" and graph.checkpointer is not None:
            graph.checkpointer.flush()

    def run() -> float:
        with opened(engine, kind, folder) as graph.checkpointer:
            start = time.process_time()
            for given, settings in runs():
                graph.invoke(given, settings)
            flush()
            return time.process_time() - start

    async def arun() -> float:
        async with aopened(engine, kind, folder) as graph.checkpointer:
            start = time.process_time()
            for given, settings in runs():
                await graph.ainvoke(given, settings)
            flush()
            return time.process_time() - start

    return (lambda: asyncio.run(arun())) if is_async else run


@contextmanager
def apart(engine: str, shape: Shape, size: int, is_async: bool, kind: str, folder: Path) -> Iterator[Action]:
    """`action` in a process of its own, where `import langgraph` gives the engine."""
    order = (engine, shape.name, str(size), str(int(is_async)), kind, str(folder))
    with subprocess.Popen(
        [sys.executable, __file__, "--serve", *order], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answers = process.stdin, process.stdout

        def run() -> float:
            print("run", file=ask, flush=True)
            return float(answers.readline())

        yield run
        ask.close()


def serve(engine: str, name: str, size: str, is_async: str, kind: str, folder: str) -> None:
    """Be the process of `apart`: a run for each line that comes in."""
    shape = next(each for each in SHAPES if each.name == name)
    if engine == "stepgraph":
        from stepgraph.compat.hook import install

        install(own_prebuilt=getattr(shape, "own_prebuilt", False))
    run = action(engine, shape, int(size), is_async == "1", kind, Path(folder))
    for _ in sys.stdin:
        gc.collect()
        print(run(), flush=True)


def bare(shape: Shape, size: int, is_async: bool) -> Action:
    """What measures the plain loop."""

    def run() -> float:
        start = time.process_time()
        for _ in range(shape.repeat):
            shape.bare(size)
        return time.process_time() - start

    async def arun() -> float:
        start = time.process_time()
        for _ in range(shape.repeat):
            await shape.abare(size)
        return time.process_time() - start

    return (lambda: asyncio.run(arun())) if is_async else run


def in_turn(actions: list[Action], rounds: int) -> list[tuple[float, ...]]:
    """Each round's CPU seconds, after one round to warm up. Garbage is collected before each."""
    samples = []
    for number in range(rounds + 1):
        sample = []
        for each in actions:
            gc.collect()
            sample.append(each())
        if number:
            samples.append(tuple(sample))
    return samples


def quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def row(shape: Shape, size: int, is_async: bool, kind: str, rounds: int) -> float:
    """Print one row; returns the median ratio LangGraph / stepgraph."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as open_until_here:
        engines = [
            open_until_here.enter_context(apart(engine, shape, size, is_async, kind, Path(name)))
            if shape.imports
            else action(engine, shape, size, is_async, kind, Path(name))
            for engine in ("langgraph", "stepgraph")
        ]
        samples = in_turn([*engines, bare(shape, size, is_async)], rounds)
    low, middle, high = quartiles([slow / fast for slow, fast, _ in samples])
    units = (shape.supersteps(size) if isinstance(shape, Wide) else size) * shape.repeat
    slow, fast, bottom = (statistics.median(column) / units * 1e6 for column in zip(*samples, strict=True))
    mode = "async" if is_async else "sync"
    print(
        f"{shape.name:22} {mode:5} {kind:6}  LangGraph {slow:9.1f} µs  stepgraph {fast:8.2f} µs a {shape.unit:9} "
        f"{middle:6.1f}× ({low:.1f}–{high:.1f})  {fast / max(bottom, 1e-9):6.2f} bare",
        flush=True,
    )
    return middle


def named(beginnings: list[str], parser: argparse.ArgumentParser) -> list[Shape]:
    """The shapes that are called so, or whose names begin so."""
    found = set()
    for each in map(str.strip, beginnings):
        names = {shape.name for shape in SHAPES if shape.name == each}
        names = names or {shape.name for shape in SHAPES if shape.name.startswith(each)}
        if not names:
            known = ", ".join(repr(shape.name) for shape in SHAPES)
            parser.error(f"--only {each!r}: no shape's name begins so. There are {known}.")
        found |= names
    return [shape for shape in SHAPES if shape.name in found]


def main() -> None:
    if "--serve" in sys.argv:
        serve(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="3 rounds of smaller programs")
    parser.add_argument("--only", default="", help="names of shapes, or their beginnings, e.g. 'chain of 1000,loop'")
    parser.add_argument("--kinds", default="none,memory,sqlite")
    parser.add_argument("--modes", default="sync,async")
    options = parser.parse_args()
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    shapes = named(options.only.split(","), parser)
    print(f"Python {sys.version.split()[0]}; µs of CPU; ratio: median (quartiles); bare: times the plain loop")
    ratios = []
    for shape in shapes:
        for kind in options.kinds.split(","):
            for mode in options.modes.split(","):
                if mode == "async" or not shape.only_async:
                    size = shape.quick if options.quick else shape.size
                    ratios.append(row(shape, size, mode == "async", kind, rounds))
    print(f"geometric mean {statistics.geometric_mean(ratios):.1f}× over {len(ratios)} rows, least {min(ratios):.1f}×")


if __name__ == "__main__":
    main()
