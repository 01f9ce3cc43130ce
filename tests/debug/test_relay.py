"""A loop goes on in another thread while code on it blocks, and every task is what it was."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from threading import Thread, get_ident

import pytest

from stepgraph.core.types import START
from stepgraph.debug.relay import Relayed
from stepgraph.run.context import interrupt
from tests.debug.support import SECONDS, State, finished, held


async def ask(answer, log, name):
    loop, task, thread = asyncio.get_running_loop(), asyncio.current_task(), get_ident()
    log.append(f"{name} asks")
    found = answer.result()
    assert asyncio.get_running_loop() is loop
    assert asyncio.current_task() is task
    assert get_ident() == thread
    await in_time()
    log.append(f"{name} ends")
    return found


async def in_time():
    """Both ends of a timeout, which `asyncio.timeout` can tell only if the current task is right."""
    async with asyncio.timeout(SECONDS):
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await asyncio.sleep(SECONDS)


@pytest.mark.parametrize("order", list(itertools.permutations("abc")), ids="".join)
def test_who_is_answered_first_goes_on_first(order):
    log = []
    answers = {name: Relayed() for name in "abc"}
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.001)

    async def main():
        beating = asyncio.create_task(beat())
        tasks = {name: asyncio.create_task(ask(answers[name], log, name)) for name in "abc"}
        for name in order:
            before = beats
            while len(log) < 3 or beats < before + 3:  # noqa: ASYNC110  other tasks count up meanwhile
                await asyncio.sleep(0)
            answers[name].set_result(name)
            assert await tasks[name] == name
        beating.cancel()

    asyncio.run(main())
    assert [line for line in log if line.endswith("ends")] == [f"{name} ends" for name in order]


@pytest.mark.parametrize("seed", range(30))
def test_many_questions_answered_at_any_time(seed):
    chance = random.Random(seed)
    answers = [[Relayed() for _ in range(chance.randint(1, 3))] for _ in range(5)]

    async def node(at):
        for number, answer in enumerate(answers[at]):
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() / 500)
            assert answer.result() == (at, number)
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        return at

    def answer_all():
        turn = random.Random(seed + 1)
        todo = [(at, number) for at, each in enumerate(answers) for number in range(len(each))]
        for at, number in turn.sample(todo, len(todo)):
            answers[at][number].set_result((at, number))

    async def main():
        answering = Thread(target=answer_all)
        answering.start()
        async with asyncio.timeout(SECONDS):
            found = await asyncio.gather(*(node(at) for at in range(5)))
        answering.join()
        return found

    assert asyncio.run(main()) == list(range(5))


def test_what_ends_the_loop_ends_it_where_it_was_begun():
    answer = Relayed()

    async def asks():
        return answer.result()

    async def exits():
        raise SystemExit(3)

    async def main():
        await asyncio.gather(asks(), exits())

    with pytest.raises(SystemExit):
        asyncio.run(main())


def test_a_cancelled_answer_ends_the_wait():
    answer = Relayed()

    async def asks():
        return answer.result()

    async def main():
        asking = asyncio.create_task(asks())
        await asyncio.sleep(0)
        answer.cancel()
        return await asyncio.gather(asking, return_exceptions=True)

    (error,) = asyncio.run(main())
    assert "Cancelled" in type(error).__name__


class Asking:
    """asks and asks_too ask; works goes on through several awaits. All are async and share one loop."""

    def __init__(self):
        self.calls, self.loops, self.log = [], set(), []

    def node(self, name, question=None):
        async def work(state: State) -> State:
            self.calls.append(name)
            self.loops.add(asyncio.get_running_loop())
            await in_time()
            answer = interrupt(question) if question else name
            await in_time()
            self.log.append(name)
            return {"messages": [answer]}

        return work

    def graph(self):
        from stepgraph.graph.builder import StateGraph

        builder = StateGraph(State)
        for name, question in (("asks", "who?"), ("asks_too", "when?"), ("works", None)):
            builder.add_node(name, self.node(name, question)).add_edge(START, name)
        builder.add_node("last", self.node("last")).add_edge(["asks", "asks_too", "works"], "last")
        return builder.compile(name="asking")


@pytest.mark.parametrize("first", ["asks", "asks_too"])
def test_async_siblings_of_a_node_that_asks_go_on(support, first):
    asking = Asking()
    dbg = support.debug(asking.graph())
    dbg.stop("after:works")
    dbg.stop("after:asks*")
    run = dbg.start({"question": "q"})
    requests = {request.title: request for request in held(run, 3)}
    assert set(requests) == {"interrupt:asks", "interrupt:asks_too", "after:works"}
    requests["after:works"].approve()
    requests[f"interrupt:{first}"].respond(first)
    after = next(request for request in _until(run, f"after:{first}"))
    assert asking.log == ["works", first], "decided, it goes on while the other still asks"
    after.approve()
    other = next(request for request in held(run) if request.place == "interrupt")
    other.respond(other.node)
    next(iter(_until(run, f"after:{other.node}"))).approve()
    assert finished(run).result["messages"] == ["asks", "asks_too", "works", "last"]
    assert sorted(asking.calls) == ["asks", "asks_too", "last", "works"]
    assert len(asking.loops) == 1
    assert run.stats.reruns == 0


def test_a_run_is_cancelled_while_async_nodes_ask(support):
    run = support.debug(Asking().graph()).start({"question": "q"})
    held(run, 2)
    run.cancel()
    assert finished(run).status == "cancelled"


def _until(run, title):
    """The request called `title`, once it is pending."""
    end = time.monotonic() + SECONDS
    while not (found := [request for request in run.pending() if request.title == title]):
        assert time.monotonic() < end, run.summary
        assert not run.ended, run.summary
        run.inbox.wait(len(run.inbox.all()), 0.01)
    return found
