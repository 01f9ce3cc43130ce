"""Programs about policies: retries, error handlers, limits."""

import asyncio
import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]
    count: Annotated[int, operator.add]


def flaky(times: int, error: type[Exception] = ConnectionError) -> Any:
    """A node that fails the first `times` calls."""
    calls = 0

    def node(s: Log) -> Any:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error(f"call {calls}")
        return {"log": [f"call {calls}"], "count": 1}

    return node


def noting(lab: Lab, goto: Any = ()) -> Any:
    """An error handler that writes down what failed."""

    def handler(s: Log, error: lab.NodeError) -> Any:  # type: ignore[name-defined]  # the engine's own class
        return lab.Command(update={"log": [f"{error.node}: {error.error!r}", len(s.get("log", ()))]}, goto=goto)

    return handler


@program
def handler_takes_over(lab: Lab) -> None:
    """A failing node beside a working one; its own edges are not taken; new input on the same thread."""
    g = lab.graph(Log)
    g.add_node("a", flaky(99), error_handler=noting(lab, "z"))
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_node("z", lambda s: {"log": ["z"]})
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge("a", "b")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    lab.run({"log": ["again"]})


@program
def handlers_of_several_kinds(lab: Lab) -> None:
    """A default handler beside an own one; handlers that return a dict, None and several Sends."""
    g = lab.graph(Log)
    g.add_node("a", flaky(99), error_handler=noting(lab))
    g.add_node("b", flaky(99, KeyError), error_handler=lambda s: None)
    g.add_node("c", flaky(99, ValueError))
    g.add_node("d", flaky(99), error_handler=lambda s: lab.Command(goto=[lab.Send("e", {"log": [], "count": 5})]))
    g.add_node("e", lambda s: {"count": s["count"]})
    for name in "abcd":
        g.add_edge(lab.START, name)
    g.set_node_defaults(error_handler=noting(lab, "e"))
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})


@program
def handler_of_a_router(lab: Lab) -> None:
    """The update of a node whose router fails stays, and the handler goes on."""

    def route(s: Log) -> str:
        raise KeyError("no way")

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]}, error_handler=noting(lab, "b"))
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", route, ["b", lab.END])
    lab.without_history = "handler again"  # there the failed task's result is shown beside its error
    lab.compile(g)
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0})


@program
def handlers_of_sends(lab: Lab) -> None:
    """Tasks made by Sends, some of which fail; updates come in the order of the Sends."""

    def work(s: Any) -> Any:
        if s["count"] % 2:
            raise ConnectionError(str(s["count"]))
        return {"log": [s["count"]]}

    g = lab.graph(Log)
    g.add_node("work", work, error_handler=lambda s: {"log": [-s["count"]]})
    g.add_node("end", lambda s: {"log": ["end"]})
    g.add_conditional_edges(
        lab.START, lambda s: [lab.Send("work", {"log": [], "count": n}) for n in (1, 2, 3, 4)], ["work"]
    )
    g.add_edge("work", "end")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})


@program
def handler_in_a_subgraph(lab: Lab) -> None:
    """The inner graph handles one failure itself, another one is for the handler of its node."""
    inner = lab.graph(Log)
    inner.add_node("x", flaky(99), error_handler=noting(lab, "y"))
    inner.add_node("y", flaky(99, ValueError))
    inner.add_edge(lab.START, "x")
    g = lab.graph(Log)
    g.add_node("child", inner.compile(), error_handler=noting(lab))
    g.add_edge(lab.START, "child")
    lab.compile(g)
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0})


@program(needs_saver=True)
def handler_that_fails(lab: Lab) -> None:
    """The run fails with the handler's error; on resume the handler runs again and the node does not."""
    handler = flaky(1)
    g = lab.graph(Log)
    g.add_node("a", flaky(1), error_handler=handler)
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0})
    lab.run(None)


