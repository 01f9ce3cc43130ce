"""Our checkpointers under LangGraph: what its engine asks of a saver, and its programs on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from stepgraph.compat import as_langgraph_saver
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from tests.compat.dump import dump
from tests.compat.engines import ours_on_theirs
from tests.compat.test_savers_programs import SAVED, expected
from tests.differential.engines import Calls, Engine, reference
from tests.differential.lab import lab
from tests.differential.registry import PROGRAMS, Program
from tests.differential.test_programs import difference


@pytest.fixture(params=["memory", "sqlite", "langgraph"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A saver of each kind; LangGraph's own, too, so that these tests say what it does."""
    match request.param:
        case "memory":
            yield as_langgraph_saver(MemoryCheckpointer())
        case "sqlite":
            file = SqliteCheckpointer(str(tmp_path / "runs.db"))
            yield as_langgraph_saver(file)
            file.close()
        case _:
            yield InMemorySaver()


def config(thread: str = "t", ns: str = "", id: str | None = None) -> Any:
    place = {"thread_id": thread, "checkpoint_ns": ns}
    return {"configurable": place if id is None else {**place, "checkpoint_id": id}}


def put(saver: Any, where: Any, step: int = 0, *, source: str = "loop", **values: Any) -> Any:
    """Put a checkpoint in which `values` were written at version `step`; gives its config."""
    parent = saver.get_tuple(where) if "checkpoint_id" in where["configurable"] else None
    made = empty_checkpoint()
    if parent is not None:
        made["channel_values"] = dict(parent.checkpoint["channel_values"])
        made["channel_versions"] = dict(parent.checkpoint["channel_versions"])
    made["channel_values"].update(values)
    made["channel_versions"].update(dict.fromkeys(values, step + 1))
    return saver.put(where, made, {"source": source, "step": step, "parents": {}}, dict.fromkeys(values, step + 1))


def test_what_was_put_comes_back_with_its_parent(saver: Any) -> None:
    first = put(saver, config(), 0, x=1, log=["a"])
    second = put(saver, first, 1, log=["a", "b"])

    found = saver.get_tuple(config())

    assert found.config == second
    assert found.parent_config == first
    assert found.checkpoint["channel_values"] == {"x": 1, "log": ["a", "b"]}
    assert found.checkpoint["channel_versions"] == {"x": 1, "log": 2}
    assert found.metadata == {"source": "loop", "step": 1, "parents": {}}
    assert saver.get_tuple(first).checkpoint["channel_values"] == {"x": 1, "log": ["a"]}
    assert saver.get(config())["id"] == second["configurable"]["checkpoint_id"]


def test_a_thread_that_is_unknown_has_nothing(saver: Any) -> None:
    assert saver.get_tuple(config()) is None
    assert saver.get_tuple(config(id=empty_checkpoint()["id"])) is None
    assert list(saver.list(config())) == []


def test_values_that_went_away_stay_away(saver: Any) -> None:
    first = put(saver, config(), 0, x=1, flash="now")
    made = empty_checkpoint()
    made["channel_values"], made["channel_versions"] = {"x": 1}, {"x": 1, "flash": 2}
    saver.put(first, made, {"source": "loop", "step": 1, "parents": {}}, {"flash": 2})

    assert saver.get_tuple(config()).checkpoint["channel_values"] == {"x": 1}
    assert saver.get_tuple(first).checkpoint["channel_values"] == {"x": 1, "flash": "now"}


def test_two_branches_of_one_checkpoint_keep_apart(saver: Any) -> None:
    root = put(saver, config(), 0, x=0, y=0)
    one = put(saver, root, 1, x=1)
    other = put(saver, root, 1, y=2)

    assert saver.get_tuple(one).checkpoint["channel_values"] == {"x": 1, "y": 0}
    assert saver.get_tuple(other).checkpoint["channel_values"] == {"x": 0, "y": 2}


def test_lists_are_newest_first_and_can_be_narrowed(saver: Any) -> None:
    where = config()
    made = []
    for step in range(4):
        where = put(saver, where, step, source="input" if step == 0 else "loop", x=step)
        made.append(where)
    put(saver, config("other"), 0, x=9)
    put(saver, config(ns="child:1"), 0, x=7)

    def steps(*args: Any, **options: Any) -> list[int]:
        return [found.metadata["step"] for found in saver.list(*args, **options)]

    assert steps(config()) == [3, 2, 1, 0]
    assert steps(config(), limit=2) == [3, 2]
    assert steps(config(), limit=0) == []
    assert steps(config(), before=made[2]) == [1, 0]
    assert steps(config(), filter={"source": "loop", "step": 2}) == [2]
    assert steps(config(), filter={"source": "fork"}) == []
    assert steps(made[1]) == [1]
    assert sorted(steps(None)) == [0, 0, 0, 1, 2, 3]
    assert sorted(steps({"configurable": {"thread_id": "t"}})) == [0, 0, 1, 2, 3]


