"""Graphs that a LangGraph server runs."""

from __future__ import annotations

from types import GenericAlias
from typing import Any

__all__ = ("RemoteException", "RemoteGraph")


class RemoteException(Exception):  # noqa: N818  LangGraph's name
    """Something that went wrong in a graph on a server."""


class RemoteGraph:
    """A graph on a server. Packages ask whether an agent is one; none can be made here yet."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self, assistant_id: str, /, **_: Any) -> None:
        raise NotImplementedError(
            f"RemoteGraph({assistant_id!r}): graphs on a LangGraph server can't be called from this engine yet. "
            "Call the server with langgraph_sdk in a node instead."
        )
