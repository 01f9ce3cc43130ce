"""Big items stand once in the lines of a file between two keyframes: nobody may notice, whatever else happens."""

from __future__ import annotations

import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from stepgraph.core.checkpoint import Control, Extend
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import SqliteCheckpointer, tip
from stepgraph.persist.codec import Codec, Unreadable
from stepgraph.persist.pool import Pool, PoolCodec
from tests.contract.checkpointer import Story

CODEC = Codec(private=True)


def letter(number: int) -> dict[str, Any]:
    return {"number": number, "parts": [{"text": f"{each:0100}", "flags": [True, None, each]} for each in range(30)]}


def message(number: int) -> HumanMessage:
    return HumanMessage(f"{number:0300}", id=str(number))


class Told:
    """Writes what a program would, on threads that fork, and knows what must come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpointer = SqliteCheckpointer(path)
        self.items: list[Any] = [letter(0), message(1), letter(2), message(3), {"small": 1}, [["x" * 600], {}]]
        self.values: dict[tuple[str, str], dict[str, Any]] = {}
        """By thread and checkpoint."""
        self.sent: dict[tuple[str, str], Any] = {}
        self.story = Story(self.checkpointer, "t0")
        self.threads = ["t0"]
        self.number = 0

    def some(self, seed: int) -> list[Any]:
        return [self.items[place % len(self.items)] for place in (seed, seed // 3, seed // 7)]

    def save(self, changes: dict[str, Any], sends: tuple[Any, ...] = (), **more: Any) -> None:
        parent = more.get("parent") or (self.story.ids[-1] if self.story.ids else None)
        source = more.get("parent_thread") or self.story.thread
        values = dict(self.values[source, parent]) if parent else {}
        for key, change in deepcopy(changes).items():
            values[key] = [*values.get(key, []), *change.items] if type(change) is Extend else change
        name = self.story.save(changes, control=Control((), sends), **more)
        self.values[self.story.thread, name] = values
        self.sent[self.story.thread, name] = deepcopy(sends)

    def write(self, seed: int) -> None:
        items = self.some(seed)
        self.save({f"key{seed % 3}": items, f"key{seed % 2}": items[::-1], "one": items[0]})

    def grow(self, seed: int) -> None:
        self.save({"grown": Extend(tuple(self.some(seed)))})

    def nest(self, seed: int) -> None:
        self.save({f"key{seed % 3}": {"list": self.some(seed), "n": seed}})

    def send(self, seed: int) -> None:
        items, others = self.some(seed), self.some(seed + 1)
        self.save({"key0": items}, (("node", {"state": {"messages": items}}, None), ("node", others, None)))

    def record(self, seed: int) -> None:
        if self.story.ids:
            name = self.story.ids[-1 - seed % min(3, len(self.story.ids))]
            self.items.append(letter(seed))
            routes = (("node", {"state": [*self.some(seed), self.items[-1]]}, None),)
            self.story.record(name, f"task{seed}", "outcome", ((), routes, ()))
            found = {each.task: each for each in self.story.load(name).records}
            assert found[f"task{seed}"].payload[1] == routes

    def change(self, seed: int) -> None:
        item = self.items[seed % len(self.items)]
        if isinstance(item, HumanMessage):
            item.response_metadata["seen"] = seed
        elif isinstance(item, dict):
            item["more"] = {"seed": [seed]}
        else:
            item.append(seed)

    def fail(self, seed: int) -> None:
        self.items.append(letter(seed))
        with pytest.raises(CheckpointError, match="cannot store"):
            self.story.save({"key0": [*self.some(seed), self.items[-1]], "key1": [self.items[-1], object()]})
        next(self.story.counter)

    def reopen(self, _: int) -> None:
        self.checkpointer.close()
        self.checkpointer = self.story.checkpointer = SqliteCheckpointer(self.path)

    def fork_in_place(self, seed: int) -> None:
        if self.story.ids:
            self.save({"forked": self.some(seed)}, parent=self.story.ids[seed % len(self.story.ids)])

    def fork(self, seed: int) -> None:
        if self.story.ids:
            old, self.number = self.story, self.number + 1
            self.story = Story(self.checkpointer, f"t{self.number}", run=f"1f0c8d2e-77a0-6b1c-{self.number:04}")
            self.threads.append(self.story.thread)
            parent = old.ids[seed % len(old.ids)]
            self.save({"forked": self.some(seed)}, parent=parent, parent_thread=old.thread, parent_ns="")

    def delete(self, seed: int) -> None:
        thread = self.threads[seed % len(self.threads)]
        if thread != self.story.thread:
            self.checkpointer.delete(thread)
            self.threads.remove(thread)

    def check(self) -> None:
        for thread, name in self.values:
            if thread in self.threads:
                found = self.checkpointer.load(thread, "", name)
                assert found is not None
                assert _text(found.values) == _text(self.values[thread, name])
                assert _text(found.control.sends) == _text(self.sent[thread, name])
        for thread in self.threads:
            for each in self.checkpointer.history(thread, ""):
                assert _text(each.values) == _text(self.values[thread, each.id])
                assert _text(each.control.sends) == _text(self.sent[thread, each.id])


def _text(value: Any) -> str:
    return CODEC.dumps({key: value[key] for key in sorted(value)} if isinstance(value, dict) else value)


VERBS = [
    "write", "write", "write", "grow", "grow", "nest", "send", "record", "change", "fail", "reopen", "fork_in_place",
    "fork", "delete",
]  # fmt: skip


@pytest.mark.parametrize("least", [1024, 100_000], ids=["many keyframes", "few keyframes"])
def test_whatever_a_program_writes_comes_back(least: int) -> None:
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 60)), max_size=30))
    def tell(verbs: list[tuple[str, int]]) -> None:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
            patch.setattr(tip, "_LEAST", least)
            told = Told(Path(folder) / "t.db")
            for verb, seed in verbs:
                getattr(told, verb)(seed)
            told.check()
            told.reopen(0)
            told.check()
            told.checkpointer.close()

    tell()


def test_a_fork_keeps_what_only_the_lines_of_a_deleted_thread_define(tmp_path: Path) -> None:
    checkpointer = SqliteCheckpointer(tmp_path / "t.db")
    parent, fork = Story(checkpointer), Story(checkpointer, "fork", run="1f0c8d2e-77a0-6b1c-0001")
    first, second = letter(1), letter(2)
    parent.save({"key": [first]})
    parent.save({"key": [second]})
    fork.save({"n": 1}, parent=parent.ids[1], parent_thread="t", parent_ns="")
    fork.save({"key": [first]})
    checkpointer.delete("t")
    assert [fork.values(each)["key"] for each in fork.ids] == [[second], [first]]
    assert [each.values["key"] for each in fork.history()] == [[first], [second]]
    checkpointer.close()


def size_of(path: Path, keys: int) -> int:
    """Bytes of a file in which a list of letters that grows stands in so many keys."""
    checkpointer = SqliteCheckpointer(path)
    story = Story(checkpointer)
    letters: list[Any] = []
    for number in range(100):
        letters = [*letters, letter(number)]
        for key in range(keys):
            story.save({f"key{key}": letters[::-1] if key % 2 else letters})
    checkpointer.close()
    return path.stat().st_size


def test_an_item_takes_no_more_room_in_five_keys_than_in_one(tmp_path: Path) -> None:
    assert size_of(tmp_path / "five.db", 5) < 1.5 * size_of(tmp_path / "one.db", 1)


def test_a_list_that_another_process_goes_on_with_is_not_stored_again(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    letters = [letter(number) for number in range(100)]
    for number in range(20):
        checkpointer = SqliteCheckpointer(path)
        story = Story(checkpointer, run=f"1f0c8d2e-77a0-6b1c-{number:04}")
        found = checkpointer.load("t", "")
        letters = letters if found is None else [*found.values["letters"], letter(100 + number)]
        story.save({"letters": letters}, parent=None if found is None else found.id)
        checkpointer.close()
    assert path.stat().st_size < 2 * len(CODEC.dumps(letters))


@pytest.mark.parametrize("text", ["x" * 2000, "1" * 2000, '["' + "x" * 2000, 'a "quoted" \\ word' * 100], ids=len)
@pytest.mark.parametrize("front", [False, True])
def test_a_long_text_beside_other_items_of_a_list_comes_back(tmp_path: Path, text: str, front: bool) -> None:
    path = tmp_path / "t.db"
    checkpointer = SqliteCheckpointer(path)
    story, items, told = Story(checkpointer), [{"an": "other"}], []
    for number in range(8):
        more = f"{number}{text}"
        items = [more, *items] if front else [*items, more]
        story.save({"key": items})
        told.append(items)
    assert [each.values["key"] for each in story.history()] == told[::-1]
    checkpointer.close()
    again = SqliteCheckpointer(path)
    assert [again.load("t", "", each).values["key"] for each in story.ids] == told  # type: ignore[union-attr]  # all are there
    assert [each.values["key"] for each in again.history("t", "")] == told[::-1]
    again.close()


def test_what_cannot_be_read_in_a_big_item_is_told_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.db"
    checkpointer = SqliteCheckpointer(path)
    Story(checkpointer).save({"key": [letter(1), {**letter(2), "odd": Odd("x")}]})
    checkpointer.close()
    again = SqliteCheckpointer(path)
    monkeypatch.delitem(globals(), "Odd")
    with pytest.raises(CheckpointError, match=r"key\[1\]\.odd.*Odd"):
        again.load("t", "")
    again.close()


class Odd(str):
    """A class that may be gone."""


def test_an_item_that_no_line_defines_is_told() -> None:
    with pytest.raises(Unreadable, match="item 3 of what is stored is missing"):
        PoolCodec().reading(Pool()).loads('{"~":"#","v":3}')
