"""Graphs whose tasks run one at a time, made from a seed with everything that a node may be: every chunk has its place.

Calls have any options: modes, version, durability, breakpoints, output keys, printing, a context, version 3's streams.
"""

from __future__ import annotations

import contextlib
import io
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.plain import ANSWER_ID, TASK_ID

LIMIT = {"recursion_limit": 25}
SHOWN = ["values", "updates", "custom", "debug", "tasks", "checkpoints"]
KINDS = (
    "log", "log", "count", "none", "overwrite", "custom", "context", "managed", "jump", "send", "call", "graph",
    "graph", "fail", "handled", "cached", "parts",
)  # fmt: skip
"""What a node may do: see `Line._actions`."""
CALLS = (
    "input", "input", "none", "none", "answers", "answers", "answers", "strict", "result", "result", "printed",
    "events", "edit", "edit", "edit as the last", "bulk", "clear", "copy", "travel", "travel", "edit in the past",
    "forget", "history", "history", "state",
)  # fmt: skip


@dataclass
class NodeSpec:
    """`does` is one of KINDS; `goes` where it leads by itself, `times` how often it fails, `tried` its attempts."""

    name: str
    does: str
    goes: str = ""
    times: int = 0
    tried: int = 1
    defer: bool = False
    saver: bool | None = None
    inner: LineSpec | None = None


@dataclass
class LineSpec:
    """Nodes one after the other; `routed` are those that a router leads on from, in place of an edge."""

    level: int
    nodes: list[NodeSpec] = field(default_factory=list)
    routed: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def line_spec(rng: Random, level: int, around: tuple[str, ...], *, asks: bool, saved: bool) -> LineSpec:
    """A line of one to five nodes; `around` are the parent's nodes behind it, where a Command may lead."""
    spec = LineSpec(level)
    names = [f"{'abc'[level]}{number}" for number in range(rng.randint(1 if level else 2, 5 - level))]
    rng.shuffle(names)
    for position, name in enumerate(names):
        kinds = [each for each in KINDS if level < 2 or each not in ("graph", "call")]
        kinds += ["ask", "ask", "ask twice"] if asks else []
        kinds += ["leave", "leave"] if level and position == len(names) - 1 else []
        later = names[position + 1 :]
        node = NodeSpec(name, rng.choice(kinds), defer=rng.random() < 0.1, times=rng.randint(1, 2))
        if node.does in ("jump", "send") and not later:
            node.does = "log"
        if node.does in ("jump", "send") or (node.does == "handled" and later and rng.random() < 0.5):
            node.goes = rng.choice(later)
        if node.does == "leave":
            node.goes = rng.choice(("", *around))
        if node.does == "fail":
            node.tried = rng.randint(1, 3) if saved else 3
        if node.does in ("graph", "call"):
            node.inner = line_spec(rng, level + 1, tuple(later), asks=asks, saved=saved)
            lasts = all(not each.inner for each in node.inner.nodes)
            node.saver = rng.choice((None, None, False)) if lasts else None
        spec.nodes.append(node)
    sent = {node.goes for node in spec.nodes if node.does == "send"}
    for node in spec.nodes:  # see DEVIATIONS["deferred beside Sends"], ["cached beside its like"]
        node.defer = node.defer and not sent
        node.does = "log" if node.name in sent and node.does == "cached" else node.does
    spec.routed = tuple(name for name in names if rng.random() < 0.2)
    spec.before = (rng.choice(names),) if saved and rng.random() < 0.15 else ()
    spec.after = (rng.choice(names),) if saved and rng.random() < 0.15 else ()
    if level and asks:
        spec.before = spec.after = ()  # see DEVIATIONS["shown when answered"]
    return spec


def walk(spec: LineSpec) -> list[NodeSpec]:
    """The nodes of a line and of those inside."""
    return [each for node in spec.nodes for each in (node, *(walk(node.inner) if node.inner else ()))]


def goes_by_itself(node: NodeSpec) -> bool:
    """Whether a Command says where the node leads on to: an edge beside that would let two nodes run at once."""
    return bool(node.goes or (node.inner is not None and node.inner.nodes[-1].goes))


class Who(TypedDict):
    who: str


@dataclass
class Person:
    """A context as a dataclass."""

    who: str = "nobody"


class Account(BaseModel):
    """A context as a Pydantic model."""

    who: str


