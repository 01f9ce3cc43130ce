"""Config dicts merged, patched and completed. Needs langchain-core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepgraph.integrations.configs import (
    DEFAULT_RECURSION_LIMIT,
    ensure_config,
    merge_configs,
    patch_config,
    patch_configurable,
    recast_checkpoint_ns,
)
from stepgraph.integrations.listeners import manager_for
from stepgraph.run.config import filled as _is_not_empty

__all__ = (
    "DEFAULT_RECURSION_LIMIT",
    "_is_not_empty",
    "ensure_config",
    "filter_to_user_tags",
    "get_async_callback_manager_for_config",
    "get_callback_manager_for_config",
    "merge_configs",
    "patch_checkpoint_map",
    "patch_config",
    "patch_configurable",
    "recast_checkpoint_ns",
)


def filter_to_user_tags(tags: Sequence[str] | None) -> list[str] | None:
    """The tags without those that mark the steps of a sequence; None if none is left."""
    return [tag for tag in tags or () if not tag.startswith("seq:step")] or None


def patch_checkpoint_map(config: Any, metadata: Mapping[str, Any] | None) -> Any:
    """The config of a checkpoint with those of the graphs around it, where its metadata names them."""
    parents = (metadata or {}).get("parents")
    if config is None or not parents:
        return config
    own = config["configurable"]
    return patch_configurable(config, {"checkpoint_map": {**parents, own["checkpoint_ns"]: own["checkpoint_id"]}})


def get_callback_manager_for_config(config: Mapping[str, Any], tags: Sequence[str] | None = None) -> Any:
    """The config's callback manager, or a new one of its handlers."""
    return manager_for(config, tags)


def get_async_callback_manager_for_config(config: Mapping[str, Any], tags: Sequence[str] | None = None) -> Any:
    """The config's callback manager for async code, or a new one of its handlers."""
    return manager_for(config, tags, asynchronous=True)
