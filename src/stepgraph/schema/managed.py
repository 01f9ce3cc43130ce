"""Values that a node may read though nobody writes them: how far the run is from its last superstep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any


class Managed:
    """Base of managed values: `compute(step, last step)` gives what the node reads."""

    @staticmethod
    def compute(step: int, stop: int) -> Any:
        raise NotImplementedError


class IsLastStepManager(Managed):
    """True in the last superstep that the recursion limit allows."""

    @staticmethod
    def compute(step: int, stop: int) -> bool:
        return step == stop - 1


class RemainingStepsManager(Managed):
    """How many supersteps the recursion limit leaves, this one included."""

    @staticmethod
    def compute(step: int, stop: int) -> int:
        return stop - step


IsLastStep = Annotated[bool, IsLastStepManager]
RemainingSteps = Annotated[int, RemainingStepsManager]


def managed_in(metadata: Sequence[Any]) -> Callable[[int, int], Any] | None:
    """The managed value named last in an annotation's metadata, or None."""
    last = metadata[-1]
    if isinstance(last, type) and issubclass(last, Managed):
        return last.compute
    return None
