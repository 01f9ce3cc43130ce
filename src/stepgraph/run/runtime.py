"""What a node is given besides the state: the run's context, store and writer, and where in the run it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """Which task of which run is running. Without a checkpointer `thread_id` is None."""

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None
    """The config's `run_id`; None if the caller gave none."""
    node_attempt: int = 1
    """Counts from 1."""
    node_first_attempt_time: float | None = None
    """When the first attempt began, in seconds since the epoch."""

    def patch(self, **overrides: Any) -> ExecutionInfo:
        """The same with some fields replaced."""
        return replace(self, **overrides)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """On whose behalf a server runs the graph; there is none outside of a server."""

    assistant_id: str
    graph_id: str
    user: Any = None


def write_nothing(_: Any) -> None:
    """The writer of a run that nobody streams."""


def beat_nothing() -> None:
    """The heartbeat of a node without an idle timeout."""


class _Late:
    """Fields that are filled when the first of them is asked for: most nodes never look at their runtime."""

    __slots__ = ("fill",)

    fill: Callable[[], Runtime[Any]]

    def __getattr__(self, name: str) -> Any:
        if name == "fill" or name not in self.__slots__:  # the subclass's, which are its fields
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        made = self.fill()
        for each in type(made).__slots__:
            object.__setattr__(self, each, getattr(made, each))
        return getattr(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime(_Late, Generic[C]):
    """What a node gets for a parameter named `runtime`, e.g. `def node(state: State, runtime: Runtime[Context])`."""

    context: C = None  # type: ignore[assignment]  # a graph without a context schema has none
    """What the caller passed as `context=`: what the run needs and what never changes in it."""
    store: Any = None
    """Long-term memory, from `compile(store=...)`."""
    stream_writer: Callable[[Any], None] = write_nothing
    """Puts a value on the `custom` stream."""
    heartbeat: Callable[[], None] = beat_nothing
    """Tells an idle timeout that the node is alive."""
    previous: Any = None
    """What the entrypoint saved in its last run on this thread."""
    execution_info: ExecutionInfo | None = None
    server_info: ServerInfo | None = None
    control: Any = None
    """The RunControl through which the run can be asked to stop at the next boundary."""

    @classmethod
    def late(cls, fill: Callable[[], Runtime[C]]) -> Runtime[C]:
        """One that `fill` makes when a field is asked for."""
        found = object.__new__(cls)
        object.__setattr__(found, "fill", fill)
        return found

    def merge(self, other: Runtime[C]) -> Runtime[C]:
        """This runtime with what `other` has."""
        return Runtime(
            context=other.context or self.context,
            store=other.store or self.store,
            stream_writer=self.stream_writer if other.stream_writer is write_nothing else other.stream_writer,
            heartbeat=self.heartbeat if other.heartbeat is beat_nothing else other.heartbeat,
            previous=self.previous if other.previous is None else other.previous,
            execution_info=other.execution_info or self.execution_info,
            server_info=other.server_info or self.server_info,
            control=other.control or self.control,
        )

    def override(self, **overrides: Any) -> Runtime[C]:
        """The same with some fields replaced."""
        return replace(self, **overrides)

    def patch_execution_info(self, **overrides: Any) -> Runtime[C]:
        """The same with some fields of `execution_info` replaced. Raises RuntimeError where there is none."""
        if self.execution_info is None:
            raise RuntimeError("Cannot patch execution_info before it has been set: no node is running.")
        return replace(self, execution_info=self.execution_info.patch(**overrides))

    @property
    def drain_requested(self) -> bool:
        return self.control is not None and bool(self.control.drain_requested)

    @property
    def drain_reason(self) -> str | None:
        return None if self.control is None else self.control.drain_reason
