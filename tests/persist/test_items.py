"""Items of long lists are encoded again only when something in them is another object; patches from items are right."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from stepgraph.core.checkpoint import Checkpoint, Control, Extend, Record
from stepgraph.persist.codec import Codec, parse
from stepgraph.persist.encoded import Encoded, appended, new_in, splices, splices_text
from stepgraph.persist.items import Content, Held, Memo, known
from stepgraph.persist.lines import read_record, record_line, text_of
from stepgraph.persist.memory import MemoryCheckpointer
from stepgraph.persist.patch import difference, patched, size_of
from stepgraph.persist.tip import Tip
from tests.contract.checkpointer import Story


class Counting(Codec):
    """Counts what it encodes."""

    def __init__(self) -> None:
        super().__init__(private=True)
        self.calls = self.characters = 0

    def dumps(self, value: Any) -> str:
        return self._counted(super().dumps(value))

    def plain(self, value: Any) -> str:
        return self._counted(super().plain(value))

    def _counted(self, text: str) -> str:
        self.calls += 1
        self.characters += len(text)
        return text


class Model(pydantic.BaseModel):
    name: str
    tags: list[str] = []
    more: dict[str, Any] = {}
    maybe: int | None = None


@dataclasses.dataclass
class Note:
    text: str
    parts: tuple[Any, ...] = ()


UTC = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
PARIS = UTC.astimezone(datetime.timezone(datetime.timedelta(hours=1)))


def rename(item: Any) -> None:
    item["name"] = "b"


CHANGES_IN_PLACE: list[tuple[Any, Any]] = [
    ({"name": "a"}, rename),
    ({"name": "a"}, lambda item: item.pop("name")),
    ({"name": 1}, lambda item: item.update(name=True)),
    ({"name": 1, "other": 2}, lambda item: item.update(name=item.pop("name"))),
    ({"deep": {"list": [1, {"x": 2}]}}, lambda item: item["deep"]["list"][1].update(x=3)),
    ({"deep": {"list": [1]}}, lambda item: item["deep"]["list"].append(2)),
    ({"deep": [[], []]}, lambda item: item["deep"][0].append([])),
    ([[1], 2], lambda item: item.__setitem__(slice(None), [[1, 2]])),
    (Model(name="a"), lambda item: setattr(item, "name", "b")),
    (Model(name="a"), lambda item: item.tags.append("t")),
    (Model(name="a"), lambda item: item.more.update(k={})),
    (Model(name="a"), lambda item: setattr(item, "maybe", None)),
    (Note("a", ([],)), lambda item: item.parts[0].append(1)),
    (Note("a"), lambda item: setattr(item, "text", "b")),
    (AIMessage("a", id="1"), lambda item: item.response_metadata.update(model="m")),
    (HumanMessage("a", id="1"), lambda item: setattr(item, "content", [{"type": "text", "text": "b"}])),
    ({"set": {1}}, lambda item: item["set"].add(2)),
    ({"empty": []}, lambda item: item["empty"].append(1)),
    ({}, lambda item: item.update(a=1)),
    ({"zone": [UTC]}, lambda item: item["zone"].__setitem__(0, PARIS)),
    ({"bytes": b"x"}, lambda item: item.update(bytes=bytearray(b"x"))),
    ({"float": 0.0}, lambda item: item.update(float=-0.0)),
    ({"numbers": [1, {"deep": [1.0]}]}, lambda item: item["numbers"][1]["deep"].__setitem__(0, 1)),
    (Model(name="a"), lambda item: item.__dict__.update(maybe=5)),
    (Model(name="a"), lambda item: object.__setattr__(item, "__dict__", {**item.__dict__, "name": "c"})),
]


@pytest.mark.parametrize(
    ("item", "change"), CHANGES_IN_PLACE, ids=lambda each: "" if callable(each) else repr(each)[:30]
)
def test_a_change_in_place_is_seen(item: Any, change: Any) -> None:
    codec = Codec(private=True)
    other = {"other": "item"}
    held = Held([known(other, codec), known(item, codec)])
    before = held.texts()
    change(item)
    assert not held.grew_to([other, item, {}])
    after = [each.text for each in held.changed_to([other, item], codec, Memo()).known]
    assert after == [before[0], codec.dumps(item)]
    assert after != before


@pytest.mark.parametrize(
    "item",
    [{"a": {"b": [1, (2, "x")], "c": []}}, Model(name="a"), Note("x", ({},)), HumanMessage("hi"), [[{}]], {}, "text"],
    ids=repr,
)
def test_an_unchanged_item_is_not_encoded_again(item: Any) -> None:
    codec = Counting()
    held = Held([known({"n": 1}, codec), known(item, codec)])
    assert held.texts()[1] == Codec(private=True).dumps(item)
    assert held.grew_to([held.known[0].item, item])
    assert held.grew_to([held.known[0].item, item, "more"])
    assert not held.grew_to([{"n": 1}, item])
    found = held.changed_to([{"n": 1}, item, item], codec, Memo()).known
    assert codec.calls == 3  # the other one is a new object
    assert [each.text for each in found[1:]] == [held.texts()[1]] * 2


def test_items_whose_content_cannot_be_told_are_encoded_each_time() -> None:
    codec = Counting()
    items = [{"set": {1}}, {"plain": 1}]
    held = Held([known(item, codec) for item in items])
    assert not held.grew_to(items)
    held.changed_to(items, codec, Memo())
    assert codec.calls == 3


def big(number: int = 0) -> dict[str, Any]:
    """An item of more than four thousand characters."""
    return {"number": number, "parts": [{"text": f"{each:0100}", "flags": [True, None, each]} for each in range(40)]}


BIG_CHANGES: list[Any] = [
    lambda item: item.update(number=7),
    lambda item: item["parts"].pop(),
    lambda item: item["parts"][5]["flags"].append(1),
    lambda item: item["parts"][5].update(text="other"),
    lambda item: item["parts"][5].update(more=None),
    lambda item: item["parts"].__setitem__(3, Refusing()),
]


class Refusing:
    """Can't be compared."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("The truth value is ambiguous.")

    __hash__ = None  # type: ignore[assignment]  # as arrays have it


