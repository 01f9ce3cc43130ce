"""What LangGraph's savers are called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from stepgraph.core.request import Request
from stepgraph.graph.engines import DEFAULT_RECURSION_LIMIT
from stepgraph.run.config import DURABILITY, RUNTIME, shown_metadata
from stepgraph.run.context import config_of
from stepgraph.run.runtime import Runtime


def ensured(request: Request) -> dict[str, Any]:
    """A run's config as savers get it: whole, with the run's Runtime, and inside a node with what its code is told.

    Where nothing runs, it is the caller's.
    """
    config: dict[str, Any] = {"tags": [], "callbacks": None, "recursion_limit": DEFAULT_RECURSION_LIMIT}
    config.update(request.config)
    named = dict(config.get("configurable") or {})
    if request.reading:
        pass
    elif request.parent is None:
        found = Runtime(context=request.context, store=request.store, control=request.control)
        config["configurable"] = {**named, RUNTIME: found, DURABILITY: request.durability}
    else:
        around = config_of(request.parent)
        config["callbacks"] = around["callbacks"]
        config["metadata"] = {**around["metadata"], **(config.get("metadata") or {})}
        named = {**around["configurable"], DURABILITY: request.durability, **named}
        config["configurable"] = {key: value for key, value in named.items() if not key.startswith("__stepgraph_")}
        config.pop("run_name", None)
        config.pop("run_id", None)
    config["metadata"] = shown_metadata(config)
    return config


@cache
def takes_path(put_writes: Callable[..., Any]) -> bool:
    """Whether a saver's `put_writes` takes the path of the task: older ones do not."""
    return "task_path" in inspect.signature(put_writes).parameters
