"""How LangGraph makes checkpoints."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.absent import absent


def copy_checkpoint(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint in LangGraph's form whose containers are its own; the values in them are shared."""
    seen = checkpoint["versions_seen"]
    return {
        **{key: checkpoint[key] for key in ("v", "ts", "id")},
        "updated_channels": checkpoint.get("updated_channels"),
        "channel_values": dict(checkpoint["channel_values"]),
        "channel_versions": dict(checkpoint["channel_versions"]),
        "versions_seen": {node: dict(versions) for node, versions in seen.items()},
    }


__getattr__ = absent(
    "langgraph.pregel._checkpoint",
    "channels_from_checkpoint",
    "create_checkpoint",
    "empty_checkpoint",
)