@pytest.mark.parametrize("change", BIG_CHANGES)
def test_a_change_in_place_of_a_big_item_is_seen(change: Any) -> None:
    codec, item = Codec(private=True), big()
    held = Held([known(item, codec), known(big(1), codec)])
    assert held.grew_to([each.item for each in held.known])
    change(item)
    assert not held.grew_to([each.item for each in held.known])
    assert not held.known[0].unchanged()
    assert held.known[1].unchanged()


@pytest.mark.parametrize("changed", [False, True])
def test_a_big_item_is_encoded_once_for_all_keys_until_it_changes(changed: bool) -> None:
    checkpointer = MemoryCheckpointer()
    codec = checkpointer._codec = Counting()
    story = Story(checkpointer)
    items = [big(number) for number in range(5)]
    story.save({"all": items})
    story.save({"more": Extend(tuple(items)), "all": [*items]})
    encoded = codec.characters
    if changed:
        items[2]["number"] = "new"
    story.save({"last": items[-1], "turned": items[::-1], "n": 1})
    story.save({"third": items[2]})
    assert story.values() == {
        "all": [big(number) for number in range(5)], "more": [big(number) for number in range(5)], "n": 1,
        "last": items[-1], "turned": items[::-1], "third": items[2],
    }  # fmt: skip
    assert codec.characters - encoded < 4000 + changed * 10_000


def test_what_was_remembered_of_earlier_checkpoints_is_forgotten() -> None:
    codec, memo = Counting(), Memo()
    items = [{"text": f"{number:0100000}", "set": set()} for number in range(100)]
    for item in items:
        memo.begin()
        memo.text(item, codec)
    before = codec.calls
    plain = {"text": f"{0:0100000}"}
    for _ in range(2):
        memo.text(plain, codec)
    assert codec.calls == before + 1
    assert len(memo._now) + len(memo._before) < 90


def test_what_moves_from_one_item_to_the_next_is_seen() -> None:
    codec = Codec()
    first: dict[str, Any] = {"a": "x"}
    second: dict[str, Any] = {"b": "y"}
    held = Held([known(first, codec), known(second, codec)])
    del first["a"]
    second.clear()
    second.update(a="x", b="y")
    assert not held.grew_to([first, second])


