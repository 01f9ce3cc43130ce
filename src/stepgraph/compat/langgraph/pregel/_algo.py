"""How LangGraph plans and applies supersteps."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._algo",
    "Call",
    "LazyAtomicCounter",
    "PregelTaskWrites",
    "WritesProtocol",
    "apply_writes",
    "checkpoint_null_version",
    "increment",
    "local_read",
    "prepare_next_tasks",
    "prepare_node_error_handler_task",
    "prepare_push_task_functional",
    "prepare_push_task_send",
    "prepare_single_task",
    "sanitize_untracked_values_in_send",
    "should_interrupt",
)


def task_path_str(path: Any) -> str:
    """A task's path as text that sorts as the paths do."""
    if isinstance(path, (tuple, list)):
        return "~" + ", ".join(task_path_str(part) for part in path)
    return f"{path:010d}" if isinstance(path, int) else str(path)
