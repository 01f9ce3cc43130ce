"""Programs written for LangGraph on this engine, unchanged, and its savers under it.

Needs `pip install stepgraph[compat]`.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "as_langgraph_saver": "stepgraph.compat.savers_ours",
    "from_langgraph_saver": "stepgraph.compat.savers",
}
"""Public name -> the module that is imported on its first use."""

__all__ = ["as_langgraph_saver", "from_langgraph_saver"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
