"""Our stores and caches beside the interfaces of LangGraph's packages: `isinstance` holds both ways.

It does under the hook, and once theirs are loaded when ours are imported, made, subclassed, looked at or compiled with.
Only one of ours that theirs is asked about before any of that, and that came before theirs, is none.

Tools say `store: Annotated[BaseStore, InjectedStore()]`, and langchain-core checks what they are given against that.
"""

from __future__ import annotations

import sys
from collections.abc import Set

from stepgraph.core import registry

KIN = {"langgraph.store.base": "BaseStore", "langgraph.cache.base": "BaseCache"}
"""Module there -> the class that has the same methods there and here."""
_theirs: set[type] = set()
_meeting: set[type] = set()
"""Those that are being made ours."""


def introduce(name: str) -> Set[type]:
    """Make the two classes each other's, once the module is loaded; again is no harm. All of theirs so far."""
    theirs = getattr(sys.modules.get(name), KIN[name], None)
    ours = registry.load_object(f"{name.replace('langgraph', 'stepgraph', 1)}:{KIN[name]}")
    if theirs in (None, ours) or theirs in _theirs or theirs in _meeting:
        return _theirs
    _meeting.add(theirs)
    try:
        theirs.register(ours)
    finally:
        _meeting.discard(theirs)
    _theirs.add(theirs)  # not before: an abstract class refuses one that it is a kind of itself
    return _theirs
