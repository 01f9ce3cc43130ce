"""What every checkpointer must do. A backend's test class inherits this and gives a `checkpointer` fixture.

class TestRedis(CheckpointerContract):
    @pytest.fixture
    def checkpointer(self, redis_url): return RedisCheckpointer(redis_url)
"""

from __future__ import annotations

import copy
import cProfile
import datetime
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepgraph.core.checkpoint import REMOVED, Checkpoint, Checkpointer, Control, Extend, Record, Source, Stored
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import Interrupt

RUN = "1f0c8d2e-77a0-6b1c-8a2b"


class Story:
    """Writes checkpoints as an engine does: each the child of the last unless told otherwise."""

    def __init__(self, checkpointer: Checkpointer, thread: str = "t", ns: str = "", run: str = RUN) -> None:
        self.checkpointer, self.thread, self.ns, self.run = checkpointer, thread, ns, run
        self.last: Stored | None = None
        self.ids: list[str] = []
        self.counter: Iterator[int] = itertools.count(1)

    def save(
        self,
        changes: Mapping[str, Any],
        *,
        parent: str | None = "last",
        control: Control | None = None,
        ran: tuple[str, ...] = ("node",),
        metadata: Mapping[str, Any] | None = None,
        source: Source = "loop",
        step: int | None = None,
        version: int | None = None,
        **more: Any,
    ) -> str:
        number = next(self.counter)
        if parent == "last":
            parent = self.ids[-1] if self.ids else None
        name = f"{self.run}-{number:012x}"
        self.checkpointer.save(
            self.thread,
            self.ns,
            Checkpoint(
                id=name,
                parent=parent,
                step=number - 2 if step is None else step,
                source=source,
                time=1_700_000_000 + number / 8,
                version=number if version is None else version,
                changes=changes,
                control=Control(("node",)) if control is None else control,
                ran=ran,
                metadata={} if metadata is None else metadata,
                **more,
            ),
        )
        self.ids.append(name)
        return name

    def record(self, checkpoint: str, task: str, kind: Any, payload: Any, node: str = "node") -> None:
        record = Record(task, kind, payload, node, ("__pregel_pull", node))
        self.checkpointer.save_record(self.thread, self.ns, checkpoint, record)

    def load(self, id: str | None = None) -> Stored:
        found = self.checkpointer.load(self.thread, self.ns, id)
        assert found is not None
        return found

    def values(self, id: str | None = None) -> dict[str, Any]:
        return self.load(id).values

    def history(self, **options: Any) -> list[Stored]:
        return list(self.checkpointer.history(self.thread, self.ns, **options))


