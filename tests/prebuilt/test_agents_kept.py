"""Agents with our own checkpointers: what they store, and going on from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool

from stepgraph import Command, interrupt
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from stepgraph.prebuilt import InjectedState, ToolRuntime
from stepgraph.prebuilt import create_react_agent as agent
from tests.prebuilt.models import calling, scripted

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 1000}
Opening = Callable[[], Any]


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opening]:
    """Gives the checkpointer, for a file a new object each time, as another process would."""
    opened: list[Any] = [MemoryCheckpointer()]

    def again() -> Any:
        if request.param == "memory":
            return opened[0]
        if len(opened) > 1:
            opened.pop().close()
        opened.append(SqliteCheckpointer(tmp_path / "talks.db"))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def book(hotel: str, state: Annotated[dict[str, Any], InjectedState], runtime: ToolRuntime[None, Any]) -> str:
    """Book a hotel."""
    answer = interrupt(f"book {hotel}?")
    return f"{hotel}: {answer}, {len(state['messages'])} messages, {sorted(runtime.state)}"


def contents(state: Any) -> list[Any]:
    return [message.content for message in state["messages"]]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_tool_that_asked_goes_on_with_the_state_that_it_was_called_on(opening: Opening, version: str) -> None:
    """The state is not stored with the call, and is there again all the same."""
    options: dict[str, Any] = {"version": version}
    tools = [book, add]

    def model() -> Any:
        return scripted(calling(("book", {"hotel": "Ritz"}), ("add", {"a": 1, "b": 2})), AIMessage("done"))

    first = agent(model(), tools, checkpointer=opening(), **options)
    paused = first.invoke({"messages": [("user", "go")]}, CONFIG)
    assert [each.value for each in paused["__interrupt__"]] == ["book Ritz?"]

    second = agent(model(), tools, checkpointer=opening(), **options)
    assert set(second.get_state(CONFIG).next) == {"tools"}
    found = contents(second.invoke(Command(resume="yes"), CONFIG))
    keys = ["messages", "remaining_steps"]
    assert found == ["go", "", f"Ritz: yes, 2 messages, {keys}", "3", "done"]


def test_a_task_that_goes_on_shows_the_input_that_it_began_with(opening: Opening) -> None:
    def tasks(given: Any) -> list[Any]:
        graph = agent(scripted(calling(("book", {"hotel": "Ritz"})), AIMessage("done")), [book], checkpointer=opening())
        found = [chunk["input"] for chunk in graph.stream(given, CONFIG, stream_mode="tasks") if "input" in chunk]
        return [each for each in found if "tool_call" in each]

    assert tasks({"messages": [("user", "go")]}) == tasks(Command(resume="yes")) != []


def test_a_talk_is_stored_once_and_not_again_with_each_call(tmp_path: Path) -> None:
    """Bytes grow with the talk, not with its square."""
    sizes = []
    for turns in (50, 200):
        answers = [calling(("add", {"a": n, "b": n})) for n in range(turns)]
        path = tmp_path / f"{turns}.db"
        saver = SqliteCheckpointer(path)
        agent(scripted(*answers, AIMessage("done")), [add], checkpointer=saver).invoke(
            {"messages": [("user", "go")]}, CONFIG
        )
        saver.close()
        sizes.append(sum(each.stat().st_size for each in tmp_path.glob(f"{turns}.db*")))
    assert sizes[1] < 5 * sizes[0]


def test_a_talk_goes_on_in_a_new_object(opening: Opening) -> None:
    model = scripted(calling(("add", {"a": 1, "b": 2})), AIMessage("three"), AIMessage("you are welcome"))
    agent(model, [add], checkpointer=opening()).invoke({"messages": [("user", "1+2?")]}, CONFIG)
    found = agent(model, [add], checkpointer=opening()).invoke({"messages": [("user", "thanks")]}, CONFIG)
    assert contents(found) == ["1+2?", "", "3", "three", "thanks", "you are welcome"]


def test_a_talk_forks_before_its_tools(opening: Opening) -> None:
    """Calls that a person changes before the tools run."""
    model = scripted(calling(("add", {"a": 1, "b": 2})), AIMessage("done"))
    graph = agent(model, [add], checkpointer=opening(), interrupt_before=["tools"])
    graph.invoke({"messages": [("user", "go")]}, CONFIG)
    asked = graph.get_state(CONFIG).values["messages"][-1]
    changed = calling(("add", {"a": 10, "b": 20})).model_copy(update={"id": asked.id})
    graph.update_state(CONFIG, {"messages": [changed]}, as_node="agent")
    assert contents(graph.invoke(None, CONFIG))[2:] == ["30", "done"]


def test_async_runs_and_tools_that_command(opening: Opening) -> None:
    @tool
    async def rename(name: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Rename the person."""
        await asyncio.sleep(0)
        return Command(update={"messages": [ToolMessage(f"now {name}", tool_call_id=tool_call_id)]})

    model = scripted(calling(("rename", {"name": "Al"}), ("add", {"a": 1, "b": 1})), AIMessage("done"))
    graph = agent(model, [rename, add], checkpointer=opening())
    found = asyncio.run(graph.ainvoke({"messages": [("user", "go")]}, CONFIG))
    assert contents(found) == ["go", "", "now Al", "2", "done"]
    assert [snapshot.next for snapshot in graph.get_state_history(CONFIG)] == [
        (),
        ("agent",),
        ("tools", "tools"),
        ("agent",),
        ("__start__",),
    ]


def test_a_model_is_called_with_the_nodes_config(opening: Opening) -> None:
    model = scripted(AIMessage("done"))
    graph = agent(model, [add], checkpointer=opening())
    graph.invoke({"messages": [("user", "go")]}, {**CONFIG, "tags": ["mine"], "metadata": {"m": 1}})
    ((tags, metadata),) = model.seen
    assert tags == ["mine"]
    assert metadata["m"] == 1
    assert (metadata["langgraph_node"], metadata["langgraph_step"], metadata["thread_id"]) == ("agent", 1, "t")


def test_a_tool_that_asks_leaves_none_of_its_siblings_running() -> None:
    ended: list[str] = []

    @tool
    async def ask() -> str:
        """Ask."""
        return str(interrupt("pay?"))

    @tool
    async def pay() -> str:
        """Pay."""
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("pay")
        return "paid"

    model = scripted(calling(("ask", {}), ("pay", {})), AIMessage("done"))
    app = agent(model, [ask, pay], checkpointer=MemoryCheckpointer(), version="v1")

    async def scenario() -> Any:
        paused = await app.ainvoke({"messages": [("user", "go")]}, CONFIG)
        return paused["__interrupt__"][0].value, list(ended), asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == ("pay?", ["pay"], set())
