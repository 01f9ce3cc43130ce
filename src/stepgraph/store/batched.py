"""Operations of many coroutines gathered into one batch a round of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from stepgraph.store.base import BaseStore, Op, PutOp, Result


class AsyncBatchedBaseStore(BaseStore):
    """Base of async stores: single operations that are asked for in one round of the loop become one `abatch`.

    A subclass has `abatch`. Make it inside a running loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Op, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def _one(self, op: Op) -> Result:
        return await self._ask(op)

    def _ask(self, op: Op) -> asyncio.Future[Result]:
        future: asyncio.Future[Result] = self._loop.create_future()
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append((op, future))
        return future

    def _send(self) -> None:
        waiting, self._waiting = [each for each in self._waiting if not each[1].done()], []  # but what was cancelled
        if not waiting:
            return
        task = self._loop.create_task(self._run(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, waiting: list[tuple[Op, asyncio.Future[Result]]]) -> None:
        ops: list[Op] = []
        places: list[int] = []
        for op, _ in waiting:  # equal reads are asked once
            known = next((i for i, each in enumerate(ops) if each == op and not isinstance(op, PutOp)), None)
            if known is None:
                known = len(ops)
                ops.append(op)
            places.append(known)
        try:
            results = await self.abatch(ops)
        except Exception as error:  # noqa: BLE001  it belongs to those who asked
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for place, (_, future) in zip(places, waiting, strict=True):
            if not future.done():
                future.set_result(results[place])

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """From another thread than the loop's, where it would wait for itself."""
        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            raise asyncio.InvalidStateError(
                f"Synchronous calls to {type(self).__name__} detected in the main event loop. "
                "Use its async methods there, e.g. `await store.aget(...)` instead of `store.get(...)`."
            )
        return asyncio.run_coroutine_threadsafe(self.abatch(list(ops)), self._loop).result()
