"""The mailbox of a run's requests: who asks puts them in, anybody in any thread may wait for them and decide."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from stepgraph.approve.listeners import Listeners
from stepgraph.approve.news import News
from stepgraph.approve.requests import Request
from stepgraph.approve.verbs import closest
from stepgraph.core.errors import UnknownRequestError
from stepgraph.core.types import Decision

POLL_SECONDS = 0.25
"""How long a wait lasts before it looks at the clock: a kernel's interrupt is noticed between two waits."""
Watcher = Callable[[Request], None]


class Inbox:
    """Requests in the order asked. `attended` tells whether somebody iterates over them and so may decide."""

    def __init__(self, name: str = "run") -> None:
        self.name = name
        self._all: dict[str, Request] = {}
        self._pending: dict[str, Request] = {}
        self._watchers: Listeners[Watcher] = Listeners(name)
        self._news = News()
        self._asked = 0
        self._readers = 0
        self._ended: str | None = None

    def next_id(self) -> str:
        """r1, r2, …"""
        with self._news.lock:
            self._asked += 1
            return f"r{self._asked}"

    def put(self, request: Request) -> None:
        """A new question. If the run has ended meanwhile it is closed at once."""
        with self._news.lock:
            self._all[request.id] = request
            self._pending[request.id] = request
            ended = self._ended
            self._news.tell()
        request.on_end(self._remove)
        if ended is not None:
            request.close(ended)
        else:
            self._watchers.tell(request)

    def pending(self) -> tuple[Request, ...]:
        """Those that wait now, oldest first."""
        with self._news.lock:
            return tuple(self._pending.values())

    def all(self) -> tuple[Request, ...]:
        """Every request ever asked, oldest first."""
        with self._news.lock:
            return tuple(self._all.values())

    def get(self, id: str) -> Request:
        """The request `id`, pending or not. Raises UnknownRequestError."""
        with self._news.lock:
            found = self._all.get(id)
            known = list(self._all)
        if found is None:
            raise UnknownRequestError(
                f"{self.name} has no request {id!r}{closest(id, known)}. Asked so far: {', '.join(known) or 'none'}."
            )
        return found

    def decide(self, id: str, decision: Decision) -> None:
        """Take a decision on the request `id`."""
        self.get(id).decide(decision)

    def end(self, why: str) -> None:
        """The run is over: close what is pending and let everybody who iterates go home."""
        with self._news.lock:
            if self._ended is None:
                self._ended = why
        for request in self.pending():
            request.close(why)
        with self._news.lock:
            self._news.tell()

    def reopen(self) -> None:
        """The run goes on after all."""
        with self._news.lock:
            self._ended = None

    @property
    def attended(self) -> bool:
        """Whether somebody iterates over the requests now."""
        return self._readers > 0

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call back with each request when it is asked and again when it is decided or closed; returns the way out.

        A watcher that raises is logged and removed; the request stays pending.
        """
        return self._watchers.add(watcher)

    def wait(self, known: int, timeout: float = POLL_SECONDS) -> None:
        """Return when more than `known` requests were asked, when the run has ended, or after `timeout` seconds."""
        self._news.wait_for(lambda: len(self._all) > known or self._ended is not None, timeout)

    def stream(self) -> Requests:
        """Each pending request once, then each new one, until the run ends."""
        return Requests(self)

    def _enter(self) -> None:
        with self._news.lock:
            self._readers += 1

    def _leave(self) -> None:
        with self._news.lock:
            self._readers -= 1

    def _remove(self, request: Request) -> None:
        with self._news.lock:
            self._pending.pop(request.id, None)
            self._news.tell()
        self._watchers.tell(request)

    def _turn(self, seen: set[str]) -> Request | int | None:
        """The next request that is not in `seen`, which takes it up; how many were asked so far; None at the end."""
        with self._news.lock:
            for request in self._pending.values():
                if request.id not in seen:
                    seen.add(request.id)
                    return request
            return len(self._all) if self._ended is None else None


class Requests:
    """`for q in run.requests()` in a thread of its own, `async for q in run.requests()` beside the run."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __iter__(self) -> Iterator[Request]:
        inbox, seen = self._inbox, set[str]()
        inbox._enter()
        try:
            while (turn := inbox._turn(seen)) is not None:
                if isinstance(turn, int):
                    inbox.wait(turn)
                else:
                    yield turn
        finally:
            inbox._leave()

    async def __aiter__(self) -> AsyncIterator[Request]:
        inbox, seen = self._inbox, set[str]()
        news = asyncio.Event()
        loop = asyncio.get_running_loop()
        leave = inbox.watch(lambda _: _wake(loop, news))
        inbox._enter()
        try:
            while (turn := inbox._turn(seen)) is not None:
                if isinstance(turn, int):
                    await _heard(news)
                    news.clear()
                else:
                    yield turn
        finally:
            leave()
            inbox._leave()


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)


async def _heard(news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await news.wait()
    except TimeoutError:
        return
