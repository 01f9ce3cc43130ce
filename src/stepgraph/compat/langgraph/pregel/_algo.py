"""How LangGraph plans and applies supersteps."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.compat.format_ids import path_text as task_path_str
from stepgraph.compat.supersteps import (
    LazyAtomicCounter,
    PregelTaskWrites,
    WritesProtocol,
    apply_writes,
    checkpoint_null_version,
    increment,
    local_read,
    prepare_next_tasks,
    sanitize_untracked_values_in_send,
    should_interrupt,
)

__all__ = (
    "LazyAtomicCounter",
    "PregelTaskWrites",
    "WritesProtocol",
    "apply_writes",
    "checkpoint_null_version",
    "increment",
    "local_read",
    "prepare_next_tasks",
    "sanitize_untracked_values_in_send",
    "should_interrupt",
    "task_path_str",
)

__getattr__ = absent(
    "langgraph.pregel._algo",
    "Call",
    "_proc_input",
    "_scratchpad",
    "prepare_node_error_handler_task",
    "prepare_push_task_functional",
    "prepare_push_task_send",
    "prepare_single_task",
)
