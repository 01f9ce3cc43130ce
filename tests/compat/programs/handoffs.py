"""Commands for the parent graph, from wherever a graph runs: as a node, called in a node's code, heard by callbacks."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send


class Desk(TypedDict):
    notes: Annotated[list[str], operator.add]


def clerk(state: Desk) -> Any:
    return Command(graph=Command.PARENT, update={"notes": ["passed on"]}, goto="boss")


OFFICE = StateGraph(Desk).add_node("clerk", clerk).add_edge(START, "clerk").compile()
HOUSE = StateGraph(Desk).add_node("office", OFFICE).add_edge(START, "office").compile()


def called(state: Desk) -> Any:
    return OFFICE.invoke(state)


async def awaited(state: Desk) -> Any:
    return await OFFICE.ainvoke(state)


def called_two_down(state: Desk) -> Any:
    return HOUSE.invoke(state)


def called_twice(state: Desk) -> Any:
    StateGraph(Desk).add_node("quiet", lambda s: {}).add_edge(START, "quiet").compile().invoke(state)
    return OFFICE.invoke(state)


def raised_by_name(state: Desk) -> Any:
    raise ParentCommand(Command(graph="desk", update={"notes": ["by name"]}, goto="boss"))


def raised_for_nobody(state: Desk) -> Any:
    raise ParentCommand(Command(graph="attic", update={"notes": ["lost"]}, goto="boss"))


def another_name_returned(state: Desk) -> Any:
    return Command(graph="attic", update={"notes": ["here after all"]}, goto="boss")


def firm(desk: Any, saver: Any = None, *, sibling: bool = False, router: bool = False) -> Any:
    builder = StateGraph(Desk).add_node("desk", desk).add_node("boss", lambda s: {"notes": ["boss"]})
    builder.add_node("archive", lambda s: {"notes": ["archive"]}).add_edge(START, "desk")
    if sibling:
        builder.add_node("porter", lambda s: {"notes": ["porter"]}).add_edge(START, "porter")
    if router:
        builder.add_conditional_edges("desk", lambda s: "archive" if "passed on" in s["notes"] else END)
    return builder.compile(saver, name="firm")


def attempt(show: Any, call: Any) -> None:
    try:
        show(call())
    except ParentCommand as up:
        show(type(up).__name__, up.args[0])


def a_command_goes_up_from_every_place(show: Any) -> None:
    for desk in (OFFICE, HOUSE, called, called_two_down, called_twice, raised_by_name, another_name_returned):
        for sibling in (False, True):
            for router in (False, True):
                app = firm(desk, InMemorySaver(), sibling=sibling, router=router)
                kept = {"configurable": {"thread_id": "kept"}}
                attempt(show, lambda: app.invoke({"notes": []}, kept))  # noqa: B023  called at once
                show([(each.next, each.values, [t.result for t in each.tasks]) for each in app.get_state_history(kept)])
                bare = firm(desk, sibling=sibling, router=router)
                attempt(show, lambda: bare.invoke({"notes": []}))  # noqa: B023  the same
                attempt(show, lambda: asyncio.run(bare.ainvoke({"notes": []})))  # noqa: B023  the same


def a_command_goes_up_from_coroutines(show: Any) -> None:
    for router in (False, True):
        app = firm(awaited, router=router)
        show(asyncio.run(app.ainvoke({"notes": []})))


def nobody_takes_a_command(show: Any) -> None:
    attempt(show, lambda: firm(raised_for_nobody).invoke({"notes": []}))
    attempt(show, lambda: firm(clerk).invoke({"notes": []}))
    attempt(show, lambda: asyncio.run(firm(clerk).ainvoke({"notes": []})))


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.names: dict[Any, Any] = {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **kw: Any) -> None:
        self.names[run_id] = kw.get("name")
        self.heard.append(("start", kw.get("name")))

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kw: Any) -> None:
        self.heard.append(("end", self.names[run_id], outputs))

    def on_chain_error(self, error: Any, *, run_id: Any, **kw: Any) -> None:
        self.heard.append(("error", self.names[run_id], type(error).__name__))


def callbacks_change_nothing_of_it(show: Any) -> None:
    for desk in (OFFICE, called, called_two_down):
        ears = Ends()
        show(firm(desk).invoke({"notes": []}, {"callbacks": [ears]}), ears.heard)
        ears = Ends()
        show(asyncio.run(firm(desk).ainvoke({"notes": []}, {"callbacks": [ears]})), ears.heard)


def sends_go_up_too(show: Any) -> None:
    def share(state: Desk) -> Any:
        return Command(graph=Command.PARENT, goto=[Send("boss", {"notes": []}), Send("boss", {"notes": []})])

    room = StateGraph(Desk).add_node("share", share).add_edge(START, "share").compile()
    show(firm(room).invoke({"notes": []}), firm(lambda s: room.invoke(s)).invoke({"notes": []}))
    show(list(firm(lambda s: room.invoke(s)).stream({"notes": []}, stream_mode="updates")))


def a_compiled_graph_is_changed_afterwards(show: Any) -> None:
    saver, config = InMemorySaver(), {"configurable": {"thread_id": "t"}}
    app = firm(lambda s: {"notes": ["desk"]}, saver, router=True)
    ears = Ends()
    app.invoke({"notes": []}, {"callbacks": [ears], **config})
    app.name = "renamed"
    app.invoke({"notes": []}, {"callbacks": [ears], **config})
    show(app.name, app.get_name(), ears.heard, app.stream_transformers, app.stream_channels_asis)
    other = app.copy({"name": "copied"})
    show(other.name, app.name)
    app.interrupt_before_nodes = ["desk"]
    show(app.invoke({"notes": ["again"]}, config), app.get_state(config).next, app.interrupt_before_nodes)
    app.interrupt_before_nodes, app.interrupt_after_nodes = [], "*"
    show(app.invoke(None, config), app.get_state(config).next, app.interrupt_after_nodes)
    app.interrupt_after_nodes = []
    app.checkpointer = None
    ears = Ends()
    show(app.invoke({"notes": ["unkept"]}, {"callbacks": [ears]}), ears.heard)
    app.checkpointer = saver
    app.invoke({"notes": ["kept"]}, {"callbacks": [ears], "configurable": {"thread_id": "u"}})
    show(app.get_state({"configurable": {"thread_id": "u"}}).values)
