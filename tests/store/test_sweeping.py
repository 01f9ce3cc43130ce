"""The thread that takes expired items out of a store's file."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from stepgraph.store.base import TTLConfig
from stepgraph.store.sqlite import SqliteStore

SOON = 0.01 / 60
"""A hundredth of a second, in minutes."""


class Watched(SqliteStore):
    """Tells when it has swept something; fails the first time."""

    def __init__(self, path: str, ttl: TTLConfig | None) -> None:
        super().__init__(path, ttl=ttl)
        self.swept, self.times = Event(), 0

    def _swept(self) -> int:
        self.times += 1
        if self.times == 1:
            raise OSError("the disk is away")
        found = super()._swept()
        if found:
            self.swept.set()
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(str(tmp_path / "memories.db"), {"default_ttl": SOON})
    yield made
    made.close()


def test_what_is_over_its_time_is_swept_away_though_one_sweep_fails(
    store: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(("a",), "short", {"x": 1})
    store.put(("a",), "long", {"x": 2}, ttl=100)
    with caplog.at_level(logging.ERROR, "stepgraph"):
        ended = store.start_ttl_sweeper(SOON)
        assert store.swept.wait(10)
    assert "Sweeping a store failed" in caplog.text
    assert not ended.done()
    assert store.stop_ttl_sweeper(timeout=10)
    assert ended.done()
    assert [item.key for item in store.search(("a",))] == ["long"]


def test_the_interval_may_be_the_store_s(tmp_path: Path) -> None:
    store = Watched(str(tmp_path / "m.db"), {"default_ttl": SOON, "sweep_interval_minutes": SOON})  # type: ignore[typeddict-item]  # whole minutes take too long here
    store.put(("a",), "short", {"x": 1})
    store.start_ttl_sweeper()
    assert store.swept.wait(10)
    store.close()


def test_cancelling_ends_it(store: Watched) -> None:
    assert store.start_ttl_sweeper(100).cancel()
    assert store.stop_ttl_sweeper(timeout=10)


def test_there_is_one_thread_and_both_futures_stop_it(store: Watched) -> None:
    first = store.start_ttl_sweeper(100)
    again = store.start_ttl_sweeper(100)
    assert not first.done()
    assert again.cancel()
    first.result(timeout=10)
    assert store.stop_ttl_sweeper()


def test_a_store_without_a_time_limit_has_nothing_to_sweep(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "m.db"))
    assert store.start_ttl_sweeper().done()
    assert store.stop_ttl_sweeper()
    store.close()


def test_closing_the_store_ends_it(store: Watched) -> None:
    ended = store.start_ttl_sweeper(100)
    store.close()
    assert ended.done()


def test_the_thread_keeps_no_store_alive(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "m.db"), ttl={"default_ttl": 1})
    ended = store.start_ttl_sweeper(SOON)
    file, gone = store._file, weakref.ref(store)
    del store
    gc.collect()
    ended.result(timeout=10)
    assert gone() is None
    file.close()
