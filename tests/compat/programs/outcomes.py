"""What a call returns with `output_keys` of its own, updates after a Command, and who runs it."""

import asyncio
import operator
import warnings
from collections.abc import Callable
from itertools import product
from typing import Annotated, Any

from langgraph.channels import EphemeralValue, LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.runtime import Runtime
from langgraph.stream import StreamTransformer
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    d: dict
    n: int


def thread(name: Any) -> Any:
    return {"configurable": {"thread_id": str(name)}}


def attempt(show: Any, play: Callable[..., Any], *args: Any, **options: Any) -> None:
    try:
        show(play(*args, **options))
    except Exception as error:
        show(type(error).__name__, str(error)[:30])


def awaited(play: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return asyncio.run(play(*args, **options))


def ask(_: State) -> Any:
    return {"log": [interrupt("q")], "d": {"k": 1}}


def chain(first: Any) -> StateGraph:
    g = StateGraph(State)
    g.add_node("a", first)
    g.add_node("c", ask)
    g.add_edge(START, "a")
    g.add_edge("a", "c")
    return g


def chosen_keys(show: Any) -> None:
    """The values as they were when a chosen key was last written, and the questions beside them."""
    firsts = (lambda _: {"log": ["a"], "d": {"x": 1}}, ask, lambda _: {"n": 1})
    for place, first in enumerate(firsts):
        for stops in ([], ["c"]):
            app = chain(first).compile(checkpointer=InMemorySaver(), interrupt_before=stops)
            for keys, version in product(("log", "d", "n", ["d"], ["n"], ["d", "log"], []), ("v1", "v2")):
                given: Any = {"output_keys": keys, "version": version}
                for asked in ({"log": ["x"]}, Command(resume="r"), Command(resume="s"), {"n": 2}):
                    config = thread((place, stops, keys, version))
                    attempt(show, app.invoke, asked, config, **given)
                    config = thread((place, stops, keys, version, "async"))
                    attempt(show, awaited, app.ainvoke, asked, config, **given)


def chosen_keys_of_functions(show: Any) -> None:
    @task
    def question(value: Any) -> Any:
        return interrupt(value)

    @entrypoint(checkpointer=InMemorySaver())
    def ends(value: Any) -> Any:
        return {"a": question(value).result()} if value == "d" else question(value).result()

    for value, keys, version in product("dy", (None, "__end__", "__previous__", ["__end__"]), ("v1", "v2")):
        given: Any = {"output_keys": keys, "version": version}
        for asked in (value, Command(resume="r")):
            attempt(show, ends.invoke, asked, thread((value, keys, version)), **given)


def chosen_channels(show: Any) -> None:
    """Also of channels that hold nothing any more at the end."""
    for output in ("o", "e", ["o", "e"]):
        app = Pregel(
            nodes={
                "a": NodeBuilder().subscribe_only("i").do(lambda x: x + 1).write_to("e"),
                "b": NodeBuilder().subscribe_only("e").do(lambda x: x * 2).write_to("o"),
            },
            channels={"i": EphemeralValue(int), "e": EphemeralValue(int), "o": LastValue(int)},
            input_channels="i",
            output_channels=output,
        )
        for keys, version in product((None, "o", "e", ["o", "e"], ["e"], "i", ["i"]), ("v1", "v2")):
            given: Any = {"output_keys": keys, "version": version}
            attempt(show, app.invoke, 1, **given)
            attempt(show, awaited, app.ainvoke, 1, **given)


def updates_after_commands(show: Any) -> None:
    """A Command as input is no node's run: an update without `as_node` still comes from the last node."""
    g = StateGraph(State)
    g.add_node("a", lambda _: {"log": ["a"]})
    g.add_node("b", lambda _: {"log": [interrupt("q")]})
    g.add_node("c", lambda _: {"log": ["c"]})
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    g.add_edge("a", "c")
    app = g.compile(checkpointer=InMemorySaver())
    updates: Any = [
        (None, END), (None, None), ({"log": ["w"]}, "a"), ({"log": ["w"]}, None), ({"log": ["w"]}, "b"),
        (None, "__copy__"), ({"log": ["w"]}, "__input__"),
    ]  # fmt: skip
    for place, command in enumerate((None, Command(goto="c"), Command(resume="x"))):
        for update in updates:
            config = thread((place, update))
            app.invoke({"log": ["i"]}, config)
            attempt(show, app.invoke, command, config)
            attempt(show, app.update_state, config, *update)
            attempt(show, app.invoke, None, config)
            for each in app.get_state_history(config):
                show((each.metadata["step"], each.metadata["source"], each.next, each.values))


def who_runs_it(show: Any) -> None:
    """A user counts only with an identity."""

    class User:
        identity = "me"

    def tell(_: State, runtime: Runtime) -> Any:
        info = runtime.server_info
        shown = info and (info.assistant_id, info.graph_id, getattr(info.user, "identity", info.user))
        return {"d": {"info": shown}}

    app = StateGraph(State).add_node(tell).add_edge(START, "tell").compile()
    users = (User(), object(), {"identity": "d"}, None)
    for user, ids in product(users, ({}, {"assistant_id": "a"}, {"graph_id": "g"})):
        show(app.invoke({}, {"configurable": {"langgraph_auth_user": user, **ids}}))


def refused_events(show: Any) -> None:
    """What v3 events do not take is said before anything else."""

    class Nothing(StreamTransformer):
        def init(self) -> Any:
            return {}

        def process(self, _: Any) -> bool:
            return True

    app = chain(lambda _: {"n": 1}).compile()
    different: Any = [{"transformers": None}, {"transformers": [Nothing]}]
    different += [{"stream_mode": "values"}, {"subgraphs": False}]
    for given in different:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                show(app.stream_events({"log": []}, version="v3", **given).output)
            except TypeError as error:
                show(type(error).__name__, str(error)[:90].partition(";")[0].partition(":")[0])
            show([(each.category.__name__, str(each.message)) for each in heard])
