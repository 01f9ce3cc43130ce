"""The compiled graph: everything that can be decided before a run is decided here, once.

A plan is immutable and shared by all runs; what a run needs at each superstep is a lookup in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stepgraph.core import registry
from stepgraph.core.channels import Channel, Topic
from stepgraph.core.checkpoint import Control
from stepgraph.core.inside import graphs_in
from stepgraph.core.policies import RetryPolicy
from stepgraph.core.types import HIDDEN, MISSING, ROOT, START, Route, Writes

if TYPE_CHECKING:
    from stepgraph.core.limits import CachePolicy, TimeoutPolicy
    from stepgraph.core.task import Task


@dataclass(frozen=True, slots=True)
class Router:
    """A conditional edge: `choose(state)` gives one or several targets, before `targets_of` has looked them up."""

    name: str
    choose: Callable[[Any], Any]
    path_map: Mapping[Any, str] | None = None
    is_async: bool = False
    reads: tuple[str, ...] | None = None
    """The state keys it gets; None for those of its node's input."""
    mapper: Callable[[Any], Any] | None = None
    inject: Callable[[Task], dict[str, Any]] | None = None
    all_keys: bool = False
    """Whether `reads` are all the state's keys."""
    sees_more: bool = False
    """Whether it gets what its node returned beside the state's keys: it asks for no schema."""
    managed: tuple[tuple[str, Callable[[int, int], Any]], ...] = ()
    """Values computed from (step, last step), as of nodes."""
    twin: Callable[..., Any] | None = None
    """What an async driver awaits in place of a sync `choose`: for Runnables."""
    targets: tuple[str, ...] = ()
    """Every node that it may choose, for drawing and for alternatives."""
    labels: Mapping[str, str] = field(default_factory=dict)


class Whole(frozenset[str]):
    """The one key of a state that is a single value: a dict that a node returns is that value, not a dict of keys."""

    __slots__ = ()

    def issuperset(self, other: Iterable[object]) -> bool:
        """Never: the short way asks this of the keys of a returned dict."""
        return False


WHOLE = Whole((ROOT,))


