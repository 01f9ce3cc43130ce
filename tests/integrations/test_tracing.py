"""Who hears of runs, and what tracers record of nodes with a TracePolicy."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypedDict

import langsmith
import pytest
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.globals import set_debug
from langchain_core.tracers import context
from langchain_core.tracers.base import BaseTracer
from langsmith.run_helpers import tracing_context
from langsmith.utils import get_env_var

from stepgraph import START, StateGraph
from stepgraph.core.limits import TracePolicy, omit_payload
from stepgraph.integrations.listeners import listened


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


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment without tracing, as langsmith reads it once."""
    for name in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING"):
        monkeypatch.delenv(name, raising=False)
    get_env_var.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    get_env_var.cache_clear()


def client() -> langsmith.Client:
    """One that sends nothing."""
    return langsmith.Client(api_key="none", auto_batch_tracing=False)


def within_a_run() -> AbstractContextManager[Any]:
    return tracing_context(parent=langsmith.RunTree(name="outer", client=client()))


CONTEXTS: dict[str, Any] = {
    "nothing said": nullcontext,
    "enabled": lambda: tracing_context(enabled=True),
    "local": lambda: tracing_context(enabled="local"),
    "disabled": lambda: tracing_context(enabled=False),
    "within a run": within_a_run,
}


@pytest.mark.parametrize("name", [None, "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
@pytest.mark.parametrize("value", ["true", "false", ""])
@pytest.mark.parametrize("around", CONTEXTS)
@pytest.mark.parametrize("globally", [None, True, False])
def test_a_run_is_listened_to_where_langchain_core_would_trace_it(
    name: str | None, value: str, around: str, globally: bool | None, environment: pytest.MonkeyPatch
) -> None:
    if name is not None:
        environment.setenv(name, value)
    environment.setattr("langsmith._internal._context._GLOBAL_TRACING_ENABLED", globally)

    with CONTEXTS[around]():
        assert listened({}) == bool(context._tracing_v2_is_enabled())


def test_tracers_that_are_switched_on_later_or_in_the_context_listen(environment: pytest.MonkeyPatch) -> None:
    heard = [listened({})]
    environment.setenv("LANGSMITH_TRACING", "true")
    heard.append(listened({}))  # langsmith has read it and looks no more
    get_env_var.cache_clear()
    heard.append(listened({}))
    environment.delenv("LANGSMITH_TRACING")
    get_env_var.cache_clear()
    with context.collect_runs():
        heard.append(listened({}))
    with context.tracing_v2_enabled(client=client()):
        heard.append(listened({}))
    set_debug(True)
    heard.append(listened({}))
    set_debug(False)

    assert heard == [False, False, True, True, True, True]
    assert not listened({})
    assert listened({"callbacks": [Real()]})


def test_instrumentation_that_adds_its_handler_to_every_manager_hears_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    class Handler(BaseCallbackHandler):
        def on_chain_start(self, *_: Any, **told: Any) -> None:
            heard.append(told["name"])

    made = BaseCallbackManager.__init__

    @functools.wraps(made)
    def instrumented(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if not self.inheritable_handlers:
            self.add_handler(Handler(), inherit=True)

    class Count(TypedDict):
        n: int

    app = StateGraph(Count).add_node("a", lambda s: {"n": 1}).add_edge(START, "a").compile()
    app.invoke({"n": 0})
    assert heard == []
    monkeypatch.setattr(BaseCallbackManager, "__init__", instrumented)
    assert app.invoke({"n": 0}) == {"n": 1}
    assert heard == ["LangGraph", "a"]
    asyncio.run(app.ainvoke({"n": 0}))
    assert heard == ["LangGraph", "a"] * 2
