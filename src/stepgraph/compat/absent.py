"""Names of LangGraph's engine that other code imports though nothing here corresponds to them.

They can be imported, asked about with `isinstance` and named in annotations, and their methods can be replaced, as
tracing libraries do; making or calling one says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import GenericAlias
from typing import Any

ABSENT: dict[str, Callable[[], Any]] = {}
"""What makes each name that an imported module knows as absent."""


class _Kind(type):
    """Knows whatever method is asked of it: nothing here calls one, so nothing that replaces one is called either."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

        def method(*_: Any, **__: Any) -> Any:
            raise no_such_part(f"{cls.__name__}.{name}")

        method.__name__, method.__qualname__ = name, f"{cls.__name__}.{name}"
        return method


class Absent(metaclass=_Kind):
    """The base of all of them."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self, *_: Any, **__: Any) -> None:
        raise no_such_part(type(self).__name__)


def no_such_part(name: str) -> NotImplementedError:
    """What is raised instead of an answer that would only look like LangGraph's."""
    return NotImplementedError(
        f"{name} is a part of LangGraph's own engine. This program runs on stepgraph, whose engine "
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

    ABSENT.update({name: partial(__getattr__, name) for name in names})
    return __getattr__
