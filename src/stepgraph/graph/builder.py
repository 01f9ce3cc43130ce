"""StateGraph: nodes and edges over a typed state, collected and checked, then compiled into a plan."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints
from warnings import warn

from stepgraph.core import registry
from stepgraph.core.channels import Channel, LastValue, NamedBarrierValue
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10
from stepgraph.core.errors import sync_timeout_unsupported
from stepgraph.core.plan import Barrier, Node, Plan, Router
from stepgraph.core.policies import RetryPolicy, as_retries
from stepgraph.core.types import END, ROOT, START, Command, Send
from stepgraph.graph.actions import action_of, is_async, is_runnable, name_of
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.patched import overrides
from stepgraph.graph.policies import cache_namespace, limits_of, renamed
from stepgraph.graph.stamping import stamp_of
from stepgraph.schema.channels import Managers, channels_of, is_keyed, mapper_of

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import CachePolicy, TimeoutPolicy, TracePolicy

logger = logging.getLogger("stepgraph")
RESERVED = ("|", ":")
DEFAULT_HANDLER = "__default_error_handler__"
Action = Callable[..., Any]


class Policies(NamedTuple):
    """A node's policies as they were given; also the defaults of all nodes."""

    retry: tuple[RetryPolicy, ...] | None = None
    handler: Any = None
    """The name of the handler's node; of the defaults the action itself."""
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None


@dataclass(slots=True)
class NodeSpec:
    """A node as it was added."""

    action: Any
    how: Any
    """How to call it; None for a compiled graph."""
    input_schema: Any
    defer: bool = False
    inline: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ends: tuple[str, ...] = ()
    end_labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    is_handler: bool = False
    trace_policy: Any = None
    _bound: Any = None

    @property
    def runnable(self) -> Any:
        """What was added, as a Runnable: LangGraph's name. Functions need langchain-core for it.

        What is put in its place, or in place of its `func`, is what graphs compiled from then on call.
        """
        if hasattr(self.action, "ainvoke"):
            return self.action
        if self._bound is None:
            self._bound = registry.adapters.load("bound")(self.action, self)
        return self._bound

    @runnable.setter
    def runnable(self, made: Any) -> None:
        self.action, self._bound = made, None
        self.how = _how("the node", made)

    def call(self, made: Any) -> None:
        """Call this, which takes what the node takes."""
        self.how = action_of(made, "The node")._replace(inject=self.how.inject)

    @property
    def retry_policy(self) -> Any:
        """LangGraph's name for its policy of retries, or all of them."""
        retries = self.policies.retry
        return retries[0] if retries is not None and len(retries) == 1 else retries

    @property
    def cache_policy(self) -> Any:
        """LangGraph's name for its policy of caching."""
        return self.policies.cache

    @property
    def timeout(self) -> Any:
        """LangGraph's name for its policy of time."""
        return self.policies.timeout

    @property
    def is_error_handler(self) -> bool:
        """LangGraph's name for whether it takes over from others."""
        return self.is_handler


class Input(NamedTuple):
    """What nodes of one input schema read: keys (None for all of the state's), managed values, and its constructor."""

    keys: tuple[str, ...] | None
    managed: tuple[tuple[str, Any], ...]
    mapper: Callable[[Any], Any] | None


@dataclass(slots=True)
class BranchSpec:
    """A conditional edge as it was added."""

    path: Any
    how: Any
    path_map: dict[Hashable, str] | None
    input_schema: Any

    @property
    def ends(self) -> dict[Hashable, str] | None:
        """LangGraph's name for the nodes that it may choose."""
        return self.path_map


def warn_of_no_schema(schema: Any) -> None:
    """Warn of what is neither a type nor `Annotated[type, reducer]`."""
    if not isinstance(schema, type) and not get_args(schema):
        warn(f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer].", UserWarning, stacklevel=4)


