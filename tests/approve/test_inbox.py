from __future__ import annotations

import asyncio
from threading import Thread

import pytest

from stepgraph.approve.inbox import Inbox
from stepgraph.core.errors import UnknownRequestError
from stepgraph.core.types import Decision


@pytest.fixture
def inbox():
    return Inbox("run 1")


@pytest.fixture
def put(inbox, ask):
    def make(place="after"):
        request = ask(place, [("answer", "new")] if place == "after" else ())
        request.id = inbox.next_id()
        inbox.put(request)
        return request

    return make


def test_pending_requests_are_listed_oldest_first_until_decided(inbox, put):
    first, second = put(), put("before")
    assert inbox.pending() == (first, second)
    first.approve()
    assert inbox.pending() == (second,)
    assert inbox.all() == (first, second)


def test_an_iterator_gives_each_request_once_and_ends_with_the_run(inbox, put):
    put(), put()
    seen = []
    for request in inbox.stream():
        assert inbox.attended
        seen.append(request.id)
        request.approve()
        if len(seen) == 2:
            put()
        if len(seen) == 3:
            inbox.end("the run is done")
    assert seen == ["r1", "r2", "r3"]
    assert not inbox.attended


def test_an_iterator_in_another_thread_hears_of_new_requests(inbox, put):
    def decide():
        for request in inbox.stream():
            request.edit({"answer": "by thread"})

    thread = Thread(target=decide)
    thread.start()
    request = put()
    assert request.answer.result(timeout=10).verb == "edit"
    inbox.end("the run is done")
    thread.join(10)
    assert not thread.is_alive()


def test_an_async_iterator_hears_of_requests_from_other_threads(inbox, put):
    async def decide():
        async for request in inbox.stream():
            request.approve()

    async def both():
        decider = asyncio.create_task(decide())
        request = await asyncio.to_thread(put)
        await asyncio.wait_for(asyncio.wrap_future(request.answer), 10)
        inbox.end("the run is done")
        await asyncio.wait_for(decider, 10)

    asyncio.run(both())


def test_the_end_of_a_run_closes_what_is_pending(inbox, put):
    request = put()
    inbox.end("the run was cancelled")
    assert inbox.pending() == ()
    assert request.closed == "the run was cancelled"
    late = put()
    assert late.closed == "the run was cancelled"


def test_deciding_by_id_refuses_an_unknown_request(inbox, put):
    put()
    with pytest.raises(UnknownRequestError) as caught:
        inbox.decide("r2", Decision())
    assert "Asked so far: r1" in str(caught.value)
    inbox.decide("r1", Decision())
    assert inbox.get("r1").decided.verb == "approve"


def test_a_watcher_that_raises_is_removed_and_nothing_is_lost(inbox, put, caplog):
    calls = []

    def broken(request):
        calls.append(request.id)
        raise RuntimeError("broken")

    inbox.watch(broken)
    put(), put()
    assert calls == ["r1"]
    assert len(inbox.pending()) == 2
    assert "was removed; nothing is lost" in caplog.text
