"""Agents under the debugger: a call is held before its tool runs, and changed, refused, or answered by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from stepgraph.approve.judge import EditError
from stepgraph.approve.requests import Request
from stepgraph.debug import session as sessions
from stepgraph.panels.card import card
from stepgraph.persist import SqliteCheckpointer
from stepgraph.prebuilt import create_react_agent as agent
from tests.debug.support import Support, finished, held
from tests.prebuilt.models import calling, scripted

Holding = Callable[..., tuple[Any, Request]]
ORDER = {"tool_call": {"name": "order", "args": {"item": "pencils", "pieces": 500}}}
FEWER = {"tool_call": {"args": {"item": "pencils", "pieces": 50}}}
ordered: list[tuple[str, int]] = []


def order(item: str, pieces: int) -> str:
    """Order some pieces of an item."""
    ordered.append((item, pieces))
    return f"{pieces} {item}"


@pytest.fixture
def support(monkeypatch: pytest.MonkeyPatch) -> Iterator[Support]:
    monkeypatch.setattr(sessions, "_sessions", {})
    ordered.clear()
    made = Support()
    yield made
    made.end()


@pytest.fixture
def holding(support: Support) -> Holding:
    """A run of an agent that wants 500 pencils, and its request at `place`."""

    def start(place: str = "before:tools", talk: str = "We are out of pencils", **options: Any) -> tuple[Any, Request]:
        said = calling(("order", ORDER["tool_call"]["args"]))  # type: ignore[arg-type]  # of one call
        app = agent(scripted(said, AIMessage("done")), [order], name="buyer", **options)
        dbg = support.debug(app)
        dbg.gate(place)
        run = dbg.start({"messages": [talk]}, thread="t")
        (request,) = held(run)
        return run, request

    return start


def answers(run: Any) -> list[Any]:
    return [message.content for message in run.result["messages"] if isinstance(message, ToolMessage)]


def test_a_person_is_asked_about_the_call_and_not_about_the_state_that_goes_with_it(holding: Holding) -> None:
    _, request = holding()
    assert request.value == ORDER
    assert request.editable == ("tool_call",)
    assert request.state["tool_call"]["id"] == "c0"
    assert card(request)["value"] == ORDER


def test_other_arguments_reach_the_tool_and_leave_the_talk_as_it_was(holding: Holding) -> None:
    run, request = holding()
    (shown,) = request.preview(FEWER).changes
    assert (shown.old["args"]["pieces"], shown.new["args"]["pieces"], shown.new["id"]) == (500, 50, "c0")
    request.edit(FEWER)
    assert answers(finished(run)) == ["50 pencils"]
    assert ordered == [("pencils", 50)]
    assert run.result["messages"][1].tool_calls[0]["args"]["pieces"] == 500


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tool": {}}, "tool: unknown key .did you mean 'tool_call'.*. Known here: tool_call"),
        ({"tool_call": 3}, "tool_call: a call is wanted"),
        ({"tool_call": {"$drop": True}}, "tool_call: a call is wanted"),
        ({"tool_call": {"args": "all"}}, "tool_call: a call is wanted"),
        ({"tool_call": {"name": None}}, "tool_call: a call is wanted"),
        (3, "an object of keys to change is wanted"),
    ],
)
def test_what_is_no_call_is_refused_and_the_request_stays(holding: Holding, change: Any, told: str) -> None:
    _, request = holding()
    with pytest.raises(EditError, match=told):
        request.edit(change)
    assert request.pending


def test_an_edited_call_is_stored_without_the_talk(holding: Holding, tmp_path: Path) -> None:
    talk = "We are out of pencils. " * 10_000
    sizes = []
    for name, decide in (("as it is", Request.approve), ("edited", lambda request: request.edit(FEWER))):
        saver = SqliteCheckpointer(tmp_path / f"{name}.db")
        run, request = holding(talk=talk, checkpointer=saver)
        decide(request)
        assert finished(run).status == "done"
        saver.close()
        sizes.append((tmp_path / f"{name}.db").stat().st_size)
    assert sizes[0] > len(talk)
    assert abs(sizes[1] - sizes[0]) < len(talk) / 4


def test_an_edited_call_goes_on_elsewhere(holding: Holding, tmp_path: Path) -> None:
    saver = SqliteCheckpointer(tmp_path / "talks.db")
    run, request = holding(checkpointer=saver)
    run.session.gate("after:tools")
    request.edit(FEWER)
    (after,) = held(run)
    after.suspend()
    finished(run)
    again = run.session.open("t")
    (request,) = held(again)
    request.approve()
    assert answers(finished(again)) == ["50 pencils"]
    assert ordered == [("pencils", 50)]
    saver.close()


def test_an_answer_in_the_tools_place_begins_as_the_tools_message(holding: Holding) -> None:
    run, request = holding()
    answer = card(request)["answer"]
    assert answer == {"messages": [{"content": "", "type": "tool", "name": "order", "tool_call_id": "c0"}]}
    answer["messages"][0]["content"] = "not this year"
    request.respond(answer)
    finished(run)
    assert (run.status, answers(run), ordered) == ("done", ["not this year"], [])
    assert run.result["messages"][-1].content == "done"


def test_a_rejected_call_ends_the_run_before_its_tool(holding: Holding) -> None:
    run, request = holding()
    assert card(request)["thens"] == []
    request.reject("too many")
    assert (finished(run).status, ordered) == ("failed", [])
    assert "too many" in str(run.error)


def test_an_edited_message_of_a_model_stays_one(holding: Holding) -> None:
    run, request = holding("after:agent")
    (said,) = request.value["messages"]
    assert sorted(said) == ["content", "id", "name", "tool_calls", "type"], "what is empty is not shown"
    said["tool_calls"][0]["args"]["pieces"] = 5
    request.edit({"messages": [said]})
    (request,) = held(run)
    assert ordered == [("pencils", 5)]
    request.approve()
    assert [type(message).__name__ for message in finished(run).result["messages"]] == [
        "HumanMessage", "AIMessage", "ToolMessage", "AIMessage",
    ]  # fmt: skip


def test_an_edit_gives_a_name_and_arguments_and_no_other_id(holding: Holding) -> None:
    _, request = holding()
    with pytest.raises(EditError, match="a call is wanted"):
        request.edit({"tool_call": {"id": "another"}})
    assert request.pending
