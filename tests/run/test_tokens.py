"""Messages on their way: each token when it is made, each message once, and nothing where nobody listens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from stepgraph import START, StateGraph
from stepgraph.core import events as ev
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.sync import SyncDriver
from stepgraph.run.tokens import returned_messages, say_token


class State(TypedDict, total=False):
    messages: list[Any]
    x: int


@dataclass
class Message:
    """Looks like a message without being langchain-core's."""

    content: str
    id: str | None = None
    type: str = "ai"


def app(node: Any) -> CompiledStateGraph:
    g = StateGraph(State)
    g.add_node("node", node)
    g.add_edge(START, "node")
    return g.compile()


def model(text: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text)]))


def test_a_token_comes_before_the_next_one_is_made() -> None:
    log: list[str] = []

    def node(state: State) -> State:
        for word in ("a", "b"):
            log.append(f"made {word}")
            say_token(word)
            while f"got {word}" not in log:
                pass
        return {}

    for token, _ in app(node).stream({"x": 0}, stream_mode="messages"):
        log.append(f"got {token}")
    assert log == ["made a", "got a", "made b", "got b"]


def test_a_token_says_where_it_was_made() -> None:
    ((token, metadata),) = app(lambda state: say_token("t")).stream(
        {"x": 0}, {"metadata": {"mine": 1}}, stream_mode="messages"
    )
    assert token == "t"
    assert metadata["mine"] == 1
    assert (metadata["langgraph_node"], metadata["langgraph_step"]) == ("node", 1)


def test_messages_of_any_library_are_shown_once_and_get_an_id() -> None:
    known, new = Message("known", "k"), Message("new")

    def node(state: State) -> State:
        say_token(known)
        return {"messages": [known, new, new]}

    found = [message for message, _ in app(node).stream({"x": 0}, stream_mode="messages")]
    assert found == [known, new]
    assert new.id is not None


@pytest.mark.parametrize("way", ["sync", "async"])
def test_tokens_that_a_generator_node_yields_are_shown_and_its_last_item_is_the_update(way: str) -> None:
    def node(state: State) -> Any:
        yield "one"
        yield Message("two", "m")
        yield {"x": 1}

    async def awaited(state: State) -> Any:
        for item in node(state):
            yield item

    graph = app(awaited if way == "async" else node)
    found = list(graph.stream({"x": 0}, stream_mode=["messages", "updates"]))
    assert [item[0] for mode, item in found if mode == "messages"] == ["one", Message("two", "m")]
    assert found[-1] == ("updates", {"node": {"x": 1}})
    assert graph.invoke({"x": 0}) == {"x": 1}


def test_messages_that_a_node_was_given_are_not_shown() -> None:
    given, made = Message("given", "g"), Message("made", "m")
    graph = app(lambda state: {"messages": [*state["messages"], made]})
    assert [each for each, _ in graph.stream({"messages": [given]}, stream_mode="messages")] == [made]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (Message("m"), 1),
        ([Message("m"), "text", Message("n")], 2),
        ({"a": Message("m"), "b": [Message("n")], "c": "text", "d": {"deep": Message("o")}}, 2),
        ("text", 0),
        (None, 0),
        ({"role": "user", "content": "a dict is no message"}, 0),
    ],
)
def test_messages_are_found_in_what_a_node_returns(value: Any, count: int) -> None:
    assert len(returned_messages(value)) == count


def test_a_model_streams_only_where_somebody_listens_to_messages() -> None:
    graph = app(lambda state: {"messages": [model("hello big world").invoke("?")]})
    events: list[ev.Event] = []

    SyncDriver().run(graph.engine({"x": 0}, {}, emit=events.append).run())
    assert not [event for event in events if isinstance(event, ev.TaskEmitted)]

    graph = app(lambda state: {"messages": [model("hello big world").invoke("?")]})
    tokens = [chunk.content for chunk, _ in graph.stream({"x": 0}, stream_mode="messages")]
    assert tokens == ["hello", " ", "big", " ", "world"]


def test_runs_at_the_same_time_hear_their_own_models_only() -> None:
    async def node(state: State) -> State:
        text = f"{state['x']} {state['x']}"
        return {"messages": [await model(text).ainvoke("?")]}

    graph = app(node)

    async def tokens(number: int) -> list[str]:
        return [chunk.content async for chunk, _ in graph.astream({"x": number}, stream_mode="messages")]

    async def all_tokens() -> list[list[str]]:
        return await asyncio.gather(*(tokens(number) for number in range(5)))

    assert asyncio.run(all_tokens()) == [[str(n), " ", str(n)] for n in range(5)]


def test_streaming_messages_works_without_langchain() -> None:
    script = """
import sys
sys.modules["langchain_core"] = None
from typing import TypedDict
from stepgraph import START, StateGraph
from stepgraph.run.tokens import say_token
class State(TypedDict):
    x: int
g = StateGraph(State)
g.add_node("node", lambda state: say_token("t"))
g.add_edge(START, "node")
print([token for token, _ in g.compile().stream({"x": 0}, stream_mode="messages")])
"""
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "['t']\n"
    )
