"""Methods that run graphs, replaced as tracing libraries and tests do: graphs that are nodes go by them too."""

import asyncio
import copy
import gc
import operator
from typing import Annotated, Any
from unittest.mock import Mock, patch

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import Pregel
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def nested(first: Any = None, **options: Any) -> tuple[Any, Any]:
    """A graph, and one that has it as its node."""
    inner = StateGraph(State).add_node("a", first or (lambda s: {"log": ["a"]})).add_edge(START, "a")
    child = inner.compile(name="child")
    outer = StateGraph(State).add_node("child", child).add_node("b", lambda s: {"log": ["b"]})
    return child, outer.add_edge(START, "child").add_edge("child", "b").compile(name="outer", **options)


def watch(seen: list[Any], name: str) -> Any:
    """A method that says that it was called, and of which graph, and goes on with the graph's own."""
    own = getattr(Pregel, name)
    if name == "invoke":
        return lambda self, *args, **options: (seen.append((name, self.name)), own(self, *args, **options))[1]
    if name == "ainvoke":

        async def ainvoke(self: Any, *args: Any, **options: Any) -> Any:
            seen.append((name, self.name))
            return await own(self, *args, **options)

        return ainvoke
    if name == "stream":

        def stream(self: Any, *args: Any, **options: Any) -> Any:
            seen.append((name, self.name))
            yield from own(self, *args, **options)

        return stream

    async def astream(self: Any, *args: Any, **options: Any) -> Any:
        seen.append((name, self.name))
        async for chunk in own(self, *args, **options):
            yield chunk

    return astream


def replaced_on_the_class(show: Any) -> None:
    for name in ("invoke", "ainvoke", "stream", "astream"):
        seen: list[Any] = []
        _, before = nested()
        with patch.object(Pregel, name, watch(seen, name)):
            _, during = nested()
            for graph in (before, during):
                show(name, graph.invoke({"log": []}), seen.copy())
                show(asyncio.run(graph.ainvoke({"log": []})), seen.copy())
                show(list(graph.stream({"log": []}, stream_mode="updates", subgraphs=False)), seen.copy())
                seen.clear()
        for graph in (before, during):
            show(graph.invoke({"log": []}), asyncio.run(graph.ainvoke({"log": []})), seen)


def replaced_and_asked(show: Any) -> None:
    for name in ("invoke", "stream"):
        seen: list[Any] = []
        _, graph = nested(lambda s: {"log": [interrupt("who?")]}, checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "1"}}
        with patch.object(Pregel, name, watch(seen, name)):
            show(graph.invoke({"log": []}, config), graph.get_state(config).next, seen)
            show([task.state is not None for task in graph.get_state(config, subgraphs=True).tasks])
            show(graph.invoke(Command(resume="me"), config), graph.get_state(config).next, seen)
        config = {"configurable": {"thread_id": "2"}}
        show(graph.invoke({"log": []}, config), graph.get_state(config, subgraphs=True).tasks[0].state.next)
        show(graph.invoke(Command(resume="me"), config), seen)


def replaced_twice_and_drawn(show: Any) -> None:
    seen: list[Any] = []
    _, graph = nested()
    with patch.object(Pregel, "invoke", watch(seen, "invoke")):
        with patch.object(Pregel, "invoke", watch(seen, "invoke")):
            show(graph.invoke({"log": []}), seen)
        show(graph.invoke({"log": []}), seen)
        show(sorted(graph.get_graph(xray=True).nodes), [name for name, _ in graph.get_subgraphs()])
    show(graph.invoke({"log": []}), seen, sorted(graph.get_graph(xray=True).nodes))


def replaced_and_told_to_the_parent(show: Any) -> None:
    seen: list[Any] = []
    _, graph = nested(lambda s: Command(graph=Command.PARENT, goto="b", update={"log": ["up"]}))
    with patch.object(Pregel, "invoke", watch(seen, "invoke")):
        show(graph.invoke({"log": []}), seen)
    show(graph.invoke({"log": []}))


def replaced_on_one_graph(show: Any) -> None:
    child, graph = nested()
    for target in (child, graph):
        with patch.object(target, "stream", Mock(return_value=iter([("values", {"log": ["mocked"]})]))) as mocked:
            show(target.invoke({"log": []}), mocked.call_count)
        show(target.invoke({"log": []}))
    with patch.object(child, "invoke", Mock(return_value={"log": ["mocked"]})) as mocked:
        show(graph.invoke({"log": []}), mocked.call_count, child.invoke(1))
    show(graph.invoke({"log": []}), child.invoke({"log": []}))
    child.stream = lambda *args, **options: iter([("values", {"log": ["streamed"]})])
    later = StateGraph(State).add_node("child", child).add_edge(START, "child").compile()
    show(later.invoke({"log": []}), graph.invoke({"log": []}))
    del child.stream
    show(later.invoke({"log": []}), graph.invoke({"log": []}))
    child.invoke = lambda *args, **options: {"log": ["mine"]}
    show(graph.invoke({"log": []}), nested()[1].invoke({"log": []}))
    del child.invoke
    show(graph.invoke({"log": []}))


def replaced_under_callbacks(show: Any) -> None:
    class Heard(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, *, name: str = "", **_: Any) -> None:
            show("start", name)

        def on_chain_end(self, outputs: Any, **_: Any) -> None:
            show("end", outputs)

    seen: list[Any] = []
    _, graph = nested()
    config: Any = {"callbacks": [Heard()]}
    graph.invoke({"log": []}, config)
    with patch.object(Pregel, "invoke", watch(seen, "invoke")):
        show(graph.invoke({"log": []}, config), seen)
    show(graph.invoke({"log": []}, config), seen)


def replaced_inside_copies(show: Any) -> None:
    """Graphs with a config, and copies, whose original is gone; and what they do when nothing is replaced any more."""
    for derived in (lambda g: g.with_config(tags=["t"]), lambda g: g.copy(), copy.copy, lambda g: g):
        child, made = nested()
        outer = derived(made)
        del made
        gc.collect()
        with patch.object(child, "invoke", lambda *_, **__: {"log": ["fake"]}):
            show(outer.invoke({"log": []}))
        seen: list[Any] = []
        with patch.object(Pregel, "invoke", watch(seen, "invoke")):
            show(outer.invoke({"log": []}), seen)
        show([(len(ns), chunk) for ns, chunk in outer.stream({"log": []}, stream_mode="updates", subgraphs=True)])


def states_replaced_on_one_graph(show: Any) -> None:
    """A sync method may be replaced by one that calls the async one, which so never calls the sync one."""
    graph = nested(checkpointer=InMemorySaver())[1]
    config: Any = {"configurable": {"thread_id": "1"}}
    graph.invoke({"log": []}, config)
    for name in ("get_state", "get_state_history", "update_state", "bulk_update_state"):
        setattr(graph, name, Mock(side_effect=AssertionError(name)))

    async def journey() -> None:
        newest = await graph.aget_state(config)
        show(newest.values, newest.next)
        show([each.next async for each in graph.aget_state_history(config)])
        show([each.next async for each in graph.aget_state_history(newest.config, limit=1)])
        updated = await graph.aupdate_state(config, {"log": ["edited"]}, as_node="child")
        show((await graph.aget_state(updated)).next)

    asyncio.run(journey())
    graph.get_state = lambda config: asyncio.run(graph.aget_state(config))
    show(graph.get_state(config).values)
