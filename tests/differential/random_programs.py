"""Programs made from a seed: a random graph as plain data, and a script that runs, answers, edits and travels."""

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab

LONG = 14
"""From this length of the log on, nothing goes back or fans out any more, so that runs end."""


@dataclass
class NodeSpec:
    """`does` is one of KINDS; `goes` are targets of a Command; `child` the graph of a subgraph node.

    `tried` are the attempts that it has, `handler` where its error handler goes on, if it has one, and `saver` the
    checkpointer of its child.
    """

    name: str
    does: str
    defer: bool = False
    goes: tuple[str, ...] = ()
    times: int = 0
    child: "GraphSpec | None" = None
    tried: int = 1
    cached: bool = False
    handler: tuple[str, ...] | None = None
    saver: bool | None = None


@dataclass
class RouterSpec:
    """A conditional edge: `outcomes` are lists of names and (name, argument) Sends, chosen by the state."""

    source: str
    outcomes: list[list[Any]]
    salt: int
    mapped: bool


@dataclass
class GraphSpec:
    """A graph as plain data."""

    nodes: list[NodeSpec] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)
    joins: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    routers: list[RouterSpec] = field(default_factory=list)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def merge(one: set[str], other: set[str]) -> set[str]:
    return one | other


class State(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]
    tags: Annotated[set[str], merge]
    x: str


class Inner(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]


class Small(TypedDict):
    count: int


KINDS = ("log", "log", "log", "count", "tags", "none", "command", "command")


def graph_spec(rng: Random, *, depth: int, asks: bool, fails: bool, plain: bool) -> GraphSpec:
    """A graph of three to eight nodes; edges and joins lead forward, routers and commands anywhere."""
    names = [f"n{i}" for i in range(rng.randint(3, 8 if depth else 4))]
    rng.shuffle(names)
    spec = GraphSpec()
    for name in names:
        kinds = list(KINDS)
        kinds += ["ask", "ask", "ask twice"] if asks else []
        kinds += ["fail", "fail"] if fails else []
        kinds += ["plain"] if plain else []
        kinds += ["graph", "graph"] if depth else []
        does = rng.choice(kinds)
        node = NodeSpec(name, does, defer=rng.random() < 0.12, times=rng.randint(1, 2))
        if does == "command":
            node.goes = tuple(rng.sample(names, rng.randint(0, 2)))
        if does == "graph":
            node.child = graph_spec(rng, depth=0, asks=asks, fails=False, plain=False)
            if any(other.child and other.times == 2 for other in spec.nodes):
                node.times = 1  # a child that returns its log doubles the parent's: one is enough
        spec.nodes.append(node)
    _connect(rng, spec, names)
    if depth and rng.random() < 0.2:
        spec.before = tuple(rng.sample(names, 1))
    if depth and rng.random() < 0.15:
        spec.after = tuple(rng.sample(names, 1))
    return spec


def _connect(rng: Random, spec: GraphSpec, names: list[str]) -> None:
    spec.edges += [("START", name) for name in rng.sample(names, rng.randint(1, 2))]
    for position, name in enumerate(names[1:], 1):
        for source in rng.sample(names[:position], min(position, rng.choice((0, 1, 1, 2)))):
            spec.edges.append((source, name))
        if position > 1 and rng.random() < 0.25:
            spec.joins.append((tuple(rng.sample(names[:position], 2)), name))
    defers = any(node.defer for node in spec.nodes)
    beside = {node.name for node in spec.nodes if not node.defer} if defers else None
    for source in names:
        if rng.random() < 0.35:
            grows = next(node.does not in ("none", "tags", "count") for node in spec.nodes if node.name == source)
            outcomes = [_outcome(rng, names, grows, beside) for _ in range(rng.randint(1, 3))]
            mapped = all(isinstance(each, str) for outcome in outcomes for each in outcome)
            spec.routers.append(RouterSpec(source, outcomes, rng.randint(0, 5), mapped and rng.random() < 0.5))
    spec.edges = list(dict.fromkeys(spec.edges))
    spec.joins = list(dict.fromkeys(spec.joins))


def _outcome(rng: Random, names: list[str], sends: bool, beside: set[str] | None) -> list[Any]:
    """Names, and Sends: with a name that is among `beside`, for which see DEVIATIONS["deferred beside Sends"]."""
    targets: list[Any] = rng.sample(names, rng.randint(0, 2))
    if sends and (beside is None or beside.intersection(targets)) and rng.random() < 0.3:
        targets += [(rng.choice(names), number) for number in range(rng.randint(1, 3))]
    return targets


