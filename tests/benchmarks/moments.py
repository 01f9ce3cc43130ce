"""Single moments as ratios to LangGraph: importing, compiling, one call, the first event, a thousand runs at once.

    python tests/benchmarks/moments.py [--quick] [--only import,compile] [--rounds 5]

Measured as `engine.py` does: CPU time, both engines in turn, medians with quartiles.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.engine import asynchronous, in_turn, quartiles, synchronous
from tests.benchmarks.shapes import Chain, Names

Moment = Callable[[str, int], Callable[[], float]]
"""Of an engine's name and a size: what measures once, in seconds a unit."""


def timed(act: Callable[[], Any]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


def importing(engine: str, size: int) -> Callable[[], float]:
    """`import` in a fresh interpreter, with the modules compiled on disk: the fastest of `size` times, in seconds."""
    module = "langgraph.graph" if engine == "langgraph" else "stepgraph"
    script = f"from time import process_time as t; a = t(); import {module}; print(t() - a)"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def seconds() -> float:
        told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=variables).stdout
        return float(told)

    return lambda: min(seconds() for _ in range(size))


def compiling(engine: str, size: int) -> Callable[[], float]:
    """`compile()` of a chain that is built already."""
    names = Names(engine)
    return lambda: timed(Chain().graph(names, size, synchronous).compile)


def invoking(engine: str, size: int) -> Callable[[], float]:
    """`invoke` of one node, `size` times; seconds a call."""
    graph = Chain().graph(Names(engine), 1, synchronous).compile()

    def calls() -> None:
        for _ in range(size):
            graph.invoke({"n": 0})

    return lambda: timed(calls) / size


def first_event(engine: str, size: int) -> Callable[[], float]:
    """From the call of `stream` on a chain to its first chunk, ten times; seconds each."""
    graph = Chain().graph(Names(engine), size, synchronous).compile()

    def run() -> float:
        passed = 0.0
        for _ in range(10):
            start = time.process_time()
            chunks = graph.stream({"n": 0}, {"recursion_limit": 2 * size}, stream_mode="updates")
            next(chunks)
            passed += time.process_time() - start
            chunks.close()
        return passed / 10

    return run


def at_once(engine: str, size: int) -> Callable[[], float]:
    """`size` runs of ten async nodes in one loop; seconds a run."""
    graph = Chain().graph(Names(engine), 10, asynchronous).compile()

    async def runs() -> float:
        start = time.process_time()
        await asyncio.gather(*(graph.ainvoke({"n": number}) for number in range(size)))
        return (time.process_time() - start) / size

    return lambda: asyncio.run(runs())


MOMENTS: dict[str, tuple[Moment, int, int, str]] = {
    "import": (importing, 5, 3, "import (fastest of {})"),
    "compile": (compiling, 1000, 200, "compile of {} nodes"),
    "invoke": (invoking, 500, 100, "invoke of one node ({} calls)"),
    "first": (first_event, 1000, 200, "first event of a chain of {}"),
    "once": (at_once, 1000, 100, "{} runs of 10 nodes at once, a run"),
}


def row(name: str, quick: bool, rounds: int) -> float:
    """Print one row; returns the median ratio."""
    moment, size, small, shown = MOMENTS[name]
    size = small if quick else size
    samples = in_turn([partial(moment(engine, size)) for engine in ("langgraph", "stepgraph")], rounds)
    low, middle, high = quartiles([slow / fast for slow, fast in samples])
    slow, fast = (statistics.median(column) * 1e6 for column in zip(*samples, strict=True))
    print(
        f"{shown.format(size):38} LangGraph {slow:10.1f} µs  stepgraph {fast:9.2f} µs  "
        f"{middle:6.1f}× ({low:.1f}–{high:.1f})",
        flush=True,
    )
    return middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="3 rounds of smaller sizes")
    parser.add_argument("--only", default=",".join(MOMENTS))
    options = parser.parse_args()
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    for name in options.only.split(","):
        row(name, options.quick, rounds)


if __name__ == "__main__":
    main()
