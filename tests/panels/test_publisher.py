"""One thread speaks: replies at once, events gathered, a failing panel dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from stepgraph.panels.publisher import PERIOD, Publisher


class Panel:
    """Counts what it is asked to send."""

    def __init__(self, wanted: int = 1, *, fails: bool = False) -> None:
        self.replies = threading.Event()
        self.batches: list[float] = []
        self.enough = threading.Event()
        self._wanted = wanted
        self._fails = fails

    def send_replies(self) -> None:
        self.replies.set()

    def send_batch(self) -> bool:
        if self._fails:
            raise RuntimeError("broken")
        self.batches.append(time.monotonic())
        if len(self.batches) >= self._wanted:
            self.enough.set()
        return False


def until(event: threading.Event, act: Callable[[], None]) -> None:
    """Go on with `act` until `event` is set."""
    end = time.monotonic() + 10
    while not event.is_set():
        act()
        assert time.monotonic() < end


def test_a_flood_becomes_at_most_thirty_batches_a_second() -> None:
    publisher, panel = Publisher(), Panel(wanted=6)
    publisher.add(panel)
    until(panel.enough, publisher.happened)
    gaps = [b - a for a, b in zip(panel.batches, panel.batches[1:], strict=False)]
    assert min(gaps) >= PERIOD * 0.95
    publisher.remove(panel)


def test_a_reply_does_not_wait_for_the_next_batch() -> None:
    publisher, panel = Publisher(), Panel()
    publisher.add(panel)
    until(panel.enough, publisher.happened)
    batches = len(panel.batches)
    panel.replies.clear()
    publisher.replied()
    assert panel.replies.wait(10)
    assert len(panel.batches) == batches
    publisher.remove(panel)


def test_a_failing_panel_is_logged_and_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    publisher, bad, good = Publisher(), Panel(fails=True), Panel(wanted=3)
    publisher.add(bad)
    publisher.add(good)
    with caplog.at_level(logging.ERROR, "stepgraph.panels"):
        until(good.enough, publisher.happened)
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [
        ("broken",)
    ]
    publisher.remove(good)
