"""What managed values are made from."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepgraph.schema.managed import Progress

__all__ = ("PregelScratchpad",)

_DC_KWARGS = {"kw_only": True, "slots": True, "frozen": True}


@dataclass(kw_only=True, slots=True, frozen=True)
class PregelScratchpad(metaclass=ABCMeta):
    """How far a run has come, and a task in it. In a run of this engine only `step` and `stop` are given."""

    step: int
    stop: int
    call_counter: Callable[[], int]
    interrupt_counter: Callable[[], int]
    get_null_resume: Callable[[bool], Any]
    resume: list[Any]
    """The answers that the task has got."""
    subgraph_counter: Callable[[], int]


PregelScratchpad.register(Progress)
