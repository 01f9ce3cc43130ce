"""Events are the one account of a run: each kind occurs, says where it happened, and can be sent away and back."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from stepgraph import START, CachePolicy, Command, RetryPolicy, StateGraph, get_stream_writer, interrupt
from stepgraph.cache import InMemoryCache
from stepgraph.core.events import EVENT_TYPES
from stepgraph.core.types import Decision, Pause
from stepgraph.run.sync import SyncDriver
from tests.core.gates import State
from tests.simulation.model import ModelCheckpointer

AGAIN = RetryPolicy(initial_interval=0, jitter=False, max_attempts=2)


def run(
    node: Callable[[Any], Any],
    given: Any,
    saver: Any = None,
    cache: Any = None,
    unheard: frozenset[type] | None = None,
    **options: Any,
) -> list[Any]:
    """The events of one run of a graph with this node."""
    events: list[Any] = []
    graph = StateGraph(State).add_node("a", node, retry_policy=AGAIN, cache_policy=CachePolicy())
    app = graph.add_edge(START, "a").compile(checkpointer=saver, cache=cache)
    config: dict[str, Any] = {"configurable": {"thread_id": "t"}} if saver else {}
    engine = app.engine(given, config, emit=events.append, **options)
    if unheard is not None:
        engine.listen(events.append, unheard)
    with suppress(ConnectionError):
        SyncDriver().run(engine.run())
    return events


def asks(state: State) -> State:
    return {"log": [interrupt("?")]}


def fails(state: State) -> State:
    raise ConnectionError("down")


def speaks(state: State) -> State:
    get_stream_writer()("hello")
    return {"log": ["a"]}


class Later:
    """A gate that answers with a future."""

    def wants(self, place: str, node: str | None, ns: Any) -> bool:
        return place == "after"

    def __call__(self, pause: Pause) -> Any:
        answer: Future[Decision] = Future()
        answer.set_result(Decision("approve", by="ana", reason="fine"))
        pause.id = "q1"
        return answer


@pytest.fixture(scope="module")
def events() -> list[Any]:
    saver = ModelCheckpointer()
    told = run(speaks, {"log": []}, gate=Later())
    told += run(speaks, {"log": []}, unheard=frozenset())
    told += run(asks, {"log": []}, saver)
    told += run(asks, Command(resume="answer"), saver)
    told += run(fails, {"log": []})
    cache = InMemoryCache()
    told += run(speaks, {"log": []}, cache=cache) + run(speaks, {"log": []}, cache=cache)
    return told


def test_every_kind_is_told_by_a_run(events: list[Any]) -> None:
    assert {type(event).__name__ for event in events} == set(EVENT_TYPES)


def test_every_event_says_where_and_when(events: list[Any]) -> None:
    for event in events:
        assert event._fields[:3] == ("ns", "step", "time"), event
        assert event.ns == ()
        assert event.step >= -1
        assert event.time > 0


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_kind_can_be_taken_apart_by_name_and_made_again(kind: str) -> None:
    made = EVENT_TYPES[kind]
    values = {name: name for name in made._fields}

    event = made(**values)

    assert event._asdict() == values
    assert made(*event) == event
    assert pickle.loads(pickle.dumps(event)) == event
    assert inspect.getdoc(made), "says what happened"


def test_a_run_tells_what_its_task_did() -> None:
    told = {type(event).__name__: event for event in run(speaks, {"log": ["in"]}) if getattr(event, "node", "a") == "a"}

    assert told["TaskStarted"].input == {"log": ["in"]}
    assert (told["TaskStarted"].attempt, told["TaskStarted"].triggers) == (1, ("branch:to:a",))
    assert (told["TaskEmitted"].kind, told["TaskEmitted"].payload) == ("custom", "hello")
    assert (told["TaskFinished"].writes, told["TaskFinished"].routes) == ((("log", ["a"]),), ())
    assert (told["StepFinished"].changed, told["StepFinished"].values) == (("log",), {"log": ["in", "a"]})
    assert told["RunFinished"].status == "done"


def test_a_pause_and_its_decision_name_one_request() -> None:
    told = {type(event).__name__: event for event in run(speaks, {"log": []}, gate=Later())}

    assert told["Paused"].request == told["Decided"].request == "q1"
    assert told["Paused"].pause.writes == (("log", ["a"]),)
    assert (told["Decided"].verb, told["Decided"].by, told["Decided"].reason) == ("approve", "ana", "fine")


def test_a_failure_ends_the_account_with_the_error_itself() -> None:
    told = run(fails, {"log": []})

    assert [type(event).__name__ for event in told[-2:]] == ["TaskFailed", "RunFinished"]
    assert told[-2].error is told[-1].error
    assert told[-1].status == "failed"
