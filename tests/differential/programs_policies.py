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
    g.add_node("a", slow_once, timeout=0.2, retry_policy=policy)
    g.add_node("b", forever, timeout=lab.TimeoutPolicy(idle_timeout=0.2), error_handler=lambda s: {"log": ["late"]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    lab.compile(g)
    if lab.calls == "sync":
        return  # LangGraph runs no async nodes there
    lab.run({"log": ["in"], "count": 0})
