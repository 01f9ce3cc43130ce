"""A small graph's plan and pauses in it, made by hand: requests need no run."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from stepgraph.approve.judge import judge_of
from stepgraph.approve.requests import Cause, Request
from stepgraph.core.channels import BinaryOperatorAggregate, LastValue
from stepgraph.core.combining import preview
from stepgraph.core.plan import Node, Plan
from stepgraph.core.types import START, Pause

TYPES = {"answer": str, "score": float, "messages": list[str], "tags": list[str]}


@pytest.fixture
def plan() -> Plan:
    keys = frozenset(TYPES)
    channels = {
        "answer": LastValue(str, "answer"),
        "score": LastValue(float, "score"),
        "messages": BinaryOperatorAggregate(list, operator.add, "messages"),
        "tags": LastValue(list, "tags"),
    }
    nodes = {
        START: Node(START, None, writes=keys, successors=("draft",)),
        "draft": Node("draft", lambda state: state, writes=keys, successors=("send",)),
        "send": Node("send", lambda state: state, writes=keys),
    }
    return Plan("support", channels, nodes, state_keys=tuple(TYPES), output_keys=tuple(TYPES), input_keys=tuple(TYPES))


@pytest.fixture
def ask(plan: Plan) -> Any:
    """Make a pending request: ask(place, writes, state, cause)."""

    def make(place: Any, writes: Any = (), state: Any = None, cause: Cause | None = None, **more: Any) -> Request:
        values = {"answer": "old", "messages": ["hello"], "tags": ["a", "b"]} if state is None else state
        pause = Pause(place, (), 3, node="draft", task="t", state=values, values=values, writes=tuple(writes))
        pause.result = preview(plan, values, pause.writes)
        for name, value in more.items():
            setattr(pause, name, value)
        return Request("r1", pause, cause or Cause("stop #1"), plan, judge_of(TYPES))

    return make
