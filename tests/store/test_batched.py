"""Operations that coroutines ask for in one round of the loop are one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from stepgraph.store import AsyncBatchedBaseStore, InMemoryStore, Op


class Counting(AsyncBatchedBaseStore):
    def __init__(self) -> None:
        super().__init__()
        self.kept = InMemoryStore()
        self.batches: list[int] = []

    async def abatch(self, ops: Iterable[Op]) -> list[Any]:
        ops = list(ops)
        self.batches.append(len(ops))
        return self.kept.batch(ops)


def test_operations_of_one_round_are_one_batch() -> None:
    async def use() -> Any:
        store = Counting()
        await asyncio.gather(*(store.aput(("a",), str(n), {"n": n}) for n in range(5)))
        found = await asyncio.gather(store.aget(("a",), "1"), store.aget(("a",), "1"), store.aget(("a",), "2"))
        return store.batches, [item.value["n"] for item in found if item is not None]

    assert asyncio.run(use()) == ([5, 2], [1, 1, 2])


def test_sync_calls_are_for_other_threads() -> None:
    async def use() -> None:
        store = Counting()
        with pytest.raises(asyncio.InvalidStateError, match=r"await store\.aget"):
            store.get(("a",), "k")
        await asyncio.to_thread(store.put, ("a",), "k", {"v": 1})
        item = await asyncio.to_thread(store.get, ("a",), "k")
        assert item is not None

    asyncio.run(use())


def test_a_failed_batch_fails_for_all_who_asked() -> None:
    class Failing(Counting):
        async def abatch(self, ops: Iterable[Op]) -> list[Any]:
            raise OSError("gone")

    async def use() -> None:
        store = Failing()
        errors = await asyncio.gather(store.aget(("a",), "k"), store.aget(("a",), "l"), return_exceptions=True)
        assert [type(each) for each in errors] == [OSError, OSError]

    asyncio.run(use())


def test_what_was_cancelled_before_its_batch_is_not_done() -> None:
    async def use() -> Any:
        store = Counting()
        gone, other = (asyncio.ensure_future(store.aput(("a",), key, {})) for key in ("gone", "other"))
        await asyncio.sleep(0)  # both have asked
        gone.cancel()
        await other
        alone = asyncio.ensure_future(store.aput(("a",), "alone", {}))
        await asyncio.sleep(0)
        alone.cancel()
        await asyncio.gather(gone, alone, return_exceptions=True)
        return store.batches, [item.key for item in store.kept.search(("a",))]

    assert asyncio.run(use()) == ([1], ["other"])
