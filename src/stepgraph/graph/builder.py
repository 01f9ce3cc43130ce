"""StateGraph: nodes and edges over a typed state, collected and checked, then compiled into a plan."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Literal, Self

from stepgraph.core.channels import Channel, LastValue
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10
from stepgraph.core.policies import RetryPolicy, as_retries, taken_retries
from stepgraph.core.types import END, START, Send
from stepgraph.graph.actions import action_of, is_async, is_runnable, name_of
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.hints import hints_of, warn_of_no_schema
from stepgraph.graph.planning import plan_of
from stepgraph.graph.policies import fitting, limits_of, renamed
from stepgraph.graph.reserved import check_free
from stepgraph.graph.specs import BranchSpec, Policies, StateNodeSpec, handler_spec, how_of
from stepgraph.schema.channels import Managers, channels_of

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import CachePolicy, TimeoutPolicy, TracePolicy

logger = logging.getLogger("stepgraph")
RESERVED = ("|", ":")
Action = Callable[..., Any]


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
        self.nodes: dict[str, StateNodeSpec] = {}
        self.edges: set[tuple[str, str]] = set()
        self.waiting_edges: set[tuple[tuple[str, ...], str]] = set()
        self.branches: dict[str, dict[str, BranchSpec]] = defaultdict(dict)
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
        if isinstance(schema, Mapping):
            raise TypeError(
                f"A schema is a class, and not {schema!r}: write a TypedDict, a dataclass or a Pydantic model "
                "with these keys."
            )
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
        for key, manager in managers.items():
            if self.managed.setdefault(key, manager) != manager:
                raise ValueError(f"Managed value '{key}' already exists with a different type")

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
        if node is None:
            raise RuntimeError("A node needs a name and an action: add_node('plan', function), or add_node(function).")
        if not isinstance(node, str):
            action, node = node, name_of(node)
        elif action is None:
            raise RuntimeError(f"Node {node!r} needs an action: add_node({node!r}, function).")
        node = _plain(node)
        self._check_name(node)
        how = how_of(node, action)
        hinted_input, ends = hints_of(action)
        schema = input_schema or hinted_input or self.state_schema
        handler = None
        if error_handler is not None:
            handler = f"__error_handler__{node}"
            self._add_handler(handler, error_handler, schema)
        retry_policy = taken_retries(retry_policy)
        fitting("cache_policy", cache_policy, "key_func")
        fitting("trace_policy", trace_policy, "process_inputs")
        spec = self.nodes[node] = StateNodeSpec(
            action, metadata, schema, retry_policy, cache_policy, False, handler,
            ends if destinations is None else destinations, defer, limits_of(timeout), trace_policy,
        )  # fmt: skip
        spec.name, spec.how, spec.inline = node, how, inline
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
        ends = hints_of(action)[1]
        self.nodes[name] = handler_spec(name, action, schema, ends)

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
            "cache": fitting("cache_policy", cache_policy, "key_func"),
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
        branches = self.branches[_plain(source)]
        if name in branches:
            raise ValueError(f"Branch with name `{name}` already exists for node `{source}`")
        branches[name] = BranchSpec.from_path(path, path_map, True)
        branches[name].how = how
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
            name, action = node if isinstance(node, tuple) and len(node) == 2 else (_written(node), node)
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
                for target in (branch.ends or {}).values():
                    if target not in self.nodes and target != END:
                        raise ValueError(
                            f"At '{start}' node, '{name}' branch found unknown target '{target}'{self._meant(target)}"
                        )
        targets = {end for _, end in self.edges} | {end for _, end in self.waiting_edges}
        targets.update(*(node.ends or () for node in self.nodes.values()))
        if unknown := targets.difference(self.nodes, (END,)):
            raise ValueError(f"Found edge ending at unknown node `{min(unknown)}`{self._meant(min(unknown))}")
        check_free("Channel", self.channels)
        check_free("Node", self.nodes)
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
        transformers: Sequence[Any] | None = None,
        name: str | None = None,
        inline: bool = False,
    ) -> CompiledStateGraph:
        """Check the graph and make it runnable.

        `checkpointer` is an object of `stepgraph.persist`, a URL such as `"sqlite:///runs.db"`, True (a subgraph with
        a history of its own), False (a subgraph without) or None. `store` (`stepgraph.store`, or a URL) is what nodes
        remember things in. `cache` (`stepgraph.cache`) keeps the results of
        nodes with a cache policy. `interrupt_before` and `interrupt_after` name nodes, or are "*". `debug` prints
        updates and values of every run. `renamed` maps the names that nodes had in older threads to those that they
        have now. `transformers` are StreamTransformers of every v3 stream. `inline` declares all sync nodes short.
        Raises ValueError, and TypeError for a bad checkpointer.
        """
        before = _listed(interrupt_before)
        after = _listed(interrupt_after)
        self.validate([*(() if interrupt_before == "*" else before), *(() if interrupt_after == "*" else after)])
        plan = plan_of(self, name or "LangGraph", before, after, inline)
        if not isinstance(renamed or {}, Mapping):
            raise TypeError(
                f"compile(renamed={renamed!r}): give a dict of the names that nodes had in older threads to those that "
                'they have now, such as {"old": "new"}.'
            )
        plan.renamed = dict(renamed or {})
        for old, new in plan.renamed.items():
            if new not in self.nodes:
                raise ValueError(f"renamed={{{old!r}: {new!r}}}: the graph has no node {new!r}.")
        return CompiledStateGraph(
            self, plan, checkpointer=checkpointer, store=store, cache=cache, debug=debug,
            context_schema=self.context_schema, transformers=transformers or (),
        )  # fmt: skip


_OLD_SCHEMAS: dict[str, tuple[str, type[Warning]]] = {
    "config_schema": ("context_schema", LangGraphDeprecatedSinceV10),
    "input": ("input_schema", LangGraphDeprecatedSinceV05),
    "output": ("output_schema", LangGraphDeprecatedSinceV05),
}
_OLD_SETTINGS: dict[str, tuple[str, type[Warning]]] = {
    "input": ("input_schema", LangGraphDeprecatedSinceV05),
    "retry": ("retry_policy", LangGraphDeprecatedSinceV05),
}


def _listed(nodes: Sequence[str] | str | None) -> frozenset[str]:
    if nodes is None:
        return frozenset()
    if not isinstance(nodes, Iterable):
        raise TypeError(f'Interrupts before or after nodes are a list of their names or "*", not {nodes!r}.')
    return frozenset((nodes,) if isinstance(nodes, str) else nodes)


def _written(action: Any) -> str:
    """The name under which an action was written, whatever it calls itself."""
    return getattr(action, "__name__", None) or type(action).__name__


def _plain(name: str) -> str:
    """The name as a plain string: names may be given as members of an enum. Raises TypeError for what is no name."""
    if not isinstance(name, str):
        raise TypeError(
            f"{name!r} can't name a node: it is of type {type(name).__name__}. Give the text under which `add_node` "
            "added the node, START or END."
        )
    return str.__str__(name)


__all__ = ["END", "START", "Send", "StateGraph", "is_async"]