def add_policies(rng: Random, spec: GraphSpec, *, handles: bool, waits: bool) -> None:
    """Let some nodes fail and recover, by another attempt or a handler, wait in vain, or keep results in a cache.

    Which of parallel tasks fails must not depend on threads: a node fails as often as it may, or each time.
    """
    names = [node.name for node in spec.nodes]
    outcomes = [each for router in spec.routers for outcome in router.outcomes for each in outcome]
    sent = {each[0] for each in outcomes if not isinstance(each, str)}  # see DEVIATIONS["cached beside its like"]
    for node in spec.nodes:
        if node.child is not None:
            add_policies(rng, node.child, handles=handles, waits=waits)
        elif node.does in ("log", "count", "tags", "none"):
            match rng.choice(("retry", "cache", "handler", "wait", "", "")):
                case "retry":
                    node.does, node.times, node.tried = "fail", rng.randint(1, 2), rng.randint(3, 4)
                case "cache":
                    node.cached = node.does != "none" and node.name not in sent
                case "handler" if handles:
                    node.does, node.times, node.tried = "fail", 1_000, rng.randint(1, 2)
                    node.handler = tuple(rng.sample(names, rng.randint(0, 1)))
                case "wait" if handles and waits:
                    node.does, node.tried = "wait", rng.randint(1, 2)
                    node.handler = tuple(rng.sample(names, rng.randint(0, 1)))


def build(
    lab: Lab,
    spec: GraphSpec,
    schema: Any = State,
    failures: dict[str, int] | None = None,
    inner: Any = Inner,
    **options: Any,
) -> Any:
    """The spec as a StateGraph of the lab's engine."""
    g = lab.graph(schema, **options)
    failures = {} if failures is None else failures
    for node in spec.nodes:
        options = {**_destinations(node), **_policies(lab, node)}
        g.add_node(node.name, _action(lab, node, failures, inner), defer=node.defer, **options)
    for source, target in spec.edges:
        g.add_edge(lab.START if source == "START" else source, target)
    for sources, target in spec.joins:
        g.add_edge(list(sources), target)
    for router in spec.routers:
        path, path_map = _router(lab, router)
        g.add_conditional_edges(router.source, path, path_map)
    return g


def _destinations(node: NodeSpec) -> dict[str, Any]:
    return {"destinations": node.goes} if node.does == "command" else {}


