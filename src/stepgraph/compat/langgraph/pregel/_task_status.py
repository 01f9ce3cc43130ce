"""What stored writes say of tasks."""

from __future__ import annotations

from stepgraph.compat.shown import CONTROL_WRITES, TaskStatus, read_task_statuses

__all__ = ("CONTROL_WRITES", "TaskStatus", "read_task_statuses")
