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


QUICK = {"initial_interval": 0.001, "jitter": False}


def failing(times: int, error: type[Exception] = ConnectionError) -> Any:
    """A function that fails the first `times` calls for an argument."""
    calls: dict[Any, int] = {}

    def attempt(x: int) -> str:
        calls[x] = calls.get(x, 0) + 1
        if calls[x] <= times:
            raise error(f"call {calls[x]} for {x}")
        return f"{x} after {calls[x]} calls"

    return attempt


@program
def tasks_with_policies(lab: Lab) -> None:
    """Tasks with one policy and with several, and a task that has the entrypoint's."""
    policy = lab.RetryPolicy(**QUICK)
    one = lab.task(name="one", retry_policy=policy)(failing(2))
    several = lab.task(name="several", retry_policy=[lab.RetryPolicy(max_attempts=1, retry_on=KeyError), policy])(
        failing(1)
    )
    entrypoints = lab.task(name="entrypoints")(failing(1))

    def work(x: int) -> Any:
        return [each(x).result() for each in (one, several, entrypoints)]

    flow(lab, work, retry_policy=policy)
    lab.run(1)
    lab.run(2)


@program
def a_task_gives_up(lab: Lab) -> None:
    """Its entrypoint is tried again, and calls it again."""
    given_up = lab.task(name="given_up", retry_policy=lab.RetryPolicy(max_attempts=1))(failing(1))

    def hopeless(x: int) -> Any:
        return given_up(x).result()

    lab.only_results = True
    flow(lab, hopeless, retry_policy=lab.RetryPolicy(**QUICK))
    lab.run(3)
    lab.run(4)


@program
def retried_entrypoint(lab: Lab) -> None:
    """The entrypoint fails after a task has ended."""
    attempt = failing(2)

    @lab.task
    def noted(x: int) -> int:
        return x

    def work(x: int) -> Any:
        return [noted(x).result(), attempt(x)]

    flow(lab, work, retry_policy=(lab.RetryPolicy(**QUICK),))
    lab.run(1, deviates="tasks called again")
    lab.without_history = "tasks called again"


@program
def cached_tasks(lab: Lab) -> None:
    """Results by arguments, in any form; a task with the entrypoint's policy; a key of one's own; clearing."""
    called: list[Any] = []
    cache = lab.InMemoryCache()

    @lab.task(cache_policy=lab.CachePolicy())
    def add(x: int, *, y: int = 1) -> int:
        called.append(("add", x, y))
        return x + y

    @lab.task(cache_policy=lab.CachePolicy(key_func=lambda x: str(x % 10)))
    def by_digit(x: int) -> int:
        called.append(("by_digit", x))
        return x

    @lab.task
    def plain(x: int) -> int:
        called.append(("plain", x))
        return x

    def work(x: int) -> Any:
        return [add(x).result(), add(x, y=2).result(), by_digit(x).result(), plain(x).result()]

    flow(lab, work, cache=cache)
    for x in (1, 1, 11):
        lab.run(x)
    add.clear_cache(cache)
    plain.clear_cache(cache)
    lab.run(1)
    lab.note("called", called)


@program
def cached_entrypoint(lab: Lab) -> None:
    """The policy is for the entrypoint and for its tasks; another thread has it too."""
    called: list[Any] = []

    @lab.task
    def square(x: int) -> int:
        called.append(("square", x))
        return x * x

    def work(xs: tuple[int, ...]) -> Any:
        called.append(xs)
        return [square(x).result() for x in xs]

    flow(lab, work, cache=lab.InMemoryCache(), cache_policy=lab.CachePolicy())
    lab.run((1, 2))
    lab.run((1, 2))
    lab.run((2, 3))
    lab.thread = "other"
    lab.run((1, 2))
    lab.note("called", called)


@program
def timeouts_of_functions(lab: Lab) -> None:
    """A task out of time once, a task out of time for good, and an entrypoint out of time."""
    calls: list[int] = []

    @lab.task(timeout=0.6, retry_policy=lab.RetryPolicy(**QUICK))
    async def slow_once(x: int) -> str:
        calls.append(x)
        if len(calls) == 1:
            await asyncio.sleep(30)
        return "at last"

    @lab.task(timeout=lab.TimeoutPolicy(idle_timeout=0.1))
    async def never(x: int) -> None:
        await asyncio.sleep(30)

    async def work(x: int) -> Any:
        return [await slow_once(x), await never(x) if x == 2 else None]

    async def too_slow(x: int) -> None:
        await asyncio.sleep(30)

    flow(lab, work)
    if lab.calls == "sync":
        return  # LangGraph runs no async functions there
    lab.only_results = True
    lab.run(1)
    lab.run(2)
    flow(lab, too_slow, timeout=0.1)
    lab.run(3)
    lab.note("calls", calls)


