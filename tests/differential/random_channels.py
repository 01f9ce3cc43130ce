"""Graphs of channels made from a seed, below the level of a typed state, and random calls on one thread of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.differential.lab import Lab

LIMIT = {"recursion_limit": 8}
SHOWN = ["values", "updates", "custom", "debug", "tasks", "checkpoints"]
KINDS = (
    "last", "last", "any", "ephemeral", "ephemeral any", "untracked", "untracked any", "topic", "topic all",
    "joined", "listed", "longest", "barrier", "late barrier", "late", "delta", "delta",
)  # fmt: skip
"""What a channel may be: see `channel_of`."""
BRIEF = ("ephemeral", "ephemeral any", "topic", "any", "late", "late barrier")
"""Channels that end with their superstep: see DEVIATIONS["brief values of a pause"]."""
CALLS = (
    "input", "input", "input", "none", "none", "answers", "answers", "breakpoints", "exit", "chunks", "chunks",
    "one key", "edit", "edit", "edit as input", "clear", "copy", "bulk", "result",
    "travel", "travel", "edit in the past", "state of the past", "history",
)  # fmt: skip


@dataclass
class Write:
    """A write to a channel: of what the node returned, of a `value`, or of what a function makes of the result."""

    channel: str
    how: str
    value: Any = None


@dataclass
class NodeSpec:
    """`does` is one of the keys of `_action`; it runs when one of `triggers` is written."""

    name: str
    does: str
    triggers: list[str]
    alone: bool
    read: bool
    reads: list[str]
    writes: list[Write] = field(default_factory=list)


@dataclass
class ChannelSpec:
    """A Pregel graph as plain data."""

    channels: dict[str, str] = field(default_factory=dict)
    nodes: list[NodeSpec] = field(default_factory=list)
    inputs: Any = ""
    outputs: Any = ""
    shown: Any = None
    before: Any = ()
    after: Any = ()


def channel_spec(rng: Random, *, asks: bool) -> ChannelSpec:
    """Three to seven channels and two to five nodes."""
    spec = ChannelSpec()
    names = [f"c{i}" for i in range(rng.randint(3, 7))]
    kinds = [each for each in KINDS if each not in BRIEF] if asks else KINDS
    spec.channels = {name: rng.choice(kinds) for name in names}
    full = ("joined", "listed", "delta")  # see DEVIATIONS["ready from the start"]
    if all(kind in full for kind in spec.channels.values()):
        spec.channels[names[0]] = "last"
    begin = [name for name in names if spec.channels[name] not in full]
    kept = [name for name in names if "untracked" not in spec.channels[name]]  # see DEVIATIONS["untracked alone"]
    if not kept:
        kept, spec.channels[names[0]] = names[:1], "last"
    for position in range(rng.choice((1, 2, 3, 4, 5))):
        alone = rng.random() < 0.4
        known = [name for name in begin if alone or "untracked" not in spec.channels[name]] or begin[:1]
        triggers = rng.sample(known, 1 if alone else min(len(known), rng.randint(1, 2)))
        kinds = ["text", "text", "text", "size", "none", "same", "list"]
        kinds += ["ask", "ask twice"] if asks else []
        read = rng.random() < 0.8
        reads = [] if alone else rng.sample(names, rng.randint(1, 2))
        if len({*reads, *(triggers if read else ())}) == 1:  # see DEVIATIONS["one input for two nodes"]
            reads = names[:3]
        node = NodeSpec(f"n{position}", rng.choice(kinds), triggers, alone, read, reads)
        for name in [rng.choice(kept), *rng.sample(names, rng.randint(0, 1))]:
            node.writes.append(_write(rng, name, spec.channels[name]))
        if any("untracked" in spec.channels[write.channel] for write in node.writes):
            first = node.writes[0]
            first.how = first.how if "barrier" in spec.channels[first.channel] else "result"
        spec.nodes.append(node)
    subscribed = sorted({each for node in spec.nodes for each in node.triggers})
    first = rng.choice(subscribed)
    several = list(dict.fromkeys([first, *rng.sample(names, rng.randint(0, 2))]))
    spec.inputs = first if rng.random() < 0.4 else several
    spec.outputs = rng.choice(names) if rng.random() < 0.3 else rng.sample(names, rng.randint(1, len(names)))
    spec.shown = rng.choice((None, None, None, rng.choice(names), rng.sample(names, 2)))
    nodes = [node.name for node in spec.nodes]
    spec.before = rng.sample(nodes, 1) if rng.random() < 0.15 else ()
    spec.after = rng.sample(nodes, 1) if rng.random() < 0.15 else ()
    return spec


def _write(rng: Random, name: str, kind: str) -> Write:
    if "barrier" in kind:
        return Write(name, "value", rng.choice("xy"))
    how = rng.choice(("result", "result", "result", "not none", "value", "made", "made not none"))
    return Write(name, how, rng.choice(("fixed", None, ["l1", "l2"])) if how == "value" else None)


def listing(one: list[Any], other: Any) -> list[Any]:
    return [*one, other]


def longest(one: Any, other: Any) -> Any:
    return max(one, other, key=lambda each: (len(str(each)), str(each)))


def joined(one: Any, other: Any) -> str:
    return f"{one}{other}"[-20:]


def gathered(one: list[Any], writes: Sequence[Any]) -> list[Any]:
    return [*one, *(_short(each) for each in writes)]


def channel_of(lab: Lab, kind: str) -> Any:
    made: dict[str, Callable[[], Any]] = {
        "last": lambda: lab.LastValue(Any),
        "any": lambda: lab.AnyValue(Any),
        "ephemeral": lambda: lab.EphemeralValue(Any),
        "ephemeral any": lambda: lab.EphemeralValue(Any, guard=False),
        "untracked": lambda: lab.UntrackedValue(Any),
        "untracked any": lambda: lab.UntrackedValue(Any, guard=False),
        "topic": lambda: lab.Topic(Any),
        "topic all": lambda: lab.Topic(Any, accumulate=True),
        "joined": lambda: lab.BinaryOperatorAggregate(str, joined),
        "listed": lambda: lab.BinaryOperatorAggregate(list, listing),
        "longest": lambda: lab.BinaryOperatorAggregate(operator.itemgetter, longest),
        "barrier": lambda: lab.NamedBarrierValue(str, {"x", "y"}),
        "late barrier": lambda: lab.NamedBarrierValueAfterFinish(str, {"x", "y"}),
        "late": lambda: lab.LastValueAfterFinish(Any),
        "delta": lambda: lab.DeltaChannel(gathered, list, snapshot_frequency=3),
    }
    return made[kind]()


def _short(value: Any) -> str:
    """The value's text, or its length if that is long: values must not grow for ever."""
    text = repr(value)
    return text if len(text) < 60 else f"{len(text)}"


