"""The lock with a wake-up that a stop button can't leave held."""

from __future__ import annotations

import signal
from threading import Event, Thread

from stepgraph.approve.news import News


class Stopped(KeyboardInterrupt):
    """What the signal raises in the main thread."""


def test_who_waits_is_woken_by_the_change_that_makes_it_true() -> None:
    news, state, asked = News(), [0], Event()

    def change() -> None:
        asked.wait()
        with news.lock:
            state[0] = 1
        news.tell()

    def true() -> bool:
        asked.set()
        return state[0] == 1

    thread = Thread(target=change)
    thread.start()
    assert news.wait_for(true, 60)
    thread.join()


def test_a_wait_ends_in_time() -> None:
    assert not News().wait_for(lambda: False, 0.01)
    assert not News().wait_for(lambda: False, 0)


def test_a_stop_at_any_moment_leaves_the_lock_free() -> None:
    """A signal in a loop of waits and locked changes, many times; another thread gets the lock after each.

    With a Condition in place of the lock, about every tenth round leaves it held.
    """
    news, armed = News(), [False]

    def stop(number: int, frame: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Stopped

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        for _ in range(150):
            try:
                armed[0] = True
                signal.setitimer(signal.ITIMER_VIRTUAL, 1e-6)
                for _ in range(100_000):  # where a signal falls into a callback of the garbage collector it is lost
                    news.wait_for(lambda: True, 1)
                    with news.lock:
                        news.tell()
                armed[0] = False
            except Stopped:
                pass
            free: list[bool] = []
            taker = Thread(target=take, args=(news, free))
            taker.start()
            taker.join()
            assert free == [True]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_IGN if before == signal.SIG_DFL else before)  # one may be on its way


def take(news: News, free: list[bool]) -> None:
    free.append(news.lock.acquire(timeout=5))
    if free[0]:
        news.lock.release()
