"""A run that another process leaves behind: `python -m tests.debug.left DB SHAPE ANSWERED STOP...` waits to be killed.

Each body appends its name to the file DB.calls, so that both processes together can be counted.
"""

from __future__ import annotations

import operator
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, TypedDict

from stepgraph.core.errors import NodeError
from stepgraph.core.types import START, Command
from stepgraph.debug import debug
from stepgraph.graph.builder import StateGraph
from stepgraph.run.context import interrupt
from tests.debug.support import held


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


class Shapes:
    """Graphs whose bodies are counted in a file."""

    def __init__(self, db: str) -> None:
        self.db = db
        self.file = Path(db + ".calls")
        self.patience = 1

    def calls(self) -> Counter[str]:
        return Counter(self.file.read_text().split()) if self.file.exists() else Counter()

    def node(self, name: str) -> Any:
        def work(state: State) -> State:
            with self.file.open("a") as file:
                file.write(f"{name}\n")
            return {"seen": [name]}

        return work

    def chain(self) -> StateGraph:
        builder = StateGraph(State)
        for name in "abc":
            builder.add_node(name, self.node(name))
        builder.add_edge(START, "a").add_edge("a", "b")
        return builder.add_conditional_edges("b", self.by_length, ["c"])

    def by_length(self, state: State) -> str:
        return "c"

    def parallel(self) -> StateGraph:
        builder = StateGraph(State)
        for name in "abc":
            builder.add_node(name, self.node(name)).add_edge(START, name)
        return builder

    def nested(self) -> StateGraph:
        inner = StateGraph(State).add_node("x", self.node("x")).add_node("y", self.node("y"))
        inner.add_edge(START, "x").add_edge("x", "y")
        builder = StateGraph(State).add_node("sub", inner.compile()).add_node("z", self.node("z"))
        return builder.add_edge(START, "sub").add_edge("sub", "z")

    def asking(self) -> StateGraph:
        def ask(state: State) -> State:
            self.node("ask")(state)
            return {"seen": [interrupt("first?"), interrupt("second?")]}

        return StateGraph(State).add_node(ask).add_edge(START, "ask")

    def failing(self) -> StateGraph:
        def fails(state: State) -> State:
            self.node("fails")(state)
            if self.calls()["fails"] < 2:
                raise ValueError("not the first time")
            return {"seen": ["fails"]}

        return StateGraph(State).add_node(fails).add_edge(START, "fails")

    def failing_inside(self) -> StateGraph:
        return StateGraph(State).add_node("sub", self.failing().compile()).add_edge(START, "sub")

    def handled(self) -> StateGraph:
        def fails(state: State) -> State:
            self.node("fails")(state)
            raise ValueError("never")

        def handles(state: State, error: NodeError) -> State:
            self.node("handles")(state)
            return {"seen": [f"handled {error.error}"]}

        return StateGraph(State).add_node("fails", fails, error_handler=handles).add_edge(START, "fails")

    def routing(self) -> StateGraph:
        """The router fails the first time that it is asked, in whichever process."""

        def route(state: State) -> str:
            self.node("route")(state)
            if self.calls()["route"] < 2:
                raise ValueError("no way yet")
            return "b"

        builder = StateGraph(State).add_node("a", self.node("a")).add_node("b", self.node("b")).add_edge(START, "a")
        return builder.add_conditional_edges("a", route, ["b"])

    def choosing(self) -> StateGraph:
        """a goes to c by a Command, and to b or d by a router."""

        def a(state: State) -> Command[str]:
            return Command(update=self.node("a")(state), goto="c")

        builder = StateGraph(State).add_node("a", a, destinations=("c",)).add_edge(START, "a")
        for name in "bcd":
            builder.add_node(name, self.node(name))
        return builder.add_conditional_edges("a", lambda state: "b" if "far" in state["seen"] else "d", ["b", "d"])

    def single(self) -> StateGraph:
        return StateGraph(State).add_node("a", self.node("a")).add_edge(START, "a")

    def blocking(self) -> StateGraph:
        """b does not end, the second time where it is asked about at `after`, until the file DB.go is there."""

        def b(state: State) -> State:
            found = self.node("b")(state)
            while self.calls()["b"] >= self.patience and not self.free():
                time.sleep(0.005)
            return found

        builder = StateGraph(State).add_node("a", self.node("a")).add_node("b", b)
        return builder.add_edge(START, "a").add_edge("a", "b")

    def asking_once(self) -> StateGraph:
        def ask(state: State) -> State:
            self.node("ask")(state)
            answer = interrupt("first?")
            while not self.free():
                time.sleep(0.005)
            return {"seen": [answer]}

        return StateGraph(State).add_node(ask).add_edge(START, "ask")

    def free(self) -> bool:
        return self.file.with_suffix(".go").exists()

    def session(self, shape: str) -> Any:
        graph = getattr(self, shape)().compile(checkpointer=f"sqlite:///{self.db}", name=shape)
        return debug(graph)


def main(db: str, shape: str, answered: str, *stops: str) -> None:
    shapes = Shapes(db)
    dbg = shapes.session(shape)
    for stop in stops:
        policy = "approve edit reject suspend" if shape == "blocking" else "approve edit suspend"
        dbg.gate(stop, allow=policy) if stop.startswith("after") else dbg.stop(stop, hits=1 + (stop == "plan"))
    if stops and stops[0].startswith("after"):
        shapes.patience = 2
    run = dbg.start({"seen": []}, thread="t1")
    if shape == "blocking":
        _leave_in_the_body(shapes, run, stops[0])
    elif answered == "redirect":
        held(run)[0].redirect("d")
        while [request.place for request in run.pending()] != ["step"]:
            run.inbox.wait(len(run.inbox.all()), 0.01)
    elif shape == "asking_once":
        held(run)[0].respond("early")
    else:
        for _ in range(int(answered)):
            held(run)[0].respond("early")
        if shape == "asking":
            held(run)
            while len(run.inbox.all()) <= int(answered):
                run.inbox.wait(int(answered))
        else:
            held(run, len(stops))
        while shape == "parallel" and any(row.status in ("planned", "running") for row in run.ledger.rows()):
            run.inbox.wait(len(run.inbox.all()), 0.01)
    run.saver.flush()
    print("held", flush=True)
    sys.stdin.read()


def _leave_in_the_body(shapes: Shapes, run: Any, stop: str) -> None:
    """Decide the one question and wait until b has begun, for the second time if its answer was rejected."""
    (request,) = held(run)
    if stop.startswith("after"):
        request.reject("once more", then="retry", by="ana")
    else:
        request.approve(by="ana")
    while shapes.calls()["b"] < shapes.patience:
        time.sleep(0.005)


if __name__ == "__main__":
    main(*sys.argv[1:])
