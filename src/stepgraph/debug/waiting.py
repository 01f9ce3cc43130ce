"""Waiting for a run from a cell or script, without ever waiting for somebody who can't answer."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from threading import RLock, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Literal

from stepgraph.approve.news import News
from stepgraph.debug.errors import HeldError

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

POLL_SECONDS = 0.25
GRACE_SECONDS = 1.0
"""How long a request may be unattended before a wait gives up: a bot that was started just now gets its first turn."""
Reach = Literal["idle", "await", "block"]
"""When somebody's answer can arrive: while no cell runs, also while one awaits, also while one blocks."""
_RANK: dict[Reach, int] = {"idle": 0, "await": 1, "block": 2}


class Attendance:
    """Who may answer a run's requests besides those who iterate over them."""

    def __init__(self) -> None:
        self._present: dict[int, tuple[str, Reach]] = {}
        self._next = 0
        self._lock = RLock()

    def attend(self, name: str, reach: Reach = "idle") -> Callable[[], None]:
        """Somebody called `name` may answer from now on; the returned function says that they have left."""
        with self._lock:
            key, self._next = self._next, self._next + 1
            self._present[key] = (name, reach)

        def leave() -> None:
            with self._lock:
                self._present.pop(key, None)

        return leave

    def within(self, reach: Reach) -> bool:
        """Whether somebody's answer can arrive in such a wait."""
        with self._lock:
            return any(_RANK[each] >= _RANK[reach] for _, each in self._present.values())

    def names(self) -> list[str]:
        with self._lock:
            return [name for name, _ in self._present.values()]


class Patience:
    """Notices when a wait has become hopeless: requests pending, and nobody who could answer, for a while."""

    def __init__(self, run: Run, reach: Reach) -> None:
        self._run = run
        self._reach: Reach = reach
        self._since: float | None = None

    def check(self) -> None:
        """Raises HeldError when nobody can answer what is pending."""
        pending = self._run.pending()
        if not pending or self._run.answerable(self._reach):
            self._since = None
            return
        now = time.monotonic()
        if self._since is None:
            self._since = now
        elif now - self._since >= GRACE_SECONDS:
            raise HeldError(_told(self._run, self._reach))


def wait(run: Run, news: News, timeout: float | None) -> bool:
    """Block until the run has ended or `timeout` seconds have passed; whether it has ended."""
    _check_elsewhere(run)
    patience = Patience(run, "block") if current_thread() is main_thread() else None
    end = None if timeout is None else time.monotonic() + timeout
    with _told_in_cells(run):
        while not run.ended:
            left = POLL_SECONDS if end is None else min(POLL_SECONDS, end - time.monotonic())
            if left <= 0:
                return False
            if patience is not None:
                patience.check()
            news.wait_for(lambda: run.ended, left)
    return True


def settle(run: Run, news: News) -> bool:
    """Block while the run works, but not for a person; whether it has ended."""
    _check_elsewhere(run)

    def waits_for_somebody() -> bool:
        pending = run.pending()
        return bool(pending) and not run.inbox.attended and not any(run.will_decide(request) for request in pending)

    with _told_in_cells(run):
        while not news.wait_for(lambda: run.ended or waits_for_somebody(), POLL_SECONDS):
            pass  # who attends may have changed, of which there is no news
    return run.ended


@contextmanager
def _told_in_cells(run: Run) -> Iterator[None]:
    """A kernel's interrupt ends the wait of a cell with a short error that says what became of the run."""
    try:
        yield
    except KeyboardInterrupt:
        shell = sys.modules.get("IPython")
        if shell is None or shell.get_ipython() is None or run.ended:
            raise
        raise HeldError(_stopped(run)) from None


def _stopped(run: Run) -> str:
    return f"Stopped waiting; nothing is lost: {run.summary}. Run this cell again to wait on."


def _check_elsewhere(run: Run) -> None:
    """A run on this loop makes no progress while the loop is blocked."""
    if run.here and not run.ended and asyncio._get_running_loop() is not None:
        raise RuntimeError(
            f"{run.summary}. It works on this event loop (where='here'), which a blocking wait would stop: `await run`."
        )


def awaiting(run: Run) -> Generator[Any, None, None]:
    """Await the run's end; a kernel's interrupt ends the wait with a short error and leaves the run as it is."""
    yield from _ended(run).__await__()


async def _ended(run: Run) -> None:
    patience = Patience(run, "await")
    loop = asyncio.get_running_loop()
    news = asyncio.Event()
    leave = run.on_change(lambda: loop.is_closed() or loop.call_soon_threadsafe(news.set))
    try:
        while not run.ended:
            patience.check()
            news.clear()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await news.wait()
            except TimeoutError:
                continue
    except asyncio.CancelledError:
        if _is_cell(asyncio.current_task()):
            raise HeldError(_stopped(run)) from None
        raise
    finally:
        leave()


def _is_cell(task: asyncio.Task[Any] | None) -> bool:
    """Whether an IPython cell awaits: a kernel's interrupt cancels its task."""
    if task is None or "IPython" not in sys.modules:
        return False
    return "run_cell" in getattr(task.get_coro(), "__qualname__", "") or "execute" in task.get_name()


def _told(run: Run, reach: Reach) -> str:
    request = run.pending()[0]
    names = run.attendance.names()
    if names:
        how = "blocks" if reach == "block" else "runs"
        who = f"{names[0]} can answer only while no cell {how}: decide there, then run this cell again"
    else:
        who = (
            "nobody who could answer is there: decide with "
            f"`run.pending()[0].{request.allow[0]}(…)`, let a bot iterate over `run.requests()` in a task or thread, "
            "or give the run a policy with `run.unattended(policy)`"
        )
    return f"{run.summary}. You wait for the run, it waits for an answer, and {who}. It is still held; nothing is lost."
