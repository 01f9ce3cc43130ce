"""Pregel: graphs made of channels and nodes that subscribe to them, below the level of a typed state."""

from __future__ import annotations

import logging
from abc import ABCMeta
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from stepgraph.core import registry
from stepgraph.core.channels import Channel
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.core.plan import Node, Plan
from stepgraph.core.policies import RetryPolicy, as_retries
from stepgraph.core.types import START, Writes
from stepgraph.graph.compiled import CompiledStateGraph, graph_class
from stepgraph.graph.node_builder import NodeBuilder
from stepgraph.graph.patched import SHARED, replace, restore
from stepgraph.graph.policies import renamed
from stepgraph.graph.pregel_node import ChannelWriteEntry, ChannelWriteTupleEntry, PregelNode, listed, node_of
from stepgraph.graph.reserved import check_free
from stepgraph.graph.stamping import stamp_of
from stepgraph.schema.managed import computing, is_managed

if TYPE_CHECKING:
    from stepgraph.core.limits import CachePolicy

logger = logging.getLogger("stepgraph")


class _Kind(ABCMeta):
    """Every runnable graph counts as a Pregel, as LangGraph's do, and has the methods that are assigned to Pregel."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (_is_all(cls) and isinstance(instance, CompiledStateGraph))

    def __subclasscheck__(cls, subclass: type) -> bool:
        return super().__subclasscheck__(subclass) or (_is_all(cls) and issubclass(subclass, CompiledStateGraph))

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in SHARED and _is_all(cls):
            replace(graph_class(), name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        if name in SHARED and _is_all(cls):
            restore(graph_class(), name)
        else:
            super().__delattr__(name)


class Pregel(CompiledStateGraph, metaclass=_Kind):
    """A graph of nodes over channels: a node runs in the superstep after one of the channels was written that it
    subscribes to.

    `input_channels` and `output_channels` are one name, for a bare value, or several ones, for a dict. A call returns
    the output as it was when one of its channels was last written, None if none was. `stream_channels` are what
    streams show, all channels if left out. The other arguments are those of `StateGraph.compile`; `retry_policy` and
    `cache_policy` are for nodes that have none; `node_error_handler_map` names the node that takes over when one has
    failed. Raises ValueError for unknown channels, nodes and reserved names.
    """

    stream_mode = "values"

    def __new__(cls, *_: Any, **__: Any) -> Self:
        made: Self = object.__new__(_combined(graph_class()) if cls is Pregel else cls)
        return made

    def __init__(
        self,
        *,
        nodes: Mapping[str, PregelNode | NodeBuilder],
        channels: Mapping[str, Any] | None,
        input_channels: str | Sequence[str],
        output_channels: str | Sequence[str],
        auto_validate: bool = True,
        stream_mode: str = "values",
        stream_eager: bool = False,
        stream_channels: str | Sequence[str] | None = None,
        interrupt_after_nodes: str | Sequence[str] = (),
        interrupt_before_nodes: str | Sequence[str] = (),
        step_timeout: float | None = None,
        debug: bool | None = None,
        checkpointer: Any = None,
        store: Any = None,
        cache: Any = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] = (),
        cache_policy: CachePolicy | None = None,
        context_schema: Any = None,
        config: Mapping[str, Any] | None = None,
        trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
        node_error_handler_map: Mapping[str, str] | None = None,
        name: str = "LangGraph",
        stream_transformers: Sequence[Any] | None = None,
        **deprecated: Any,
    ) -> None:
        if deprecated:
            context_schema = renamed("Pregel", deprecated, _OLD_NAMES).get("context_schema", context_schema)
        self._nodes = {key: each.build() if isinstance(each, NodeBuilder) else each for key, each in nodes.items()}
        self._given = dict(channels or {})
        self._input, self._output = input_channels, output_channels
        self._shown = stream_channels
        self._before, self._after = interrupt_before_nodes, interrupt_after_nodes
        self.stream_eager = stream_eager  # chunks are handed out as they come in any case
        self.retry_policy = as_retries(retry_policy)
        self.cache_policy = cache_policy
        self.node_error_handler_map = node_error_handler_map or {}
        self.validate()
        managed = {key: computing(each) for key, each in self._given.items() if is_managed(each)}
        rules = {key: _rule(each, key) for key, each in self._given.items() if key not in managed}
        made = {
            key: node_of(key, each, rules, managed, self.retry_policy, cache_policy)
            for key, each in self._nodes.items()
        }
        first = Node(START, None, reads=(), ends=_targets(made, listed(input_channels)))
        for key, each in self._nodes.items():
            made[key].ends = _targets(made, _written(each))
        stamp = stamp_of(rules)
        for key, handler in self.node_error_handler_map.items():
            made[key].handler = handler
        for node in (first, *made.values()):
            node.stamp = stamp
        plan = Plan(
            name=name,
            channels=rules,
            nodes={START: first, **made},
            input_keys=input_channels if isinstance(input_channels, str) else tuple(input_channels),
            output_keys=output_channels if isinstance(output_channels, str) else tuple(output_channels),
            state_keys=tuple(rules),
            shown_keys=stream_channels
            if stream_channels is None or isinstance(stream_channels, str)
            else tuple(stream_channels),
            interrupt_before=frozenset(listed(interrupt_before_nodes)),
            interrupt_after=frozenset(listed(interrupt_after_nodes)),
            intake=lambda given: _intake(input_channels, given, stamp),
        )
        super().__init__(
            None, plan, checkpointer=checkpointer, store=store, cache=cache, debug=bool(debug),
            context_schema=context_schema, transformers=stream_transformers or (),
        )  # fmt: skip
        self.stream_mode = stream_mode
        self.step_timeout = step_timeout
        self.config = dict(config or {})

    def validate(self) -> Self:
        """Check that names are known and free. Raises ValueError, and TypeError for what is no node."""
        known, shown = self._given, repr(sorted(self._given))[:100]
        check_free("Channel", known, also=START)
        check_free("Node", self._nodes, also=START)
        for name, node in self._nodes.items():
            if not isinstance(node, PregelNode):
                raise TypeError(f"Invalid node type {type(node)}, expected PregelNode or NodeBuilder")
            for key in listed(node.channels):
                if key not in known:
                    raise ValueError(f"Node {name} reads channel '{key}' not in known channels: '{shown}'")
        channels = {key for key, each in known.items() if not is_managed(each)}
        subscribed = {key for node in self._nodes.values() for key in node.triggers}
        for key in sorted(subscribed - channels):
            raise ValueError(f"Subscribed channel '{key}' not in known channels: '{shown}'")
        for key in listed(self._input):
            if key not in channels:
                raise ValueError(f"Input channel '{key}' not in known channels: '{shown}'")
        if isinstance(self._input, str) and self._input not in subscribed:
            raise ValueError(f"Input channel {self._input} is not subscribed to by any node")
        if subscribed.isdisjoint(listed(self._input)):
            raise ValueError(f"None of the input channels {self._input} are subscribed to by any node")
        for key in (*listed(self._output), *listed(self.stream_channels or ())):
            if key not in channels:
                raise ValueError(f"Output channel '{key}' not in known channels: '{shown}'")
        for stops in (self._before, self._after):
            for name in () if stops == "*" else listed(stops):
                if name not in self._nodes:
                    raise ValueError(f"Node {name} not in nodes")
        return self

    def __repr__(self) -> str:
        return f"Pregel({self.name!r}: {', '.join(self._nodes)})"

    @property
    def nodes(self) -> Mapping[str, Any]:
        return {key: self.plan.nodes[key] for key in self._nodes}

    @property
    def input_channels(self) -> Any:
        return self._input

    @property
    def InputType(self) -> Any:  # noqa: N802  langchain-core's name
        """What a lone input channel takes; None for several."""
        return self._rules[self._input].UpdateType if isinstance(self._input, str) else None

    @property
    def OutputType(self) -> Any:  # noqa: N802  langchain-core's name
        """What a lone output channel gives; None for several."""
        return self._rules[self._output].ValueType if isinstance(self._output, str) else None

    def get_input_schema(self, config: Any = None) -> Any:
        return self._model("input", self._input, self.InputType, "UpdateType")

    def get_output_schema(self, config: Any = None) -> Any:
        return self._model("output", self._output, self.OutputType, "ValueType")

    def _model(self, which: str, keys: str | Sequence[str], lone: Any, kind: str) -> Any:
        from stepgraph.schema.described import model_of_types, root_model

        if isinstance(keys, str):
            return root_model(self.get_name(which), lone)
        return model_of_types(self.get_name(which), {key: getattr(self._rules[key], kind) for key in keys})

    def _schema(self, which: str) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self, f"get_{which}_schema")().model_json_schema()
        return found

    @property
    def _rules(self) -> Mapping[str, Any]:
        return self.plan.channels

    @property
    def stream_channels_list(self) -> list[str]:
        return listed(self._shown or list(self.plan.channels))

    @property
    def stream_channels_asis(self) -> str | Sequence[str]:
        """The channels that streams show."""
        return self._shown or list(self.plan.channels)

    @property
    def stream_channels(self) -> Any:
        """The channels that streams show, as given: None for all."""
        return self._shown

    @property
    def trigger_to_nodes(self) -> Mapping[str, Sequence[str]]:
        """The nodes that each channel makes ready."""
        return {channel: list(names) for channel, names in self.plan.subscribers.items()}

    def _lone_key(self) -> str | Sequence[str] | None:
        return self.stream_channels_asis


_OLD_NAMES: dict[str, tuple[str, type[Warning]]] = {"config_type": ("context_schema", LangGraphDeprecatedSinceV10)}

_KINDS: dict[type[CompiledStateGraph], Any] = {CompiledStateGraph: Pregel}


def _is_all(cls: type) -> bool:
    """Whether it is Pregel itself, which stands for all graphs, and no subclass of a user's."""
    return cls in _KINDS.values()