class Part:
    """What else LangGraph's nodes have, made when it is asked for: Runnables that write. No run asks for it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, node: Node | None, kind: type) -> Any:
        return self if node is None else registry.adapters.load("node part")(node, self._name)


@dataclass(slots=True, eq=False)
class Node:
    """A node with its edges resolved. `body` gets the task's input, plus what `inject` adds by keyword."""

    name: str
    body: Callable[..., Any] | None
    is_async: bool = False
    twin: Callable[..., Any] | None = None
    """What an async driver awaits in place of a sync body."""
    inline: bool = False
    """Declared short: runs on the event loop's own thread instead of a helper thread."""
    reads: tuple[str, ...] | None = None
    """The state keys it gets; None for all of them."""
    mapper: Callable[[Any], Any] | None = None
    """Makes the schema's object of the dict of values."""
    inject: Callable[[Task], dict[str, Any]] | None = None
    managed: tuple[tuple[str, Callable[[int, int], Any]], ...] = ()
    """Values computed from (step, last step): (key, function)."""
    writes: frozenset[str] = frozenset()
    """The keys that it may write; others are dropped."""
    successors: tuple[str, ...] = ()
    """Targets of static edges, without END, sorted by name."""
    joins: tuple[str, ...] = ()
    """Barrier channels that it takes part in."""
    routers: tuple[Router, ...] = ()
    subscribes: tuple[str, ...] = ()
    """The channels of a graph of channels and nodes that make it ready when they are written."""
    writer: Callable[[Any], tuple[Writes, tuple[Route, ...]]] | None = None
    """What its result writes and where it goes, where that is not told by the result itself."""
    stamp: Callable[[Writes], Writes] | None = None
    """Makes ready what it writes before that is recorded."""
    edited: Callable[[Any], Any] | None = None
    """What an edit of the state in its name is as an update, where its body's result is no update itself."""
    defer: bool = False
    takes_input: bool = False
    """Gets what the caller gave, not the state: START, or the one node of the functional API. Set by Plan."""
    retries: tuple[RetryPolicy, ...] = ()
    """The first one that fits an error says whether and when to try again."""
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None
    cache_ns: tuple[str, ...] = ()
    """The part of the cache that keeps its results."""
    handler: str | None = None
    """The node that takes over when this one has failed for good."""
    is_error_handler: bool = False
    """Whether it is there to take over from others."""
    child: Plan | None = None
    """The plan of a graph that was added as this node."""
    child_checkpointer: Any = None
    ends: tuple[str, ...] = ()
    """Targets of commands, as declared for drawing."""
    end_labels: Mapping[str, str] = field(default_factory=dict)
    to_end: bool = False
    """Has an edge to END, which drawings show."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trace_policy: Any = None
    """What tracers record of its runs: a TracePolicy."""
    source: Any = None
    """The user's callable, for names, source code and hashes."""
    quick: bool = False
    """Has no routers, so its routes are known without asking: set by Plan."""
    joined_by: tuple[str, ...] = ()
    """The barrier channels that make it ready. Set by Plan."""
    alone: tuple[str, ...] = ()
    """(name,): what ran when it ran alone. Set by Plan."""
    lean: bool = False
    """Can take the short way (`core/lean.py`): sync routers, no subgraph, no policy. Set by Plan."""
    nests: bool = False
    """Is a graph, and can take the short way. Set by Plan."""
    passes: bool = False
    """Runs no user's code, as START without routers: a driver has nothing to do. Set by Plan."""

    delays: int = 0
    """How often its routers kept an event loop waiting. Set by the async driver."""

    # Made when somebody asks first: most nodes of a big graph are never asked.
    control: Control | None = None
    """What a checkpoint keeps when this node alone runs next; shared by all of them. Made by State."""
    _triggers: tuple[str, ...] | None = None
    subgraph: Any = MISSING
    """What `graph` has found."""
    _bound: Any = None

    @property
    def triggers(self) -> list[str]:
        """The channels that can make it ready, under LangGraph's names and in its form."""
        return list(self.ready_by)

    @property
    def ready_by(self) -> tuple[str, ...]:
        """The same, made once."""
        if self._triggers is None:
            edges = tuple(sorted(self.subscribes)) or (f"branch:to:{self.name}", *self.joined_by)
            self._triggers = (START,) if self.takes_input else edges
        return self._triggers

    @property
    def channels(self) -> list[str] | str:
        """The state keys that it reads, in LangGraph's words; one name for START and for a state that is one value."""
        if self.takes_input:
            return START
        keys = [*(sorted(self.writes) if self.reads is None else self.reads), *(key for key, _ in self.managed)]
        return ROOT if keys == [ROOT] else keys

    # Not by `__getattr__`, which makes a run's every look at a node slower.
    writers, flat_writers, node = Part("writers"), Part("flat_writers"), Part("node")
    subgraphs, input_cache_key = Part("subgraphs"), Part("input_cache_key")

    @property
    def bound(self) -> Any:
        """What the node was made of, as a Runnable: LangGraph's name for it. Functions need langchain-core for it.

        What is put in its place, or in place of its `func` or `afunc`, is what the node calls from then on.
        """
        source = self.source
        if source is None or hasattr(source.__class__, "ainvoke"):
            return source
        if self._bound is None:
            self._bound = registry.adapters.load("bound")(source, self)
        return self._bound

    @bound.setter
    def bound(self, made: Any) -> None:
        self.inject = self.call(made)
        self.source, self._bound = made, None
        self.child, self.nests, self.subgraph = None, False, MISSING

    def call(self, made: Any) -> Any:
        """Call this, which takes what the node takes; returns what it would ask for by name."""
        how = registry.adapters.load("action")(made, f"Node {self.name!r}")
        if how.is_async and not self.is_async:
            self.twin = how.body
        else:
            self.body, self.is_async, self.twin = how.body, how.is_async, how.twin
        return how.inject

    def invoke(self, input: Any, config: Any = None, **extra: Any) -> Any:
        """Run what the node was made of by itself, without its graph, as unit tests of nodes do."""
        return self.bound.invoke(input, config, **extra)

    async def ainvoke(self, input: Any, config: Any = None, **extra: Any) -> Any:
        """As `invoke`, awaited."""
        return await self.bound.ainvoke(input, config, **extra)

    def stream(self, input: Any, config: Any = None, **extra: Any) -> Any:
        """As `invoke`, in the chunks that it gives."""
        return self.bound.stream(input, config, **extra)

    def astream(self, input: Any, config: Any = None, **extra: Any) -> Any:
        """As `stream`, awaited."""
        return self.bound.astream(input, config, **extra)

    @property
    def retry_policy(self) -> tuple[RetryPolicy, ...] | None:
        """LangGraph's name for its policies of retries."""
        return self.retries or None

    @property
    def error_handler_node(self) -> str | None:
        """LangGraph's name for the node that takes over."""
        return self.handler

    @property
    def cache_policy(self) -> CachePolicy | None:
        """LangGraph's name for its policy of caching."""
        return self.cache

    @property
    def tags(self) -> list[str] | None:
        """LangGraph's: nodes that listeners are not told of have one."""
        return [HIDDEN] if self.name == START else None

    def graph(self) -> Any:
        """The compiled graph that the node is, or that its function names; None if there is none.

        One with `checkpointer=False` does not count: nothing is known of its runs.
        """
        if self.subgraph is MISSING:
            found = (each for each in graphs_in(self.source) if isinstance(each.plan, Plan))
            self.subgraph = next((each for each in found if each.checkpointer is not False), None)
        return self.subgraph

    def inner(self) -> Plan | None:
        """The plan of that graph."""
        graph = self.graph()
        return None if graph is None else graph.plan


