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
from stepgraph.integrations.tracing import manager_for

__all__ = (
    "DEFAULT_RECURSION_LIMIT",
    "ensure_config",
    "get_async_callback_manager_for_config",
    "get_callback_manager_for_config",
    "merge_configs",
    "patch_config",
    "patch_configurable",
    "recast_checkpoint_ns",
)


def get_callback_manager_for_config(config: Mapping[str, Any], tags: Sequence[str] | None = None) -> Any:
    """The config's callback manager, or a new one of its handlers."""
    return manager_for(config, tags)


def get_async_callback_manager_for_config(config: Mapping[str, Any], tags: Sequence[str] | None = None) -> Any:
    """The config's callback manager for async code, or a new one of its handlers."""
    return manager_for(config, tags, asynchronous=True)
