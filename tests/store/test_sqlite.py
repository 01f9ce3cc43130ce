"""The store in a file: the contract, other processes, and items that are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stepgraph import START, StateGraph, get_store
from stepgraph.store import BaseStore, InvalidNamespaceError, PutOp, SqliteStore, sqlite
from tests.contract.store import StoreContract, embed


class TestSqlite(StoreContract):
    @pytest.fixture(autouse=True)
    def same_second(self, clock: list[float]) -> None:
        """Items are listed in the order in which they were written, unless a second has passed."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[BaseStore]:
        made = SqliteStore(str(tmp_path / "store.db"))
        yield made
        made.close()

    @pytest.fixture
    def indexed(self, tmp_path: Path) -> Iterator[BaseStore]:
        made = SqliteStore(str(tmp_path / "indexed.db"), index={"dims": 3, "embed": embed, "fields": ["text"]})
        yield made
        made.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds, that the store believes it is."""
    now = [1000.0]
    monkeypatch.setattr(sqlite, "time", lambda: now[0])
    return now


def test_items_are_there_in_the_next_process(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    first = SqliteStore(path, index={"dims": 3, "embed": embed, "fields": ["text"]})
    first.put(("a",), "k", {"text": "cat"})
    first.close()
    first.close()
    second = SqliteStore(path, index={"dims": 3, "embed": embed, "fields": ["text"]})
    assert second.search(("a",), query="cat")[0].score == pytest.approx(1.0)
    second.close()


def test_a_changed_item_keeps_the_time_of_its_making(tmp_path: Path, clock: list[float]) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    store.put(("a",), "k", {"v": 1})
    clock[0] = 2000.0
    store.put(("a",), "k", {"v": 2})
    item = store.get(("a",), "k")
    assert item is not None
    assert (item.created_at.timestamp(), item.updated_at.timestamp()) == (1000.0, 2000.0)
    store.close()


def test_items_are_forgotten_after_their_time(tmp_path: Path, clock: list[float]) -> None:
    store = SqliteStore(str(tmp_path / "store.db"), ttl={"default_ttl": 2, "refresh_on_read": False})
    store.put(("a",), "default", {})
    store.put(("a",), "longer", {}, ttl=10)
    store.put(("a",), "always", {}, ttl=None)
    clock[0] += 3 * 60
    assert [item.key for item in store.search(("a",))] == ["longer", "always"]
    assert store.get(("a",), "default") is None
    assert store.sweep_ttl() == 1
    assert store.sweep_ttl() == 0
    clock[0] += 30 * 60
    assert store.list_namespaces() == [("a",)]
    assert [item.key for item in store.search(("a",))] == ["always"]
    store.close()


def test_reading_an_item_begins_its_time_anew(tmp_path: Path, clock: list[float]) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    for key in ("got", "found", "left"):
        store.put(("a", key), key, {}, ttl=2)
    clock[0] += 60
    store.get(("a", "got"), "got")
    store.search(("a", "found"))
    store.get(("a", "left"), "left", refresh_ttl=False)
    store.search(("a", "left"), refresh_ttl=False)
    clock[0] += 90
    assert [item.key for item in store.search(())] == ["got", "found"]
    store.close()


def test_many_threads_write_at_once(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))

    def write(number: int) -> None:
        for each in range(20):
            store.put(("a", str(number)), str(each), {"v": each})

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.search(("a",), limit=100)) == 80
    store.close()


def test_a_failed_batch_changes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.batch([PutOp(("a",), "k", {"v": 1}), PutOp(("a",), "l", {"v": object()})])
    assert store.search(("a",)) == []
    store.close()


def test_labels_are_looked_at_in_batches_too(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    with pytest.raises(InvalidNamespaceError, match="periods"):
        store.batch([PutOp(("a.b",), "k", {"v": 1})])
    assert store.get(("a", "b"), "k") is None
    store.close()


def test_a_graph_takes_a_store_or_a_url(tmp_path: Path) -> None:
    def remember(state: dict[str, Any], *, store: BaseStore) -> dict[str, Any]:
        assert store is get_store()
        known = store.get(("seen",), "count")
        count = 1 if known is None else known.value["n"] + 1
        store.put(("seen",), "count", {"n": count})
        return {"count": count}

    g = StateGraph(dict)
    g.add_node("remember", remember)
    g.add_edge(START, "remember")
    for url in (f"sqlite:///{tmp_path}/m.db", "memory://"):
        graph = g.compile(store=url)
        assert [graph.invoke({})["count"] for _ in range(3)] == [1, 2, 3]
        if hasattr(graph.store, "close"):
            graph.store.close()
    with pytest.raises(ValueError, match=r"Unknown store URL 'redis://x'\. The schemes are memory, sqlite"):
        g.compile(store="redis://x")


def test_what_was_written_last_is_listed_first_by_the_second(tmp_path: Path, clock: list[float]) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))

    def put(at: float, *names: str) -> None:
        clock[0] = at
        for name in names:
            *namespace, key = name.split("/")
            store.put(tuple(namespace), key, {})

    def listed(*prefix: str) -> list[str]:
        return ["/".join((*item.namespace, item.key)) for item in store.search(prefix)]

    put(1000.1, "u/z/a", "u/c", "u/a", "v/x", "u/b")
    put(1000.7, "u/c")
    put(1001.2, "u/d", "u/a")

    assert listed("u") == ["u/d", "u/a", "u/b", "u/c", "u/z/a"]
    assert listed() == ["u/d", "u/a", "u/z/a", "v/x", "u/b", "u/c"]
    store.close()
