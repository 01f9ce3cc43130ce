"""An old place of config functions."""

from __future__ import annotations

from stepgraph.compat.langgraph._internal._config import ensure_config, patch_configurable
from stepgraph.compat.langgraph.config import get_config, get_store

__all__ = ("ensure_config", "get_config", "get_store", "patch_configurable")
