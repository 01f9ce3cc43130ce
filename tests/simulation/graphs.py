"""Graphs for simulation: random ones, and small ones of which every order can be tried."""

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from stepgraph import (
    END,
    START,
    CachePolicy,
    Command,
    EphemeralValue,
    Overwrite,
    RetryPolicy,
    Send,
    StateGraph,
    TimeoutPolicy,
    Topic,
    UntrackedValue,
    entrypoint,
    interrupt,
    task,
)
from stepgraph.cache import InMemoryCache
from stepgraph.core.channels import DeltaChannel
from stepgraph.graph.compiled import CompiledStateGraph
from tests.differential.engines import ours
from tests.differential.lab import Lab
from tests.differential.random_programs import LONG, build, graph_spec
from tests.simulation.driver import Wait


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]


def random_graph(seed: int, saver: Any) -> CompiledStateGraph:
    """A random graph with questions, Sends, commands, joins, deferred nodes and subgraphs; nothing in it fails."""
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=seed % 3 != 0, fails=False, plain=False)
    app: CompiledStateGraph = build(Lab(ours(), "sync", None), spec).compile(checkpointer=saver)
    return app


def random_graph_with_policies(seed: int, saver: Any) -> CompiledStateGraph:
    """The same with nodes that fail a few times or for good, and retries, error handlers, a cache and timeouts.

    Whether a failure was one of the node's own or put in its place never shows in the results. Questions and subgraphs
    are not cached: two equal tasks at once would then be asked about once or twice, as it happens.
    """
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=seed % 3 != 0, fails=True, plain=False)
    g = build(Lab(ours(), "sync", None), spec)
    names = [node.name for node in spec.nodes]
    for node in spec.nodes:
        settings: dict[str, Any] = {"retry_policy": RetryPolicy(max_attempts=9)}
        action = g.nodes.pop(node.name).action
        if node.does in ("none", "tags", "count") or rng.random() < 0.15:
            action = broken
            settings["retry_policy"] = RetryPolicy(max_attempts=rng.choice((1, 2)))
            settings["error_handler"] = repairing(node.name, rng.choice(("log", "go", "ask")), rng.choice(names))
        elif node.child is None and not node.does.startswith("ask") and rng.random() < 0.6:
            settings["cache_policy"] = CachePolicy()
        g.add_node(node.name, action, defer=node.defer, destinations=node.goes or None, **settings)
    made: CompiledStateGraph = g.compile(checkpointer=saver, cache=InMemoryCache())
    for each in made.plan.nodes.values():
        if each.body is not None and rng.random() < 0.3:  # `add_node` takes a timeout for async nodes only
            each.timeout, each.lean = TimeoutPolicy(run_timeout=60), False
    return made


def broken(state: Any) -> Any:
    """A node that always fails."""
    raise ConnectionError("always")


def repairing(name: str, how: str, target: str) -> Any:
    """An error handler that logs, goes elsewhere or asks first."""

    def handler(state: Any) -> Any:
        answer = interrupt(f"repair {name}?") if how == "ask" else None
        update = {"log": [f"{name} repaired {answer}"], "count": 1}
        return Command(update=update, goto=target if how == "go" and len(state.get("log", ())) < LONG else ())

    return handler


def _logging(name: str) -> Any:
    return lambda state: {"log": [name], "count": 1}


def fan_and_join(saver: Any) -> CompiledStateGraph:
    """Three parallel nodes, one with a router, and a join."""
    g = StateGraph(Log)
    for name in ("a", "b", "c", "join", "extra"):
        g.add_node(name, _logging(name))
    for name in ("a", "b", "c"):
        g.add_edge(START, name)
    g.add_conditional_edges("b", lambda state: "extra" if len(state["log"]) < 4 else END, ["extra", END])
    g.add_edge(["a", "b", "c"], "join")
    return g.compile(checkpointer=saver)


def sends_and_commands(saver: Any) -> CompiledStateGraph:
    """Tasks made by Sends beside one made by an edge, which goes on by a Command."""
    g = StateGraph(Log)
    g.add_node("work", lambda n: {"log": [n], "count": n})
    g.add_node("boss", lambda state: Command(update={"log": ["boss"]}, goto=[Send("work", 7), "end"]))
    g.add_node("end", _logging("end"))
    g.add_conditional_edges(START, lambda state: [Send("work", 1), Send("work", 2), "boss"], ["work", "boss"])
    g.add_edge("work", "end")
    return g.compile(checkpointer=saver)


