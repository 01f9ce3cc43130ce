"""Programs of lone nodes, which take the short ways through the engine, and may fail, ask and go astray in them."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextvars import ContextVar
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableLambda

from stepgraph import (
    END,
    START,
    Command,
    Send,
    StateGraph,
    entrypoint,
    get_config,
    get_runtime,
    get_stream_writer,
    interrupt,
    task,
)
from stepgraph.graph.compiled import CompiledStateGraph

spoken: ContextVar[str] = ContextVar("spoken", default="nothing")


class State(TypedDict, total=False):
    n: int
    text: str


class Log(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


@task
def double(n: int) -> int:
    return 2 * n


@task
def fails(n: int) -> int:
    raise ConnectionError(n)


def one(body: Callable[[Any], Any], schema: Any = State, then: Any = None) -> CompiledStateGraph:
    """A node `first`, a router if there is one, and a node `last`."""
    g = StateGraph(schema).add_node("first", body).add_node("last", lambda state: {}).add_edge(START, "first")
    if then is not None:
        g.add_conditional_edges("first", then)
    else:
        g.add_edge("first", "last")
    return g.compile()


def raising(kind: type[BaseException], *args: Any) -> Callable[[Any], Any]:
    def body(state: Any) -> Any:
        raise kind(*args)

    return body


def calls_and_does_not_wait(state: Any) -> Any:
    double(state["n"])
    return {"n": 1}


def calls_what_fails(state: Any) -> Any:
    fails(state["n"])
    return {"n": 1}


def changes_its_context(state: Any) -> Any:
    before = spoken.get()
    spoken.set("something")
    return {"text": before}


def looks_around(state: Any) -> Any:
    config, runtime = get_config(), get_runtime()
    metadata = {key: value for key, value in config["metadata"].items() if key != "langgraph_checkpoint_ns"}
    return {"text": f"{metadata} {runtime.store} {runtime.context} {sorted(config['configurable'])}"}


def speaks(state: Any) -> Any:
    get_stream_writer()("aloud")
    return {"text": "spoken"}


PROGRAMS: dict[str, Callable[[], CompiledStateGraph]] = {
    "an update": lambda: one(lambda state: {"n": state["n"] + 1}),
    "no update": lambda: one(lambda state: None),
    "a key that the state has not": lambda: one(lambda state: {"n": 2, "other": 3}),
    "no dict": lambda: one(lambda state: 7),
    "a reducer": lambda: one(lambda state: {"log": [2]}, Log),
    "a reducer that refuses": lambda: one(lambda state: {"log": 2}, Log),
    "an error": lambda: one(raising(KeyError, "no")),
    "an interrupted kernel": lambda: one(raising(KeyboardInterrupt)),
    "a cancelled future": lambda: one(raising(CancelledError)),
    "a cancelled coroutine": lambda: one(raising(asyncio.CancelledError)),
    "a stopped iterator": lambda: one(raising(StopIteration, 3)),
    "a question": lambda: one(lambda state: {"n": interrupt("how many?")}),
    "a command": lambda: one(lambda state: Command(update={"n": 5}, goto="last")),
    "a command for a parent that is not there": lambda: one(lambda state: Command(graph=Command.PARENT, goto="x")),
    "a command to an unknown node": lambda: one(lambda state: Command(goto="nowhere")),
    "Sends": lambda: one(lambda state: Command(goto=[Send("last", {}), Send("last", {})])),
    "a router": lambda: one(lambda state: {"n": 3}, then=lambda state: "last" if state["n"] == 3 else END),
    "a router to the end": lambda: one(lambda state: {"n": 3}, then=lambda state: END),
    "a router that fails": lambda: one(lambda state: {"n": 3}, then=raising(ValueError, "no way")),
    "a loop": lambda: one(lambda state: {"n": state["n"] + 1}, then=lambda s: "first" if s["n"] < 9 else "last"),
    "a loop without end": lambda: one(lambda state: {"n": state["n"] + 1}, then=lambda state: "first"),
    "a Runnable as the result": lambda: one(lambda state: RunnableLambda(lambda given: {"n": given["n"] + 7})),
    "a failing Runnable as the result": lambda: one(lambda state: RunnableLambda(raising(OSError, "within"))),
    "a context of its own": lambda: one(changes_its_context),
    "what it says": lambda: one(speaks),
    "a call that goes on": lambda: one(calls_and_does_not_wait),
    "a call that fails": lambda: one(calls_what_fails),
    "a call inside": lambda: one(lambda state: {"n": double(state["n"]).result()}),
    "a graph inside": lambda: one(lambda state: one(lambda inner: {"n": inner["n"] + 5}).invoke(state)),
    "a failing graph inside": lambda: one(lambda state: one(raising(OSError, "deep")).invoke(state)),
    "what nodes can see": lambda: one(looks_around),
    "a function": lambda: entrypoint()(lambda given: double(given["n"]).result()),
}


def account(call: Callable[[], Any]) -> Any:
    """What a call gives, or what it raises, with what is told of it."""
    try:
        result = call()
        asked = result.pop("__interrupt__", ()) if isinstance(result, dict) else ()
        return result, [each.value for each in asked]  # their ids are the run's
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # noqa: BLE001  whatever comes is compared
        notes = [note.partition("' and id")[0] for note in getattr(error, "__notes__", ())]
        return type(error).__name__, str(error), notes, type(error.__cause__).__name__
