"""A stream with one reader, who drives the run: reading from an empty one makes the run go on by an event."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Pump = Callable[[], bool]
AsyncPump = Callable[[], Awaitable[bool]]


class StreamChannel(Generic[T]):
    """What a transformer pushes and one reader takes, in order.

    Items are kept from the moment that somebody reads; what was pushed before is lost. With a `name` every item is an
    event of the run too: `custom:<name>`, or just the name for built-in transformers. `maxlen` is taken for LangGraph's
    sake: readers drive the run, so nothing piles up.
    """

    def __init__(self, name: str | None = None, *, maxlen: int | None = None) -> None:
        if maxlen is not None and maxlen <= 0:
            raise ValueError("StreamChannel maxlen must be a positive int or None")
        self.name = name
        self.error: BaseException | None = None
        self.closed = False
        self.items: deque[tuple[int, T]] = deque()
        """(position among all items of the run, item)."""
        self.is_async: bool | None = None
        """Which way it is read; None until it belongs to a run."""
        self.read = False
        """Whether somebody reads."""
        self.pump: Pump | None = None
        self.apump: AsyncPump | None = None
        self._forward: Callable[[T], None] | None = None
        self._stamp: Callable[[], int] = int

    def belong(self, *, is_async: bool, stamp: Callable[[], int], forward: Callable[[T], None] | None = None) -> None:
        """Make it part of a run. Raises RuntimeError if it is part of one already."""
        if self.is_async is not None:
            raise RuntimeError("StreamChannel is already bound")
        self.is_async, self._stamp, self._forward = is_async, stamp, forward

    # LangGraph's names, which transformers of other packages use

    @property
    def _request_more(self) -> Pump | None:
        return self.pump

    @_request_more.setter
    def _request_more(self, pump: Pump | None) -> None:
        self.pump = pump

    @property
    def _arequest_more(self) -> AsyncPump | None:
        return self.apump

    @_arequest_more.setter
    def _arequest_more(self, apump: AsyncPump | None) -> None:
        self.apump = apump

    @property
    def _closed(self) -> bool:
        return self.closed

    def _bind(self, *, is_async: bool) -> None:
        """For a channel that no run knows."""
        self.belong(is_async=is_async, stamp=int)

    # Writing

    def push(self, item: T) -> None:
        """Hand an item over. Raises RuntimeError when it is closed and somebody reads."""
        if self.read:
            if self.closed:
                raise RuntimeError("Cannot push to a closed StreamChannel")
            self.items.append((self._stamp(), item))
        if self._forward is not None:
            self._forward(item)

    def close(self) -> None:
        """Nothing more comes. The run does it."""
        self.closed = True

    def fail(self, err: BaseException) -> None:
        """Nothing more comes: the reader gets `err` after what is there. The run does it."""
        self.error, self.closed = err, True

    # Reading

    def subscribe(self, *, is_async: bool) -> None:
        """Begin to keep items for the one reader.

        Raises TypeError for the wrong kind, RuntimeError for a second one.
        """
        if self.is_async is None:
            raise TypeError("StreamChannel has not been bound yet. Register the transformer with a StreamMux first.")
        if self.is_async is not is_async:
            mode, word = ("async", "async for") if self.is_async else ("sync", "for")
            raise TypeError(f"This StreamChannel is bound to {mode} mode — use '{word}' instead.")
        if self.read:
            fan = "atee" if is_async else "tee"
            raise RuntimeError(f"StreamChannel already has a subscriber; use .{fan}(n) for fan-out.")
        self.read = True

    def ended(self) -> bool:
        """Whether nothing is left and nothing comes. Raises what failed the run."""
        if self.items or not self.closed:
            return False
        if self.error is not None:
            raise self.error
        return True

    def __iter__(self) -> Iterator[T]:
        self.subscribe(is_async=False)
        return self._each()

    def _each(self) -> Iterator[T]:
        while not self.ended():
            if self.items:
                yield self.items.popleft()[1]
            elif self.pump is None or (not self.pump() and not self.items and not self.closed):
                return

    def __aiter__(self) -> AsyncIterator[T]:
        self.subscribe(is_async=True)
        return self._aeach()

    async def _aeach(self) -> AsyncIterator[T]:
        while not self.ended():
            if self.items:
                yield self.items.popleft()[1]
            elif self.apump is None or (not await self.apump() and not self.items and not self.closed):
                return

    def tee(self, n: int = 2) -> tuple[Iterator[T], ...]:
        """Several readers of the same items."""
        _check(n, "tee")
        source = iter(self)
        waiting: list[deque[T]] = [deque() for _ in range(n)]

        def branch(own: deque[T]) -> Iterator[T]:
            while True:
                if not own:
                    try:
                        item = next(source)
                    except StopIteration:
                        return
                    for each in waiting:
                        each.append(item)
                yield own.popleft()

        return tuple(branch(own) for own in waiting)

    def atee(self, n: int = 2) -> tuple[AsyncIterator[T], ...]:
        """Several async readers of the same items; they may run at once."""
        _check(n, "atee")
        source = aiter(self)
        waiting: list[deque[T]] = [deque() for _ in range(n)]
        turn = asyncio.Lock()
        end: list[BaseException | None] = []

        async def branch(own: deque[T]) -> AsyncIterator[T]:
            while True:
                async with turn:
                    if not own and not end:
                        await _next(source, waiting, end)
                if own:
                    yield own.popleft()
                elif end[0] is not None:
                    raise end[0]
                else:
                    return

        return tuple(branch(own) for own in waiting)


async def _next(source: AsyncIterator[Any], waiting: list[deque[Any]], end: list[BaseException | None]) -> None:
    """Give every branch the next item, or note how the source ended."""
    try:
        item = await anext(source)
    except StopAsyncIteration:
        end.append(None)
    except Exception as error:  # every branch raises it
        end.append(error)
    else:
        for each in waiting:
            each.append(item)


def _check(n: int, what: str) -> None:
    if n < 1:
        raise ValueError(f"{what}() requires n >= 1")