def test_an_item_is_looked_at_once_for_a_checkpoint() -> None:
    looked: list[int] = []

    class Looked(Content):
        def unchanged(self) -> bool:
            looked.append(len(self.items))
            return super().unchanged()

    codec, memo = Codec(private=True), Memo()
    held = Held([known(big(number), codec) for number in range(3)])
    content = Looked()
    content.extend(held.content)
    held.content = content
    items = held.items[:]
    memo.begin()
    for _ in range(3):
        assert held.grew_to(items, memo.turn)
    items[0]["number"] = 7
    memo.begin()
    assert not held.grew_to(items, memo.turn)
    assert not held.grew_to(items)
    assert looked == [3, 3, 3]


def test_a_list_of_the_same_items_in_another_order_is_held_as_well() -> None:
    codec, memo = Counting(), Memo()
    items: list[Any] = [{"n": number} for number in range(9)] + [HumanMessage("a"), big(), {"set": {1}}]
    held = Held([known(item, codec) for item in items[:-1]])
    turned = held.changed_to([{"new": 1}, *items[-2::-1]], codec, memo)
    assert codec.calls == len(items)
    assert turned.unchanged()
    assert turned.grew_to(turned.items)
    for item in (items[3], items[-2], turned.items[0]):
        again = turned.changed_to(turned.items[::-1], codec, memo)
        item["seen"] = 1
        memo.begin()
        assert not turned.unchanged()
        assert not again.unchanged()
        turned = again.changed_to(again.items, codec, memo)
        assert turned.unchanged()
        assert turned.texts() == [Codec(private=True).dumps(each) for each in turned.items]
    assert not turned.changed_to([*turned.items, items[-1]], codec, memo).tellable


def test_items_that_moved_are_known() -> None:
    codec = Counting()
    items = [{"n": n} for n in range(20)]
    held = Held([known(item, codec) for item in items])
    found = held.changed_to([*items[5:], items[0]], codec, Memo()).known
    assert codec.calls == 20
    assert [each.text for each in found] == [f'{{"n":{n}}}' for n in (*range(5, 20), 0)]


def test_a_list_that_only_grows_is_encoded_once() -> None:
    codec = Counting()
    tip = Tip()
    messages: list[Any] = []
    for n in range(100):
        messages = [*messages, HumanMessage("x" * 200, id=str(n))]
        line = tip.advance(
            Checkpoint(str(n), str(n - 1), n, "loop", n, n, {"messages": messages}, Control(), (), {}), codec
        )
        if n > 30 and not line.startswith(b'{"id"'):
            assert len(line) < 700
    assert codec.calls < 180  # each a time, but for the first dozen: a small list is encoded whole


texts = st.lists(st.sampled_from(["1", "2", '"a"', "[3,4]", "55"]), max_size=7)


def listed(texts: list[str]) -> str:
    return f"[{','.join(texts)}]"


@settings(deadline=None)
@given(texts, texts)
def test_splices_lead_from_one_list_to_the_other(old: list[str], new: list[str]) -> None:
    found = parse(splices_text(splices(old, new)))
    assert Encoded(None, parse(listed(old))).spliced(found, False, Codec()).text() == listed(new)
    assert Encoded(listed(old)).spliced(found, False, Codec()).text() == listed(new)


@settings(deadline=None)
@given(texts, texts)
def test_splices_tell_when_items_were_appended_and_nothing_else(old: list[str], new: list[str]) -> None:
    more = appended(splices(old, [*old, *new]), len(old))
    if old and new and not set(old) & set(new):
        assert more == new
    other = appended(splices(old, new), len(old))
    if other is not None:
        assert [*old, *other] == new


@settings(deadline=None)
@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_a_difference_leads_from_one_text_to_the_other(old: str, new: str) -> None:
    assert patched(old, difference(old, new)) == new


