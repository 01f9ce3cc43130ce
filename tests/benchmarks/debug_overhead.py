"""What an attached session costs while no stop is hit: `python tests/benchmarks/debug_overhead.py`.

One loop of 1,000 supersteps, run by `invoke`, by `ainvoke` and under `debug()`, in turn; CPU time of the whole process
(all threads), median over rounds, in microseconds a task. The promise: under 50 µs a task over `invoke` with the same
checkpointer, which for a graph of sync nodes is the fastest way to run it.
"""

from __future__ import annotations

import asyncio
import gc
import operator
import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from stepgraph.core.types import END, START
from stepgraph.debug import debug
from stepgraph.graph.builder import StateGraph

STEPS = 1_000
ROUNDS = 7
LIMIT = 50.0


class State(TypedDict, total=False):
    n: int
    question: str
    log: Annotated[list[str], operator.add]


def loop(checkpointer: Any = None, *, awaits: bool = False) -> Any:
    def work(state: State) -> State:
        return {"n": state["n"] + 1}

    async def awaited(state: State) -> State:
        return {"n": state["n"] + 1}

    def again(state: State) -> str:
        return "work" if state["n"] < STEPS else END

    builder = StateGraph(State).add_node("work", awaited if awaits else work).add_edge(START, "work")
    return builder.add_conditional_edges("work", again, ["work", END]).compile(
        checkpointer, name=f"loop {awaits} {checkpointer is not None}"
    )


def cpu(call: Callable[[], Any]) -> float:
    gc.collect()
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e6 / STEPS


def watched(graph: Any, value: State) -> Callable[[], Any]:
    dbg = debug(graph)
    dbg.stop("error")

    def run() -> None:
        made = dbg.start(dict(value))
        made.wait()
        assert made.result["n"] == STEPS, made.error
        dbg.runs.clear()

    return run


def main() -> None:
    value: State = {"n": 0, "question": "What is the refund policy?", "log": ["one", "two"]}
    rows: list[tuple[str, dict[str, Callable[[], Any]]]] = []
    for awaits in (False, True):
        plain, kept = loop(awaits=awaits), loop("memory://", awaits=awaits)
        threads = iter(range(10_000))
        rows.append(
            (
                "async node" if awaits else "sync node",
                {
                    "invoke": lambda plain=plain: plain.invoke(dict(value)),
                    "ainvoke": lambda plain=plain: asyncio.run(plain.ainvoke(dict(value))),
                    "invoke, memory": lambda kept=kept, threads=threads: kept.invoke(
                        dict(value), thread=f"i{next(threads)}"
                    ),
                    "ainvoke, memory": lambda kept=kept, threads=threads: asyncio.run(
                        kept.ainvoke(dict(value), thread=str(next(threads)))
                    ),
                    "debug, memory": watched(kept, value),
                },
            )
        )
    worst = 0.0
    print(f"µs of CPU a task, {STEPS} supersteps, median of {ROUNDS} rounds")
    for title, calls in rows:
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                times[name].append(cpu(call))
        found = {name: statistics.median(each) for name, each in times.items()}
        over = statistics.median(a - b for a, b in zip(times["debug, memory"], times["invoke, memory"], strict=True))
        worst = max(worst, over)
        print(
            f"{title:11}", "  ".join(f"{name} {value:6.1f}" for name, value in found.items()), f"  session {over:+.1f}"
        )
    print(f"overhead of a session without a hit: {worst:.1f} µs a task; promised: under {LIMIT:.0f}")
    raise SystemExit(worst >= LIMIT)


if __name__ == "__main__":
    main()
