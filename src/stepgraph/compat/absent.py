"""Names of LangGraph's engine that other code imports though nothing here corresponds to them.

They can be imported, asked about with `isinstance` and named in annotations; making or calling one says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias
from typing import Any


class Absent:
    """The base of all of them."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} is a part of LangGraph's own engine. This program runs on stepgraph, whose engine "
            "has other parts: use the public API, or run this part on LangGraph."
        )


def absent(module: str, *names: str) -> Callable[[str], Any]:
    """A module's `__getattr__` that knows these names."""
    made: dict[str, type[Absent]] = {}

    def __getattr__(name: str) -> Any:  # noqa: N807  it becomes the module's
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if name not in made:
            made[name] = type(name, (Absent,), {"__module__": module})
        return made[name]

    return __getattr__
