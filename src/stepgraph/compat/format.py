"""The words of threads in LangGraph's format: its reserved channels, and what stands in some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepgraph.compat.twins import ours

VERSION = 4
"""The version of the checkpoint format that is written."""
BRANCH = "branch:to:"
TASKS = "__pregel_tasks"
INPUT = "__input__"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
ERROR = "__error__"
ERROR_SOURCE = "__error_source_node__"
NO_WRITES = "__no_writes__"
BESIDE = "__stepgraph__"
"""The channel of what LangGraph has no word for. It ignores writes of tasks that it did not plan."""
CONTROL = frozenset({INTERRUPT, RESUME, ERROR, ERROR_SOURCE})
"""Channels that tell what happened to a task: a task with other writes is finished."""


def whole(value: Any) -> Any:
    """The value in a snapshot of a DeltaChannel; any other value as it is."""
    return value.value if type(value).__name__ == "_DeltaSnapshot" else value


def members(value: Any) -> Any:
    """The members of a barrier's set. langgraph-checkpoint-redis gives back what it has made of a set to store it."""
    return next(iter(value.get("args") or ()), ()) if isinstance(value, Mapping) else value


def interrupts_in(value: Any) -> tuple[Any, ...]:
    """The questions of an INTERRUPT write, which older versions stored one by one."""
    return tuple(ours(each) for each in value) if isinstance(value, (list, tuple)) else (ours(value),)