class CheckpointerContract:
    """Inherit, and give the fixture."""

    @pytest.fixture
    def checkpointer(self) -> Checkpointer:
        raise NotImplementedError

    def reopened(self, checkpointer: Any) -> Any:
        """The same store as another process would open it. A backend without one gives back what it got."""
        return checkpointer

    # ---- one thread

    def test_an_unknown_thread_has_nothing(self, checkpointer: Checkpointer) -> None:
        assert checkpointer.load("nobody", "") is None
        assert checkpointer.load("nobody", "", f"{RUN}-000000000001") is None
        assert list(checkpointer.history("nobody", "")) == []
        assert checkpointer.namespaces("nobody") == []
        assert checkpointer.threads() == []
        checkpointer.delete("nobody")

    def test_the_newest_checkpoint_comes_back_whole(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        first = story.save({"a": 1, "b": [1, 2]}, ran=("start",), source="input", metadata={"run_id": "r"})
        second = story.save(
            {"a": 2},
            ran=("one", "two"),
            control=Control(
                ("three",), (("four", {"x": (1,)}, None), ("four", 5, 2.5)), {"join:a+b": frozenset({"a"})}
            ),
            metadata={"run_id": "r"},
        )

        assert story.load() == Stored(
            thread="t",
            ns="",
            id=second,
            parent=first,
            step=0,
            source="loop",
            time=1_700_000_000.25,
            version=2,
            values={"a": 2, "b": [1, 2]},
            control=Control(
                ("three",), (("four", {"x": (1,)}, None), ("four", 5, 2.5)), {"join:a+b": frozenset({"a"})}
            ),
            seen={"start": 1, "one": 2, "two": 2},
            versions={"a": 2, "b": 1},
            metadata={"run_id": "r"},
            records=(),
            parent_thread=None,
        )

    def test_each_checkpoint_is_found_by_its_id(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        ids = [story.save({"n": n}) for n in range(50)]
        assert [story.values(each) for each in ids] == [{"n": n} for n in range(50)]
        assert checkpointer.load("t", "", f"{RUN}-00000000ffff") is None
        assert checkpointer.load("t", "", "of another form") is None

    def test_two_runs_at_once_may_save_in_another_order_than_they_made_their_ids(
        self, checkpointer: Checkpointer
    ) -> None:
        """Runs that begin in one moment share the counter of their ids."""
        story = Story(checkpointer)
        story.counter = itertools.chain([1, 5, 3, 4, 2, 600, 9], itertools.count(700))
        ids = {number: story.save({"n": number}, parent=None if not story.ids else "last") for number in range(8)}
        assert [story.values(ids[number]) for number in range(8)] == [{"n": number} for number in range(8)]
        assert [each.values["n"] for each in story.history()] == [7, 6, 5, 4, 3, 2, 1, 0]
        assert [each.values["n"] for each in story.history(before=ids[4])] == [3, 2, 1, 0]

    def test_ids_may_have_any_form(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        names = [
            "a",
            "a000000000000",
            "a000000000001",
            "b" * 36,
            f"{RUN}-0000000000FF",
            f"{RUN}-000000000100",
            "ü",
            "zz",
        ]
        for number, name in enumerate(names):
            parent = names[number - 1] if number else None
            checkpointer.save(
                "t", "", Checkpoint(name, parent, number, "loop", 0.0, number, {"n": number}, Control(), (), {})
            )
        assert [story.load(name).values for name in names] == [{"n": n} for n in range(len(names))]
        assert [each.id for each in story.history()] == names[::-1]
        assert [each.parent for each in story.history()] == [*names[-2::-1], None]

    def test_history_is_newest_first_and_has_every_state(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        ids = [story.save({"n": n, f"k{n % 3}": n}, ran=(f"r{n % 2}",)) for n in range(40)]
        found = story.history()
        assert [each.id for each in found] == ids[::-1]
        for each in found:
            assert each == story.load(each.id)

    def test_history_begins_before_a_checkpoint_and_stops_at_a_limit(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        ids = [story.save({"n": n}) for n in range(30)]
        assert [each.id for each in story.history(before=ids[20])] == ids[19::-1]
        assert [each.id for each in story.history(before=ids[20], limit=3)] == ids[19:16:-1]
        assert [each.values for each in story.history(limit=1)] == [{"n": 29}]
        assert story.history(limit=0) == []
        assert story.history(before=ids[0]) == []
        with pytest.raises(CheckpointError, match="no checkpoint nothing"):
            story.history(before="nothing")

    def test_history_without_values_has_everything_else(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        for n in range(10):
            story.save({"n": n}, metadata={"n": n})
        story.record(story.ids[3], "x", "error", "boom")
        whole, bare = story.history(), story.history(values=False)
        for each in whole:
            each.values = {}
        assert bare == whole

    def test_a_grown_a_replaced_and_a_removed_key(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({"log": [], "note": "x", "gone": {"a": 1}})
        story.save({"log": Extend(({"n": 1}, "two"))})
        story.save({"log": Extend(()), "gone": REMOVED})
        story.save({"log": Extend(((3,),)), "note": REMOVED})
        story.save({"log": [0], "note": None, "fresh": Extend((1, 2))})
        assert [each.values for each in story.history()] == [
            {"log": [0], "note": None, "fresh": [1, 2]},
            {"log": [{"n": 1}, "two", (3,)]},
            {"log": [{"n": 1}, "two"], "note": "x"},
            {"log": [{"n": 1}, "two"], "note": "x", "gone": {"a": 1}},
            {"log": [], "note": "x", "gone": {"a": 1}},
        ]
        assert story.load().versions == {"log": 5, "note": 5, "gone": 3, "fresh": 5}
        assert story.load(story.ids[2]).versions == {"log": 3, "note": 1, "gone": 3}

    def test_long_values_that_change_a_little(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        text, items, table = "x" * 2000, [{"n": n, "s": "y" * 20} for n in range(200)], {f"k{n}": n for n in range(300)}
        wanted = []
        for n in range(30):
            text = text[: 40 * n] + "ü" + text[40 * n + n % 3 :]
            items = [*items, {"n": -n, "s": "new"}] if n % 4 else [*items[1:7], {"t": (n,)}, *items[8:]]
            table = {**table, f"k{n * 7}": str(n)}
            wanted.append({"text": text, "items": items, "table": table})
            story.save(wanted[-1])
        assert [story.values(each) for each in story.ids] == wanted
        assert [each.values for each in story.history()] == wanted[::-1]

    def test_steps_and_versions_need_not_be_consecutive(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        numbers = [(-1, 1), (4, 9), (5, 10), (5, 10), (0, 11)]
        for step, version in numbers:
            story.save({"n": step}, step=step, version=version)
        assert [(each.step, each.version) for each in story.history()] == numbers[::-1]

    def test_metadata_keeps_types_and_changes(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        shown: list[dict[str, Any]] = [
            {},
            {"a": 1},
            {"a": True},
            {"a": True, "b": {"c": (1,)}},
            {"a": True, "b": {"c": [1]}},
            {"a": 1.0},
            {},
        ]
        for metadata in shown:
            story.save({}, metadata=metadata)
        assert [repr(each.metadata) for each in story.history()] == [repr(each) for each in shown[::-1]]

    def test_every_type_of_value_comes_back_as_itself(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        value = {
            "tuple": (1, "a", None),
            "set": {1, 2},
            "bytes": b"\x00\xff",
            "keys": {1: "one", (2, 3): "pair", None: 0},
            "decimal": Decimal("1.10"),
            "time": datetime.datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=datetime.UTC),
            "int": 10**5000,
            "float": [float("inf"), -0.0, 1e-300],
            "text": 'quote " tag {"~" lone \ud800 astral \U0001f600',
            "tag": {"~": "not one"},
            "empty": [(), [], {}, set(), ""],
        }
        story.save({"value": value})
        assert same(story.values(), {"value": value})

    def test_what_a_node_changes_later_does_not_change_history(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        inner: dict[str, Any] = {"x": [1]}
        items = [inner]
        metadata = {"tags": ["a"]}
        story.save({"items": items, "more": Extend((inner,))}, metadata=metadata)
        inner["x"].append(2)
        items.append({})
        metadata["tags"].append("b")
        story.save({"n": 1}, metadata=metadata)
        first, second = story.load(story.ids[0]), story.load(story.ids[1])
        assert first.values == {"items": [{"x": [1]}], "more": [{"x": [1]}]}
        assert second.values == {"items": [{"x": [1]}], "more": [{"x": [1]}], "n": 1}
        assert (first.metadata, second.metadata) == ({"tags": ["a"]}, {"tags": ["a", "b"]})

    def test_what_a_reader_changes_stays_with_the_reader(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        control = Control(("a",), (("b", {"x": []}, None),), {"c": ["d"]})
        story.save({"items": [{"x": 1}]}, control=control, metadata={"m": {}}, ran=("a",))
        story.record(story.ids[0], "task", "interrupt", ({"q": []},))
        before = story.load()
        for found in (story.load(), story.history()[0]):
            found.values["items"][0]["x"] = 2
            found.values["items"].append(3)
            found.control.sends[0][1]["x"].append(1)
            found.control.channels["c"].append("e")
            found.metadata["m"]["n"] = 1
            found.seen["a"] = found.versions["items"] = 99
            found.records[0].payload[0]["q"].append(1)
        story.save({"items": Extend((4,))}, control=control, metadata={"m": {}}, ran=())
        assert story.load(story.ids[0]) == before
        assert story.values() == {"items": [{"x": 1}, 4]}

    def test_the_list_of_one_snapshot_is_not_that_of_another(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({"log": [1]})
        story.save({"log": Extend((2,))})
        newer, older = story.history()
        newer.values["log"].clear()
        assert older.values["log"] == [1]

    # ---- forks

    def test_a_fork_in_place_leaves_the_other_branch_alone(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        root = story.save({"log": ["root"], "n": 0})
        old = story.save({"log": Extend(("old",)), "n": 1}, ran=("old",))
        new = story.save({"log": Extend(("new",))}, parent=root, ran=("new",), source="fork")
        newer = story.save({"log": Extend(("newer",))}, ran=("new",))
        older = story.save({"log": Extend(("older",))}, parent=old, ran=("old",))
        assert story.values(older) == {"log": ["root", "old", "older"], "n": 1}
        assert story.values(newer) == {"log": ["root", "new", "newer"], "n": 0}
        assert story.load(newer).seen == {"node": 1, "new": 4}
        assert story.load(older).seen == {"node": 1, "old": 5}
        assert story.load().id == older
        assert [(each.id, each.parent) for each in story.history()] == [
            (older, old),
            (newer, new),
            (new, root),
            (old, root),
            (root, None),
        ]

    def test_two_branches_may_grow_in_turn(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        tips = [story.save({"log": []})] * 2
        for n in range(40):
            tips[n % 2] = story.save({"log": Extend((n,))}, parent=tips[n % 2])
        assert story.values(tips[0])["log"] == list(range(0, 40, 2))
        assert story.values(tips[1])["log"] == list(range(1, 40, 2))
        for each in story.history():
            assert each == story.load(each.id)

    def test_a_fork_on_another_thread_goes_its_own_way(self, checkpointer: Checkpointer) -> None:
        story, branch = Story(checkpointer), Story(checkpointer, "t~2", run="1f0c8d2e-77a0-6b1c-ffff")
        ids = [story.save({"log": [n] if n == 0 else Extend((n,)), "n": n}) for n in range(6)]
        root = branch.save({"n": "edited"}, parent=ids[2], parent_thread="t", parent_ns="", source="fork")
        branch.save({"log": Extend(("b",))})
        story.save({"log": Extend(("a",))})
        assert branch.values() == {"log": [0, 1, 2, "b"], "n": "edited"}
        assert story.values() == {"log": [0, 1, 2, 3, 4, 5, "a"], "n": 5}
        found = branch.history()
        assert [(each.id, each.parent, each.parent_thread) for each in found] == [
            (branch.ids[1], root, None),
            (root, ids[2], "t"),
        ]
        assert found[1].values == {"log": [0, 1, 2], "n": "edited"}
        assert found[1].versions == {"log": 3, "n": 1}

    def test_forks_outlive_the_thread_that_they_came_from(self, checkpointer: Checkpointer) -> None:
        first = Story(checkpointer, "1")
        second = Story(checkpointer, "2", run="1f0c8d2e-77a0-6b1c-2222")
        third = Story(checkpointer, "3", run="1f0c8d2e-77a0-6b1c-3333")
        first.save({"log": ["a", "b" * 5000], "pair": (1,)}, ran=("a",))
        second.save({"log": Extend(("c",))}, parent=first.ids[0], parent_thread="1", parent_ns="", ran=("b", "c"))
        second.save({"n": 1}, ran=("b", "c"))
        third.save({"log": Extend(("d",))}, parent=second.ids[1], parent_thread="2", parent_ns="", ran=("b", "c"))
        wanted = [[*each.history()] for each in (second, third)]
        checkpointer.delete("1")
        assert checkpointer.load("1", "") is None
        assert [[*each.history()] for each in (second, third)] == wanted
        third.save({"m": 1}, ran=("b", "c"))
        checkpointer.delete("2")
        third.save({"log": Extend(("e",))}, ran=("b", "c"))
        checkpointer = self.reopened(checkpointer)
        third.checkpointer = checkpointer
        assert third.values() == {"log": ["a", "b" * 5000, "c", "d", "e"], "pair": (1,), "n": 1, "m": 1}
        assert third.load().seen == {"a": 1, "b": 3, "c": 3}
        assert third.load(third.ids[0]) == wanted[1][0]
        assert [each.thread for each in checkpointer.threads()] == ["3"]

    def test_a_parent_that_is_not_there_is_refused(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer, "t9", "sub:1")
        with pytest.raises(
            CheckpointError, match="Thread 't9', namespace 'sub:1', step -1: the parent checkpoint nobody"
        ):
            story.save({"n": 1}, parent="nobody")
        with pytest.raises(CheckpointError, match="is not stored in thread 'elsewhere'"):
            story.save({"n": 1}, parent="nobody", parent_thread="elsewhere")
        story.save({"n": 1}, parent=None)
        assert story.values() == {"n": 1}

    # ---- records

    def test_records_belong_to_a_checkpoint_and_a_later_one_of_a_kind_wins(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        first = story.save({"n": 0})
        story.record(first, "t1", "proposal", ((("n", 1),), ("b",)))
        story.record(first, "t2", "error", "boom")
        story.record(first, "t1", "outcome", ((("n", (1,)), ("n", 2)), ("b", ("c", {"x": {1}}, None)), ("join",)))
        story.record(first, "t1", "proposal", ((("n", 9),), ()))
        second = story.save({"n": 1})
        story.record(second, "t3", "interrupt", (Interrupt({"q": "?"}, "id"),))
        story.record(second, "t3", "resume", ["yes", 2])
        found = story.load(first).records
        assert found == (
            Record("t1", "proposal", ((("n", 9),), ()), "node", ("__pregel_pull", "node")),
            Record("t2", "error", "boom", "node", ("__pregel_pull", "node")),
            Record(
                "t1",
                "outcome",
                ((("n", (1,)), ("n", 2)), ("b", ("c", {"x": {1}}, None)), ("join",)),
                "node",
                ("__pregel_pull", "node"),
            ),
        )
        assert [each.payload for each in story.load(second).records] == [(Interrupt({"q": "?"}, "id"),), ["yes", 2]]
        assert [len(each.records) for each in story.history()] == [2, 3]

    def test_tasks_may_carry_lists_of_the_state(self, checkpointer: Checkpointer) -> None:
        """Whole, longer, or with an item that was changed in place since; a call of a prebuilt agent's tool does."""
        story = Story(checkpointer)
        letters: list[Any] = [{"n": n, "parts": [["x" * 300], (n, 1.5)]} for n in range(20)]
        story.save({"letters": [*letters]})
        story.save({"letters": [*letters]})
        story.save({"letters": [*letters]})
        more = [*letters, {"n": 20, "parts": []}]
        carried = {"call": {"a": (1, 2)}, "state": {"letters": more, "~": {1: letters}}, "n": 1}
        outcome = ((("letters", [more[-1]]),), (("tools", carried, None), "other", ("tools", letters, 2.5)), ("join",))
        story.record(story.ids[-1], "task", "outcome", outcome)
        sends = (("tools", carried, None), ("tools", 5, 1.5), ("tools", (letters, more), None))
        story.save({"letters": more}, control=Control((), sends))
        wanted = copy.deepcopy((outcome, sends))
        letters[3]["parts"][0].append("changed")
        story.save({"n": 1}, control=Control((), (("tools", {"letters": letters}, None),)))
        assert story.load(story.ids[2]).records[0].payload == wanted[0]
        assert story.load(story.ids[3]).control.sends == wanted[1]
        assert story.load().control.sends == (("tools", {"letters": letters}, None),)

    def test_a_record_may_come_after_later_checkpoints(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        ids = [story.save({"n": n}) for n in range(3)]
        story.record(ids[2], "c", "error", "2")
        story.record(ids[0], "a", "error", "0")
        story.record(ids[2], "c", "error", "3")
        story.record(ids[0], "a", "error", "1")
        story.save({"n": 3})
        story.record(ids[0], "b", "error", "4")
        wanted = [[], [("c", "3")], [], [("a", "1"), ("b", "4")]]
        assert [[(each.task, each.payload) for each in found.records] for found in story.history()] == wanted
        assert [[(each.task, each.payload) for each in story.load(name).records] for name in story.ids[::-1]] == wanted

    def test_records_after_a_restart(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({"log": [0]})
        story.record(story.ids[0], "a", "interrupt", ("?",))
        story.checkpointer = checkpointer = self.reopened(checkpointer)
        story.record(story.ids[0], "a", "resume", ["!"])
        story.record(story.ids[0], "b", "outcome", ((), (), ()))
        story.save({"log": Extend((1,))})
        story.record(story.ids[1], "c", "error", "boom")
        story.checkpointer = self.reopened(checkpointer)
        assert [each.kind for each in story.load(story.ids[0]).records] == ["interrupt", "resume", "outcome"]
        assert [each.kind for each in story.load().records] == ["error"]
        assert story.values() == {"log": [0, 1]}
        assert [len(each.records) for each in story.history()] == [1, 3]

    def test_paths_of_records_are_tuples(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({})
        path = ("__pregel_push", 3, ("__pregel_pull", "a"), False)
        checkpointer.save_record("t", "", story.ids[0], Record("x", "input", {"a": (1,)}, "n", path))
        assert story.load().records == (Record("x", "input", {"a": (1,)}, "n", path),)

    # ---- many

    def test_namespaces_are_apart(self, checkpointer: Checkpointer) -> None:
        names = ["", "sub:1", "sub:1|deep:2", "sub:2"]
        stories = [Story(checkpointer, "t", ns) for ns in names]
        for n, story in enumerate(stories):
            story.save({"n": n})
        for n, story in enumerate(stories):
            story.save({"m": n})
        assert [story.values() for story in stories] == [{"n": n, "m": n} for n in range(4)]
        assert sorted(checkpointer.namespaces("t")) == sorted(names)
        assert [each.thread for each in checkpointer.threads()] == ["t"]

    def test_threads_are_listed_newest_first(self, checkpointer: Checkpointer) -> None:
        stories = {name: Story(checkpointer, name) for name in ("a", "b", "c")}
        for name in ("a", "b", "c", "a", "b", "a"):
            stories[name].save({"n": 1}, control=Control((f"next of {name}",)), metadata={"who": name})
        assert [
            (each.thread, each.checkpoint, each.step, each.time, each.next, each.metadata)
            for each in checkpointer.threads()
        ] == [
            (name, stories[name].ids[-1], step, 1_700_000_000 + (step + 2) / 8, (f"next of {name}",), {"who": name})
            for name, step in (("a", 1), ("b", 0), ("c", -1))
        ]

    def test_a_deleted_thread_is_forgotten_with_its_namespaces(self, checkpointer: Checkpointer) -> None:
        for thread, ns in itertools.product("xy", ("", "sub:1")):
            story = Story(checkpointer, thread, ns)
            story.save({"n": thread})
            story.save({"n": thread + ns})
        checkpointer.delete("x")
        assert checkpointer.namespaces("x") == []
        assert checkpointer.load("x", "sub:1") is None
        assert [each.thread for each in checkpointer.threads()] == ["y"]
        assert Story(checkpointer, "y", "sub:1").values() == {"n": "ysub:1"}
        again = Story(checkpointer, "x")
        again.save({"fresh": True})
        assert again.values() == {"fresh": True}

    def test_a_run_goes_on_in_another_process(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        for n in range(60):
            story.save({"log": Extend((n,)) if n else [n], "n": n, "text": "x" * 600 + str(n)}, ran=(f"r{n % 5}",))
            if n % 13 == 0:
                story.checkpointer = checkpointer = self.reopened(checkpointer)
        assert story.values() == {"log": list(range(60)), "n": 59, "text": "x" * 600 + "59"}
        assert [each.values["n"] for each in story.history()] == list(range(59, -1, -1))
        for each in story.history():
            assert each == story.load(each.id)

    def test_several_threads_write_and_read_at_once(self, checkpointer: Checkpointer) -> None:
        def work(name: str) -> None:
            story = Story(checkpointer, name)
            for n in range(120):
                story.save({"log": Extend((name, n)) if n else [], "n": n})
                if n % 40 == 39:
                    assert story.values()["n"] == n
                    assert len(story.history()) == n + 1

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, "abcdefgh"))
        assert len(checkpointer.threads()) == 8
        for name in "abcdefgh":
            assert Story(checkpointer, name).values()["log"] == [each for n in range(1, 120) for each in (name, n)]

    def test_parallel_tasks_record_at_one_checkpoint(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        start = threading.Barrier(8)

        def work(name: str) -> None:
            start.wait()
            for n in range(50):
                story.record(story.ids[0], f"{name}{n}", "outcome", ((("n", n),), (), ()))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, "abcdefgh"))
        story.save({"n": 1})
        found = story.load(story.ids[0]).records
        assert sorted(each.task for each in found) == sorted(f"{name}{n}" for name in "abcdefgh" for n in range(50))
        for name in "abcdefgh":
            assert [each.payload[0][0][1] for each in found if each.task.startswith(name)] == list(range(50))

    def test_a_history_under_way_is_not_disturbed_by_writing(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        ids = [story.save({"n": n}) for n in range(300)]
        walk = checkpointer.history("t", "")
        seen = [next(walk).id]
        for n in range(300):
            story.save({"n": -n})
        seen += [each.id for each in walk]
        assert seen == ids[::-1]

    def test_big_values(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        text, blob, items = "ä" * 2_000_000, bytes(range(256)) * 4000, [{"n": n} for n in range(20_000)]
        story.save({"text": text, "blob": blob, "items": items})
        story.save({"text": text + "!", "items": Extend(({"n": -1},))})
        assert story.values(story.ids[0]) == {"text": text, "blob": blob, "items": items}
        assert story.values() == {"text": text + "!", "blob": blob, "items": [*items, {"n": -1}]}

    def test_many_namespaces(self, checkpointer: Checkpointer) -> None:
        stories = [Story(checkpointer, "t", f"sub:{n}") for n in range(1500)]
        for story in stories:
            story.save({"n": story.ns})
        for story in stories:
            story.save({"m": Extend((1,))})
        assert [story.values() for story in stories] == [{"n": story.ns, "m": [1]} for story in stories]
        assert len(checkpointer.namespaces("t")) == 1500

    def test_many_records_at_one_checkpoint(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        for n in range(3):
            story.save({"n": n})
            for task in range(500):
                story.record(story.ids[n], str(task), "outcome", ((("n", task),), (), ()))
        assert [[each.payload[0][0][1] for each in found.records] for found in story.history()] == [[*range(500)]] * 3
        assert len(story.load(story.ids[1]).records) == 500

    # ---- laws of growth, counted in calls

    @pytest.mark.parametrize("growing", [False, True], ids=["small state", "growing list"])
    def test_history_is_linear_in_its_length(self, checkpointer: Checkpointer, growing: bool) -> None:
        stories = {length: Story(checkpointer, str(length)) for length in (1000, 3000)}
        for length, story in stories.items():
            for n in range(length):
                story.save({"n": n, "log": [] if n == 0 else Extend(({"n": n},))} if growing else {"n": n})
            assert len(story.history()) == length
        calls = {length: counted(story.history) for length, story in stories.items()}
        assert calls[3000] <= 3.3 * calls[1000]

    def test_the_successor_is_the_first_child_of_the_wanted_kind(self, checkpointer: Checkpointer) -> None:
        """As a walk through the history finds it, over keyframes, forks in place and records."""
        story, other = Story(checkpointer), Story(checkpointer, "other")
        choose = Random(7)
        for n in range(400):
            parent = choose.choice(story.ids) if n and choose.random() < 0.1 else "last"
            source = choose.choice(["loop", "loop", "loop", "input", "update", "fork"])
            made = story.save({"n": n, "log": "x" * choose.randrange(60)}, parent=parent, source=source)
            if choose.random() < 0.2:
                story.record(made, "task", "outcome", ((), (), ()))
        other.save({"n": 0}, parent=story.ids[-1], parent_thread="t", parent_ns="", source="loop")
        find: Any = checkpointer.successor  # type: ignore[attr-defined]  # a backend may go without; then no such test
        for sources in (("loop", "update"), ("fork",)):
            children: dict[str, Stored] = {}
            for each in story.history():
                if each.parent is not None and each.source in sources:
                    children[each.parent] = each
            for name in story.ids:
                found = find("t", "", name, sources)
                assert (found and found.id) == (children[name].id if name in children else None)
                assert found is None or (found.values, found.versions) == (
                    children[name].values, children[name].versions
                )  # fmt: skip
        assert find("nobody", "", story.ids[0], ("loop",)) is None
        assert find("t", "", "unknown", ("loop",)) is None

    def test_a_random_step_costs_the_same_in_a_long_run(self, checkpointer: Checkpointer) -> None:
        stories = {length: Story(checkpointer, str(length)) for length in (300, 3000)}
        for length, story in stories.items():
            for n in range(length):
                story.save({"n": n})
        calls = {
            length: max(
                counted(lambda s=story, each=each: s.load(each)) for each in story.ids[length // 7 :: length // 7]
            )
            for length, story in stories.items()
        }
        assert calls[3000] <= 2 * calls[300]

    def test_a_step_costs_the_same_in_a_long_run(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        costs = []
        for n in range(5000):
            cost = counted(lambda n=n: story.save({"n": n, "log": Extend(("x" * 150,)) if n else []}), n)
            costs.append(cost)
        assert sum(costs[4000:]) <= 1.5 * sum(costs[100:1100])

    # ---- mistakes

    def test_a_value_that_cannot_be_stored_is_named_with_its_path(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer, "t1", "sub:5")
        story.save({"n": 0})
        with pytest.raises(CheckpointError) as caught:
            story.save({"n": 1, "messages": [{"a": 1}, {"content": [1, threading.Lock()]}]})
        assert str(caught.value) == (
            "Thread 't1', namespace 'sub:5', step 0: cannot store messages[1].content[1]: "
            "objects of type _thread.lock cannot be stored. "
            "Keep it out of the state, e.g. open it in the node that uses it and store its name."
        )
        for bad in (Extend((1, {"x": threading.Lock()})), {"x": threading.Lock()}):
            with pytest.raises(CheckpointError, match=r"cannot store log(\[1\])?\.x: "):
                story.save({"log": bad})
        with pytest.raises(CheckpointError, match=r"cannot store Send\[0\]\[1\]\.x: "):
            story.save({}, control=Control((), (("a", {"x": threading.Lock()}, None),)))
        with pytest.raises(CheckpointError, match=r"cannot store metadata\.who: "):
            story.save({}, metadata={"who": threading.Lock()})
        with pytest.raises(CheckpointError, match=r"store payload\[0\]\[0\]\[1\] of the outcome of task 'x'"):
            story.record(story.ids[0], "x", "outcome", ((("k", threading.Lock()),), (), ()))
        cycle: list[Any] = []
        cycle.append({"again": cycle})
        with pytest.raises(CheckpointError, match=r"cannot store c\[0\]\.again: the value contains itself"):
            story.save({"c": cycle})

    def test_after_a_refused_checkpoint_the_thread_goes_on(self, checkpointer: Checkpointer) -> None:
        story = Story(checkpointer)
        story.save({"log": ["a"]})
        for _ in range(3):
            with pytest.raises(CheckpointError):
                story.save({"log": Extend(("lost",)), "bad": threading.Lock()}, ran=("other",), metadata={"x": 1})
        story.save({"log": Extend(("b",))})
        assert story.values() == {"log": ["a", "b"]}
        assert story.load().seen == {"node": 5}
        assert story.load().metadata == {}

    def test_closing_twice_is_harmless(self, checkpointer: Checkpointer) -> None:
        Story(checkpointer).save({"n": 1})
        checkpointer.flush()
        checkpointer.close()
        checkpointer.close()

    # ---- any sequence

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_any_sequence_reads_back_like_a_model_that_keeps_whole_states(
        self, fresh: Callable[[], Checkpointer], data: st.DataObject
    ) -> None:
        model = Model(fresh(), self.reopened)
        for operation in data.draw(st.lists(operations, max_size=25)):
            model.apply(operation)
        model.check()
        model.checkpointer.close()

    @pytest.fixture
    def fresh(self) -> Callable[[], Checkpointer]:
        """A maker of empty checkpointers."""
        raise NotImplementedError


def counted(call: Callable[[], Any], id: object = None) -> int:
    """Python-level calls that `call` makes."""
    profile = cProfile.Profile(builtins=False)
    profile.runcall(call)
    profile.create_stats()
    return sum(row[1] for row in profile.stats.values())  # type: ignore[attr-defined]  # set by create_stats


def same(one: Any, other: Any) -> bool:
    """Equal in values, types and structure: 1 is not True and not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


texts = st.text(st.characters(), max_size=12) | st.sampled_from(["~", "\ud83d", '{"~":1}', '"i":', "x" * 700])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=5)
    | st.decimals(allow_nan=False)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(st.integers(), inner, max_size=2)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=12,
)
keys = st.sampled_from("abcd")
tweaks = st.sampled_from(["grow", "drop first", "replace last", "insert", "longer text", "shorter text", "again"])
changes = st.lists(
    st.tuples(keys, st.just("set"), values)
    | st.tuples(keys, st.just("extend"), st.lists(values, max_size=3))
    | st.tuples(keys, st.just("remove"), st.none())
    | st.tuples(keys, tweaks, values),
    max_size=3,
)
operations = (
    st.tuples(st.just("step"), st.integers(0, 2), changes)
    | st.tuples(st.just("fork"), st.integers(0, 2), st.integers(0, 99), changes)
    | st.tuples(st.just("branch"), st.integers(0, 2), st.integers(0, 2), st.integers(0, 99), changes)
    | st.tuples(st.just("record"), st.integers(0, 2), st.integers(0, 99), st.sampled_from("pq"), values)
    | st.tuples(st.just("many"), st.integers(0, 2), st.integers(1, 40), changes)
    | st.tuples(st.just("reopen"))
)


class Model:
    """Whole states beside a checkpointer."""

    def __init__(self, checkpointer: Checkpointer, reopened: Callable[[Any], Any]) -> None:
        self.checkpointer, self.reopened = checkpointer, reopened
        self.saved: dict[str, list[dict[str, Any]]] = {"0": [], "1": [], "2": []}
        self.counter: Iterator[int] = itertools.count(1)

    def apply(self, operation: Any) -> None:
        match operation:
            case ("step", thread, changes):
                chain = self.saved[str(thread)]
                self.step(str(thread), chain[-1] if chain else None, changes)
            case ("many", thread, times, changes):
                for _ in range(times):
                    self.apply(("step", thread, changes))
            case ("fork", thread, place, changes):
                chain = self.saved[str(thread)]
                self.step(str(thread), chain[place % len(chain)] if chain else None, changes)
            case ("branch", thread, other, place, changes):
                chain = self.saved[str(other)]
                self.step(str(thread), chain[place % len(chain)] if chain else None, changes, parent_thread=str(other))
            case ("record", thread, place, task, payload):
                chain = self.saved[str(thread)]
                if chain:
                    entry = chain[place % len(chain)]
                    record = Record(task, "input", payload, "node", ("x",))
                    self.checkpointer.save_record(str(thread), "", entry["id"], record)
                    entry["records"][task] = record
            case ("reopen",):
                self.checkpointer = self.reopened(self.checkpointer)

    def step(self, thread: str, parent: dict[str, Any] | None, changes: Any, parent_thread: str | None = None) -> None:
        number = next(self.counter)
        before = parent["values"] if parent else {}
        written: dict[str, Any] = {}
        after = dict(before)
        for key, verb, value in changes:
            if key not in written:
                written[key], after[key] = self.change(verb, before.get(key, REMOVED), value)
        after = {key: value for key, value in after.items() if value is not REMOVED}
        ran = (f"n{number % 3}",)
        entry = {
            "id": f"{RUN}-{number:012x}",
            "parent": parent["id"] if parent else None,
            "parent_thread": parent_thread if parent and parent_thread != thread else None,
            "values": after,
            "step": (parent["step"] if parent else -2) + 1,
            "version": (parent["version"] if parent else 0) + 1,
            "records": {},
            "time": number / 4,
        }
        entry["versions"] = {**(parent["versions"] if parent else {}), **dict.fromkeys(written, entry["version"])}
        entry["seen"] = {**(parent["seen"] if parent else {}), ran[0]: entry["version"]}
        checkpoint = Checkpoint(
            entry["id"],
            entry["parent"],
            entry["step"],
            "loop",
            entry["time"],
            entry["version"],
            written,
            Control(ran),
            ran,
            {"m": number // 7 % 2},
            entry["parent_thread"],
            "" if entry["parent_thread"] else None,
        )
        self.checkpointer.save(thread, "", checkpoint)
        self.saved[thread].append(entry)

    @staticmethod
    def change(verb: str, old: Any, value: Any) -> tuple[Any, Any]:
        """What is written, and what the key holds then."""
        if verb == "remove":
            return REMOVED, REMOVED
        if verb == "extend" and (old is REMOVED or type(old) is list):
            return Extend(tuple(value)), [*(() if old is REMOVED else old), *value]
        new = value
        if type(old) is list and old:
            match verb:
                case "grow":
                    new = [*old, value]
                case "drop first":
                    new = old[1:]
                case "replace last":
                    new = [*old[:-1], value]
                case "insert":
                    new = [*old[: len(old) // 2], value, *old[len(old) // 2 :]]
        if type(old) is str and verb == "longer text":
            new = old + "é" + old[:600]
        if type(old) is str and verb == "shorter text":
            new = old[: len(old) // 3] + old[len(old) // 2 :]
        if verb == "again":
            new = old if old is not REMOVED else value
        return new, new

    def check(self) -> None:
        for thread, chain in self.saved.items():
            found = list(self.checkpointer.history(thread, ""))
            assert [each.id for each in found] == [entry["id"] for entry in reversed(chain)]
            for each, entry in zip(found, reversed(chain), strict=True):
                self.compare(each, entry)
            for entry in chain:
                loaded = self.checkpointer.load(thread, "", entry["id"])
                assert loaded is not None
                self.compare(loaded, entry)

    @staticmethod
    def compare(found: Stored, entry: dict[str, Any]) -> None:
        assert same(found.values, entry["values"]), (found.values, entry["values"])
        for name in ("id", "parent", "parent_thread", "step", "version", "versions", "seen", "time"):
            assert getattr(found, name) == entry[name], name
        assert {each.task: each for each in found.records}.keys() == entry["records"].keys()
        for each in found.records:
            assert same(each.payload, entry["records"][each.task].payload)
