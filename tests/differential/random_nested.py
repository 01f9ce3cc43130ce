"""Graphs in graphs made from a seed: as nodes, called by nodes, left by Commands to the parent."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.plain import namespace

LIMIT = {"recursion_limit": 25}


@dataclass
class NodeSpec:
    """`does` is one of the keys of `Nest._actions`; `inner` the graphs that it is or calls; `goes` where it leads."""

    name: str
    does: str
    inner: list[GraphSpec] = field(default_factory=list)
    goes: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    saver: bool | None = None
    defer: bool = False


@dataclass
class GraphSpec:
    """A graph as plain data, whose edges lead forward."""

    level: int
    nodes: list[NodeSpec] = field(default_factory=list)
    edges: list[tuple[Any, str]] = field(default_factory=list)
    sends: list[tuple[str, str, int]] = field(default_factory=list)
    before: tuple[str, ...] = ()


def graph_spec(rng: Random, level: int, around: tuple[str, ...], *, asks: bool) -> GraphSpec:
    """A graph of two to four nodes; `around` are the nodes of the parent that a Command may lead to."""
    spec = GraphSpec(level)
    names = [f"{'abc'[level]}{i}" for i in range(rng.randint(2, 4))]
    for position, name in enumerate(names):
        kinds = ["log", "log", "count", "private", "managed", "context", "place", "custom", "parts", "objects"]
        kinds += ["ask", "ask"] if asks else []
        kinds += ["graph", "graph", "call", "call"] if level < 2 else []
        if level and all(other.does != "parent" for other in spec.nodes):  # which of two wins depends on timing
            kinds += ["parent", "parent"]
        node = NodeSpec(name, rng.choice(kinds), defer=rng.random() < 0.08)
        later = tuple(names[position + 1 :])
        if node.does in ("graph", "call"):
            count = 1 if node.does == "graph" else rng.randint(1, 2)
            node.inner = [graph_spec(rng, level + 1, later, asks=asks) for _ in range(count)]
            if all(not each.inner for inner in node.inner for each in inner.nodes):  # see DEVIATIONS["below no saver"]
                node.saver = rng.choice((None, None, False))
        if node.does == "parent":
            node.goes = tuple(rng.sample(around, min(len(around), rng.randint(0, 1))))
            node.sent = tuple(rng.sample(around, min(len(around), rng.choice((0, 0, 1, 2)))))
        spec.nodes.append(node)
    spec.edges = [("START", name) for name in rng.sample(names, rng.choice((1, 1, 2)))]
    for position, name in enumerate(names[1:], 1):
        if rng.random() < 0.8:
            spec.edges.append((rng.choice(names[:position]), name))
        if position > 1 and rng.random() < 0.2:
            spec.edges.append((tuple(rng.sample(names[:position], 2)), name))
    if rng.random() < 0.3 and not any(node.defer for node in spec.nodes):
        place = rng.randrange(len(names) - 1)
        spec.sends.append((names[place], rng.choice(names[place + 1 :]), rng.randint(1, 2)))
    if any(node.defer for node in spec.nodes):  # see DEVIATIONS["deferred beside Sends"]
        for inner in (each for node in spec.nodes for graph in node.inner for each in graph.nodes):
            inner.sent = ()
    spec.edges = list(dict.fromkeys(spec.edges))
    if rng.random() < 0.1:
        spec.before = (rng.choice(names),)
    return spec


def walk(spec: GraphSpec) -> list[NodeSpec]:
    """All nodes of a graph and of those inside."""
    return [each for node in spec.nodes for each in (node, *(deep for inner in node.inner for deep in walk(inner)))]


class Private(TypedDict):
    secret: str
    count: int


class Who(TypedDict):
    who: str


class Nest:
    """A spec with one engine's words."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        shown: dict[str, Any] = {"log": Annotated[list, operator.add], "count": Annotated[int, operator.add]}
        keys = {**shown, "last": lab.IsLastStep, "left": lab.RemainingSteps}
        self.state = TypedDict("State", keys)  # type: ignore[misc]  # keys of one engine's own values
        self.shown = TypedDict("Shown", shown)  # type: ignore[misc]  # the same

    def build(self, spec: GraphSpec, *, called: bool = False) -> Any:
        """The builder of a graph; with sync nodes where a node calls it."""
        lab = self.lab
        make = lab.engine.StateGraph if called else lab.graph
        g = make(self.state, input_schema=self.shown, output_schema=self.shown, context_schema=Who)
        for node in spec.nodes:
            g.add_node(node.name, self._action(node, called), defer=node.defer)
        for source, target in spec.edges:
            names = list(source) if isinstance(source, tuple) else lab.START if source == "START" else source
            g.add_edge(names, target)
        for source, target, count in spec.sends:
            g.add_conditional_edges(source, self._router(target, count), [target])
        return g

    def _router(self, target: str, count: int) -> Callable[[Any], Any]:
        return lambda s: [self.lab.Send(target, {"log": [], "count": number}) for number in range(count)]

    def _action(self, node: NodeSpec, called: bool) -> Any:
        lab, name = self.lab, node.name
        if node.does == "graph":
            inner = node.inner[0]
            return self.build(inner, called=called).compile(
                checkpointer=node.saver, interrupt_before=list(inner.before)
            )
        graphs = [self.build(each, called=True).compile(checkpointer=node.saver, name=name) for each in node.inner]

        def private(s: Any) -> Any:
            return {"secret": f"of {name}", "log": [f"{name} {sorted(s)}"]}

        def private_in(s: Private) -> Any:
            return {"log": [f"{name} saw {s.get('secret')} {sorted(s)}"], "secret": name}

        def context(s: Any, runtime: Any) -> Any:
            return {"log": [f"{name} for {(runtime.context or {}).get('who')}"]}

        def place(s: Any, config: Any) -> Any:
            given, meta = config["configurable"], config["metadata"]
            where = namespace(given.get("checkpoint_ns", ""))
            return {"log": [f"{name} {where} {meta.get('langgraph_node')} {meta.get('langgraph_step')}"]}

        place.__annotations__.pop("config")  # which is given to a parameter without an annotation

        def custom(s: Any) -> Any:
            lab.get_stream_writer()({name: s.get("count")})

        def call(s: Any) -> Any:
            found = [graph.invoke({"log": [f"{name} calls"], "count": place}) for place, graph in enumerate(graphs)]
            return {"log": [name, *(len(each["log"]) if each else None for each in found)]}

        def parent(s: Any) -> Any:
            goto = [lab.Send(each, {"log": [], "count": 2}) for each in node.sent]
            goto += list(node.goes)
            return lab.Command(graph=lab.Command.PARENT, update={"log": [f"{name} left"]}, goto=goto)

        if node.does == "private":
            private_in.__annotations__["s"] = Private
            return private_in if int(name[1]) % 2 else private
        actions: dict[str, Callable[..., Any]] = {
            "log": lambda s: {"log": [f"{name}:{s.get('count', 0)}"]},
            "count": lambda s: {"count": 1},
            "managed": lambda s: {"log": [f"{name} {s.get('last')} {s.get('left')}"]},
            "context": context,
            "place": place,
            "custom": custom,
            "call": call,
            "parent": parent,
            "parts": lambda s: [{"log": [f"{name} one"]}, lab.Command(update={"log": [f"{name} two"], "count": 1})],
            "objects": lambda s: {"log": lab.Overwrite([f"{name} alone"])} if not s.get("count") else None,
            "ask": lambda s: {"log": [f"{name} heard {lab.interrupt(name)}"]},
        }
        return actions[node.does]


