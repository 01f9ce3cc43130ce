"""What tracers record of nodes with a TracePolicy."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.base import BaseTracer

from stepgraph import START, StateGraph
from stepgraph.core.limits import TracePolicy, omit_payload


class State(TypedDict):
    text: str


class Tracer(BaseTracer):
    """Keeps the runs."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.runs.append(run)


class Real(BaseCallbackHandler):
    """Keeps the inputs and outputs of nodes."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **more: Any) -> None:
        self.seen.append(inputs)

    def on_chain_end(self, outputs: Any, **more: Any) -> None:
        self.seen.append(outputs)


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("routed", [False, True])
def test_tracers_record_what_the_policy_says_and_others_get_the_real_values(way: str, routed: bool) -> None:
    policy = TracePolicy(process_inputs=omit_payload, process_outputs=lambda value: {"length": len(value["text"])})
    builder = StateGraph(State).add_node("a", lambda state: {"text": "long"}, trace_policy=policy).add_edge(START, "a")
    if routed:
        builder.add_conditional_edges("a", lambda state: "__end__")
    tracer, real = Tracer(), Real()
    config = {"callbacks": [tracer, real]}
    if way == "sync":
        builder.compile().invoke({"text": "in"}, config)
    else:
        asyncio.run(builder.compile().ainvoke({"text": "in"}, config))
    (whole,) = tracer.runs
    (node,) = whole.child_runs
    assert (node.inputs, node.outputs) == ({}, {"length": 4})
    assert whole.outputs == {"text": "long"}
    assert real.seen[1] == {"text": "in"}
    assert {"text": "long"} in real.seen
