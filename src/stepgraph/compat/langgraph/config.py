"""What node code can reach while it runs."""

from __future__ import annotations

from typing import Any

from stepgraph.run.context import get_config as _of_node
from stepgraph.run.context import get_store, get_stream_writer

__all__ = ("get_config", "get_store", "get_stream_writer")


def get_config() -> dict[str, Any]:
    """The config of the innermost Runnable that runs, which in a node that runs none is the node's."""
    try:
        from stepgraph.integrations.ambient import child_config
    except ImportError:  # without langchain-core there are no other Runnables
        return _of_node()
    found: dict[str, Any] | None = child_config.get()
    return found if found else _of_node()
