"""START, END and the tags; names that have moved since are found too, with a warning."""

from __future__ import annotations

from typing import Any, Final
from warnings import warn

from stepgraph.compat.langgraph._internal import _constants
from stepgraph.compat.langgraph._internal._constants import CONF, CONFIG_KEY_CHECKPOINTER, TASKS
from stepgraph.compat.langgraph.warnings import LangGraphDeprecatedSinceV10
from stepgraph.core.types import END, START

__all__ = ("CONF", "CONFIG_KEY_CHECKPOINTER", "END", "START", "TAG_HIDDEN", "TAG_NOSTREAM", "TASKS")

TAG_NOSTREAM: Final = "nostream"
"""A model with this tag does not stream its tokens."""
TAG_HIDDEN: Final = "langsmith:hidden"
"""A node with this tag is left out of traces and streams."""


def __getattr__(name: str) -> Any:
    if name in ("Send", "Interrupt"):
        warn(
            f"Importing {name} from langgraph.constants is deprecated. "
            f"Please use 'from langgraph.types import {name}' instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        from stepgraph.core import types

        return getattr(types, name)
    if hasattr(_constants, name):
        warn(
            f"Importing {name} from langgraph.constants is deprecated. "
            "This constant is now private and should not be used directly.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        return getattr(_constants, name)
    raise AttributeError(f"module 'langgraph.constants' has no attribute {name!r}")