def failing_and_cached(saver: Any) -> CompiledStateGraph:
    """A node that fails twice, one that an error handler stands in for, and equal tasks whose result is cached."""
    failures: list[str] = []

    def flaky(state: Log) -> Any:
        if len(failures) < 2:
            failures.append("flaky")
            raise ConnectionError("twice")
        return {"log": ["flaky"], "count": 1}

    g = StateGraph(Log)
    g.add_node("flaky", flaky, retry_policy=RetryPolicy(max_attempts=9))
    handler = repairing("broken", "go", "end")
    g.add_node("broken", broken, retry_policy=RetryPolicy(max_attempts=2), error_handler=handler)
    g.add_node("square", lambda n: {"log": [n * n], "count": n}, cache_policy=CachePolicy())
    g.add_node("end", _logging("end"))
    g.add_conditional_edges(
        START, lambda state: ["flaky", "broken", Send("square", 3), Send("square", 3)], ["flaky", "broken", "square"]
    )
    g.add_edge("flaky", "end")
    return g.compile(checkpointer=saver, cache=InMemoryCache())


def two_subgraphs(saver: Any) -> CompiledStateGraph:
    """Two subgraphs side by side, one of which asks."""
    inner = StateGraph(Log)
    inner.add_node("x", _logging("x"))
    inner.add_node("y", lambda state: {"log": [interrupt("y?")]})
    inner.add_edge(START, "x")
    inner.add_edge("x", "y")
    other = StateGraph(Log)
    other.add_node("z", _logging("z"))
    other.add_edge(START, "z")
    g = StateGraph(Log)
    g.add_node("asks", inner.compile())
    g.add_node("quiet", other.compile())
    g.add_edge(START, "asks")
    g.add_edge(START, "quiet")
    return g.compile(checkpointer=saver)


def lasting(saver: Any) -> CompiledStateGraph:
    """A subgraph with a history of its own, which asks in each run, beside another node."""
    inner = StateGraph(Log)
    inner.add_node("x", _logging("x"))
    inner.add_node("y", lambda state: {"log": [interrupt(f"y{len(state['log'])}?")]})
    inner.add_edge(START, "x").add_edge("x", "y")
    g = StateGraph(Log)
    g.add_node("inside", inner.compile(checkpointer=True))
    g.add_node("beside", _logging("beside"))
    g.add_node("end", _logging("end"))
    g.add_edge(START, "inside").add_edge(START, "beside").add_edge("inside", "end")
    return g.compile(checkpointer=saver)


def called(saver: Any) -> CompiledStateGraph:
    """A graph that node code calls, and that asks: a run of its own inside the body, on the same checkpointer."""
    inner = StateGraph(Log)
    inner.add_node("x", _logging("x"))
    inner.add_node("y", lambda state: {"log": [interrupt("y?")]})
    inner.add_edge(START, "x").add_edge("x", "y")
    app = inner.compile()
    g = StateGraph(Log)
    g.add_node("calls", lambda state: {"log": app.invoke({"log": ["into"], "count": 0})["log"]})
    g.add_node("beside", _logging("beside"))
    g.add_node("end", _logging("end"))
    g.add_edge(START, "calls").add_edge(START, "beside").add_edge("calls", "end")
    return g.compile(checkpointer=saver)


def tried_again(saver: Any) -> CompiledStateGraph:
    """Tasks that fail by the graph that they call, or run as a node with a history of its own, and are tried again."""
    calls: Counter[str] = Counter()

    def failing(name: str, times: int) -> Any:
        def body(state: Log) -> Any:
            calls[name] += 1
            if calls[name] <= times:
                raise ConnectionError(name)
            return {"log": [name]}

        return body

    def inner(name: str) -> StateGraph:
        g = StateGraph(Log).add_node("x", _logging(f"{name} x")).add_node("y", failing(f"{name} y", 1))
        return g.add_edge(START, "x").add_edge("x", "y")

    called, talk = inner("called").compile(), inner("lasting").compile(checkpointer=True)
    policy = RetryPolicy(max_attempts=99, initial_interval=0, jitter=False, retry_on=ConnectionError)
    g = StateGraph(Log)
    g.add_node("calls", lambda state: {"log": called.invoke({"log": ["into"], "count": 0})["log"]}, retry_policy=policy)
    g.add_node("talks", talk, retry_policy=policy)
    g.add_node("end", _logging("end"))
    g.add_edge(START, "calls").add_edge(START, "talks").add_edge("calls", "end")
    return g.compile(checkpointer=saver)


