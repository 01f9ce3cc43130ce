"""Our stores and caches beside the interfaces of LangGraph's packages: `isinstance` holds both ways.

It does under the hook, or else once one of ours is made after theirs are loaded.

Tools say `store: Annotated[BaseStore, InjectedStore()]`, and langchain-core checks what they are given against that.
"""

from __future__ import annotations

import sys
from typing import Any

from stepgraph.core import registry

KIN = {"langgraph.store.base": "BaseStore", "langgraph.cache.base": "BaseCache"}
"""Module there -> the class that has the same methods there and here."""
_theirs: set[type] = set()


def introduce(name: str) -> None:
    """Make the two classes each other's, once the module is loaded; again is no harm."""
    theirs = getattr(sys.modules.get(name), KIN[name], None)
    ours = registry.load_object(f"{name.replace('langgraph', 'stepgraph', 1)}:{KIN[name]}")
    if theirs in (None, ours) or theirs in _theirs:
        return
    theirs.register(ours)
    _theirs.add(theirs)  # not before: an abstract class refuses one that it is a kind of itself

    def is_kind(cls: type, other: type) -> Any:
        return True if cls is ours and not _theirs.isdisjoint(other.__mro__) else NotImplemented

    ours.__subclasshook__ = classmethod(is_kind)