def test_a_tasks_first_writes_stay_and_its_status_is_replaced(saver: Any) -> None:
    where = put(saver, config(), 0, x=0)
    task = "00000000-0000-4000-8000-000000000001"
    saver.put_writes(where, [("x", 1), ("y", 2)], task, "~p")
    saver.put_writes(where, [("x", 10), ("y", 20), ("z", 30)], task, "~p")
    saver.put_writes(where, [("__error__", "first")], task, "~p")
    saver.put_writes(where, [("__error__", "second")], task, "~p")

    writes = saver.get_tuple(where).pending_writes

    assert sorted(writes) == sorted([(task, "__error__", "second"), (task, "x", 1), (task, "y", 2), (task, "z", 30)])


def test_writes_are_listed_by_path_task_and_place(saver: Any) -> None:
    where = put(saver, config(), 0, x=0)
    low, high = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    saver.put_writes(where, [("x", 3)], low, "~b")
    saver.put_writes(where, [("x", 1), ("x", 2)], high, "~a")

    assert [value for _, _, value in saver.get_tuple(where).pending_writes] == [1, 2, 3]
    assert [value for _, _, value in next(iter(saver.list(config()))).pending_writes] == [1, 2, 3]


def test_deleting_a_thread_leaves_the_others(saver: Any) -> None:
    put(saver, config(), 0, x=0)
    put(saver, config(ns="child:1"), 0, x=0)
    put(saver, config("other"), 0, x=1)

    saver.delete_thread("t")

    assert list(saver.list({"configurable": {"thread_id": "t"}})) == []
    assert saver.get_tuple(config("other")).checkpoint["channel_values"] == {"x": 1}


