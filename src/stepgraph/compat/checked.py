"""Whether the parts of a graph of channels fit, for code that checks them by themselves. `Pregel` has its own check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stepgraph.compat.langgraph._internal._constants import RESERVED
from stepgraph.graph.pregel_node import PregelNode, listed


def validate_graph(
    nodes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    input_channels: str | Sequence[str],
    output_channels: str | Sequence[str],
    stream_channels: str | Sequence[str] | None,
    interrupt_after_nodes: Any,
    interrupt_before_nodes: Any,
) -> None:
    """Raises ValueError for a name that is unknown or reserved, TypeError for a node that is none."""
    known = f"'{repr(sorted(channels))[:100]}'"

    def check(key: str, what: str, also: Iterable[str] = (), of: str = "in known channels: ") -> None:
        if key not in channels and key not in also:
            raise ValueError(f"{what} '{key}' not {of}{known}")

    for what, names in (("Channel", channels), ("Managed", managed)):
        _free(what, names)
    for name, node in nodes.items():
        _free("Node", (name,))
        if not isinstance(node, PregelNode):
            raise TypeError(f"Invalid node type {type(node)}, expected PregelNode or NodeBuilder")
        for key in listed(node.channels):
            check(key, f"Node {name} reads channel", () if isinstance(node.channels, str) else managed)
    subscribed = {key for node in nodes.values() for key in node.triggers}
    for key in subscribed:
        check(key, "Subscribed channel")
    for key in listed(input_channels):
        check(key, "Input channel", of="in known channels: " if isinstance(input_channels, str) else "in ")
    if subscribed.isdisjoint(listed(input_channels)):
        if isinstance(input_channels, str):
            raise ValueError(f"Input channel {input_channels} is not subscribed to by any node")
        raise ValueError(f"None of the input channels {input_channels} are subscribed to by any node")
    for key in {*listed(output_channels), *listed(stream_channels or ())}:
        check(key, "Output channel")
    for stops in (interrupt_after_nodes, interrupt_before_nodes):
        for name in () if stops == "*" else stops:
            if name not in nodes:
                raise ValueError(f"Node {name} not in nodes")


def _free(what: str, names: Iterable[str]) -> None:
    for name in names:
        if name in RESERVED:
            raise ValueError(f"{what} name '{name}' is reserved")


def validate_keys(keys: str | Sequence[str] | None, channels: Mapping[str, Any]) -> None:
    """Raises ValueError for a key that no channel has."""
    for key in () if keys is None else listed(keys):
        if key not in channels:
            raise ValueError(f"Key {key} not in channels")
