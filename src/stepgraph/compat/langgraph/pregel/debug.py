"""What streams and snapshots show of tasks."""

from __future__ import annotations

from uuid import UUID

from stepgraph.compat.shown import (
    _NOT_STARTED,
    COLOR_MAPPING,
    TaskStatus,
    get_bolded_text,
    get_colored_text,
    is_multiple_channel_write,
    map_debug_checkpoint,
    map_debug_task_results,
    map_debug_tasks,
    map_task_result_writes,
    read_task_statuses,
    rm_pregel_keys,
    tasks_w_writes,
)

__all__ = (
    "COLOR_MAPPING",
    "TASK_NAMESPACE",
    "_NOT_STARTED",
    "TaskStatus",
    "get_bolded_text",
    "get_colored_text",
    "is_multiple_channel_write",
    "map_debug_checkpoint",
    "map_debug_task_results",
    "map_debug_tasks",
    "map_task_result_writes",
    "read_task_statuses",
    "rm_pregel_keys",
    "tasks_w_writes",
)

TASK_NAMESPACE = UUID("6ba7b831-9dad-11d1-80b4-00c04fd430c8")
