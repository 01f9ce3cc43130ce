"""What LangGraph reads of stored writes."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._task_status",
    "TaskStatus",
    "read_task_statuses",
)