@pytest.mark.parametrize("dropped", [0, 1, 7, 37])
def test_a_window_that_moves_keeps_what_stays(dropped: int) -> None:
    items = [f'{{"n":{n},"text":"{n * 7919:0100}"}}' for n in range(45)]
    old, new = items[:40], items[dropped:45]
    found = splices(old, new)
    assert found == [(dropped, 40 - dropped, items[40:])]
    assert new_in(found) < 700
    patch = difference(listed(old), listed(new))
    assert patched(listed(old), patch) == listed(new)
    assert size_of(patch) < 700


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 3)),
            st.tuples(st.just("drop"), st.integers(0, 30)),
            st.tuples(st.just("change"), st.integers(0, 30)),
            st.tuples(st.just("replace"), st.integers(0, 30)),
            st.tuples(st.just("swap"), st.integers(0, 30)),
            st.tuples(st.just("restart"), st.just(0)),
        ),
        max_size=25,
    )
)
def test_a_list_of_messages_that_a_reducer_rebuilds(verbs: list[tuple[str, int]]) -> None:
    """Each list is a new one of mostly the same messages, as reducers give them; some are changed in place."""
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    messages = [HumanMessage("x" * 400, id=str(n)) for n in range(12)]
    wanted = []
    for verb, place in verbs:
        place = place % max(len(messages), 1)
        messages = list(messages)
        match verb:
            case "append":
                messages += [AIMessage("new", id="n") for _ in range(place)]
            case "drop" if messages:
                del messages[place]
            case "change" if messages:
                messages[place].response_metadata["seen"] = len(wanted)
            case "replace" if messages:
                messages[place] = HumanMessage("y" * 300)
            case "swap" if messages:
                messages[place], messages[0] = messages[0], messages[place]
            case "restart":
                for log in checkpointer._logs.values():
                    log.tip = None
        story.save({"messages": messages})
        wanted.append([each.model_copy(deep=True) for each in messages])
    assert [each.values["messages"] for each in story.history()] == wanted[::-1]
    assert [story.values(each)["messages"] for each in story.ids] == wanted


def test_messages_that_tasks_carry_are_encoded_once() -> None:
    codec = Counting()
    tip = Tip()
    messages: list[Any] = []
    for n in range(60):
        messages = [*messages, HumanMessage("x" * 200, id=str(n))]
        send = ("tools", {"call": {"name": "add"}, "state": {"messages": messages}}, None)
        outcome = ((("messages", messages[-1:]),), (send,), ())
        before = codec.characters
        record_line(Record("task", "outcome", outcome, "node", ()), codec, None, tip.carrier(codec))
        tip.advance(
            Checkpoint(str(n), str(n - 1), n, "loop", n, n, {"messages": messages}, Control((), (send,)), (), {}), codec
        )
        if n > 20:
            assert codec.characters - before < 3000  # 60 messages take 20,000


def test_what_a_task_wrote_is_encoded_once_for_its_record_and_the_checkpoint() -> None:
    codec = Counting()
    tip = Tip()
    for n in range(20):
        message = HumanMessage("x" * 200, id=str(n))
        before = codec.calls
        outcome = ((("messages", [message]),), ("node",), ())
        line = record_line(Record("task", "outcome", outcome, "node", ()), codec, None, tip.carrier(codec))
        assert read_record(parse(text_of(line)), codec, tagged=True).record.payload == outcome
        message.response_metadata.update({"seen": n} if n % 2 else {})
        changes = {"messages": Extend((message,)) if n else [message]}
        tip.advance(Checkpoint(str(n), str(n - 1), n, "loop", n, n, changes, Control(), (), {}), codec)
        assert codec.calls - before == 1 + n % 2 + 1  # the message, again if it changed, and the name of the route
    assert [each.response_metadata for each in codec.loads(tip.values["messages"].text())][:2] == [{}, {"seen": 1}]


def test_a_rebuilt_list_of_messages_takes_few_bytes() -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    messages = [HumanMessage("x" * 400, id=str(n)) for n in range(100)]
    for n in range(50):
        messages = [*messages[1:], AIMessage(f"answer {n}", id=f"a{n}")]
        story.save({"messages": messages})
    lines = [line for log in checkpointer._logs.values() for line in log.lines]
    assert sum(map(len, lines[1:])) < 50 * 2000  # each about 500, quoted, and a keyframe; whole lists would take 2.4 MB