def of_all() -> type[Pregel]:
    """Pregel as the class of all graphs: its methods are those that graphs have here."""
    found: type[Pregel] = _combined(graph_class())
    return found


def _combined(kind: type[CompiledStateGraph]) -> Any:
    """Pregel and what graphs are here: with langchain-core loaded, its Runnables."""
    if kind not in _KINDS:
        _KINDS[kind] = _Kind("Pregel", (Pregel, kind), {"__module__": __name__})
    return _KINDS[kind]


def _rule(given: Any, key: str) -> Channel:
    """A channel under its name here; the given one stays as it is."""
    if isinstance(given, Channel) and not given.keeps:
        rule: Channel = copy(getattr(given, "rule", given))  # without the value that it may hold
        rule.key = key
        return rule
    if hasattr(given, "from_checkpoint") and hasattr(given, "update"):  # a channel in LangGraph's form
        adapted: Channel = registry.adapters.load("channel")(copy(given), getattr(given, "typ", Any), key)
        return adapted
    raise TypeError(f"Channel {key!r} is a {type(given).__name__}: give a channel, e.g. LastValue(str).")


def _written(node: PregelNode) -> list[str]:
    """The channels that a node writes in any case, or says that it may write."""
    found = []
    for entry in node.parts()[1]:
        if isinstance(entry, ChannelWriteEntry) and not entry.skip_none:
            found.append(entry.channel)
        elif isinstance(entry, ChannelWriteTupleEntry):
            found.extend(channel for channel, _, _ in entry.static or ())
    return found


def _targets(nodes: Mapping[str, Node], channels: Sequence[str]) -> tuple[str, ...]:
    """The nodes that a write of these channels makes ready, for drawings."""
    return tuple(name for name, node in nodes.items() if not set(node.subscribes).isdisjoint(channels))


def _intake(channels: str | Sequence[str], given: Any, stamp: Callable[[Writes], Writes] | None) -> Writes:
    found = _given(channels, given)
    return found if stamp is None else stamp(found)


def _given(channels: str | Sequence[str], given: Any) -> Writes:
    if isinstance(channels, str):
        return () if given is None else ((channels, given),)
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise TypeError(f"Expected chunk to be a dict, got {type(given).__name__}: its keys are {list(channels)}.")
    for key in given:
        if key not in channels:
            logger.warning("Input channel %s not found in %s", key, channels)
    return tuple((key, value) for key, value in given.items() if key in channels)


__all__ = ["Pregel"]
