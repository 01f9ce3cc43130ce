"""What tracers may record of a node's run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePolicy:
    """What tracers record in place of a node's input and output; other listeners get the real ones.

    Each function gets the value and returns what is recorded; it must not change the value. It keeps large values out
    of traces, not secrets: runs below the node's own record what they are given.
    """

    process_inputs: Callable[[Any], Any] | None = None
    process_outputs: Callable[[Any], Any] | None = None


def omit_payload(_: Any) -> dict[str, Any]:
    """Records nothing of a value: for either part of a TracePolicy."""
    return {}
