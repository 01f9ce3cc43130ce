"""The hub numbers events, delivers them in order, keeps the last ones, and survives its listeners."""

from __future__ import annotations

import logging
from threading import Barrier, Thread
from typing import Any

import pytest

from stepgraph import START, Hub, StateGraph
from stepgraph.core.events import Event, StepStarted
from stepgraph.run.sync import SyncDriver


def step(number: int) -> Event:
    return StepStarted((), number, 0.0, ())


def test_events_are_numbered_from_zero_and_delivered_in_that_order() -> None:
    hub = Hub()
    seen: list[tuple[int, Event]] = []
    hub.subscribe(lambda seq, event: seen.append((seq, event)))

    for number in range(3):
        hub.publish(step(number))

    assert seen == [(0, step(0)), (1, step(1)), (2, step(2))]
    assert hub.log() == seen
    assert (hub.first, hub.next) == (0, 3)


def test_events_of_many_threads_have_one_order_for_everybody() -> None:
    hub = Hub()
    one: list[int] = []
    other: list[int] = []
    hub.subscribe(lambda seq, event: one.append(seq))
    hub.subscribe(lambda seq, event: other.append(seq))
    start = Barrier(4)

    def publish() -> None:
        start.wait(10)
        for number in range(100):
            hub.publish(step(number))

    threads = [Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert one == other == list(range(400))


def test_a_late_listener_gets_what_comes_and_can_read_what_was() -> None:
    hub = Hub()
    hub.publish(step(0))
    seen: list[int] = []
    hub.subscribe(lambda seq, event: seen.append(seq))
    hub.publish(step(1))

    assert seen == [1]
    assert hub.log(since=1) == [(1, step(1))]
    assert hub.log(since=7) == []


def test_only_the_last_events_are_kept_under_their_numbers() -> None:
    hub = Hub(keep=2)

    for number in range(5):
        hub.publish(step(number))

    assert hub.log() == [(3, step(3)), (4, step(4))]
    assert (hub.first, hub.next) == (3, 5)


def test_a_listener_that_raises_is_logged_and_removed_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    seen: list[int] = []
    calls: list[int] = []

    def clumsy(seq: int, event: Event) -> None:
        calls.append(seq)
        raise ValueError("dropped the tray")

    hub.subscribe(clumsy)
    hub.subscribe(lambda seq, event: seen.append(seq))
    with caplog.at_level(logging.ERROR, "stepgraph"):
        hub.publish(step(0))
        hub.publish(step(1))

    assert (calls, seen) == ([0], [0, 1])
    assert "clumsy raised on an event and was removed; the run goes on" in caplog.text
    assert "dropped the tray" in caplog.text
    assert [(name.rpartition(".")[2], str(error)) for name, error in hub.failures] == [("clumsy", "dropped the tray")]


def test_a_method_that_raises_is_removed_too() -> None:
    class Panel:
        calls = 0

        def on_event(self, seq: int, event: Event) -> None:
            self.calls += 1
            raise ValueError

    hub, panel = Hub(), Panel()
    hub.subscribe(panel.on_event)
    hub.publish(step(0))
    hub.publish(step(1))

    assert panel.calls == 1


def test_a_listener_may_leave_and_leave_again() -> None:
    hub = Hub()
    seen: list[int] = []
    leave = hub.subscribe(lambda seq, event: seen.append(seq))
    hub.publish(step(0))
    leave()
    leave()
    hub.publish(step(1))

    assert seen == [0]


def test_what_a_listener_publishes_comes_after_what_it_was_told() -> None:
    hub = Hub()
    seen: list[int] = []

    def echo(seq: int, event: Any) -> None:
        if event.step == 0:
            hub.publish(step(1))

    hub.subscribe(echo)
    hub.subscribe(lambda seq, event: seen.append(seq))
    hub.publish(step(0))

    assert seen == [0, 1]


def test_a_run_goes_on_when_its_listener_raises() -> None:
    hub = Hub()

    def clumsy(seq: int, event: Event) -> None:
        raise ValueError

    hub.subscribe(clumsy)
    app = StateGraph(dict).add_node("a", lambda s: {"done": True}).add_edge(START, "a").compile()
    outcome = SyncDriver().run(app.engine({}, {}, emit=hub.publish).run())

    assert (outcome.status, outcome.values) == ("done", {"done": True})
    assert [type(event).__name__ for _, event in hub.log()][-1] == "RunFinished"
