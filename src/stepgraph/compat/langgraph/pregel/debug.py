"""How LangGraph shows what it does."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel.debug",
    "map_debug_checkpoint",
    "map_debug_task_results",
    "map_debug_tasks",
    "tasks_w_writes",
)