def _policies(lab: Lab, node: NodeSpec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if node.tried > 1:
        found["retry_policy"] = lab.RetryPolicy(
            initial_interval=0.001, jitter=False, max_attempts=node.tried, retry_on=(ConnectionError, TimeoutError)
        )
    if node.cached:
        # LangGraph's default key depends on the order in which a set was filled.
        found["cache_policy"] = lab.CachePolicy(key_func=lambda s: repr((s.get("log"), s.get("count"))))
    if node.does == "wait":
        found["timeout"] = 0.02  # which it never keeps, and no other node has one: the clock decides nothing
    if node.handler is not None:
        found["error_handler"] = _handler(lab, node)
    return found


def _handler(lab: Lab, node: NodeSpec) -> Callable[..., Any]:
    def handle(s: Any, error: lab.NodeError) -> Any:  # type: ignore[name-defined]  # the engine's own class
        update = {"log": [f"{error.node} handled {type(error.error).__name__}"]}
        goes = () if len(s.get("log", ())) >= LONG else node.handler or ()
        return lab.Command(update=update, goto=list(goes)) if goes else update

    return handle


def _action(lab: Lab, node: NodeSpec, failures: dict[str, int], inner: Any) -> Any:
    name = node.name
    if node.child is not None:
        small = node.times == 1
        options = {"output_schema": Small} if small else {}
        return build(lab, node.child, inner, **options).compile(checkpointer=node.saver)

    def long(s: Any) -> bool:
        return len(s.get("log", ())) >= LONG

    def fail(s: Any) -> Any:
        failures[name] = failures.get(name, 0) + 1
        if failures[name] <= node.times:
            raise ConnectionError(f"{name} is down")
        return {"log": [name]}

    async def wait(s: Any) -> Any:
        await asyncio.sleep(30)

    def command(s: Any) -> Any:
        goes = () if long(s) else node.goes
        return lab.Command(update={"log": [name], "count": 1}, goto=list(goes))

    actions: dict[str, Callable[[Any], Any]] = {
        "log": lambda s: {"log": [f"{name}:{s.get('count', 0)}"]},
        "count": lambda s: {"count": 1},
        "tags": lambda s: {"tags": {name, str(len(s.get("log", ())))}},
        "none": lambda s: None,
        "plain": lambda s: {"x": name, "log": [name]},
        "ask": lambda s: {"log": [f"{name} heard {lab.interrupt(name)}"]},
        "ask twice": lambda s: {"log": [lab.interrupt(f"{name} one"), lab.interrupt(f"{name} two")]},
        "fail": fail,
        "wait": wait,
        "command": command,
    }
    return actions[node.does]


def _router(lab: Lab, router: RouterSpec) -> tuple[Callable[[Any], Any], dict[str, str] | None]:
    def route(s: Any) -> Any:
        if len(s.get("log", ())) >= LONG:
            return []
        outcome = router.outcomes[(len(s.get("log", ())) + s.get("count", 0) + router.salt) % len(router.outcomes)]
        if router.mapped:
            return [f"to {each}" for each in outcome]
        return [each if isinstance(each, str) else lab.Send(each[0], {"log": [], "count": each[1]}) for each in outcome]

    if not router.mapped:
        return route, None
    return route, {f"to {each}": each for outcome in router.outcomes for each in outcome}


def may_fail(seed: int) -> bool:
    """Whether the seed's graph may have failing nodes, when it has a checkpointer."""
    return Random(seed + 10_000).random() < 0.25


def play(lab: Lab, seed: int, schema: Any = State, inner: Any = Inner, *, policies: bool = False) -> None:
    """The whole program of a seed; `schema` and `inner` are the states of its graph and of graphs inside.

    With `policies` some of its nodes get policies too.
    """
    rng = Random(seed)
    saved = lab.saved
    fails = saved and may_fail(seed)
    asks = saved and rng.random() < 0.5
    spec = graph_spec(rng, depth=rng.choice((0, 1, 1)), asks=asks, fails=fails, plain=rng.random() < 0.15)
    options: dict[str, Any] = {}
    if saved:
        breakpoints = {"interrupt_before": spec.before, "interrupt_after": spec.after}
        options = {key: list(value) for key, value in breakpoints.items() if value}
    if policies:
        handles = not (asks or fails)  # see DEVIATIONS["handler again"]
        waits = lab.calls == "async nodes" and not may_fail(seed)  # otherwise the engines are driven differently
        add_policies(Random(seed + 20_000), spec, handles=handles, waits=waits)
        options["cache"] = lab.InMemoryCache()
    lab.compile(build(lab, spec, schema, inner=inner), **options)
    lab.only_results = fails
    nested = any(node.child for node in spec.nodes)  # see DEVIATIONS["answer used twice"]
    lab.racy = ("GraphRecursionError",) if nested else ()
    limit = {"recursion_limit": 25}
    lab.run({"log": ["in"], "count": rng.randint(0, 3)}, limit)
    if not _finish(lab, rng, limit, nested):
        return
    lab.run({"log": ["again"]}, limit)
    if not saved or not _finish(lab, rng, limit, nested) or lab.only_results:
        return
    match rng.randint(0, 2):
        case 0:
            lab.update({"log": ["by hand"], "count": 1}, rng.choice(spec.nodes).name)
            lab.run(None, limit)
        case 1:
            steps = sorted({shown.metadata["step"] for shown in lab.states() if shown.next})
            if steps:
                lab.run(None, {**limit, **lab.at(rng.choice(steps))})
        case _:
            lab.run(lab.Command(update={"count": 5}), limit)
    _finish(lab, rng, limit, nested)


def _finish(lab: Lab, rng: Random, limit: dict[str, Any], nested: bool) -> bool:
    """Answer and go on until the run is over; false if it ended in an error that its thread does not survive."""
    for _ in range(6):
        if type(lab.error).__name__ in ("InvalidUpdateError", "GraphRecursionError"):
            lab.without_history = "defects"
            return False
        if not lab.saved:
            return True
        if lab.error is not None:
            lab.run(None, limit)
        elif len(lab.pending) > 1 or (lab.pending and nested):
            distinct = len({repr(each.value) for each in lab.pending}) == len(lab.pending)
            count = rng.randint(1, len(lab.pending))
            lab.answer(lambda value: f"<{value}>", count if distinct else None, limit)
        elif lab.pending:
            lab.run(lab.Command(resume=f"[{lab.pending[0].value}]"), limit)
        elif lab.waits:
            lab.run(None, limit)
        else:
            return True
    return not lab.pending and lab.error is None and not lab.waits
