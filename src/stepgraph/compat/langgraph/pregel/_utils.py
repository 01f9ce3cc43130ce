"""Which graphs a node runs, and small questions."""

from __future__ import annotations

import re
from typing import Any

from stepgraph.compat.absent import absent
from stepgraph.compat.supersteps import get_new_channel_versions
from stepgraph.core.inside import graphs_in

__all__ = ("find_subgraph_pregel", "get_new_channel_versions", "is_xxh3_128_hexdigest")

__getattr__ = absent("langgraph.pregel._utils", "get_function_nonlocals", "validate_timeout_supported")


def find_subgraph_pregel(candidate: Any) -> Any:
    """The graph that a node is, or that its function names; None if there is none."""
    return next((each for each in graphs_in(candidate) if getattr(each, "checkpointer", None) is not False), None)


def is_xxh3_128_hexdigest(value: str) -> bool:
    """Whether it may be the id of a question."""
    return re.fullmatch(r"[0-9a-f]{32}", value) is not None
