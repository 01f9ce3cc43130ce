"""A gate that answers from a list, and a graph to try it on."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from stepgraph import END, START, StateGraph, interrupt
from stepgraph.core.engine import Outcome
from stepgraph.core.types import APPROVE, Decision, Pause
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.sync import SyncDriver


class ScriptedGate:
    """Asked at `place` (and `node`, and superstep `step`, when given): answers with `decisions`, then approves."""

    def __init__(self, place: str, *decisions: Decision, node: str | None = None, step: int | None = None) -> None:
        self.place = place
        self.node = node
        self.step = step
        self.decisions = list(decisions)
        self.pauses: list[Pause] = []

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return place == self.place and (self.node is None or node == self.node)

    def __call__(self, pause: Pause) -> Decision:
        if self.step is not None and pause.step != self.step:
            return APPROVE
        self.pauses.append(pause)
        return self.decisions.pop(0) if self.decisions else APPROVE


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: str


class Desk:
    """draft → (by x) left or right; extra is reached by redirects only. `runs` counts bodies.

    `failures` is how often draft fails first; with `asks` it asks a person; with `is_async` all bodies are coroutines.
    """

    def __init__(self, *, failures: int = 0, asks: bool = False, is_async: bool = False, saver: Any = None) -> None:
        self.runs: Counter[str] = Counter()
        self.routed = 0
        self.failures = failures
        self.asks = asks
        g = StateGraph(State)
        for name in ("draft", "left", "right", "extra"):
            g.add_node(name, self._node(name, is_async))
        g.add_edge(START, "draft")
        g.add_conditional_edges("draft", self._route, ["left", "right", END])
        self.app: CompiledStateGraph = g.compile(checkpointer=saver)

    def _node(self, name: str, is_async: bool) -> Callable[[State], Any]:
        def body(state: State) -> State:
            return self._body(name, state)

        async def coroutine(state: State) -> State:
            await asyncio.sleep(0)
            return self._body(name, state)

        return coroutine if is_async else body

    def _body(self, name: str, state: State) -> State:
        self.runs[name] += 1
        if name != "draft":
            return {"log": [f"{name} saw {state['x']}"]}
        if self.runs[name] <= self.failures:
            raise ConnectionError("draft is down")
        if self.asks:
            return {"log": [interrupt("what?")], "x": "left"}
        return {"log": [f"draft saw {state['x']}"], "x": "left"}

    def _route(self, state: State) -> str:
        self.routed += 1
        return state["x"] if state["x"] in ("left", "right") else END


INPUT: State = {"log": ["in"], "x": "start"}


def drive(app: CompiledStateGraph, input: Any, gate: Any, *, loop: bool, emit: Any = None) -> Outcome:
    """Run with a gate, on the sync or the asyncio driver."""
    config: dict[str, Any] = {"configurable": {"thread_id": "t"}} if app.checkpointer is not None else {}
    engine = app.engine(input, config, gate=gate, durability="sync", emit=emit)
    outcome: Outcome = asyncio.run(AsyncDriver().run(engine.run())) if loop else SyncDriver().run(engine.run())
    return outcome
