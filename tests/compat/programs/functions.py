"""The functional API."""

import asyncio
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, interrupt


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
