"""LangGraph's memory saver under both engines: CPU time of chains, and the ratio. Interleaved, best of some rounds."""

from __future__ import annotations

import argparse
import operator
import time
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as TheirStateGraph
from typing_extensions import TypedDict

from stepgraph import START, StateGraph


class State(TypedDict):
    n: int
    log: Annotated[list[int], operator.add]


def chain(words: Any, length: int) -> Any:
    """Nodes one after the other, each appending to a list."""
    g = words(State)
    previous = START
    for position in range(length):
        g.add_node(f"n{position}", lambda s: {"n": 1, "log": [1]})
        g.add_edge(previous, f"n{position}")
        previous = f"n{position}"
    return g.compile(checkpointer=InMemorySaver())


def seconds(words: Any, length: int, runs: int) -> float:
    """CPU time of some runs, each on a thread of its own."""
    graph = chain(words, length)
    began = time.process_time()
    for run in range(runs):
        config = {"configurable": {"thread_id": str(run)}, "recursion_limit": length + 10}
        graph.invoke({"n": 0, "log": []}, config)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for length, runs in ((10, 20), (100, 2)):
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(seconds(TheirStateGraph, length, runs))
            ours.append(seconds(StateGraph, length, runs))
        print(
            f"chain of {length:3}, InMemorySaver: LangGraph {min(theirs) / runs * 1e3:7.2f} ms, "
            f"stepgraph {min(ours) / runs * 1e3:7.2f} ms, {min(theirs) / min(ours):.1f} times"
        )


if __name__ == "__main__":
    main()
