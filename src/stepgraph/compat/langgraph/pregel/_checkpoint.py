"""Checkpoints in LangGraph's form. Needs langgraph-checkpoint."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.absent import absent
from stepgraph.compat.supersteps import channels_from_checkpoint

__all__ = ("channels_from_checkpoint", "copy_checkpoint", "empty_checkpoint")

__getattr__ = absent(
    "langgraph.pregel._checkpoint",
    "achannels_from_checkpoint",
    "acheckpoint_superseded",
    "checkpoint_superseded",
    "create_checkpoint",
    "create_checkpoint_plan_for_update_state_api",
    "create_metadata_for_update_state_api",
    "delta_channels_overwritten",
    "delta_channels_to_snapshot",
    "delta_channels_with_pending_writes",
    "exit_delta_late_task_id",
    "exit_delta_task_id",
    "get_delta_channels_from_all_channels",
    "get_updated_channels_from_tasks",
    "put_writes_accepts_task_path",
    "versions_seen_without_bumps",
)


def empty_checkpoint() -> Any:
    """A checkpoint in which nothing has been written."""
    from langgraph.checkpoint.base import empty_checkpoint

    found: Any = empty_checkpoint()
    for name in ("updated_channels", "pending_sends"):
        found.pop(name, None)
    found["v"] = 4
    return found


def copy_checkpoint(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint in LangGraph's form whose containers are its own; the values in them are shared.

    Keys of its own, such as the one in which this engine keeps a graph's edges, stay, so that a copy equals what a
    saver gives back.
    """
    seen = checkpoint["versions_seen"]
    return {
        **checkpoint,
        "updated_channels": checkpoint.get("updated_channels"),
        "channel_values": dict(checkpoint["channel_values"]),
        "channel_versions": dict(checkpoint["channel_versions"]),
        "versions_seen": {node: dict(versions) for node, versions in seen.items()},
    }
