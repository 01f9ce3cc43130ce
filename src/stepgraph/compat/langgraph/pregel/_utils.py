"""Which graphs a node runs."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.absent import absent
from stepgraph.core.inside import graphs_in

__all__ = ("find_subgraph_pregel",)

__getattr__ = absent(
    "langgraph.pregel._utils",
    "get_function_nonlocals",
    "get_new_channel_versions",
    "is_xxh3_128_hexdigest",
    "validate_timeout_supported",
)


def find_subgraph_pregel(candidate: Any) -> Any:
    """The graph that a node is, or that its function names; None if there is none."""
    return next((each for each in graphs_in(candidate) if getattr(each, "checkpointer", None) is not False), None)