def calling(running: Callable[[str], None], saver: Any) -> CompiledStateGraph:
    """Node code that calls a graph of three nodes, beside another node; each body calls `running` with its name."""

    def node(name: str) -> Any:
        def body(state: Log) -> Any:
            running(name)
            return {"log": [name]}

        return body

    inner = StateGraph(Log).add_sequence([(name, node(name)) for name in ("x", "y", "z")]).add_edge(START, "x")
    app = inner.compile()
    g = StateGraph(Log)
    g.add_node("calls", lambda state: {"log": app.invoke({"log": ["into"], "count": 0})["log"]})
    g.add_node("beside", node("beside"))
    g.add_node("end", node("end"))
    g.add_edge(START, "calls").add_edge(START, "beside").add_edge("calls", "end")
    return g.compile(checkpointer=saver)


def up_to_the_parent(saver: Any) -> CompiledStateGraph:
    """Subgraphs that leave by a Command to the graph around them, one of them inside another one."""
    inner = StateGraph(Log)
    inner.add_node("x", _logging("x"))
    inner.add_node("leave", lambda state: Command(graph=Command.PARENT, update={"log": ["left"]}, goto="after"))
    inner.add_edge(START, "x").add_edge("x", "leave")
    middle = StateGraph(Log)
    middle.add_node("inner", inner.compile())
    middle.add_node("after", _logging("after inside"))
    middle.add_edge(START, "inner")
    g = StateGraph(Log)
    g.add_node("first", inner.compile())
    g.add_node("second", middle.compile())
    g.add_node("after", _logging("after"))
    g.add_edge(START, "first").add_edge(START, "second")
    return g.compile(checkpointer=saver)