@program(needs_saver=True)
def handler_that_asks(lab: Lab) -> None:
    """The handler asks a person; the answer goes to it."""
    g = lab.graph(Log)
    g.add_node("a", flaky(1), error_handler=lambda s: {"log": [lab.interrupt("what now?")]})
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    lab.compile(g)
    lab.without_history = "handler again"
    lab.invoke({"log": ["in"], "count": 0})
    lab.invoke(lab.Command(resume="go on"))


@program
def retries_until_it_works(lab: Lab) -> None:
    """Retried nodes in sequence and beside each other."""
    policy = lab.RetryPolicy(initial_interval=0.001, jitter=False)
    g = lab.graph(Log)
    g.add_node("a", flaky(2), retry_policy=policy)
    g.add_node("b", flaky(1), retry_policy=[lab.RetryPolicy(max_attempts=1, retry_on=KeyError), policy])
    g.add_node("c", lambda s: {"log": ["c"]})
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge(["a", "b"], "c")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    lab.run({"log": ["again"]})


@program
def retries_that_end(lab: Lab) -> None:
    """The attempts are used up, or no policy is for the error; then a handler or the run's failure."""
    policy = lab.RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=2)
    g = lab.graph(Log)
    g.add_node("a", flaky(5), retry_policy=policy, error_handler=noting(lab, "b"))
    g.add_node("b", flaky(5, ValueError), retry_policy=policy)
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    if lab.saved:
        lab.run(None)
        lab.run(None)


@program
def default_retries(lab: Lab) -> None:
    """Defaults for nodes without a policy, and for handlers."""
    g = lab.graph(Log)
    g.add_node("a", flaky(1))
    g.add_node("b", flaky(9), retry_policy=lab.RetryPolicy(max_attempts=1), error_handler=flaky(1))
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.set_node_defaults(retry_policy=lab.RetryPolicy(initial_interval=0.001, jitter=False))
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})


@program(needs_saver=True)
def retry_after_an_answer(lab: Lab) -> None:
    """Answers are given again to the next attempt."""
    fails = flaky(1)

    def node(s: Log) -> Any:
        answer = lab.interrupt("who?")
        return {"log": [answer, *fails(s)["log"], lab.interrupt("sure?")]}

    g = lab.graph(Log)
    g.add_node("a", node, retry_policy=lab.RetryPolicy(initial_interval=0.001, jitter=False))
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    lab.resume("ana")
    lab.resume("yes")


@program
def retried_subgraph(lab: Lab) -> None:
    """A subgraph whose second node fails once."""
    inner = lab.graph(Log)
    inner.add_node("x", lambda s: {"log": ["x"]})
    inner.add_node("y", flaky(1))
    inner.add_edge(lab.START, "x")
    inner.add_edge("x", "y")
    g = lab.graph(Log)
    g.add_node("child", inner.compile(), retry_policy=lab.RetryPolicy(initial_interval=0.001, jitter=False))
    g.add_edge(lab.START, "child")
    lab.compile(g)
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0})


@program
def limit_of_a_circle(lab: Lab) -> None:
    """A circle ends at the recursion limit, in streams and without."""
    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"count": 1})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "a")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0}, {"recursion_limit": 7})


@program
def timeouts_that_are_kept(lab: Lab) -> None:
    """Nodes in time, a node out of time that is tried again, and one that is handled."""
    calls = 0

    async def slow_once(s: Log) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.sleep(30)
        return {"log": ["at last"]}

    async def forever(s: Log) -> Any:
        await asyncio.sleep(30)

    policy = lab.RetryPolicy(initial_interval=0.001, jitter=False)
    g = lab.graph(Log)
    g.add_node("a", slow_once, timeout=0.6, retry_policy=policy)
    g.add_node("b", forever, timeout=lab.TimeoutPolicy(idle_timeout=0.2), error_handler=lambda s: {"log": ["late"]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    lab.compile(g)
    if lab.calls == "sync":
        return  # LangGraph runs no async nodes there
    lab.run({"log": ["in"], "count": 0})


def chain(lab: Lab, **nodes: Any) -> Any:
    """The nodes one after the other."""
    g = lab.graph(Log)
    before = lab.START
    for name, node in nodes.items():
        g.add_node(name, node)
        g.add_edge(before, name)
        before = name
    return g


@program(needs_saver=True)
def drained_and_continued(lab: Lab) -> None:
    """A node asks for the end of the run: its superstep ends first, and the run goes on from there later."""
    control = lab.RunControl()

    def stop(s: Log) -> Any:
        control.request_drain("deploy")
        return {"log": ["stop"], "count": 1}

    g = chain(lab, a=lambda s: {"log": ["a"]}, stop=stop, b=lambda s: {"log": ["b"]})
    g.add_node("beside", lambda s: {"log": ["beside"]})
    g.add_edge("a", "beside")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0}, control=control)
    lab.run(None)
    lab.run({"log": ["again"]}, control=lab.RunControl())