def play(lab: Lab, seed: int) -> None:
    """The whole program of a seed."""
    rng = Random(seed)
    asks = lab.saved and rng.random() < 0.5
    spec = graph_spec(rng, 0, (), asks=asks)
    nodes = walk(spec)
    if lab.saved and any(node.saver is False for node in nodes):
        options: dict[str, Any] = {"durability": "async"}  # LangGraph's "sync" fails without a checkpointer
    else:
        options = {}
    parents = any(node.does == "parent" for node in nodes)
    lab.only_results = parents and lab.calls == "async nodes"  # what is cancelled beside it depends on timing
    lab.racy = ("GraphRecursionError", "InvalidUpdateError")
    stops = {"interrupt_before": list(spec.before)} if spec.before and lab.saved else {}
    lab.compile(Nest(lab).build(spec), **stops)
    for number in range(rng.randint(1, 2)):
        who = rng.choice(({"context": {"who": "you"}}, {}))
        lab.run({"log": [f"in{number}"], "count": rng.randint(0, 2)}, LIMIT, **who, **options)
        if not _finish(lab, rng, {**who, **options}):
            lab.without_history = "defects"
            return
    if not lab.saved:
        return
    lab.state(subgraphs=True)
    match rng.randint(0, 3):
        case 0:
            lab.update({"log": ["by hand"], "count": 1}, rng.choice(spec.nodes).name)
            lab.run(None, LIMIT, **options)
        case 1:
            steps = sorted({shown.metadata["step"] for shown in lab.states() if shown.next})
            if steps:
                lab.run(None, {**LIMIT, **lab.at(rng.choice(steps))}, **options)
        case 2:
            lab.run({"log": ["exit"]}, LIMIT, durability="exit")
            lab.without_history = "results at exit"
        case _:
            lab.invoke({"log": ["result"]}, LIMIT, **options)
    if not _finish(lab, rng, options):
        lab.without_history = "defects"


def _finish(lab: Lab, rng: Random, options: dict[str, Any]) -> bool:
    for _ in range(6):
        if type(lab.error).__name__ in lab.racy:
            return False
        if not lab.saved:
            return lab.error is None
        if lab.error is not None:
            return False
        pending = sorted(lab.pending, key=lambda each: repr(each.value))
        if pending:
            distinct = len({repr(each.value) for each in pending}) == len(pending)
            count = rng.randint(1, len(pending)) if distinct else len(pending)
            answers = {each.id: f"<{each.value}>" for each in pending[:count]}
            if rng.random() < 0.3:
                lab.state(subgraphs=True)
            lab.run(lab.Command(resume=answers), LIMIT, **options)
        elif lab.waits:
            lab.run(None, LIMIT, **options)
        else:
            return True
    return False
