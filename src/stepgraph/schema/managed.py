"""Values that a node may read though nobody writes them: how far the run is from its last superstep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Progress(NamedTuple):
    """What a managed value is made from: the superstep, and the one that the recursion limit does not allow."""

    step: int
    stop: int


class ManagedValue(ABC, Generic[V]):
    """Base of your own managed values: name the class last in a key's annotation, `Annotated[int, Mine]`."""

    @staticmethod
    @abstractmethod
    def get(scratchpad: Any) -> V:
        """What a node reads for the key in superstep `scratchpad.step` of at most `scratchpad.stop`."""


class Managed(ManagedValue[Any]):
    """Base of managed values: `compute(step, last step)` gives what the node reads."""

    @staticmethod
    def compute(step: int, stop: int) -> Any:
        raise NotImplementedError

    @classmethod
    def get(cls, scratchpad: Any) -> Any:
        return cls.compute(scratchpad.step, scratchpad.stop)


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
    """What computes the managed value named last in an annotation's metadata, or None."""
    last = metadata[-1]
    return computing(last) if is_managed(last) else None


def is_managed(value: Any) -> bool:
    """Whether it is the class of a managed value."""
    return isinstance(value, type) and issubclass(value, ManagedValue)


def computing(kind: Any) -> Callable[[int, int], Any]:
    """What gives the value for a superstep and the last one."""
    if not issubclass(kind, Managed):
        return _Computed(kind)
    found: Callable[[int, int], Any] = kind.compute
    return found


@dataclass(frozen=True, slots=True)
class _Computed:
    """Calls `get` of a class of yours; equal for the same class, as two schemas may name it."""

    kind: type[ManagedValue[Any]]

    def __call__(self, step: int, stop: int) -> Any:
        return self.kind.get(Progress(step, stop))


def kind_of(compute: Callable[[int, int], Any]) -> Any:
    """The class behind what `computing` gave."""
    if isinstance(compute, _Computed):
        return compute.kind
    return next((kind for kind in _below(Managed) if kind.compute is compute), compute)


def _below(kind: type[Managed]) -> Iterator[type[Managed]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