class Line:
    """A spec with one engine's words."""

    def __init__(self, lab: Lab, rng: Random) -> None:
        self.lab = lab
        self.calls: dict[str, int] = {}
        self.who = rng.choice((Who, Person, Account))
        keys = {"log": Annotated[list, operator.add], "count": Annotated[int, operator.add], "x": Any}
        self.shown = TypedDict("Shown", keys)  # type: ignore[operator]  # a schema of parts
        self.state = TypedDict("State", {**keys, "left": lab.RemainingSteps})  # type: ignore[misc]  # one engine's keys

    def build(self, spec: LineSpec, *, called: bool = False) -> Any:
        """The builder of a line; with sync nodes where a node calls it."""
        lab = self.lab
        make = lab.engine.StateGraph if called else lab.graph
        g = make(self.state, input_schema=self.shown, output_schema=self.shown, context_schema=self.who)
        names = [node.name for node in spec.nodes]
        for node in spec.nodes:
            g.add_node(node.name, self._action(node, called), defer=node.defer, **self._policies(node))
        for source, target in zip([lab.START, *names], names, strict=False):
            if any(node.name == source and goes_by_itself(node) for node in spec.nodes):
                continue
            if source in spec.routed:
                g.add_conditional_edges(source, self._router(target), [target])
            else:
                g.add_edge(source, target)
        return g

    def _router(self, target: str) -> Callable[[Any], Any]:
        return lambda s: target

    def _policies(self, node: NodeSpec) -> dict[str, Any]:
        lab, found = self.lab, dict[str, Any]()
        if node.does == "fail" and node.tried > 1:
            found["retry_policy"] = lab.RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=node.tried)
        if node.does == "handled":
            found["error_handler"] = self._handler(node)
        if node.does == "cached":
            found["cache_policy"] = lab.CachePolicy(key_func=lambda s: f"{node.name} {s.get('count', 0) % 2}")
        return found

    def _handler(self, node: NodeSpec) -> Callable[..., Any]:
        lab = self.lab

        def handle(s: Any, error: Any) -> Any:
            update = {"log": [f"{error.node} handled {type(error.error).__name__} {error.error}"], "count": node.times}
            return lab.Command(update=update, goto=node.goes) if node.goes else update

        handle.__annotations__["error"] = lab.NodeError
        return handle

    def _action(self, node: NodeSpec, called: bool) -> Any:
        lab, name = self.lab, node.name
        waits = lab.calls == "async nodes" and not called
        graph = None
        if node.inner is not None:
            stops = {"interrupt_before": list(node.inner.before), "interrupt_after": list(node.inner.after)}
            built = self.build(node.inner, called=called or node.does == "call")
            graph = built.compile(checkpointer=node.saver, **({} if node.saver is False else stops))
        if node.does == "graph":
            return graph

        def fail(s: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            if self.calls[name] <= node.times or node.does == "handled":
                raise ConnectionError(f"{name} is down")
            return {"log": [name]}

        def context(s: Any, runtime: Any) -> Any:
            given = runtime.context
            who = given.get("who") if isinstance(given, dict) else getattr(given, "who", None)
            return {"x": [type(given).__name__, who], "log": [name]}

        def custom(s: Any) -> Any:
            lab.get_stream_writer()({name: s.get("count")})
            return {"count": 1}

        def call(s: Any) -> Any:
            assert graph is not None
            return {"log": [name, len((graph.invoke({"log": [f"{name} calls"], "count": 1}) or {}).get("log", ()))]}

        def cached(s: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            return {"log": [f"{name} {self.calls[name]}"]}

        def send(s: Any) -> Any:
            limits = {"timeout": 60} if waits and node.times == 2 else {}
            sent = lab.Send(node.goes, {"log": [], "count": 7}, **limits)
            return lab.Command(goto=[sent] if node.times == 1 else sent, update={"count": 1})

        def leave(s: Any) -> Any:
            goto = [lab.Send(node.goes, {"log": [], "count": 3})] if node.goes and node.times == 2 else node.goes or ()
            return lab.Command(graph=lab.Command.PARENT, update={"log": [f"{name} left"]}, goto=goto)

        actions: dict[str, Callable[..., Any]] = {
            "log": lambda s: {"log": [f"{name}:{s.get('count', 0)}"], "x": name},
            "count": lambda s: {"count": 1},
            "none": lambda s: None,
            "overwrite": lambda s: {"log": lab.Overwrite([f"{name} alone"])},
            "managed": lambda s: {"log": [f"{name} {s.get('left')}"]},
            "parts": lambda s: [{"log": [f"{name} one"]}, lab.Command(update={"log": [f"{name} two"], "count": 1})],
            "jump": lambda s: lab.Command(goto=node.goes, update=[("log", [name]), ("log", ["twice"])]),
            "ask": lambda s: {"log": [f"{name} heard {lab.interrupt(name)}"]},
            "ask twice": lambda s: {"log": [lab.interrupt(f"{name} one"), lab.interrupt(f"{name} two")]},
            "fail": fail, "handled": fail, "context": context, "custom": custom, "call": call, "cached": cached,
            "send": send, "leave": leave,
        }  # fmt: skip
        return actions[node.does]


class Script:
    """One seed's script on one engine."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.rng = rng = Random(seed)
        asks = lab.saved and rng.random() < 0.6
        self.spec = line_spec(rng, 0, (), asks=asks, saved=lab.saved)
        self.names = [node.name for node in self.spec.nodes]
        nodes = walk(self.spec)
        self.asks = any("ask" in node.does for node in nodes)
        self.durable = ("async",) if any(node.saver is False for node in nodes) else ("async", "sync", "sync", "exit")
        """LangGraph's "sync" fails in a graph without a checkpointer."""
        self.line = Line(lab, rng)
        self.given = 0
        self.over = False
        self.results_only = False
        """See DEVIATIONS["results at exit"]."""
        stops = {"interrupt_before": list(self.spec.before), "interrupt_after": list(self.spec.after)}
        options: dict[str, Any] = {key: value for key, value in stops.items() if value}
        lab.compile(self.line.build(self.spec), cache=lab.InMemoryCache(), **options)

    def play(self) -> None:
        self.input()
        for _ in range(self.rng.randint(3, 8)):
            if self.over:
                return
            call = self.rng.choice(CALLS if self.lab.saved else ("input", "result", "printed", "events"))
            self.lab.note("call", call)
            getattr(self, call.replace(" ", "_"))()
        if not self.results_only:
            self.lab.history()

    def options(self) -> dict[str, Any]:
        """What a call may be given besides its input."""
        rng, found = self.rng, dict[str, Any]()
        if self.lab.saved:
            found["durability"] = rng.choice(self.durable)
            self.results_only |= found["durability"] == "exit"
            if rng.random() < 0.2:
                nodes = rng.choice((["a0"], ["a1", "a2"], "*"))
                found[rng.choice(("interrupt_before", "interrupt_after"))] = nodes
        if rng.random() < 0.4:
            found["context"] = rng.choice(({"who": f"you{self.given}"}, self.line.who(who=f"me{self.given}")))
        if rng.random() < 0.15:
            found["output_keys"] = rng.choice(("log", ["log"], ["count", "x"]))
        return found

    def value(self) -> dict[str, Any]:
        self.given += 1
        return self.rng.choice(({"log": [f"in{self.given}"], "count": self.given}, {"log": [], "x": self.given}))

    def any_value(self) -> dict[str, Any] | None:
        """New input, or nothing where a thread may go on."""
        return self.rng.choice((None, self.value(), self.value())) if self.lab.saved else self.value()

    def stream(self, input: Any, config: Any = None) -> None:
        """Every chunk of some modes, in one of the forms that streams have."""
        rng = self.rng
        modes = rng.sample(SHOWN, rng.randint(1, 4))
        mode: Any = modes[0] if len(modes) == 1 else rng.choice((modes, modes, tuple(modes)))
        options = self.options()
        version = rng.choice(("v1", "v2"))
        if "updates" in modes and self.asks:
            version = "v1"  # see DEVIATIONS["question beside values"]
        if options.get("durability") == "exit":
            mode = "values"  # see DEVIATIONS["parents at exit"]
        if self.side_by_side(input, config):
            if any(node.does in ("fail", "handled") for node in walk(self.spec)):
                return  # what is cancelled beside it depends on timing
            self.lab.run(input, {**LIMIT, **(config or {})}, **options)
            self.over = type(self.lab.error).__name__ == "InvalidUpdateError"
            return
        options |= {"stream_mode": mode, "version": version, "subgraphs": rng.random() < 0.6}
        self.lab.chunks(input, {**LIMIT, **(config or {})}, **options)
        self.look()

    def side_by_side(self, input: Any, config: Any = None) -> bool:
        """Whether several nodes run at once, as an edit may have it: then chunks come in any order."""
        goes_on = self.lab.saved and not isinstance(input, dict)
        return goes_on and len(self.lab._call("get_state", {**self.lab.config, **(config or {})}).next) > 1

    def look(self) -> None:
        self.over = type(self.lab.error).__name__ == "InvalidUpdateError"
        self.lab.state(subgraphs=not self.results_only and self.rng.random() < 0.5)

    def answers_of(self) -> dict[str, Any]:
        pending = sorted(self.lab.pending, key=lambda each: repr(each.value))
        return {each.id: f"<{each.value}>" for each in pending}

    # Calls

    def input(self) -> None:
        self.stream(self.value())

    def none(self) -> None:
        self.stream(None)

    def answers(self) -> None:
        found = self.answers_of()
        if found:
            self.stream(self.lab.Command(resume=found))

    def strict(self) -> None:
        found: Any = self.rng.choice((self.answers_of(), self.answers_of(), {"0" * 32: "nobody"}, {}))
        if self.rng.random() < 0.2 and not any(node.inner for node in self.spec.nodes):
            found = "in words"  # see DEVIATIONS["answer used twice"]
        place = {"configurable": {**self.lab.config["configurable"], "__pregel_strict_resume": True}}
        self.lab.invoke(self.lab.Command(resume=found), {**LIMIT, **place}, durability=self.durable[0])
        self.look()

    def result(self) -> None:
        self.lab.invoke(self.any_value(), LIMIT, version=self.rng.choice(("v1", "v1", "v2")), **self.options())
        self.look()

    def printed(self) -> None:
        """What is printed, beside the result."""
        mode: Any = self.rng.choice(("values", "updates", ["updates", "custom"]))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.lab.invoke(self.value(), LIMIT, print_mode=mode, **self.options())
        text = TASK_ID.sub("<id>", said.getvalue())
        self.lab.note("printed", ANSWER_ID.sub("<id>", text).splitlines())
        self.look()

    def events(self) -> None:
        """Version 3's stream of events."""
        given = self.any_value()
        if self.side_by_side(given):
            return
        options = {key: value for key, value in self.options().items() if key in ("context", "durability")}
        what = self.rng.choice(("events", "events", "values", "lifecycle", "subgraphs"))
        self.lab.note(what, self.lab.events(given, {**self.lab.config, **LIMIT}, what, **options))
        self.look()

    def forget(self) -> None:
        """Clear the cache of some nodes, or of all."""
        nodes = self.rng.choice((None, [], self.names, self.names[:1]))
        self.lab.note("forgotten", self.lab._call("clear_cache", nodes))

    def edit(self) -> None:
        self.lab.update(self.value(), self.rng.choice(self.names))

    def edit_as_the_last(self) -> None:
        self.lab.update(self.value())

    def bulk(self) -> None:
        steps = range(self.rng.randint(1, 2))
        names = self.names
        values = {"log": ["bulk"], "count": 1}  # see DEVIATIONS["edits that failed"]
        self.lab.bulk([[(values, self.rng.choice(names)) for _ in range(self.rng.randint(1, 2))] for _ in steps])

    def clear(self) -> None:
        self.lab.update(None, self.lab.END)

    def copy(self) -> None:
        self.lab.update(None, "__copy__")

    def past(self) -> dict[str, Any] | None:
        shown = self.lab.states()
        return dict(self.rng.choice(shown).config) if shown else None

    def travel(self) -> None:
        place = self.past()
        if place:
            self.stream(None, place)

    def edit_in_the_past(self) -> None:
        place = self.past()
        made = self.lab.update(self.value(), self.rng.choice(self.names), place) if place else None
        if made and self.rng.random() < 0.5:
            self.stream(None, made)

    def history(self) -> None:
        rng, place = self.rng, self.past()
        options: dict[str, Any] = {}
        if rng.random() < 0.5:
            options["limit"] = rng.randint(0, 3)
        if rng.random() < 0.5:
            options["filter"] = rng.choice(
                ({"source": "loop"}, {"source": "update"}, {"step": 1}, {"source": "loop", "step": 2})
            )
        if place and rng.random() < 0.5:
            options["before"] = place
        found = self.lab.states(**options)
        self.lab.note("listed", [[each.metadata["source"], each.metadata["step"], each.values] for each in found])

    def state(self) -> None:
        place = self.past()
        if place and not self.results_only:
            self.lab.state(place, subgraphs=self.rng.random() < 0.5)


def play(lab: Lab, seed: int) -> None:
    """The whole script of a seed."""
    Script(lab, seed).play()
