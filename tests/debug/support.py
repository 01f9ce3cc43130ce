"""What the tests of the debugger share: a small support graph, and waiting for requests without sleeping."""

from __future__ import annotations

import operator
import time
from collections import Counter
from typing import Annotated, Any, TypedDict

from stepgraph.approve.requests import Request
from stepgraph.core.types import END, START
from stepgraph.debug import debug, lifetime
from stepgraph.debug.run import Run
from stepgraph.debug.session import Session
from stepgraph.graph.builder import StateGraph

SECONDS = 20.0
"""How long a test waits for something that should happen at once."""


class State(TypedDict, total=False):
    question: str
    answer: str
    score: float
    messages: Annotated[list[str], operator.add]


def held(run: Run, count: int = 1) -> list[Request]:
    """The pending requests, once there are `count`."""
    end = time.monotonic() + SECONDS
    while len(run.pending()) < count:
        assert time.monotonic() < end, (
            f"{run.summary} with {len(run.pending())} requests, wanted {count}: {run.error!r}"
        )
        assert not run.ended, f"{run.summary}: {run.error!r}"
        run.inbox.wait(len(run.inbox.all()), 0.05)
    return list(run.pending())


def finished(run: Run) -> Run:
    """The run, once it has ended."""
    end = time.monotonic() + SECONDS
    while not run.wait(0.2):
        assert time.monotonic() < end, run.summary
    return run


def end_runs() -> None:
    """End what a test left held or at work: while a run lives, output is captured and threads switch faster."""
    for run in list(lifetime._alive):
        assert isinstance(run, Run)
        run.cancel()
        run.wait(SECONDS)


def burden() -> float:
    """How much slower than its CPU time this machine works at the moment; 1 when it has nothing else to do."""
    wall, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < 0.05:
        pass
    return max(1.0, (time.monotonic() - wall) / 0.05)


class Support:
    """classify, then draft, then send unless the score is high; `calls` counts the bodies."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.routed: list[Any] = []
        self.sessions: list[Session] = []

    def graph(self, name: str = "support", **options: Any) -> Any:
        def classify(state: State) -> State:
            self.calls["classify"] += 1
            return {"score": 0.5, "messages": ["classified"]}

        def draft(state: State) -> State:
            self.calls["draft"] += 1
            return {"answer": f"about {state['question']}", "messages": ["drafted"]}

        def send(state: State) -> State:
            self.calls["send"] += 1
            return {"messages": [f"sent: {state.get('answer')}"]}

        def by_score(state: State) -> str:
            self.routed.append(state.get("answer"))
            return "send" if state.get("score", 0) < 0.9 else END

        builder = StateGraph(State).add_node(classify).add_node(draft).add_node(send)
        builder.add_edge(START, "classify").add_edge("classify", "draft").add_edge("send", END)
        builder.add_conditional_edges("draft", by_score, ["send", END])
        return builder.compile(name=name, **options)

    def debug(self, graph: Any = None, **options: Any) -> Session:
        made = debug(self.graph() if graph is None else graph, **options)
        self.sessions.append(made)
        return made

    def end(self) -> None:
        for session in self.sessions:
            for run in session.runs:
                run.cancel()
                run.wait(SECONDS)