@program(needs_saver=True)
def tasks_at_once_ask(lab: Lab) -> None:
    """Questions of parallel tasks, answered one after the other, beside a task that has none."""
    calls: list[str] = []

    @lab.task
    def ask(name: str) -> str:
        return f"{name}: {lab.interrupt(name)}"

    @lab.task
    def quick(x: int) -> int:
        calls.append("quick")
        return x

    def work(names: list[str]) -> Any:
        asked, one = [ask(name) for name in names], quick(1)
        return [one.result(), *(each.result() for each in asked)]

    flow(lab, work)
    lab.only_results = True  # which of the questions is raised depends on threads
    lab.run(["a", "b", "c"])
    for _ in range(3):
        lab.answer(lambda value: value * 2)
    lab.note("calls", calls)


@program(needs_saver=True)
def tasks_of_tasks_ask(lab: Lab) -> None:
    """Two levels, with questions before, between and after the inner calls, and a task that has two."""
    calls: list[str] = []

    @lab.task
    def inner(name: str) -> Any:
        calls.append(name)
        return [lab.interrupt(f"{name}?"), lab.interrupt(f"{name} sure?")]

    @lab.task
    def outer(name: str) -> Any:
        first = lab.interrupt(f"outer {name}?")
        return [first, inner(f"{name}1").result(), lab.interrupt("between?"), inner(f"{name}2").result()]

    def work(name: str) -> Any:
        return [outer(name).result(), lab.interrupt("last?")]

    flow(lab, work)
    lab.run("x")
    for number in range(7):
        lab.resume(number)
    lab.note("calls", calls)


@program(needs_saver=True)
def questions_and_what_was_kept(lab: Lab) -> None:
    """`previous` is that of the run before, however often a run pauses; other input drops what was asked."""

    @lab.task
    def twice(x: int) -> int:
        return x * 2

    def count(x: int, *, previous: Any = None) -> Any:
        total = (previous or 0) + twice(x).result()
        answer = lab.interrupt({"total": total})
        return lab.entrypoint.final(value=[previous, total, answer, twice(total).result()], save=total)

    flow(lab, count)
    lab.run(1)
    lab.resume("a")
    lab.run(2)
    lab.run(3)
    lab.resume("c")
    lab.run(4)
    lab.resume("d")


@program(needs_saver=True)
def an_entrypoint_asks_again_and_again(lab: Lab) -> None:
    """One question a round, tasks between them, and one that is left by an error."""
    lab.racy = ("ValueError",)  # LangGraph's stream says {"work": None} of a failure after an answer
    calls: list[Any] = []

    @lab.task
    def check(answer: Any) -> Any:
        calls.append(answer)
        if answer == "bad" and calls.count("bad") == 1:
            raise ValueError("bad")
        return answer

    def work(rounds: int) -> Any:
        return [check(lab.interrupt(f"round {number}")).result() for number in range(rounds)]

    flow(lab, work)
    lab.run(3)
    lab.answer(lambda _: "good")  # by ids: LangGraph gives other answers a second time
    lab.answer(lambda _: "bad")
    lab.run(None)
    lab.answer(lambda _: "better")
    lab.note("calls", calls)


@program(needs_saver=True)
def a_task_calls_a_graph_that_asks(lab: Lab) -> None:
    ran: list[str] = []

    def first(s: Log) -> Any:
        ran.append("first")
        return {"log": ["first"]}

    def ask(s: Log) -> Any:
        return {"log": [lab.interrupt("graph?")]}

    g = lab.engine.StateGraph(Log)
    g.add_node("first", first)
    g.add_node("ask", ask)
    g.add_edge(lab.START, "first")
    g.add_edge("first", "ask")
    graph = g.compile()

    @lab.task
    def call(x: str) -> Any:
        return graph.invoke({"log": [x]})["log"]

    def work(x: str) -> Any:
        return [call(x).result(), lab.interrupt("entrypoint?"), call("again").result()]

    flow(lab, work)
    lab.run("in")
    for answer in ("a", "b", "c"):
        lab.resume(answer)
    lab.note("ran", ran)


@program(needs_saver=True)
def an_entrypoint_calls_one_that_asks(lab: Lab) -> None:
    @lab.task
    def add(x: int) -> int:
        return x + 1

    @lab.entrypoint()
    def other(x: int) -> Any:
        return [add(x).result(), lab.interrupt("inner?")]

    @lab.task
    def call(x: int) -> Any:
        return other.invoke(x)

    def work(x: int) -> Any:
        before = add(x).result()
        return [before, call(before).result(), add(before).result(), lab.interrupt("outer?")]

    flow(lab, work)
    lab.run(1)
    lab.resume("a")
    lab.resume("b")