@program(needs_saver=True)
def drained_before_it_begins(lab: Lab) -> None:
    """A control that was asked before: nothing runs; a breakpoint comes first."""
    control = lab.RunControl()
    control.request_drain()
    lab.compile(chain(lab, a=lambda s: {"log": ["a"]}, b=lambda s: {"log": ["b"]}))
    lab.run({"log": ["in"], "count": 0}, control=control)
    lab.run(None, interrupt_before=["b"])
    lab.run(None, control=control)
    lab.run(None)


@program(needs_saver=True)
def drained_in_its_last_superstep(lab: Lab) -> None:
    """Nothing is left to do, so the run ends as usual."""
    control = lab.RunControl()

    def stop(s: Log) -> Any:
        control.request_drain("too late")
        return {"log": ["stop"]}

    lab.compile(chain(lab, a=lambda s: {"log": ["a"]}, stop=stop))
    lab.run({"log": ["in"], "count": 0}, control=control)


@program(needs_saver=True)
def drained_beside_a_question(lab: Lab) -> None:
    """The question comes first; the answered run is drained at the next boundary."""
    control = lab.RunControl()

    def ask(s: Log) -> Any:
        control.request_drain("now")
        return {"log": [lab.interrupt("sure?")]}

    lab.compile(chain(lab, ask=ask, b=lambda s: {"log": ["b"]}))
    lab.run({"log": ["in"], "count": 0}, control=control)
    lab.run(lab.Command(resume="yes"), control=lab.RunControl())


@program(needs_saver=True)
def saved_at_the_end_only(lab: Lab) -> None:
    """A loop with a fan-out: one checkpoint a run, also of a second run on the thread."""
    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"], "count": 1})
    g.add_node("work", lambda s: {"log": [s["count"]]})
    g.add_edge(lab.START, "a")
    g.add_conditional_edges(
        "a", lambda s: [lab.Send("work", {"log": [], "count": n}) for n in range(s["count"])], ["work"]
    )
    g.add_conditional_edges("work", lambda s: "a" if s.get("count", 9) < 1 else lab.END, ["a", lab.END])
    lab.compile(g)
    lab.run({"log": ["in"], "count": 1}, durability="exit")
    lab.run({"log": ["again"], "count": 0}, durability="exit")


@program(needs_saver=True)
def saved_at_a_failure(lab: Lab) -> None:
    """What had finished before a failure is saved at the end, and the run goes on from there."""
    lab.compile(chain(lab, a=lambda s: {"log": ["a"]}, b=flaky(1), c=lambda s: {"log": ["c"]}))
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0}, durability="exit")
    lab.run(None, durability="exit")


@program(needs_saver=True)
def saved_at_a_question_in_a_subgraph(lab: Lab) -> None:
    inner = chain(lab, x=lambda s: {"log": ["x"]}, y=lambda s: {"log": [lab.interrupt("y?")]})
    g = chain(lab, a=lambda s: {"count": 1}, child=inner.compile(), b=lambda s: {"log": ["b"]})
    lab.compile(g)
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0}, durability="exit")
    lab.run(lab.Command(resume="yes"), durability="exit")