@dataclass(frozen=True, slots=True)
class Barrier:
    """An AND-join: `node` runs once all of `sources` have."""

    key: str
    channel: Channel
    node: str
    sources: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Plan:
    """A whole graph, ready to run."""

    name: str
    channels: Mapping[str, Channel]
    nodes: Mapping[str, Node]
    barriers: Mapping[str, Barrier] = field(default_factory=dict)
    input_keys: tuple[str, ...] | str = ()
    output_keys: tuple[str, ...] | str = ()
    """The keys of the result; a single name for a state that is not a mapping."""
    state_keys: tuple[str, ...] = ()
    shown_keys: tuple[str, ...] | str | None = None
    """The keys that snapshots show, if that is not the whole state; a single name for its bare value."""
    entry: str = START
    """The node that takes the run's input."""
    interrupt_before: frozenset[str] = frozenset()
    interrupt_after: frozenset[str] = frozenset()
    input_mapper: Callable[[Any], Any] | None = None
    intake: Callable[[Any], Writes] | None = None
    """What an input writes, where no node takes it."""
    schemas: tuple[Any, ...] = ()
    """The types that its author named: of states, of what nodes and routers take, and of what is returned."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The new names of nodes that older threads know under other ones."""
    kept: Mapping[str, str] | None = None
    """What threads keep of the graph (`core/changed.py`): made when one is stored."""
    call_retries: tuple[RetryPolicy, ...] = ()
    """What functions that its nodes call have, where they have no retry policies of their own."""
    call_cache: CachePolicy | None = None
    """The same of their cache policy."""
    places: dict[str, int] = field(default_factory=dict)
    """Each key's place in the order of the schema."""
    entries: tuple[tuple[str, Channel], ...] = ()
    settling: tuple[str, ...] = ()
    """Keys that end their superstep by themselves."""
    vanishing: bool = False
    """Whether a superstep can leave a written key without a value (Topic)."""
    subscribers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Channel -> the nodes that a write of it makes ready."""
    consuming: frozenset[str] = frozenset()
    """Channels that change once a node that they made ready has run: of subscribers only."""
    finishing: tuple[str, ...] = ()
    """Channels that may get a value when nothing is ready."""
    hidden: frozenset[str] = frozenset()
    """The nodes that listeners are not told of, where nodes have tags: in graphs of subscribers."""
    veiled: tuple[str, ...] = ()
    """Keys whose value is not what is read of them."""
    deferred: frozenset[str] = frozenset()
    untracked: frozenset[str] = frozenset()
    all_output: bool = False
    returned: frozenset[str] = frozenset()
    """The output keys: a run that writes none of them returns None."""
    sprints: bool = False
    """Whether lone tasks can take the short way: no joins, no deferred nodes, no keys that change by themselves."""
    plain: bool = False
    """Whether every key keeps the last value."""
    fleeting: bool = False
    """Whether keys change by themselves: a run returns the state as it was when it last wrote a key of its output."""
    has_async: bool = False
    """Whether a node or router, here or in a graph that is a node, is an async function."""
    nested: bool = False
    """Whether a node is a graph."""
    straight: bool = False
    """Whether a run that nobody looks at can begin as a sprint."""

    def __post_init__(self) -> None:
        channels, nodes = self.channels, self.nodes
        self.places = dict(zip(channels, range(len(channels)), strict=True))
        self.entries = tuple((k, c) for k, c in channels.items() if c.initial() is not MISSING)
        self.settling = tuple(k for k, c in channels.items() if type(c).settle is not Channel.settle)
        self.plain = all(channel.plain for channel in channels.values())
        self.vanishing = any(isinstance(channel, Topic) for channel in channels.values())
        if not self.plain:
            self.finishing = tuple(k for k, c in channels.items() if type(c).finish is not Channel.finish)
            self.veiled = tuple(k for k, c in channels.items() if type(c).read is not Channel.read)
        self.untracked = frozenset(k for k, c in channels.items() if not c.persistent)
        self.returned = as_set(self.output_keys)
        self.all_output = not isinstance(self.output_keys, str) and self.returned >= channels.keys()
        self.has_async = self.nested = False
        subscribers: dict[str, list[str]] = {}
        deferred = []
        for name, node in nodes.items():
            self._complete(node)
            if node.defer:
                deferred.append(name)
            for key in dict.fromkeys(node.subscribes) if node.subscribes else ():
                subscribers.setdefault(key, []).append(name)
        self.deferred = frozenset(deferred)
        if subscribers:
            self._subscribe(subscribers)
        for name in {barrier.node for barrier in self.barriers.values()}:
            nodes[name].joined_by = tuple(each.key for each in self.barriers.values() if each.node == name)
        if nodes:
            nodes[self.entry].takes_input = True
        self.fleeting = bool(subscribers or self.settling or self.vanishing or self.finishing)
        self.sprints = not (self.barriers or self.deferred or self.fleeting)
        breaks = self.interrupt_before or self.interrupt_after
        self.straight = self.sprints and not (breaks or self.intake)

    def _complete(self, node: Node) -> None:
        """What the plan sets of a node: this is most of what compiling costs."""
        routers, child = node.routers, node.child
        node.alone = (node.name,)
        node.quick = not routers
        node.passes = node.body is None and node.mapper is None and not routers
        routes_async = bool(routers) and any(router.is_async for router in routers)
        if routes_async or node.is_async or (child is not None and child.has_async):
            self.has_async = True
        simple = not (
            routes_async
            or (bool(routers) and any(router.twin is not None for router in routers))
            or node.retries
            or node.timeout is not None
            or node.cache is not None
            or node.handler is not None
            or node.writer is not None
            or node.stamp is not None
        )
        self.nested = self.nested or child is not None
        node.lean = simple and child is None
        node.nests = simple and child is not None and not routers

    def _subscribe(self, found: Mapping[str, Sequence[str]]) -> None:
        self.subscribers = {key: tuple(names) for key, names in found.items()}
        kinds = {key: type(channel) for key, channel in self.channels.items()}
        self.consuming = frozenset(key for key in found if kinds[key].consume is not Channel.consume)
        self.vanishing = self.vanishing or bool(self.consuming)
        self.hidden = frozenset(name for name, node in self.nodes.items() if HIDDEN in node.metadata.get("tags", ()))

    def initial(self) -> dict[str, Any]:
        """The values before anything was written."""
        return {key: channel.initial() for key, channel in self.entries}

    def output(self, values: Mapping[str, Any], keys: Sequence[str] | str | None = None) -> Any:
        """A copy of the values that the graph returns, or of those of `keys`; the lone value of a single key."""
        if self.veiled:
            values = self.seen(values)
        if keys is None:
            if self.all_output:
                return dict(values)
            keys = self.output_keys
        if isinstance(keys, str):
            return values.get(keys)
        return {key: values[key] for key in keys if key in values}

    def whole(self, values: Mapping[str, Any]) -> Any:
        """A copy of all values, as streams and snapshots show them."""
        if self.veiled:
            return self.seen(values)
        return values.get(ROOT) if ROOT in self.channels and len(self.channels) == 1 else dict(values)

    def shown(self, values: Mapping[str, Any]) -> Any:
        """A copy of the values that snapshots show: of the functional API what was returned."""
        return self.whole(values) if self.shown_keys is None else self.output(values, self.shown_keys)

    def seen(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of what can be read of the values."""
        found = {key: self.channels[key].read(value) for key, value in values.items()}
        return {key: value for key, value in found.items() if value is not MISSING}

    def shows(self, values: Mapping[str, Any], key: str) -> bool:
        """Whether the key has a value to be read."""
        return key in values and self.channels[key].read(values[key]) is not MISSING

    def readable(self, values: Mapping[str, Any], keys: Iterable[str]) -> set[str]:
        """Those of the keys that have a value to be read."""
        return {key for key in keys if self.shows(values, key)}

    def alternatives(self, node: Node) -> tuple[str, ...]:
        """Every target that `node` may go to: static edges, routers, declared commands."""
        found = dict.fromkeys(node.successors)
        for router in node.routers:
            found.update(dict.fromkeys(router.targets))
        found.update(dict.fromkeys(node.ends))
        return tuple(found)


def as_set(keys: Sequence[str] | str) -> frozenset[str]:
    """One key or several as a set."""
    return frozenset((keys,) if isinstance(keys, str) else keys)


def targets_of(router: Router, chosen: Any) -> Sequence[Any]:
    """A router's answer as a sequence of targets, looked up in its path map."""
    answers = chosen if isinstance(chosen, (list, tuple)) else (chosen,)
    if router.path_map is None:
        return answers
    found: list[Route] = []
    for answer in answers:
        if hasattr(answer, "node") and hasattr(answer, "arg"):
            found.append(answer)
        else:
            found.append(router.path_map[answer])
    return found


__all__ = ["START", "Barrier", "Node", "Plan", "Router", "as_set", "targets_of"]