def _action(lab: Lab, node: NodeSpec) -> Callable[[Any], Any]:
    name = node.name
    actions: dict[str, Callable[[Any], Any]] = {
        "text": lambda x: f"{name} {_short(x)}",
        "size": lambda x: len(repr(x)),
        "none": lambda x: None,
        "same": lambda x: x if len(repr(x)) < 100 else None,
        "list": lambda x: [name, len(repr(x))],
        "ask": lambda x: f"{name} heard {lab.interrupt(f'{name} {_short(x)}')}",
        "ask twice": lambda x: [lab.interrupt(f"{name} one"), lab.interrupt(f"{name} two")],
    }
    return actions[node.does]


def _as_async(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def later(x: Any) -> Any:
        return function(x)

    return later


def _entry(lab: Lab, write: Write) -> Any:
    match write.how:
        case "value":
            return lab.ChannelWriteEntry(write.channel, write.value)
        case "not none":
            return lab.ChannelWriteEntry(write.channel, skip_none=True)
        case "made":
            return lab.ChannelWriteEntry(write.channel, mapper=_short)
        case "made not none":
            return lab.ChannelWriteEntry(write.channel, skip_none=True, mapper=lambda x: None if x is None else [x])
        case _:
            return lab.ChannelWriteEntry(write.channel)


def build(lab: Lab, spec: ChannelSpec) -> Any:
    """The spec as a Pregel of the lab's engine."""
    nodes = {}
    for node in spec.nodes:
        made = lab.NodeBuilder()
        if node.alone:
            made.subscribe_only(node.triggers[0])
        else:
            made.subscribe_to(*node.triggers, read=node.read)
            made.read_from(*node.reads)
        action = _action(lab, node)
        made.do(_as_async(action) if lab.calls == "async nodes" else action)
        made.write_to(*(_entry(lab, write) for write in node.writes))
        nodes[node.name] = made
    return lab.Pregel(
        nodes=nodes,
        channels={name: channel_of(lab, kind) for name, kind in spec.channels.items()},
        input_channels=spec.inputs,
        output_channels=spec.outputs,
        stream_channels=spec.shown,
        interrupt_before_nodes=spec.before,
        interrupt_after_nodes=spec.after,
        checkpointer=lab.checkpointer,
    )


class Script:
    """One seed's script on one engine."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.rng = rng = Random(seed)
        self.spec = channel_spec(rng, asks=lab.saved and rng.random() < 0.4)
        self.nodes = [node.name for node in self.spec.nodes]
        known = self.spec.channels
        asks = any("ask" in node.does for node in self.spec.nodes)
        self.keeps_exit = not asks or not any("untracked" in kind or kind == "topic all" for kind in known.values())
        """See DEVIATIONS["untracked at exit"] and DEVIATIONS["written twice at exit"]."""
        self.stored = [n.name for n in self.spec.nodes if not any("untracked" in known[w.channel] for w in n.writes)]
        self.given = 0
        self.over = False
        self.results_only = False
        """See DEVIATIONS["results at exit"]."""
        lab.app = build(lab, self.spec)

    def play(self) -> None:
        self.input()
        for _ in range(self.rng.randint(3, 7)):
            if self.over:
                break
            call = self.rng.choice(CALLS if self.lab.saved else ("input", "result", "chunks", "one key"))
            if not self.stored and ("edit" in call or call == "bulk"):
                continue
            self.lab.note("call", call)
            getattr(self, call.replace(" ", "_"))()
        if not self.over and not self.results_only:
            self.lab.history()

    def value(self, name: str) -> Any:
        self.given += 1
        if "barrier" in self.spec.channels[name]:
            return self.rng.choice("xy")
        return self.rng.choice((f"w{self.given}", f"w{self.given}", self.given, ["l", self.given], None))

    def values(self) -> Any:
        if isinstance(self.spec.inputs, str):
            return self.value(self.spec.inputs)
        names = self.rng.sample(self.spec.inputs, self.rng.randint(1, len(self.spec.inputs)))
        return {name: self.value(name) for name in names}

    def node(self) -> str:
        return self.rng.choice(self.nodes)

    def edited(self) -> str:
        """A node whose writes can be stored."""
        return self.rng.choice(self.stored)

    def past(self) -> dict[str, Any] | None:
        shown = self.lab.states()
        return dict(self.rng.choice(shown).config) if shown else None

    def check(self) -> None:
        self.over = self.lab.error is not None and type(self.lab.error).__name__ != "GraphRecursionError"

    def run(self, input: Any, config: Any = None, **options: Any) -> None:
        self.lab.run(input, {**LIMIT, **(config or {})}, **options)
        self.check()

    # Calls

    def input(self) -> None:
        self.run(self.values())

    def none(self) -> None:
        self.run(None)

    def answers(self) -> None:
        pending = sorted(self.lab.pending, key=lambda each: repr(each.value))
        if pending:
            self.run(self.lab.Command(resume={each.id: f"<{each.value}>" for each in pending}))

    def breakpoints(self) -> None:
        where = self.rng.choice(("interrupt_before", "interrupt_after"))
        nodes = self.rng.choice(([self.node()], [self.node(), self.node()], "*"))
        self.run(self.rng.choice((None, self.values())), **{where: nodes})

    def exit(self) -> None:
        if self.keeps_exit:
            self.results_only = True
            self.run(self.rng.choice((None, self.values())), durability="exit")

    def result(self) -> None:
        self.lab.invoke(self.values(), LIMIT)
        self.check()

    def chunks(self) -> None:
        modes = self.rng.sample(SHOWN, self.rng.randint(1, 3))
        mode: Any = modes[0] if len(modes) == 1 else modes
        version = self.rng.choice(("v1", "v2"))
        version = "v1" if "updates" in modes else version  # see DEVIATIONS["question beside values"]
        if len(self.nodes) == 1:
            self.lab.chunks(self.values(), LIMIT, stream_mode=mode, version=version)
        else:
            self.lab.invoke(self.values(), LIMIT, stream_mode=self.rng.choice(("values", "custom")), version=version)
        self.check()

    def one_key(self) -> None:
        names = list(self.spec.channels)
        self.lab.invoke(self.values(), LIMIT, output_keys=self.rng.choice((self.rng.choice(names), names[:2])))
        self.check()

    def edit(self) -> None:
        self.lab.update(self.value(self.spec.nodes[0].triggers[0]), self.edited())
        self.check()

    def edit_as_input(self) -> None:
        self.lab.update(self.values(), "__input__")
        self.over = self.lab.error is not None

    def clear(self) -> None:
        self.lab.update(None, self.lab.END)
        self.over = self.lab.error is not None

    def copy(self) -> None:
        self.lab.update(None, "__copy__")
        self.over = self.lab.error is not None

    def bulk(self) -> None:
        steps = range(self.rng.randint(1, 2))
        self.lab.bulk([[(f"b{self.given}", self.edited()) for _ in range(self.rng.randint(1, 2))] for _ in steps])
        self.over = self.lab.error is not None

    def travel(self) -> None:
        self.run(None, self.past())

    def edit_in_the_past(self) -> None:
        place = self.past()
        if place:
            made = self.lab.update("late", self.edited(), place)
            self.over = made is None
            if made and self.rng.random() < 0.5:
                self.run(None, made)

    def state_of_the_past(self) -> None:
        place = self.past()
        if place and not self.results_only:
            self.lab.state(place)

    def history(self) -> None:
        options: list[dict[str, Any]] = [{"limit": 2}, {"filter": {"source": "update"}}, {"filter": {"step": 1}}]
        found = self.lab.states(**self.rng.choice(options))
        self.lab.note("listed", [[each.metadata["source"], each.metadata["step"]] for each in found])


def play(lab: Lab, seed: int) -> None:
    """The whole script of a seed."""
    Script(lab, seed).play()