@program
def few_at_a_time(lab: Lab) -> None:
    """At most two of six tasks run at once, and three of five; the results are those of any other run."""
    running, most = 0, 0

    def enter() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)

    def leave() -> None:
        nonlocal running
        running -= 1

    async def work(s: Log) -> Any:
        enter()
        await asyncio.sleep(0.002)
        leave()
        return {"log": [s["count"]]}

    def sync_work(s: Log) -> Any:
        return {"log": [s["count"]]}

    g = lab.graph(Log)
    g.add_node("work", sync_work if lab.calls == "sync" else work)
    g.add_conditional_edges(
        lab.START, lambda s: [lab.Send("work", {"log": [], "count": n}) for n in range(s["count"])], ["work"]
    )
    lab.compile(g)
    for width, tasks in ((2, 6), (3, 5)):  # with a width of 1 LangGraph waits for ever in streams of sync code
        most = 0
        lab.run({"log": [], "count": tasks}, {"max_concurrency": width})
        lab.note("most at once", most)


@program(needs_saver=True)
def a_failure_cancels_what_waits(lab: Lab) -> None:
    """A sibling that waits is cancelled, one that had ended is kept; on resume only what had not ended runs."""
    ran: list[str] = []
    fail = flaky(1)

    async def slow(s: Log) -> Any:
        ran.append("slow")
        if ran.count("slow") == 1:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                ran.append("cancelled")
                raise
        return {"log": ["slow"]}

    async def fails(s: Log) -> Any:
        await asyncio.sleep(0.1)
        return fail(s)

    def quick(s: Log) -> Any:
        ran.append("quick")
        return {"log": ["quick"]}

    g = lab.graph(Log)
    for name, node in (("quick", quick), ("slow", slow), ("fails", fails)):
        g.add_node(name, node)
        g.add_edge(lab.START, name)
    lab.compile(g)
    if lab.calls == "sync":
        return  # LangGraph runs no async nodes there
    lab.only_results = True
    lab.run({"log": ["in"], "count": 0})
    lab.run(None)
    lab.note("ran", sorted(ran))  # which of them starts first depends on threads


@program(needs_saver=True)
def drained_by_a_node(lab: Lab) -> None:
    """Node code finds a control in its runtime though the caller gave none, also in a graph inside."""

    def plain(s: Log) -> dict[str, Any]:
        return {"log": ["plain"]}

    def leave(s: Log, runtime: Any) -> dict[str, Any]:
        if s["log"][-1] == "leave":
            runtime.control.request_drain("enough")
        return {"log": [f"left: {runtime.drain_reason}"]}

    for nested in (False, True):
        inner = lab.graph(Log)
        inner.add_sequence([("leave", leave), ("then", plain)])
        inner.add_edge(lab.START, "leave")
        g = inner
        if nested:
            g = lab.graph(Log)
            g.add_sequence([("inner", inner.compile()), ("after", plain)])
            g.add_edge(lab.START, "inner")
        lab.compile(g)
        lab.thread = f"nested {nested}"
        lab.run({"log": ["leave"]})
        lab.run(None)
        lab.run({"log": ["stay"]})


@program(sync_only=True)
def caches_of_graphs_inside(lab: Lab) -> None:
    """A graph inside has its own cache or none, as a node and called by one."""
    ran: list[Any] = []

    def square(s: Log) -> Any:
        ran.append(s["log"][0])
        return {"count": s["count"] ** 2}

    cache = lab.InMemoryCache()
    for own in (None, cache):
        inner = lab.graph(Log)
        inner.add_node("square", square, cache_policy=lab.CachePolicy())
        inner.add_edge(lab.START, "square")
        graph = inner.compile(cache=own)
        g = lab.graph(Log)
        g.add_node("node", graph)
        g.add_node("calls", lambda s, graph=graph: {"count": graph.invoke({"log": ["called"], "count": 3})["count"]})
        g.add_edge(lab.START, "node")
        g.add_edge("node", "calls")
        lab.compile(g, cache=cache)
        for number in range(2):
            lab.thread = f"{own is None} {number}"
            lab.run({"log": ["in"], "count": 2})
    lab.note("ran", ran)