@program(sync_only=True, needs_saver=True)
def tasks_in_nodes_ask(lab: Lab) -> None:
    """Tasks of two nodes of a superstep, one of which asks, then of a loop."""
    calls: list[str] = []

    @lab.task
    def ask(name: str) -> str:
        return f"{name} {lab.interrupt(name)}"

    @lab.task
    def note(name: str) -> str:
        calls.append(name)
        return name

    def left(s: Log) -> Any:
        return {"log": [note("left").result(), ask("left?").result(), note("left again").result()]}

    def right(s: Log) -> Any:
        return {"log": [note("right").result()]}

    def last(s: Log) -> Any:
        return {"log": [ask(f"last {len(s['log'])}?").result()]}

    g = lab.graph(Log)
    for name, node in (("left", left), ("right", right), ("last", last)):
        g.add_node(name, node)
    g.add_edge(lab.START, "left")
    g.add_edge(lab.START, "right")
    g.add_edge("left", "last")
    g.add_edge("right", "last")
    g.add_conditional_edges("last", lambda s: "last" if len(s["log"]) < 7 else lab.END, ["last", lab.END])
    lab.compile(g)
    lab.run({"log": ["in"]})
    for answer in ("a", "b", "c"):
        lab.resume(answer)
    lab.note("calls", sorted(calls))


@program(needs_saver=True)
def tasks_fail_beside_others(lab: Lab) -> None:
    """What ended is kept although its caller failed; what a failed task had called too."""
    calls: list[str] = []

    def call(name: str, fails: int = 0) -> str:
        calls.append(name)
        if calls.count(name) <= fails:
            raise ConnectionError(name)
        return name

    @lab.task
    def steady(name: str) -> str:
        return call(name)

    @lab.task
    def shaky(name: str, fails: int) -> str:
        return call(name, fails)

    @lab.task
    def outer(name: str) -> Any:
        return [steady(f"{name} inner").result(), call(name, 1)]

    def work(x: int) -> Any:
        first = [steady(f"first {number}") for number in range(x)]
        found = [each.result() for each in first]
        try:
            shaky("caught", 9).result()
        except ConnectionError:
            found.append("caught")
        return [*found, outer("outer").result(), shaky("last", 2).result(), call("entrypoint", 1)]

    flow(lab, work)
    lab.run(2)
    for _ in range(4):
        lab.run(None)
    lab.note("calls", sorted(calls))


@program(needs_saver=True)
def an_entrypoint_is_edited_and_replayed(lab: Lab) -> None:
    """History of an entrypoint: breakpoints, an edit of what it returned, and replays with and without a question."""

    @lab.task
    def double(x: int) -> int:
        return x * 2

    def work(x: int, *, previous: Any = None) -> Any:
        return [previous, double(x).result(), lab.interrupt("?") if x > 1 else None]

    flow(lab, work)
    lab.run(1, interrupt_before=["work"])
    lab.run(None)
    lab.run(2)
    lab.resume("yes")
    lab.update("edited")
    lab.run(3)
    lab.resume("no")
    lab.run(None, lab.at(1, "input"))
    lab.resume("another")
    lab.run(None, lab.at(-1, "input"))
    lab.history()


@program(needs_saver=True)
def nobody_waits_for_tasks(lab: Lab) -> None:
    """A superstep ends when all that was called has ended; what failed unseen is nobody's failure."""
    calls: list[str] = []

    @lab.task
    def noted(name: str) -> None:
        calls.append(name)

    @lab.task
    def fails(name: str) -> None:
        raise ValueError(name)

    def work(x: int) -> None:
        noted("unseen")
        fails("unseen")
        if x == 2:
            lab.interrupt("?")

    flow(lab, work)
    lab.run(1)
    lab.run(2)
    lab.resume("!")
    lab.note("calls", calls)


@program(needs_saver=True)
def tasks_at_exit(lab: Lab) -> None:
    """With durability "exit" what was recorded is kept once, at the end."""
    calls: list[int] = []

    @lab.task
    def square(x: int) -> int:
        calls.append(x)
        return x * x

    def work(x: int) -> Any:
        found = square(x).result()
        if x == 3 and calls.count(3) == 1:
            raise ValueError("3")
        return [found, lab.interrupt("?") if x == 2 else None]

    flow(lab, work)
    for x in (1, 2):
        lab.run(x, durability="exit")
    lab.resume("!", durability="exit")
    lab.run(3, durability="exit")
    lab.run(None, durability="exit")
    lab.note("calls", calls)
    lab.without_history = "results at exit"
