"""States, histories, edits and journeys: the call forms and what each gives."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, StateSnapshot, StateUpdate, interrupt
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def chain(*names: str, **compiled: Any) -> Any:
    g = StateGraph(Log).add_sequence([(name, lambda s, name=name: {"log": [name]}) for name in names])
    return g.add_edge(START, names[0]).compile(**{"checkpointer": InMemorySaver(), **compiled})


def brief(state: Any) -> Any:
    tasks = [(task.name, task.error, [each.value for each in task.interrupts], task.result) for task in state.tasks]
    return state.metadata and (state.metadata["source"], state.metadata["step"]), state.next, state.values, tasks


def a_state_that_is_one_value(show: Any) -> None:
    """Also where the value is an empty dict, or one with the name that the state has inside."""
    for saver in (None, InMemorySaver()):
        for given, made in (({}, {"a": 1}), ({"a": 1}, {}), ({}, None), ({"__root__": 5}, {"__root__": 6}), ([], {})):
            seen: list[Any] = []
            builder: Any = StateGraph(dict)
            builder.add_node("first", lambda s: seen.append(s) or made)
            builder.add_node("second", lambda s: seen.append(s))
            builder.add_node("third", lambda s: seen.append(s) or s)
            builder.add_edge(START, "first").add_edge("first", "second").add_edge("first", "third")
            builder.add_conditional_edges("second", lambda s: seen.append(s) or END)
            graph = builder.compile(checkpointer=saver)
            config = thread(repr((given, made)))
            show(given, made, graph.invoke(given, config), asyncio.run(graph.ainvoke(given, config)))
            show(list(graph.stream(given, config)), len(seen), sorted(map(repr, seen)))
            if saver is not None:
                graph.update_state(config, {}, as_node="first")
                show([brief(each) for each in graph.get_state_history(config)], graph.invoke(None, config))


def an_empty_thread(show: Any) -> None:
    app = chain("a", "b")
    state = app.get_state(thread())
    show(
        state.values,
        state.next,
        state.metadata,
        state.created_at,
        state.parent_config,
        state.tasks,
        state.interrupts,
        state.config,
    )
    show(list(app.get_state_history(thread())), kind(lambda: app.get_state(thread("t", checkpoint_id="nowhere")).next))
    show(kind(lambda: app.invoke(None, thread())), StateSnapshot._fields)


def live_and_recorded(show: Any) -> None:
    def ask(s: Log) -> dict:
        return {"log": [interrupt("q")]}

    g = (
        StateGraph(Log)
        .add_node("done", lambda s: {"log": ["done"]})
        .add_node(ask)
        .add_node("after", lambda s: {"log": ["after"]})
    )
    app = (
        g.add_edge(START, "done").add_edge(START, "ask").add_edge("done", "after").compile(checkpointer=InMemorySaver())
    )
    app.invoke({"log": ["in"]}, thread())
    live = app.get_state(thread())
    show("live", brief(live), sorted(live.config["configurable"]))
    show("recorded", brief(app.get_state(live.config)), brief(app.get_state(thread("t", checkpoint_id=None))))
    show([brief(each) for each in app.get_state_history(thread())])
    show(
        [brief(each) for each in app.get_state_history(live.config)],
        [brief(each) for each in app.get_state_history(thread(), limit=1)],
    )
    show(
        [brief(each) for each in app.get_state_history(thread(), filter={"source": "input"})],
        [brief(each) for each in app.get_state_history(thread(), before=live.config)],
    )
    show(app.invoke(Command(resume="yes"), live.config), brief(app.get_state(thread())))


def whose_update(show: Any) -> None:
    """Whose update it is, where the caller doesn't say: the last node's, if that is clear."""

    def branched() -> Any:
        g = StateGraph(Log)
        for name in ("a", "b", "c"):
            g.add_node(name, lambda s, name=name: {"log": [name]})
        return (
            g.add_edge(START, "a")
            .add_edge(START, "b")
            .add_edge("a", "c")
            .compile(checkpointer=InMemorySaver(), interrupt_before=["c"])
        )

    for app in (chain("a"), chain("a", "b", interrupt_before=["b"]), chain("a", "b"), branched()):
        for began in (False, True):
            name = str(began)
            if began:
                app.invoke({"log": ["in"]}, thread(name))
            for as_node in (None, "a", START, "__input__", END, "x", "__copy__"):
                for values in ({"log": ["u"]}, None):
                    if values is None and as_node == "__input__":
                        continue
                    found = kind(lambda: app.update_state(thread(name), values, as_node))
                    show(
                        (
                            began,
                            as_node,
                            values,
                            found if isinstance(found, str) else "made",
                            brief(app.get_state(thread(name))),
                        )
                    )
    show(kind(lambda: chain("a", checkpointer=None).update_state(thread(), {"log": []})))


def as_several_nodes(show: Any) -> None:
    for supersteps in (
        [[StateUpdate({"log": ["1"]}, "a")], [StateUpdate({"log": ["2"]}, "b")]],
        [[StateUpdate({"log": ["1"]}, "a"), StateUpdate({"log": ["2"]}, "b")]],
        [[StateUpdate({"log": ["1"]}), StateUpdate({"log": ["2"]})]],
        [],
        [[]],
        [[StateUpdate({"log": ["1"]})]],
        [[StateUpdate(None, END)]],
        [[StateUpdate({"log": ["1"]}, "__input__")], [StateUpdate({"log": ["2"]}, "a")]],
        [[StateUpdate({"log": ["1"]}, "__input__"), StateUpdate({"log": ["2"]}, "a")]],
        [[StateUpdate(None, END), StateUpdate(None, "a")]],
        [[StateUpdate({"log": ["1"]}, "x")]],
        [[StateUpdate({"log": ["1"]}, "a")], [StateUpdate({"log": ["2"]}, "x")]],
        [[StateUpdate(None, "__copy__"), StateUpdate(None, "a")]],
        [[StateUpdate([({"log": ["c"]}, "a")], "__copy__")]],
    ):
        app = chain("a", "b", "c")
        app.invoke({"log": ["in"]}, thread())
        found = kind(lambda: app.bulk_update_state(thread(), supersteps))
        show((found if isinstance(found, str) else "made"), [brief(each) for each in app.get_state_history(thread())])


def update_and_go_on(show: Any) -> None:
    app = chain("a", "b", "c", interrupt_before=["b"])
    app.invoke({"log": []}, thread())
    made = app.update_state(thread(), {"log": ["edit"]})
    show(sorted(made["configurable"]), brief(app.get_state(thread())), app.invoke(None, thread()))
    app.update_state(thread(), {"log": ["again"]}, as_node="b")
    show(brief(app.get_state(thread())), app.invoke(None, thread()))
    show([brief(each) for each in app.get_state_history(thread())])
    old = list(app.get_state_history(thread()))[-2]
    forked = app.update_state(old.config, {"log": ["fork"]})
    show(
        brief(app.get_state(forked)),
        app.invoke(None, forked),
        [each.metadata["source"] for each in app.get_state_history(thread())],
    )
    show(
        app.get_state(forked).parent_config["configurable"]["checkpoint_id"]
        == old.config["configurable"]["checkpoint_id"]
    )


def replays(show: Any) -> None:
    app = chain("a", "b", "c")
    app.invoke({"log": []}, thread())
    history = list(app.get_state_history(thread()))
    for each in history:
        show((brief(each), kind(lambda: app.invoke(None, each.config))))
        show([(s.metadata["source"], s.metadata["step"], s.next) for s in app.get_state_history(thread())][:3])
    show(app.invoke({"log": ["new"]}, history[2].config), brief(app.get_state(thread())))
    show(kind(lambda: app.invoke(None, thread("t", checkpoint_id="0" * 8))))


def given_task_ids(show: Any) -> None:
    g = (
        StateGraph(Log)
        .add_node("a", lambda s: {"log": [s]})
        .add_conditional_edges(START, lambda s: [Send("a", 1), Send("a", 2)])
    )
    app = g.compile(checkpointer=InMemorySaver(), interrupt_before=["a"])
    app.invoke({"log": []}, thread())
    tasks = app.get_state(thread()).tasks
    show([(task.name, task.path) for task in tasks])
    app.bulk_update_state(thread(), [[StateUpdate({"log": ["as the second"]}, "a", tasks[1].id)]])
    show([brief(each) for each in app.get_state_history(thread())])


def graphs_inside(show: Any) -> None:
    def ask(s: Log) -> dict:
        return {"log": [interrupt("q")]}

    inner = (
        StateGraph(Log)
        .add_node("before", lambda s: {"log": ["before"]})
        .add_node(ask)
        .add_edge(START, "before")
        .add_edge("before", "ask")
        .compile()
    )
    app = StateGraph(Log).add_node("sub", inner).add_edge(START, "sub").compile(checkpointer=InMemorySaver())
    app.invoke({"log": []}, thread())
    flat, deep = app.get_state(thread()), app.get_state(thread(), subgraphs=True)
    show(
        sorted(flat.tasks[0].state["configurable"]), flat.tasks[0].state["configurable"]["checkpoint_ns"].split(":")[0]
    )
    show(brief(deep.tasks[0].state), sorted(deep.tasks[0].state.config["configurable"]))
    show(
        brief(app.get_state(flat.tasks[0].state)), [brief(each) for each in app.get_state_history(flat.tasks[0].state)]
    )
    app.update_state(flat.tasks[0].state, {"log": ["edited inside"]})
    show(brief(app.get_state(thread(), subgraphs=True).tasks[0].state), app.invoke(Command(resume="a"), thread()))
    show(
        kind(lambda: app.update_state(thread("t", checkpoint_ns="nowhere:1"), {"log": []})),
        kind(lambda: app.get_state(thread("t", checkpoint_ns="nowhere:1"))),
    )
    show(
        [name for name, _ in app.get_subgraphs()],
        [name for name, _ in app.get_subgraphs(namespace="sub")],
        [name for name, _ in app.get_subgraphs(namespace="x")],
    )
    lasting = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile(checkpointer=True)
    show(kind(lambda: lasting.invoke({"log": []}, thread())), kind(lambda: lasting.get_state(thread())))


def new_nodes_and_keys(show: Any) -> None:
    """A thread goes on under a graph that has other channels: what it does not know it ignores."""

    class More(TypedDict):
        log: Annotated[list, operator.add]
        new: Annotated[list, operator.add]

    saver = InMemorySaver()
    chain("a", "b", checkpointer=saver, interrupt_before=["b"]).invoke({"log": ["in"]}, thread())
    g = StateGraph(More).add_sequence(
        [
            ("a", lambda s: {"log": ["a"]}),
            ("b", lambda s: {"log": ["b2"], "new": [s.get("new")]}),
            ("c", lambda s: {"new": ["c"]}),
        ]
    )
    app = g.add_edge(START, "a").compile(checkpointer=saver)
    show(brief(app.get_state(thread())), app.invoke(None, thread()))

    class Less(TypedDict):
        new: Annotated[list, operator.add]

    app = StateGraph(Less).add_node("a", lambda s: {"new": ["less"]}).add_edge(START, "a").compile(checkpointer=saver)
    show(app.get_state(thread()).values, app.invoke({"new": ["x"]}, thread()))


def keys_in_the_order_of_the_schema(show: Any) -> None:
    """Wherever a state is seen, its keys stand as the schema has them, whoever wrote which first."""

    class State(TypedDict):
        b: int
        log: Annotated[list, operator.add]
        a: int
        z: str

    class Shown(TypedDict):
        z: str
        b: int

    def seen(name: str, update: dict) -> Any:
        def node(s: State) -> dict:
            show(name, s)
            return update

        return node

    for schema in (State, Shown):
        for saver in (None, InMemorySaver()):
            g = StateGraph(State, output_schema=schema)
            g.add_node("one", seen("one", {"log": [1]})).add_node("two", seen("two", {"z": "z", "log": [2]}))
            g.add_node("last", seen("last", {"a": 5})).add_edge(START, "one").add_edge("one", "two")
            g.add_edge("two", "last")
            app = g.compile(checkpointer=saver)
            show(
                app.invoke({"a": 1, "b": 2}, thread()),
                list(app.stream({"z": "", "a": 3}, thread(), stream_mode="values")),
            )
            if saver is not None:
                app.update_state(thread(), {"z": "edit", "b": 9}, as_node="one")
                show(app.get_state(thread()).values, app.invoke(None, thread()))
                show(*(each.values for each in app.get_state_history(thread())))


def routers_see_what_their_node_returned(show: Any) -> None:
    """A router without a schema finds keys that the state lacks; one that asks for a schema does not."""

    class State(TypedDict):
        n: int

    def asked(s: State) -> str:
        show("asked", sorted(s))
        return END

    def free(s) -> str:  # type: ignore[no-untyped-def]  # what is not annotated asks for nothing
        show("free", sorted(s), s.get("hint"), s.get("n"))
        return s.get("hint", END)

    async def later(s: State) -> dict:
        return {"hint": "target", "n": 2}

    for node in (
        lambda s: {"hint": "target", "n": 2},
        later,
        lambda s: {"hint": "target"},
        lambda s: Command(update={"n": 3}),
    ):
        g = StateGraph(State).add_node("source", node).add_node("target", lambda s: {"n": s["n"] + 10})
        g.add_edge(START, "source").add_conditional_edges("source", free).add_conditional_edges("target", asked)
        app = g.compile(checkpointer=InMemorySaver())
        if node is later:
            show(asyncio.run(app.ainvoke({"n": 0}, thread())))
        else:
            show(app.invoke({"n": 0}, thread()), list(app.stream({"n": 1}, thread("s"), stream_mode="updates")))
        app.update_state(thread(), {"hint": "target", "n": 7}, as_node="source")
        show(app.get_state(thread()).next)
    g = StateGraph(State).add_node("target", lambda s: {"n": s["n"] + 10}).add_conditional_edges(START, free)
    show(g.compile().invoke({"n": 0, "hint": "target"}))


def a_whole_state_beside_keys_of_nodes(show: Any) -> None:
    """A node that is annotated with another schema adds that schema's keys to a state that was one value."""

    class Counted(TypedDict):
        count: int

    def build(found: Any, *, counted: bool) -> Any:
        def first(state: Any) -> Any:
            return found

        if counted:
            first.__annotations__["state"] = Counted
        graph = StateGraph(Annotated[list, operator.add]).add_node("first", first).add_node("last", lambda s: None)
        return graph.add_edge(START, "first").add_edge("first", "last").compile()

    for found in ([1], {"count": 1}, {"count": 3, "__root__": [4]}, None, "text"):
        for counted in (True, False):
            app = build(found, counted=counted)
            show(app.output_channels, app.stream_channels, app.stream_channels_list)
            for call in (app.invoke, lambda given, app=app: list(app.stream(given, stream_mode=["values", "updates"]))):
                try:
                    show(call([0]))
                except Exception as error:
                    show(type(error).__name__)


def managed_values_among_the_channels(show: Any) -> None:
    from langgraph.managed import IsLastStep, RemainingSteps

    class Ending(TypedDict):
        log: Annotated[list, operator.add]
        left: RemainingSteps
        last: IsLastStep

    app = StateGraph(Ending).add_node("node", lambda s: {}).add_edge(START, "node").compile()
    show([(key, getattr(each, "__name__", type(each).__name__)) for key, each in app.channels.items()])
    show(app.stream_channels_list)