class StateGraph:
    """A graph whose nodes read one typed state and return updates of it.

    `state_schema` is a TypedDict, dataclass or Pydantic model; `Annotated[T, reducer]` gives a key a reducer
    `(value, update) -> value`, other keys keep the last value. Build with `add_node` and edges, then `compile()`.
    """

    __class_getitem__: Any = classmethod(GenericAlias)
    """Annotations may name the types of state, context, input and output: `StateGraph[State, Context]`."""

    def __init__(
        self,
        state_schema: Any,
        context_schema: Any = None,
        *,
        input_schema: Any = None,
        output_schema: Any = None,
        **deprecated: Any,
    ) -> None:
        if deprecated:
            old = renamed("StateGraph", deprecated, _OLD_SCHEMAS)
            context_schema = old.get("context_schema") if context_schema is None else context_schema
            input_schema = old.get("input_schema") if input_schema is None else input_schema
            output_schema = old.get("output_schema") if output_schema is None else output_schema
        self.state_schema = state_schema
        self.context_schema = context_schema
        self.input_schema = input_schema or state_schema
        self.output_schema = output_schema or state_schema
        self.nodes: dict[str, NodeSpec] = {}
        self.edges: set[tuple[str, str]] = set()
        self.waiting_edges: set[tuple[tuple[str, ...], str]] = set()
        self.branches: dict[str, dict[str, BranchSpec]] = {}
        self.channels: dict[str, Channel] = {}
        self.managed: Managers = {}
        self.schemas: dict[Any, tuple[str, ...]] = {}
        self.compiled = False
        self.defaults = Policies()
        self._add_schema(state_schema)
        self._add_schema(self.input_schema, managed=False)
        self._add_schema(self.output_schema, managed=False)

    def _add_schema(self, schema: Any, *, managed: bool = True) -> None:
        """Merge a schema's keys into the channels."""
        if schema in self.schemas:
            return
        warn_of_no_schema(schema)
        channels, managers = channels_of(schema)
        if managers and not managed:
            names = ", ".join(sorted(managers))
            raise ValueError(
                f"Invalid managed channels detected in {getattr(schema, '__name__', schema)}: {names}. "
                "Managed channels are not permitted in Input/Output schema."
            )
        self.schemas[schema] = (*channels, *managers)
        for key, channel in channels.items():
            known = self.channels.get(key)
            if known is None:
                self.channels[key] = channel
            elif known != channel and type(channel) is not LastValue:
                raise ValueError(f"Channel '{key}' already exists with a different type: {known!r}, {channel!r}")
        self.managed.update(managers)

    def add_node(
        self,
        node: str | Action,
        action: Any = None,
        *,
        defer: bool = False,
        metadata: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Action | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
        trace_policy: TracePolicy | None = None,
        inline: bool = False,
        **deprecated: Any,
    ) -> Self:
        """Add a node; returns the graph.

        `add_node(function)` takes the name from the function. The function gets the state (or `input_schema`, else
        the type that its first parameter is annotated with) and returns a dict of updates, a Command or None. A
        compiled graph as action becomes a subgraph. `defer` runs it only when nothing else is ready.
        `destinations` names what its Commands may go to, for drawings. `retry_policy` says when the node runs again
        after an error, `timeout` how long each attempt of an async node may take, `cache_policy` whether the graph's
        cache keeps its result; `error_handler(state, error: NodeError)` runs in its place when it has failed for good.
        `trace_policy` says what tracers record of it.
        `inline` declares a sync node short enough to run on the event loop's thread. Raises ValueError for names that
        exist or are reserved.
        """
        if deprecated:
            old = renamed("add_node", deprecated, _OLD_SETTINGS)
            retry_policy = old.get("retry_policy") if retry_policy is None else retry_policy
            input_schema = old.get("input_schema") if input_schema is None else input_schema
        if not isinstance(node, str):
            action, node = node, name_of(node)
        elif action is None:
            raise RuntimeError(f"Node {node!r} needs an action: add_node({node!r}, function).")
        node = _plain(node)
        self._check_name(node)
        how = _how(node, action)
        hinted_input, ends = _hints(action)
        labels: Mapping[str, str] = {}
        if destinations is not None:
            labels = destinations if isinstance(destinations, Mapping) else {}
            ends = tuple(destinations)
        schema = input_schema or hinted_input or self.state_schema
        handler = None
        if error_handler is not None:
            handler = f"__error_handler__{node}"
            self._add_handler(handler, error_handler, schema)
        policies = Policies(
            None if retry_policy is None else as_retries(retry_policy), handler, limits_of(timeout), cache_policy
        )
        self.nodes[node] = NodeSpec(action, how, schema, defer, inline, dict(metadata or {}), ends, labels, policies)
        self.nodes[node].trace_policy = trace_policy
        self._add_schema(schema)
        if self.compiled:
            logger.warning(
                "Adding a node to a graph that has already been compiled. "
                "This will not be reflected in the compiled graph."
            )
        return self

    def _add_handler(self, name: str, action: Action, schema: Any) -> None:
        if name in self.nodes:
            raise ValueError(f"Auto-generated error handler node `{name}` already exists.")
        ends = _hints(action)[1]
        self.nodes[name] = NodeSpec(action, _how(name, action), schema, ends=ends, is_handler=True)

    def set_node_defaults(
        self,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Action | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> Self:
        """Policies of every node that has none of its own, whenever it was added; returns the graph.

        Error handlers get the retry policy and the timeout too, but no cache and no handler. Subgraphs keep their own
        defaults. A second call changes only what it names.
        """
        given: dict[str, Any] = {
            "retry": None if retry_policy is None else as_retries(retry_policy),
            "handler": error_handler,
            "timeout": limits_of(timeout),
            "cache": cache_policy,
        }
        self.defaults = self.defaults._replace(**{key: value for key, value in given.items() if value is not None})
        return self

    def _check_name(self, name: str) -> None:
        if name in self.nodes:
            raise ValueError(f"Node `{name}` already present.")
        if name in (START, END):
            raise ValueError(f"Node `{name}` is reserved.")
        for character in RESERVED:
            if character in name:
                raise ValueError(f"'{character}' is a reserved character and is not allowed in the node names.")

    def add_edge(self, start_key: str | list[str], end_key: str) -> Self:
        """Run `end_key` after `start_key`. With a list, after *all* of its nodes have run (AND-join)."""
        self._warn_compiled("edge")
        end_key = _plain(end_key)
        if isinstance(start_key, str):
            start_key = _plain(start_key)
            if start_key == END:
                raise ValueError("END cannot be a start node")
            if end_key == START:
                raise ValueError("START cannot be an end node")
            self.edges.add((start_key, end_key))
            return self
        given: Any = start_key
        for start in given if isinstance(given, Iterable) else [_plain(given)]:
            if start == END:
                raise ValueError("END cannot be a start node")
            if start not in self.nodes:
                raise ValueError(f"Need to add_node `{start}` first")
        if end_key == START:
            raise ValueError("START cannot be an end node")
        if end_key != END and end_key not in self.nodes:
            raise ValueError(f"Need to add_node `{end_key}` first")
        self.waiting_edges.add((tuple(_plain(start) for start in start_key), end_key))
        return self

    def add_conditional_edges(
        self, source: str, path: Any, path_map: Mapping[Hashable, str] | Sequence[str] | None = None
    ) -> Self:
        """After `source`, run what `path(state)` returns: a node's name, a Send, or a list of them.

        `path` sees the state with the node's own update applied. `path_map` maps its answers to nodes; without
        it, a `Literal` return annotation tells drawings what it may return.
        """
        self._warn_compiled("edge")
        how = action_of(path, f"The path of conditional edges from {source!r}")
        name = getattr(path, "name" if is_runnable(path) else "__name__", None) or "condition"
        if name == "<lambda>":
            name = "condition"
        branches = self.branches.setdefault(_plain(source), {})
        if name in branches:
            raise ValueError(f"Branch with name `{name}` already exists for node `{source}`")
        branches[name] = BranchSpec(path, how, _path_map(path, path_map), _first_parameter(path))
        schema = branches[name].input_schema
        if schema is not None:
            self._add_schema(schema)
        return self

    def add_sequence(self, nodes: Sequence[Action | tuple[str, Action]]) -> Self:
        """Add nodes that run one after the other, as functions or (name, function)."""
        if not nodes:
            raise ValueError("Sequence requires at least one node.")
        previous: str | None = None
        for node in nodes:
            name, action = node if isinstance(node, tuple) else (name_of(node), node)
            if name in self.nodes:
                raise ValueError(
                    f"Node names must be unique: node with the name '{name}' already exists. "
                    "If you need to use two different runnables/callables with the same name, "
                    "please provide them as tuples (name, action)."
                )
            self.add_node(name, action)
            if previous is not None:
                self.add_edge(previous, name)
            previous = name
        return self

    def set_entry_point(self, key: str) -> Self:
        """The same as `add_edge(START, key)`."""
        return self.add_edge(START, key)

    def set_conditional_entry_point(self, path: Any, path_map: Any = None) -> Self:
        """The same as `add_conditional_edges(START, path, path_map)`."""
        return self.add_conditional_edges(START, path, path_map)

    def set_finish_point(self, key: str) -> Self:
        """The same as `add_edge(key, END)`."""
        return self.add_edge(key, END)

    def _warn_compiled(self, what: str) -> None:
        if self.compiled:
            logger.warning(
                "Adding an %s to a graph that has already been compiled. "
                "This will not be reflected in the compiled graph.",
                what,
            )

    @property
    def _all_edges(self) -> set[tuple[str, str]]:
        """LangGraph's name for the static edges, those of joins among them."""
        return self.edges | {(start, end) for starts, end in self.waiting_edges for start in starts}

    def validate(self, interrupt: Sequence[str] | None = None) -> Self:
        """Check that every edge starts and ends at a known node. Raises ValueError."""
        sources = {start for start, _ in self.edges} | {s for starts, _ in self.waiting_edges for s in starts}
        sources.update(self.branches)
        if unknown := sources.difference(self.nodes, (START,)):
            raise ValueError(f"Found edge starting at unknown node '{min(unknown)}'{self._meant(min(unknown))}")
        if START not in sources:
            raise ValueError("Graph must have an entrypoint: add at least one edge from START to another node")
        for start, branches in self.branches.items():
            for name, branch in branches.items():
                for target in (branch.path_map or {}).values():
                    if target not in self.nodes and target != END:
                        raise ValueError(
                            f"At '{start}' node, '{name}' branch found unknown target '{target}'{self._meant(target)}"
                        )
        targets = {end for _, end in self.edges} | {end for _, end in self.waiting_edges}
        if unknown := targets.difference(self.nodes, (END,)):
            raise ValueError(f"Found edge ending at unknown node `{min(unknown)}`{self._meant(min(unknown))}")
        for name in interrupt or ():
            if name not in self.nodes:
                raise ValueError(f"Interrupt node `{name}` not found{self._meant(name)}")
        self.compiled = True
        return self

    def _meant(self, name: object) -> str:
        """How to mend an unknown name, for the end of a message."""
        from difflib import get_close_matches

        close = get_close_matches(str(name), list(self.nodes), n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"{hint}. Nodes: {', '.join(self.nodes) or 'none yet'}; add it with add_node, or correct the name."

    def compile(
        self,
        checkpointer: Any = None,
        *,
        cache: Any = None,
        store: Any = None,
        interrupt_before: Sequence[str] | Literal["*"] | None = None,
        interrupt_after: Sequence[str] | Literal["*"] | None = None,
        debug: bool = False,
        renamed: Mapping[str, str] | None = None,
        transformers: Sequence[Any] = (),
        name: str | None = None,
        inline: bool = False,
    ) -> CompiledStateGraph:
        """Check the graph and make it runnable.

        `checkpointer` is an object of `stepgraph.persist`, a URL such as `"sqlite:///runs.db"`, True (a subgraph with
        a history of its own), False (a subgraph without) or None. `cache` (`stepgraph.cache`) keeps the results of
        nodes with a cache policy. `interrupt_before` and `interrupt_after` name nodes, or are "*". `debug` prints
        updates and values of every run. `renamed` maps the names that nodes had in older threads to those that they
        have now. `transformers` are StreamTransformers of every v3 stream. `inline` declares all sync nodes short.
        Raises ValueError, and TypeError for a bad checkpointer.
        """
        before = _listed(interrupt_before)
        after = _listed(interrupt_after)
        self.validate([*(before - {"*"}), *(after - {"*"})])
        plan = self._plan(name or "LangGraph", before, after, inline)
        plan.renamed = dict(renamed or {})
        for old, new in plan.renamed.items():
            if new not in self.nodes:
                raise ValueError(f"renamed={{{old!r}: {new!r}}}: the graph has no node {new!r}.")
        return CompiledStateGraph(
            self, plan, checkpointer=checkpointer, store=store, cache=cache, debug=debug,
            context_schema=self.context_schema, transformers=transformers or (),
        )  # fmt: skip

    def _plan(self, name: str, before: frozenset[str], after: frozenset[str], inline: bool) -> Plan:
        barriers = {
            barrier.key: barrier
            for sources, target in sorted(self.waiting_edges)
            if target != END
            for barrier in (_barrier(sources, target),)
        }
        nodes = {START: self._start_node()}
        inputs: dict[Any, Input] = {}
        writes = frozenset(self.channels)
        for key, spec in self._specs().items():
            read = inputs.get(spec.input_schema)
            if read is None:
                read = Input(*self._reads(spec.input_schema), mapper_of(spec.input_schema))
                inputs[spec.input_schema] = read
            nodes[key] = self._node(key, spec, inline, read, writes)
        self._connect(nodes)
        for barrier in barriers.values():
            for source in barrier.sources:
                nodes[source].joins += (barrier.key,)
        for key, branches in self.branches.items():
            nodes[key].routers = tuple(self._router(key, name, branch) for name, branch in branches.items())
        stamp = stamp_of(self.channels)
        if stamp is not None:
            for node in nodes.values():
                node.stamp = stamp
        keys = tuple(self.channels)
        outputs = tuple(key for key in self.schemas[self.output_schema] if key in self.channels)
        return Plan(
            name=name,
            channels=self.channels,
            nodes=nodes,
            barriers=barriers,
            input_keys=tuple(key for key in self.schemas[self.input_schema] if key in self.channels),
            output_keys=ROOT if outputs == (ROOT,) else outputs,
            state_keys=keys,
            interrupt_before=before,
            interrupt_after=after,
            schemas=tuple(self.schemas) if self.context_schema is None else (*self.schemas, self.context_schema),
        )

    def _connect(self, nodes: Mapping[str, Node]) -> None:
        """Tell nodes where their edges end."""
        several: dict[str, list[str]] = {}
        for start, end in self.edges:
            node = nodes[start]
            if end == END:
                node.to_end = True
            elif not node.successors:
                node.successors = (end,)
            else:
                several.setdefault(start, [*node.successors]).append(end)
        for name, ends in several.items():
            nodes[name].successors = tuple(sorted(ends))

    def _specs(self) -> dict[str, NodeSpec]:
        """The nodes with the graph's defaults for what they don't say themselves, and the default error handler."""
        defaults, handler = self.defaults, None
        specs = dict(self.nodes)
        if defaults.handler is not None:
            handler = DEFAULT_HANDLER
            if handler in specs:
                raise ValueError(f"Auto-generated default error handler node `{handler}` already exists.")
            how = _how(handler, defaults.handler)
            specs[handler] = NodeSpec(defaults.handler, how, self.state_schema, is_handler=True)
        if defaults == Policies():
            return specs
        return {
            name: replace(
                spec,
                policies=Policies(
                    defaults.retry if spec.policies.retry is None else spec.policies.retry,
                    None if spec.is_handler else spec.policies.handler or handler,
                    spec.policies.timeout or defaults.timeout,
                    None if spec.is_handler else spec.policies.cache or defaults.cache,
                ),
            )
            for name, spec in specs.items()
        }

    def _start_node(self) -> Node:
        keys = frozenset(key for key in self.schemas[self.input_schema] if key in self.channels)
        return Node(START, None, reads=(), writes=keys)

    def _node(self, name: str, spec: NodeSpec, inline: bool, input: Input, writes: frozenset[str]) -> Node:
        how, policies = spec.how, spec.policies
        # Set one by one: passing two dozen keywords takes three times as long, which compiling large graphs shows.
        if how is None:
            graph = spec.action
            node = Node(name, graph.invoke, metadata=spec.metadata, end_labels=spec.end_labels)
            node.child, node.child_checkpointer = graph.plan, getattr(graph, "saver", None)
        else:
            node = Node(name, how.body, how.is_async, how.twin, metadata=spec.metadata, end_labels=spec.end_labels)
            node.inject = how.inject
        node.inline = inline or spec.inline
        node.reads = input.keys
        node.managed = input.managed
        if not spec.is_handler:
            node.mapper = input.mapper
        node.writes = writes
        node.defer = spec.defer
        node.ends = spec.ends
        node.trace_policy = spec.trace_policy
        node.source = spec.action
        node.handler = policies.handler
        if policies.retry:
            node.retries = policies.retry
        if policies.timeout is not None:
            if how is not None and not (how.is_async or how.twin):
                raise sync_timeout_unsupported(name)
            node.timeout = policies.timeout
        if policies.cache is not None:
            node.cache, node.cache_ns = policies.cache, cache_namespace(spec.action, name)
        return node

    def _reads(self, schema: Any) -> tuple[tuple[str, ...] | None, tuple[tuple[str, Any], ...]]:
        """The keys that a schema's reader sees (None for all of the state's), and its managed values."""
        names = self.schemas[schema]
        managed = tuple((key, self.managed[key]) for key in names if key in self.managed)
        keys = tuple(key for key in names if key in self.channels)
        if not managed and set(keys) == set(self.channels) and keys != (ROOT,):
            return None, ()
        return keys, managed

    def _router(self, source: str, name: str, branch: BranchSpec) -> Router:
        schema = branch.input_schema
        if schema is None:
            schema = self.state_schema if source == START else self.nodes[source].input_schema
        keys, managed = self._reads(schema)
        known = branch.path_map
        targets = tuple(dict.fromkeys(known.values())) if known is not None else (*self.nodes, END)
        how = branch.how
        return Router(
            name,
            how.body,
            path_map=known,
            is_async=how.is_async,
            twin=how.twin,
            reads=keys if keys is not None else tuple(self.channels),
            all_keys=keys is None,
            sees_more=branch.input_schema is None,
            managed=managed,
            mapper=mapper_of(schema),
            inject=how.inject,
            targets=targets,
            labels={target: str(key) for key, target in (known or {}).items() if key != target},
        )


_OLD_SCHEMAS: dict[str, tuple[str, type[Warning]]] = {
    "config_schema": ("context_schema", LangGraphDeprecatedSinceV10),
    "input": ("input_schema", LangGraphDeprecatedSinceV05),
    "output": ("output_schema", LangGraphDeprecatedSinceV05),
}
_OLD_SETTINGS: dict[str, tuple[str, type[Warning]]] = {
    "input": ("input_schema", LangGraphDeprecatedSinceV05),
    "retry": ("retry_policy", LangGraphDeprecatedSinceV05),
}


def _barrier(sources: Sequence[str], target: str) -> Barrier:
    key = f"join:{'+'.join(sources)}:{target}"
    return Barrier(key, NamedBarrierValue(str, names=sources, key=key), target, tuple(dict.fromkeys(sources)))


def _listed(nodes: Sequence[str] | str | None) -> frozenset[str]:
    if nodes is None:
        return frozenset()
    return frozenset((nodes,) if isinstance(nodes, str) else nodes)


def _plain(name: str) -> str:
    """The name as a plain string: names may be given as members of an enum. Raises TypeError for what is no name."""
    if not isinstance(name, str):
        raise TypeError(
            f"{name!r} can't name a node: it is of type {type(name).__name__}. Give the text under which `add_node` "
            "added the node, START or END."
        )
    return str.__str__(name)


def _how(name: str, action: Any) -> Any:
    """How to call a node's action; None for a compiled graph. Raises TypeError."""
    return None if hasattr(action, "plan") and not overrides(action) else action_of(action, f"Node {name!r}")


def _hints(action: Any) -> tuple[Any, tuple[str, ...]]:
    """The schema that a node's first parameter is annotated with, and the targets of a `Command` return hint."""
    function = action if inspect.isroutine(action) else type(action).__call__
    try:
        hints = get_type_hints(function)
        parameters = list(inspect.signature(action).parameters)
    except (TypeError, ValueError, NameError, AttributeError):  # hints that can't be resolved are no hints
        return None, ()
    schema = hints.get(parameters[0]) if parameters else None
    usable = schema if isinstance(schema, type) and is_keyed(schema) else None
    return usable, _command_targets(hints.get("return"))


def _command_targets(hint: Any) -> tuple[str, ...]:
    if hint is None:
        return ()
    if get_origin(hint) is Command:
        (inner, *_) = get_args(hint) or (None,)
        return tuple(str(each) for each in get_args(inner)) if get_origin(inner) is Literal else ()
    return tuple(target for each in get_args(hint) for target in _command_targets(each))


def _first_parameter(path: Any) -> Any:
    return _hints(path)[0]


def _path_map(path: Any, given: Mapping[Hashable, str] | Sequence[str] | None) -> dict[Hashable, str] | None:
    if isinstance(given, Mapping):
        return dict(given)
    if given is not None:
        return {each: each for each in given}
    function = path if inspect.isroutine(path) else type(path).__call__
    try:
        hint = get_type_hints(function).get("return")
    except (TypeError, NameError):
        return None
    if get_origin(hint) is Literal:
        return {each: each for each in get_args(hint)}
    return None


__all__ = ["END", "START", "Send", "StateGraph", "is_async"]
