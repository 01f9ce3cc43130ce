"""The type variables of LangGraph's generic classes."""

from __future__ import annotations

import typing
from typing import Any

try:
    import typing_extensions
except ImportError:  # then without defaults, which only type checkers read
    _make: Any = typing.TypeVar
    _takes_default = False
else:
    _make = typing_extensions.TypeVar
    _takes_default = True

__all__ = ("ContextT", "InputT", "OutputT", "StateT", "StateT_co", "StateT_contra")


def _variable(name: str, **options: Any) -> Any:
    if not _takes_default:
        options.pop("default", None)
    return _make(name, **options)


StateT = _variable("StateT")
StateT_co = _variable("StateT_co", covariant=True)
StateT_contra = _variable("StateT_contra", contravariant=True)
ContextT = _variable("ContextT", default=None)
ContextT_contra = _variable("ContextT_contra", contravariant=True, default=None)
InputT = _variable("InputT", default=StateT)
OutputT = _variable("OutputT", default=StateT)
NodeInputT = _variable("NodeInputT")
NodeInputT_contra = _variable("NodeInputT_contra", contravariant=True)
