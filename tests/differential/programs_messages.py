"""Programs whose state is a conversation."""

from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Chat(TypedDict):
    turns: int


def graph(lab: Lab, *nodes: Any) -> Any:
    """A conversation that goes through the nodes."""
    g = lab.graph(lab.MessagesState)
    previous = lab.START
    for node in nodes:
        g.add_node(node.__name__, node)
        g.add_edge(previous, node.__name__)
        previous = node.__name__
    return g


@program
def a_conversation(lab: Lab) -> None:
    def answer(s: Any) -> Any:
        return {"messages": [AIMessage(f"answer {len(s['messages'])}", id=f"a{len(s['messages'])}")]}

    def correct(s: Any) -> Any:
        return {"messages": AIMessage("corrected", id=s["messages"][-1].id)}

    def forget(s: Any) -> Any:
        return {"messages": [RemoveMessage(each.id) for each in s["messages"][:-2]]}

    lab.compile(graph(lab, answer, correct, forget))
    for turn in range(3):
        lab.run({"messages": HumanMessage("hi", id=f"h{turn}")})


@program(sync_only=True)
def clear_a_conversation(lab: Lab) -> None:
    def clear(_: Any) -> Any:
        return {"messages": [RemoveMessage(lab.REMOVE_ALL_MESSAGES), ("ai", "fresh")]}

    g = graph(lab, clear)
    lab.compile(g)
    if lab.calls == "sync":
        lab.note("end", [each.content for each in lab.app.invoke({"messages": ["a", "b"]}, lab.config)["messages"]])


@program
def remove_an_unknown_message(lab: Lab) -> None:
    def remove(_: Any) -> Any:
        return {"messages": [RemoveMessage("nobody")]}

    lab.without_history = "defects"
    lab.compile(graph(lab, remove))
    lab.invoke({"messages": []})


@program
def push_messages_from_a_node(lab: Lab) -> None:
    """They are written before what the node returns."""

    def push(_: Any) -> Any:
        lab.push_message(AIMessage("one", id="1"))
        lab.push_message(AIMessage("only streamed", id="2"), state_key=None)
        lab.push_message(AIMessage("one again", id="1"))
        return {"messages": [AIMessage("three", id="3")]}

    def nothing(_: Any) -> Any:
        lab.push_message({"role": "assistant", "content": "four", "id": "4"})

    lab.compile(graph(lab, push, nothing))
    lab.run({"messages": [HumanMessage("hi", id="0")]})


@program
def push_without_an_id(lab: Lab) -> None:
    def push(_: Any) -> Any:
        lab.push_message(AIMessage("one"))

    lab.without_history = "better messages"
    lab.compile(graph(lab, push))
    lab.invoke({"messages": []})


@program
def push_ui_messages(lab: Lab) -> None:
    class State(TypedDict):
        ui: Annotated[list, lab.ui_message_reducer]

    def draw(_: Any) -> Any:
        lab.push_ui_message("chart", {"x": 1}, id="1", metadata={"m": 1}, message=AIMessage("for", id="9"))
        lab.push_ui_message("chart", {"y": 1}, id="1", merge=True, message={"id": "8"})
        lab.push_ui_message("other", {}, id="2")

    def wipe(_: Any) -> Any:
        lab.delete_ui_message("2")

    g = lab.graph(State)
    g.add_node("draw", draw)
    g.add_node("wipe", wipe)
    g.add_edge(lab.START, "draw")
    g.add_edge("draw", "wipe")
    lab.compile(g)
    lab.run({"ui": []}, {"tags": ["t"]})


@program
def a_message_graph(lab: Lab) -> None:
    import warnings

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        g = lab.MessageGraph()
    lab.note("warned", [each.category.__name__ for each in seen])
    g.add_node("answer", lambda s: [AIMessage(f"answer {len(s)}", id=f"a{len(s)}")])
    g.set_entry_point("answer")
    lab.compile(g)
    lab.run([HumanMessage("hi", id="h")])
    lab.run([HumanMessage("ho", id="i")])
