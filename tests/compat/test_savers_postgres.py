"""LangGraph's savers and stores for PostgreSQL on a real server: under our engine, under LangGraph, and by turns."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.base import BaseStore, GetOp, PutOp, SearchOp
from langgraph.store.postgres import AsyncPostgresStore, PostgresStore
from psycopg.rows import dict_row

from tests.compat.dump import dump
from tests.compat.pair import Both, PairLab
from tests.compat.test_savers_pairs import FILES, ORDERS
from tests.compat.test_savers_programs import OTHERWISE, OURS, REFERENCE, expected
from tests.differential.engines import Calls, Engine
from tests.differential.lab import Lab
from tests.differential.registry import PROGRAMS, Program
from tests.differential.test_programs import asked, differs
from tests.postgres import postgres

SYNC_READERS = {"a_graph_inside_on_a_thread_of_its_own"}
"""Programs that read a thread by a sync call while nothing runs the loop that the async saver would do it on."""
SAVED = [
    pytest.param(program, calls, id=f"{program.name}-{calls}")
    for program in PROGRAMS.values()
    for calls in ("sync", "async")
    if program.needs_saver and not (calls == "async" and (program.name in SYNC_READERS or program in FILES))
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A database with the tables of savers and stores."""
    with postgres() as url:
        with PostgresSaver.from_conn_string(url) as saver, PostgresStore.from_conn_string(url) as store:
            saver.setup()
            store.setup()
        yield url


@pytest.fixture
def database(address: str) -> Iterator[Any]:
    """A connection to it. No thread is there."""
    with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
        empty(connection)
        yield connection


def empty(database: Any) -> None:
    database.execute("TRUNCATE checkpoints, checkpoint_blobs, checkpoint_writes, store")


@contextmanager
def saving(opened: Lab, address: str, database: Any) -> Iterator[None]:
    """A saver for the lab, of the kind that its calls need, until both are closed."""
    try:
        if opened.calls == "sync":
            opened.checkpointer = PostgresSaver(database)
            yield
            return
        made = AsyncPostgresSaver.from_conn_string(address)
        opened.checkpointer = opened.wait(made.__aenter__())
        try:
            yield
        finally:
            opened.wait(made.__aexit__(None, None, None))
    finally:
        opened.close()


def play(opened: Lab, program: Program, address: str, database: Any) -> list[tuple[str, Any]]:
    """The account of a program's run."""
    with saving(opened, address, database):
        program.play(opened)
        opened.finish()
        return opened.record


@pytest.mark.parametrize(("program", "calls"), SAVED)
def test_a_program_gives_the_same_account(program: Program, calls: Calls, address: str, database: Any) -> None:
    got = play(Lab(OURS, calls, None, quiet=True), program, address, database)
    wanted = (want for want, _ in asked(expected, program.name, calls, True))
    assert not (found := differs(wanted, got)), found


@pytest.mark.parametrize("program", FILES, ids=lambda program: program.name)
def test_a_program_stores_what_langgraph_would_have_stored(program: Program, address: str, database: Any) -> None:
    def stored(engine: Engine) -> list[Any]:
        empty(database)
        play(Lab(engine, "sync", None, quiet=True), program, address, database)
        return list(dump(PostgresSaver(database), task_paths).items())

    def task_paths(_: Any, found: Any) -> dict[str, str]:
        place = found.config["configurable"]
        rows = database.execute(
            "SELECT task_id, task_path FROM checkpoint_writes WHERE (thread_id, checkpoint_ns, checkpoint_id) = "
            "(%(thread_id)s, %(checkpoint_ns)s, %(checkpoint_id)s)",
            place,
        )
        return {row["task_id"]: row["task_path"] for row in rows}

    got = stored(OURS)
    lines = differs((stored(REFERENCE) for _ in range(3)), got)
    assert bool(lines) is (program.name in OTHERWISE and bool(got)), lines or "it is equal now: take it off the list"


@pytest.mark.parametrize("program", FILES, ids=lambda program: program.name)
def test_a_thread_may_change_hands_between_any_two_calls(program: Program, address: str, database: Any) -> None:
    both: Any = Both(ORDERS["langgraph first"])
    got = play(PairLab(both, "async", None, quiet=True), program, address, database)
    wanted = (want for want, _ in asked(expected, program.name, "async", True))
    assert not (found := differs(wanted, got)), found


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


def remember(engine: Any, stored: Any) -> Any:
    """A graph whose sync node keeps, finds and forgets things, and whose async one does so by awaited calls."""

    def plain(item: Any) -> Any:
        return item and (item.namespace, item.key, item.value)

    def keep(s: State, store: BaseStore) -> Any:
        store.put(("users", "ann"), "likes", {"food": "pears", "n": 1})
        store.put(("users", "bob"), "likes", {"food": "nuts", "n": 2})
        store.put(("users", "bob"), "gone", {"n": 1})
        store.delete(("users", "bob"), "gone")
        found = store.search(("users",), filter={"n": {"$gt": 1}})
        same = engine.get_store() is store is engine.get_runtime().store
        return {
            "log": [
                plain(store.get(("users", "ann"), "likes")),
                plain(store.get(("x",), "y")),
                *map(plain, found),
                same,
            ]
        }

    def look(s: State, runtime: Any) -> Any:
        store = runtime.store
        everyone = sorted(map(plain, store.search(("users",))), key=repr)
        return {"log": [everyone, sorted(store.list_namespaces(prefix=("users",))), store.list_namespaces(max_depth=1)]}

    async def await_it(s: State) -> Any:
        store = engine.get_store()
        await store.aput(("users", "cyd"), "likes", {"food": "figs"}, ttl=None)
        asks = [GetOp(("users", "cyd"), "likes"), SearchOp(("users",), limit=9), PutOp(("users", "bob"), "likes", None)]
        one, many, nothing = await store.abatch(asks)
        left = [plain(each) for each in await store.asearch(("users",), limit=1, offset=1)]
        return {"log": [plain(one), len(many), nothing, len(left)]}

    nodes = [await_it] if isinstance(stored, AsyncPostgresStore) else [keep, look]
    g = engine.StateGraph(State).add_sequence(nodes).add_edge(engine.START, nodes[0].__name__)
    return g.compile(store=stored)


@pytest.mark.parametrize("engine", [REFERENCE, OURS], ids=lambda engine: engine.name)
def test_a_graph_remembers(engine: Any, database: Any) -> None:
    ann, bob = (
        (("users", "ann"), "likes", {"food": "pears", "n": 1}),
        (("users", "bob"), "likes", {"food": "nuts", "n": 2}),
    )

    found = remember(engine, PostgresStore(database)).invoke({"log": []})

    assert found["log"] == [ann, None, bob, True, [ann, bob], [("users", "ann"), ("users", "bob")], [("users",)]]


@pytest.mark.parametrize("engine", [REFERENCE, OURS], ids=lambda engine: engine.name)
def test_an_async_graph_remembers_what_another_one_kept(engine: Any, address: str, database: Any) -> None:
    remember(engine, PostgresStore(database)).invoke({"log": []})

    async def found() -> Any:
        async with AsyncPostgresStore.from_conn_string(address) as store:
            return await remember(engine, store).ainvoke({"log": []})

    cyd, many, nothing, left = asyncio.run(found())["log"]
    assert (cyd, many, nothing, left) == ((("users", "cyd"), "likes", {"food": "figs"}), 3, None, 1)


def test_a_server_starts_where_temporary_files_have_a_long_and_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path has at most 107 bytes, and root's server runs as a user who can't enter root's folders."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with postgres() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