def test_objects_come_back_as_langgraphs_serialiser_makes_them(saver: Any) -> None:
    message = AIMessage("hello", id="1", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c"}])
    put(saver, config(), 0, messages=[message], tags={"a", "b"}, pair=[1, 2], raw=b"\0")

    values = saver.get_tuple(config()).checkpoint["channel_values"]

    assert values == {"messages": [message], "tags": {"a", "b"}, "pair": [1, 2], "raw": b"\0"}
    assert type(values["messages"][0]) is AIMessage


def test_run_metadata_of_the_config_is_kept(saver: Any) -> None:
    where = {**config(), "metadata": {"user": "ana", "run_id": "r1"}}

    put(saver, where, 0, x=0)

    assert saver.get_tuple(config()).metadata == {
        "source": "loop", "step": 0, "parents": {}, "user": "ana", "run_id": "r1",
    }  # fmt: skip


def test_the_async_methods_do_the_same(saver: Any) -> None:
    async def use() -> None:
        made = empty_checkpoint()
        made["channel_values"], made["channel_versions"] = {"x": 1}, {"x": 1}
        where = await saver.aput(config(), made, {"source": "input", "step": -1, "parents": {}}, {"x": 1})
        await saver.aput_writes(where, [("x", 2)], "00000000-0000-4000-8000-000000000001")
        found = await saver.aget_tuple(config())
        assert found.checkpoint["channel_values"] == {"x": 1}
        assert [value for _, _, value in found.pending_writes] == [2]
        assert [each.config async for each in saver.alist(config(), limit=5)] == [where]
        assert (await saver.aget(config()))["id"] == made["id"]
        await saver.adelete_thread("t")
        assert await saver.aget_tuple(config()) is None

    asyncio.run(use())


class TestOnOurs:
    """What LangGraph's memory saver can't do."""

    def test_writes_that_come_before_their_checkpoint_wait_for_it(self) -> None:
        saver = as_langgraph_saver(MemoryCheckpointer())
        made = empty_checkpoint()
        saver.put_writes(config(id=made["id"]), [("x", 1)], "00000000-0000-4000-8000-000000000001")
        saver.put(config(), made, {"source": "loop", "step": 0, "parents": {}}, {})

        assert [value for _, _, value in saver.get_tuple(config()).pending_writes] == [1]

    def test_a_copied_thread_has_all_of_it(self) -> None:
        saver = as_langgraph_saver(MemoryCheckpointer())
        first = put(saver, config(), 0, x=0)
        saver.put_writes(first, [("x", 1), ("y", 2)], "00000000-0000-4000-8000-000000000001", "~p")
        put(saver, first, 1, x=1)
        put(saver, config(ns="child:1"), 0, z=0)

        saver.copy_thread("t", "copy")

        def shown(thread: str) -> list[Any]:
            found = saver.list({"configurable": {"thread_id": thread}})
            shown = [(each.checkpoint, each.metadata, each.pending_writes) for each in found]
            return sorted(shown, key=lambda each: each[0]["id"])

        assert shown("copy") == shown("t")
        assert saver.get_tuple(config("copy")).parent_config["configurable"]["thread_id"] == "copy"

    def test_pruning_keeps_the_newest_of_each_namespace(self) -> None:
        saver = as_langgraph_saver(MemoryCheckpointer())
        first = put(saver, config(), 0, x=0, y=5)
        newest = put(saver, first, 1, x=1)
        saver.put_writes(newest, [("x", 2)], "00000000-0000-4000-8000-000000000001")
        child = put(saver, config(ns="child:1"), 0, z=0)

        saver.prune(["t"])

        found = list(saver.list({"configurable": {"thread_id": "t"}}))
        assert sorted(map(str, (each.config for each in found))) == sorted(map(str, (newest, child)))
        assert saver.get_tuple(config()).checkpoint["channel_values"] == {"x": 1, "y": 5}
        assert [value for _, _, value in saver.get_tuple(config()).pending_writes] == [2]
        saver.prune(["t"], strategy="delete")
        assert list(saver.list(None)) == []
        with pytest.raises(ValueError, match="keep_latest"):
            saver.prune(["t"], strategy="some")

    def test_checkpoints_of_a_run_can_be_deleted(self) -> None:
        saver = as_langgraph_saver(MemoryCheckpointer())
        first = put(saver, {**config(), "metadata": {"run_id": "one"}}, 0, x=0)
        put(saver, {**first, "metadata": {"run_id": "two"}}, 1, x=1)

        saver.delete_for_runs(["two"])

        assert saver.get_tuple(config()).config == first

    def test_another_serialiser_is_used_for_all(self) -> None:
        from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

        seen: list[Any] = []

        class Noting(JsonPlusSerializer):
            def dumps_typed(self, obj: Any) -> Any:
                seen.append(obj)
                return super().dumps_typed(obj)

        saver = as_langgraph_saver(MemoryCheckpointer(), serde=Noting())
        put(saver, config(), 0, x="secret")

        assert "secret" in seen
        assert saver.get_tuple(config()).checkpoint["channel_values"] == {"x": "secret"}


def engines() -> tuple[Engine, Engine]:
    """LangGraph on our memory and file; our engine on the same, through LangGraph's words."""
    theirs, ours = reference(), ours_on_theirs()
    savers = {
        "memory": lambda _: as_langgraph_saver(MemoryCheckpointer()),
        "sqlite": lambda path: as_langgraph_saver(SqliteCheckpointer(str(path / "runs.db"))),
    }
    return Engine(theirs.name, theirs.words, savers), Engine(ours.name, ours.words, savers)


THEIRS_ON_OURS, OURS_ON_OURS = engines()


@pytest.mark.parametrize(("program", "calls"), SAVED)
def test_langgraphs_programs_give_the_same_account_on_our_checkpointers(
    program: Program, calls: Calls, tmp_path: Path
) -> None:
    want, _ = expected(program.name, calls, True)
    with lab(THEIRS_ON_OURS, calls, "memory" if calls == "async" else "sqlite", tmp_path, quiet=True) as opened:
        program.play(opened)
        opened.finish()
        got = opened.record
    assert not (found := difference(want, got)), found


@pytest.mark.parametrize("name", ["several_questions_in_one_step", "time_travel", "question_in_a_subgraph"])
def test_our_engine_runs_on_it_too_and_stores_the_same(name: str, tmp_path: Path) -> None:
    want, stored = expected(name, "sync", True)
    with lab(OURS_ON_OURS, "sync", "sqlite", tmp_path, quiet=True) as opened:
        PROGRAMS[name].play(opened)
        opened.finish()
        assert not (found := difference(want, opened.record)), found
        assert not (found := difference([*stored.items()], [*dump(opened.checkpointer).items()])), found
