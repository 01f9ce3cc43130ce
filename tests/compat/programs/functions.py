"""The functional API."""

import asyncio
import warnings
from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_stream_writer
from langgraph.errors import NodeTimeoutError
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt


@task
def double(x: int) -> int:
    return x * 2


@task
async def adouble(x: int) -> int:
    await asyncio.sleep(0)
    return x * 2


def sums(show: Any) -> None:
    @entrypoint()
    def flow(xs: list[int]) -> int:
        futures = [double(x) for x in xs]
        return sum(future.result() for future in futures)

    show(flow.invoke([1, 2, 3]))
    show(sorted(map(str, flow.stream([1, 2], stream_mode="updates"))))

    @entrypoint()
    async def aflow(xs: list[int]) -> int:
        return sum(await asyncio.gather(*(adouble(x) for x in xs)))

    show(asyncio.run(aflow.ainvoke([1, 2, 3])))


def remembering(show: Any) -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def count(n: int, *, previous: int | None = None) -> entrypoint.final[str, int]:
        total = (previous or 0) + n
        return entrypoint.final(value=f"total {total}", save=total)

    config = {"configurable": {"thread_id": "t"}}
    show(count.invoke(1, config), count.invoke(5, config), count.get_state(config).values)


def asking(show: Any) -> None:
    ran: list[str] = []

    @task
    def write(topic: str) -> str:
        ran.append(topic)
        return f"essay on {topic}"

    @entrypoint(checkpointer=InMemorySaver())
    def flow(topic: str) -> dict[str, Any]:
        essay = write(topic).result()
        return {"essay": essay, "ok": interrupt({"essay": essay})}

    config = {"configurable": {"thread_id": "t"}}
    for chunk in flow.stream("cats", config):
        show(chunk)
    for chunk in flow.stream(Command(resume=True), config):
        show(chunk)
    show(ran)


def with_everything(show: Any) -> None:
    tries: list[int] = []

    @task(retry_policy=RetryPolicy(initial_interval=0.01, jitter=False))
    def flaky() -> str:
        tries.append(1)
        if len(tries) < 2:
            raise ConnectionError
        get_stream_writer()("flaky done")
        return "ok"

    @entrypoint(store=InMemoryStore())
    def flow(x: int, *, store: BaseStore) -> str:
        store.put(("a",), "k", {"x": x})
        return f"{flaky().result()} {store.get(('a',), 'k').value}"

    show(list(flow.stream(3, stream_mode=["custom", "values"])))


def tasks_in_nodes(show: Any) -> None:
    builder = StateGraph(dict).add_node("n", lambda s: {"y": double(s["x"]).result()}).add_edge(START, "n")
    show(builder.compile().invoke({"x": 4}))


def policies(show: Any) -> None:
    """Retries, a cache, a timeout and old names."""
    called: list[int] = []
    cache: InMemoryCache[Any] = InMemoryCache()
    policy = RetryPolicy(initial_interval=0.001, jitter=False)

    @task(name="shaky", cache_policy=CachePolicy(), retry_policy=[policy])
    def unnamed(x: int) -> int:
        called.append(x)
        if len(called) % 2:
            raise ConnectionError
        return x * 2

    @entrypoint(cache=cache)
    def flow(x: int) -> int:
        return unnamed(x).result()

    show(unnamed.__name__, flow.invoke(1), flow.invoke(1), list(flow.stream(1, stream_mode="updates")), called)
    unnamed.clear_cache(cache)
    show(flow.invoke(1), called)
    asyncio.run(unnamed.aclear_cache(cache))
    show(flow.invoke(1), called)

    @task(timeout=timedelta(seconds=0.05))
    async def slow() -> None:
        await asyncio.sleep(30)

    @entrypoint()
    async def late(x: int) -> str:
        try:
            await slow()
        except NodeTimeoutError as error:
            return type(error).__name__
        return "in time"

    show(asyncio.run(late.ainvoke(1)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task(retry=policy)(lambda x: x)
        entrypoint(retry=policy, config_schema=dict)
    show(sorted((str(each.message), type(each.message).__name__) for each in caught))
    for make in (lambda: task(timeout=1)(abs), lambda: entrypoint(timeout=1)(lambda x: x), lambda: task(timeout=0)):
        try:
            make()
        except ValueError as error:
            show(str(error)[:30])


def answers_at_answered_checkpoints(show: Any) -> None:
    """An older checkpoint is gone on from with an answer: each task has got its own already."""

    @task
    def ask(question: str) -> Any:
        return interrupt(question)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(x: int) -> list[Any]:
        return [ask("one").result(), interrupt("two")]

    config: Any = {"configurable": {"thread_id": "t"}}
    flow.invoke(1, config)
    flow.invoke(Command(resume="first"), config)
    show(flow.invoke(Command(resume="second"), config))
    oldest = list(flow.get_state_history(config))[-1]
    show(flow.invoke(Command(resume="third"), oldest.config), len(list(flow.get_state_history(config))))


def caches_of_unknown_nodes(show: Any) -> None:
    called: list[int] = []

    @entrypoint(cache=InMemoryCache(), cache_policy=CachePolicy())
    def flow(x: int) -> int:
        called.append(x)
        return x

    for nodes in (["elsewhere"], [], ["flow"], None):
        flow.clear_cache(nodes)
        show(flow.invoke(1), flow.invoke(1), len(called))


def tags_in_configs(show: Any) -> None:
    """A node's config has only what somebody gave."""

    @entrypoint()
    def flow(x: int, config: RunnableConfig) -> Any:
        return sorted(config), config.get("tags"), seen().result()

    @task
    def seen() -> Any:
        return sorted(get_config())

    show(flow.invoke(1), flow.invoke(1, {"tags": []}), flow.invoke(1, {"tags": ["a"], "recursion_limit": 9}))
    show(RunnableLambda(lambda x: flow.invoke(x)).invoke(1))


def calls_that_are_given_up(show: Any) -> None:
    """Cancelling what a call gave cancels the call."""
    told: list[Any] = []

    @task
    async def stuck(x: int) -> int:
        told.append(("begun", x))
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            told.append(("cancelled", x))
            raise
        return x

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(way: str) -> Any:
        call = stuck(1)
        await asyncio.sleep(0.05)
        if way == "cancel":
            told.append(call.cancel())
            await asyncio.gather(call, return_exceptions=True)
        elif way == "wait":
            done, waiting = await asyncio.wait([call, adouble(2)], return_when=asyncio.FIRST_COMPLETED)
            told.extend([len(done), *(each.cancel() for each in waiting)])
        else:
            try:
                await asyncio.wait_for(call, 0.05)
            except TimeoutError:
                told.append("too late")
        return [call.cancelled() or way == "wait", await adouble(3)]

    for way in ("cancel", "wait", "wait for"):
        config: Any = {"configurable": {"thread_id": way}}
        show(asyncio.run(flow.ainvoke(way, config)), *sorted(map(str, told)), flow.get_state(config).values)
        told.clear()
