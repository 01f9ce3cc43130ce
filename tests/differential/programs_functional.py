"""Programs of the functional API: entrypoints and the tasks that they call."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]


def flow(lab: Lab, function: Any, **options: Any) -> None:
    """Make `function` the lab's graph."""
    lab.app = lab.entrypoint(checkpointer=lab.checkpointer, **options)(function)


@program
def tasks_in_turn(lab: Lab) -> None:
    @lab.task
    def double(x: int) -> int:
        return x * 2

    @lab.task(name="renamed")
    def add(a: int, *, b: int = 1) -> int:
        return a + b

    def work(x: int) -> Any:
        first = double(x).result()
        return {"doubled": first, "added": add(first, b=10).result()}

    flow(lab, work)
    lab.run(1)
    lab.run(2)


@program
def tasks_at_once(lab: Lab) -> None:
    @lab.task
    def square(x: int) -> int:
        return x * x

    def work(xs: list[int]) -> list[int]:
        futures = [square(x) for x in xs]
        return [future.result() for future in futures]

    flow(lab, work)
    lab.run([1, 2, 3])


@program
def what_the_last_run_returned(lab: Lab) -> None:
    def count(x: int, *, previous: Any = None) -> Any:
        lab.note("previous", previous)
        return (previous or 0) + x

    flow(lab, count)
    for x in (1, 2, 3):
        lab.run(x)


@program
def keep_another_value(lab: Lab) -> None:
    def count(x: int, previous: Any, config: RunnableConfig, runtime: Any) -> Any:
        lab.note("asked", (previous, runtime.previous, config["metadata"]["langgraph_node"], runtime.context))
        return lab.entrypoint.final(value=previous, save=(previous or 0) + x)

    flow(lab, count)
    lab.run(1, context={"c": 1})
    lab.run(2)
    lab.run(None)


@program(needs_saver=True)
def tasks_are_not_called_again(lab: Lab) -> None:
    """After each answer the entrypoint runs again, its tasks do not."""
    calls: list[Any] = []

    @lab.task
    def draft(topic: str, n: int) -> str:
        calls.append(n)
        return f"{topic} {n}"

    def review(topic: str) -> Any:
        drafts = [draft(topic, n).result() for n in range(2)]
        first = lab.interrupt({"choose": drafts})
        last = draft(first, 2).result()
        return {"chosen": first, "last": last, "sure": lab.interrupt("sure?")}

    flow(lab, review)
    lab.run("essay")
    lab.resume("b")
    lab.resume(True)
    lab.note("calls", calls)


@program(needs_saver=True)
def a_task_asks(lab: Lab) -> None:
    calls: list[str] = []

    @lab.task
    def ask(question: str) -> Any:
        calls.append(question)
        return lab.interrupt(question)

    @lab.task
    def before(x: int) -> int:
        calls.append("before")
        return x + 1

    def form(x: int) -> Any:
        base = before(x).result()
        return [base, ask("name?").result(), ask("age?").result()]

    flow(lab, form)
    lab.run(1)
    lab.resume("ann")
    lab.resume(7)
    lab.note("calls", calls)


@program(needs_saver=True)
def a_task_fails_once(lab: Lab) -> None:
    """The run goes on where it failed: what was finished is not called again."""
    calls: list[str] = []

    @lab.task
    def steady(x: int) -> int:
        calls.append("steady")
        return x

    @lab.task
    def shaky(x: int) -> int:
        calls.append("shaky")
        if calls.count("shaky") == 1:
            raise ValueError("once")
        return x + 1

    def work(x: int) -> int:
        return shaky(steady(x).result()).result()

    flow(lab, work)
    lab.run(1)
    lab.run(None)
    lab.note("calls", calls)


@program
def a_caught_failure(lab: Lab) -> None:
    @lab.task
    def fails(x: int) -> int:
        raise ValueError(f"no {x}")

    def work(x: int) -> str:
        try:
            fails(x).result()
        except ValueError as error:
            return str(error)
        return "?"

    flow(lab, work)
    lab.run(1)


@program
def tasks_call_tasks(lab: Lab) -> None:
    @lab.task
    def inner(x: int) -> int:
        return x + 1

    @lab.task
    def outer(x: int) -> int:
        return inner(inner(x).result()).result()

    def work(x: int) -> int:
        return outer(x).result()

    flow(lab, work)
    lab.run(1)


@program(sync_only=True)
def tasks_in_a_node(lab: Lab) -> None:
    @lab.task
    def square(x: int) -> int:
        return x * x

    def node(s: Log) -> Any:
        futures = [square(x) for x in s["log"]]
        return {"log": [future.result() for future in futures]}

    g = lab.graph(Log)
    g.add_node("node", node)
    g.add_node("again", node)
    g.add_edge(lab.START, "node")
    g.add_edge("node", "again")
    lab.compile(g)
    lab.run({"log": [1, 2]})


@program
def retried_tasks(lab: Lab) -> None:
    calls: list[int] = []
    policy = lab.RetryPolicy(initial_interval=0.001, jitter=False, retry_on=ValueError)

    @lab.task(retry_policy=policy)
    def shaky(x: int) -> int:
        calls.append(x)
        if len(calls) < 3:
            raise ValueError("again")
        return x

    def work(x: int) -> int:
        return shaky(x).result()

    flow(lab, work)
    lab.run(5)
    lab.note("calls", calls)


@program
def an_entrypoint_calls_graphs(lab: Lab) -> None:
    g = lab.engine.StateGraph(Log)
    g.add_node("inner", lambda s: {"log": [len(s["log"])]})
    g.add_edge(lab.START, "inner")
    graph = g.compile()

    @lab.entrypoint()
    def other(x: int) -> int:
        return x + 1

    def work(x: int) -> Any:
        return graph.invoke({"log": [x]})["log"], other.invoke(x)

    flow(lab, work)
    lab.run(1)


@program
def async_tasks(lab: Lab) -> None:
    if lab.calls == "sync":
        return flow_once(lab)

    @lab.task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    @lab.task
    def plain(x: int) -> int:
        return x * 2

    async def work(x: int) -> Any:
        first = await later(x)
        return [first, *await asyncio.gather(later(first), plain(first))]

    flow(lab, work)
    lab.run(1)
    return None


def flow_once(lab: Lab) -> None:
    flow(lab, lambda x: x)
    lab.invoke(1)


@program(needs_saver=True)
def async_tasks_are_not_called_again(lab: Lab) -> None:
    if lab.calls == "sync":
        return flow_once(lab)
    calls: list[int] = []

    @lab.task
    async def later(x: int) -> int:
        calls.append(x)
        return x + 1

    async def work(x: int) -> Any:
        return [*await asyncio.gather(later(x), later(x + 1)), lab.interrupt("?"), await later(9)]

    flow(lab, work)
    lab.run(1)
    lab.resume("!")
    lab.note("calls", sorted(calls))
    return None


@program
def an_async_task_in_sync_code(lab: Lab) -> None:
    @lab.task
    async def later(x: int) -> int:
        return x

    def work(x: int) -> Any:
        return later(x).result()

    flow(lab, work)
    lab.without_history = "better messages"
    if lab.calls == "sync":
        lab.invoke(1)


@program
def entrypoints_that_are_refused(lab: Lab) -> None:
    def generator(x: int) -> Any:
        yield x

    async def async_generator(x: int) -> Any:
        yield x

    def nothing() -> None: ...

    for function in (generator, async_generator, nothing):
        try:
            lab.entrypoint()(function)
        except Exception as error:
            lab.note("refused", type(error).__name__)
    flow(lab, lambda x: x)
    lab.invoke(None)