def _added(state: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    return [*state, *(each for write in writes for each in write)]


class Kinds(TypedDict):
    """Keys of all kinds."""

    log: Annotated[list[Any], DeltaChannel(_added, snapshot_frequency=3)]
    count: Annotated[int, operator.add]
    tmp: Annotated[Any, UntrackedValue]
    eph: Annotated[Any, EphemeralValue]
    top: Annotated[Any, Topic(str, accumulate=True)]


def kinds_of_keys(saver: Any) -> CompiledStateGraph:
    """Keys that are kept as writes, for one superstep, or not at all; deferred nodes, one of which asks; a join."""
    g = StateGraph(Kinds)
    g.add_node("a", lambda state: {"log": ["a"], "eph": "e", "top": ["a"], "tmp": 1})
    g.add_node("b", lambda state: {"log": ["b"], "top": ["b", "c"], "count": 1})
    g.add_node("c", lambda state: {"log": [state.get("eph"), state.get("top")]})
    g.add_node("again", lambda state: {"log": Overwrite([len(state["log"])])})
    g.add_node("last", lambda state: {"log": [interrupt("last?"), state.get("eph")]}, defer=True)
    g.add_node("join", lambda state: {"count": 1}, defer=True)
    g.add_edge(START, "a").add_edge(START, "b").add_edge("a", "c").add_edge("b", "again").add_edge("b", "last")
    g.add_edge(["c", "again"], "join")
    return g.compile(checkpointer=saver)


def functions(saver: Any) -> Any:
    """An entrypoint that calls functions side by side, one that calls others, one that asks."""

    @task
    async def square(n: int) -> int:
        return n * n

    @task
    async def sum_of_squares(*numbers: int) -> int:
        calls = [square(n) for n in numbers]
        return sum([await Wait(each) for each in calls])

    @task
    async def asked(what: str) -> Any:
        return interrupt(what)

    @entrypoint(checkpointer=saver)
    async def work(given: Log, *, previous: Any = None) -> Any:
        first, question = sum_of_squares(given["count"], 3), asked("first?")
        found = [await Wait(first), await Wait(question)]
        found.append(interrupt("second?"))
        found.append(await Wait(square(len(found))))
        return entrypoint.final(value={"log": [previous, *found], "count": found[0]}, save=found)

    return heavy(work)


def functions_that_fail(saver: Any) -> Any:
    """Functions that fail twice or for good, which is caught, and one that nobody waits for."""
    failures: list[int] = []

    @task(retry_policy=RetryPolicy(max_attempts=9))
    async def flaky() -> str:
        if len(failures) < 2:
            failures.append(1)
            raise ConnectionError("twice")
        return "flaky"

    @task(retry_policy=RetryPolicy(max_attempts=2))
    async def fails() -> str:
        raise ConnectionError("always")

    @task
    async def alone() -> str:
        return "alone"

    @entrypoint(checkpointer=saver)
    async def work(given: Log, *, previous: Any = None) -> Any:
        calls = flaky(), fails()
        alone()
        found = [previous, await Wait(calls[0])]
        try:
            await Wait(calls[1])
        except ConnectionError as error:
            found.append(str(error))
        return {"log": found, "count": len(found)}

    return heavy(work)


def calls_in_nodes(saver: Any) -> Any:
    """Parallel nodes that call functions: one asks meanwhile, one fails by what it called and is handled."""

    @task
    async def double(n: int) -> int:
        return 2 * n

    @task
    async def fails(n: int) -> int:
        raise ConnectionError("always")

    async def asks(state: Log) -> Any:
        call = double(5)
        answer = interrupt("go on?")
        return {"log": [answer, await Wait(call)], "count": 1}

    async def broken(state: Log) -> Any:
        return {"count": await Wait(fails(await Wait(double(8))))}

    g = StateGraph(Log)
    g.add_node("asks", asks)
    g.add_node("broken", broken, error_handler=repairing("broken", "log", "end"))
    g.add_node("end", _logging("end"))
    g.add_edge(START, "asks")
    g.add_edge(START, "broken")
    g.add_edge("asks", "end")
    return heavy(g.compile(checkpointer=saver))


def random_functions(seed: int, saver: Any) -> Any:
    """An entrypoint that calls functions of all kinds, waits for them in any order, and asks in between."""
    rng = Random(seed)
    failures: list[int] = []
    kinds = [rng.choice(("plain", "nested", "asks", "flaky", "fails")) for _ in range(rng.randint(1, 5))]
    steps: list[Any] = [("call", number) for number in range(len(kinds))]
    for number, kind in enumerate(kinds):
        if kind == "asks" or rng.random() < 0.8:
            steps.insert(rng.randint(steps.index(("call", number)) + 1, len(steps)), ("wait", number))
    for number in range(rng.randint(0, 2)):
        steps.insert(rng.randint(0, len(steps)), ("ask", number))

    @task
    async def plain(n: int) -> Any:
        return n * n

    @task
    async def nested(n: int) -> Any:
        calls = [plain(n), plain(n + 1)]
        return [await Wait(each) for each in calls]

    @task
    async def asks(n: int) -> Any:
        return [interrupt(f"{n}?"), interrupt(f"{n}, really?")]

    @task(retry_policy=RetryPolicy(max_attempts=9))
    async def flaky(n: int) -> Any:
        if len(failures) < 2:
            failures.append(n)
            raise ConnectionError("twice")
        return await Wait(plain(n))

    @task
    async def fails(n: int) -> Any:
        raise ConnectionError("always")

    known = {"plain": plain, "nested": nested, "asks": asks, "flaky": flaky, "fails": fails}

    @entrypoint(checkpointer=saver)
    async def work(given: Log, *, previous: Any = None) -> Any:
        calls: dict[int, Any] = {}
        found: list[Any] = [previous["count"] if previous else None]
        for what, number in steps:
            if what == "call":
                calls[number] = known[kinds[number]](number)
            elif what == "ask":
                found.append(interrupt(f"question {number}"))
            else:
                try:
                    found.append(await Wait(calls[number]))
                except ConnectionError as error:
                    found.append(str(error))
        return {"log": found, "count": given["count"] + len(found)}

    return heavy(work)


def heavy(app: Any) -> Any:
    """The same graph, with every body an effect of its own: the driver keeps those that wait."""
    for node in app.plan.nodes.values():
        node.lean = False
    return app


SMALL = {
    "fan and join": fan_and_join,
    "Sends and commands": sends_and_commands,
    "two subgraphs": two_subgraphs,
    "a lasting subgraph": lasting,
    "a called graph": called,
    "tried again": tried_again,
    "commands to the parent": up_to_the_parent,
    "kinds of keys": kinds_of_keys,
    "failing and cached": failing_and_cached,
    "functions": functions,
    "functions that fail": functions_that_fail,
    "calls in nodes": calls_in_nodes,
}
INPUTS: list[Any] = [{"log": ["in"], "count": 1}, {"log": ["again"], "count": 0}]
