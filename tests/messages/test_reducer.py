"""Messages merge by id: with langchain-core's objects as LangGraph merges them, without it as dicts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core import messages as lc
from langgraph.graph import message as reference

from stepgraph import StateGraph
from stepgraph.core.channels import DeltaChannel, LastValue
from stepgraph.messages import REMOVE_ALL_MESSAGES, MessagesState, add_messages, kinds, ui_message_reducer
from stepgraph.messages.folded import fold_messages, stamp_of

H, A, R = lc.HumanMessage, lc.AIMessage, lc.RemoveMessage
CASES: dict[str, tuple[Any, Any]] = {
    "append": ([H("a", id="1")], [A("b", id="2")]),
    "lone messages": (H("a", id="1"), A("b", id="2")),
    "replace in place": ([H("a", id="1"), A("b", id="2")], [H("c", id="1")]),
    "replace twice": ([H("a", id="1")], [H("b", id="1"), H("c", id="1")]),
    "one id twice on the right": ([], [H("b", id="1"), H("c", id="1")]),
    "delete": ([H("a", id="1"), A("b", id="2")], [R("1")]),
    "delete what was just added": ([], [H("a", id="1"), R("1")]),
    "delete, then add again": ([H("a", id="1"), H("b", id="2")], [R("1"), A("c", id="1")]),
    "add again, then delete": ([H("a", id="1")], [A("c", id="1"), R("1")]),
    "delete an unknown one": ([H("a", id="1")], [R("9")]),
    "delete all": ([H("a", id="1")], [H("b", id="2"), R(REMOVE_ALL_MESSAGES), A("c", id="3")]),
    "delete all twice": ([], [R(REMOVE_ALL_MESSAGES), H("b", id="2"), R(REMOVE_ALL_MESSAGES), A("c", id="3")]),
    "delete all, with an unknown one": ([], [R(REMOVE_ALL_MESSAGES), R("9")]),
    "other forms": ([("user", "a")], ["b", {"role": "assistant", "content": "c", "id": "3"}, ("system", "d")]),
    "chunks": ([lc.AIMessageChunk("a", id="1")], [lc.AIMessageChunk("b", id="2")]),
    "nothing": ([H("a", id="1")], []),
    "no message": ([], [5]),
    "a dict without a role": ([], [{"content": "x"}]),
    "left only": ([H("a", id="1")], None),
    "right only": (None, [H("a", id="1")]),
}


@pytest.mark.parametrize("case", CASES)
def test_messages_merge_as_in_langgraph(case: str) -> None:
    left, right = CASES[case]
    assert account(add_messages, left, right) == account(reference.add_messages, left, right)


def account(merge: Any, left: Any, right: Any) -> Any:
    """What a reducer makes of copies: classes, contents, and ids unless they were made up; or its error."""
    given = [
        [each.model_copy() if hasattr(each, "model_copy") else each for each in _list(side)] for side in (left, right)
    ]
    sides = [None if side is None else copy for side, copy in zip((left, right), given, strict=True)]
    try:
        made = merge(*sides)
    except Exception as error:  # noqa: BLE001  the class is what is compared
        return type(error).__name__
    return [(type(each).__name__, each.content, each.id if len(each.id) < 30 else "new") for each in made]


def _list(side: Any) -> list[Any]:
    return side if isinstance(side, list) else [side]


def test_messages_without_an_id_are_named_in_place() -> None:
    left, right = [H("a")], [A("b")]
    made = add_messages(left, right)
    assert made[0] is left[0]
    assert made[1] is right[0]
    assert len({left[0].id, right[0].id}) == 2
    assert None not in (left[0].id, right[0].id)
    assert left == [made[0]]


def test_a_format_may_be_given_before_the_lists() -> None:
    blocks = [
        {"type": "text", "text": "x"},
        {"type": "image", "source": {"type": "base64", "media_type": "i/p", "data": "d"}},
    ]
    for merge in (add_messages, reference.add_messages):
        made = merge(format="langchain-openai")([], [H(blocks, id="1")])
        assert made[0].content[1]["type"] == "image_url"
        with pytest.raises(ValueError, match="Unrecognized format='other'"):
            merge([], [], format="other")


def test_a_half_filled_call_says_which_half() -> None:
    with pytest.raises(ValueError, match=r"Must specify non-null arguments for both 'left' and 'right'.*'right'"):
        add_messages(None, [H("a")])


@pytest.fixture
def no_langchain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kinds.langchain.cache_clear()
    monkeypatch.setitem(sys.modules, "langchain_core", None)
    yield
    kinds.langchain.cache_clear()


@pytest.mark.usefixtures("no_langchain")
def test_without_langchain_messages_are_dicts() -> None:
    from stepgraph.messages import RemoveMessage

    first = {"role": "user", "content": "a", "id": "1"}
    made = add_messages([first], ["hello", ("ai", "b"), {"role": "tool", "content": 1, "tool_call_id": "x"}])
    assert made[0] is first
    assert [(each["role"], each["content"]) for each in made[1:]] == [
        ("user", "hello"),
        ("assistant", "b"),
        ("tool", 1),
    ]
    assert all(each["id"] for each in made)
    assert (
        add_messages(made, [RemoveMessage("1"), {"role": "user", "content": "n", "id": made[1]["id"]}])[0]["content"]
        == "n"
    )
    assert add_messages(made, [RemoveMessage(REMOVE_ALL_MESSAGES)]) == []
    with pytest.raises(ValueError, match="doesn't exist"):
        add_messages(made, RemoveMessage("9"))
    with pytest.raises(ValueError, match="'role' and 'content', got the keys"):
        add_messages(made, {"text": "x"})
    with pytest.raises(TypeError, match=r"stepgraph\[langchain\]"):
        add_messages(made, 5)
    with pytest.warns(UserWarning, match=r"stepgraph\[langchain\]"):
        assert add_messages(made, [], format="langchain-openai") == made


@pytest.mark.usefixtures("no_langchain")
def test_a_graph_of_dict_messages_runs_without_langchain() -> None:
    g = StateGraph(MessagesState)
    g.add_node("say", lambda s: {"messages": ("assistant", f"{len(s['messages'])} so far")})
    g.set_entry_point("say")
    app = g.compile(checkpointer="memory://")
    app.invoke({"messages": "hi"}, thread="t")
    made = app.invoke({"messages": "again"}, thread="t")
    assert [each["content"] for each in made["messages"]] == ["hi", "1 so far", "again", "3 so far"]


UI = {"type": "ui", "id": "1", "name": "chart", "props": {"x": 1}}


def test_ui_messages_merge_as_in_langgraph() -> None:
    from langgraph.graph.ui import ui_message_reducer as other

    merging = {**UI, "props": {"y": 2}, "metadata": {"merge": True}}
    gone = {"type": "remove-ui", "id": "1"}
    for left, right in (
        ([UI], {**UI, "id": "2"}),
        (UI, [merging]),
        ([UI], [{**merging, "metadata": {}}]),
        ([UI], [gone]),
        ([UI], [gone, merging]),
        ([UI], [merging, gone]),
        ([], [UI, gone]),
    ):
        assert ui_message_reducer(left, right) == other(left, right)
    with pytest.raises(ValueError, match="UI message with an ID that doesn't exist"):
        ui_message_reducer([], [gone])


FOLDED: dict[str, tuple[Any, list[Any]]] = {
    "lists and lone messages": ([H("a", id="1")], [[A("b", id="2")], H("c", id="3")]),
    "replace": ([H("a", id="1"), A("b", id="2")], [[H("c", id="1")], [H("d", id="1")]]),
    "delete, then add again": ([H("a", id="1"), H("b", id="2")], [[R("1")], [A("c", id="1")]]),
    "delete an unknown one": ([H("a", id="1")], [[R("9")]]),
    "without ids": ([H("a")], [[H("b")], [A("c")]]),
    "other forms": ([("user", "a")], ["b", [{"role": "assistant", "content": "c", "id": "3"}], ("system", "d")]),
    "chunks stay": ([], [[lc.AIMessageChunk("b", id="2")]]),
    "nothing": ([], []),
    "no message": ([], [[5]]),
}


@pytest.mark.parametrize("case", FOLDED)
def test_batches_of_writes_fold_as_langgraphs_reducer_folds_them(case: str) -> None:
    def shown(reducer: Any) -> Any:
        state, writes = FOLDED[case]
        try:
            return [(type(each).__name__, each.content, each.id) for each in reducer(state, writes)]
        except Exception as error:  # noqa: BLE001  whatever it raises is what is compared
            return type(error).__name__

    assert shown(fold_messages) == shown(reference._messages_delta_reducer)


@pytest.mark.usefixtures("no_langchain")
def test_dicts_fold_and_get_their_ids_without_langchain() -> None:
    stamp = stamp_of({"m": DeltaChannel(fold_messages, list), "n": DeltaChannel(lambda state, writes: state, list)})
    assert stamp is not None
    ((_, given), (_, other), plain) = stamp((("m", ["hi", {"role": "user", "content": "x"}]), ("n", "hi"), ("o", [1])))
    assert [each["content"] for each in given] == ["hi", "x"]
    assert all(each["id"] for each in given)
    assert (other, plain) == ("hi", ("o", [1]))
    folded = fold_messages([], [given, {**given[0], "content": "again"}])
    assert [each["content"] for each in folded] == ["again", "x"]


def test_a_graph_without_such_a_channel_stamps_nothing() -> None:
    assert stamp_of({"x": LastValue(int)}) is None
