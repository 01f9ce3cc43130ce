"""The one account of a run: small immutable events, made only when somebody listens.

Every event has `ns` (where), `step` (superstep of that namespace) and `time` (seconds since the epoch, stamped by the
driver's clock). The hub numbers them. `to_json` and `from_json` give each a form that files and pages understand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from stepgraph.core.types import Interrupt, Namespace, Pause, Route, Writes


class TaskInfo(NamedTuple):
    """A planned task: `index` counts the tasks of the same node in the superstep."""

    id: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    triggers: tuple[str, ...]
    writes: Writes | None = None
    """What it wrote, when it finished in an earlier process."""
    interrupts: tuple[Interrupt, ...] = ()
    """What it asked in an earlier process."""
    error: str | None = None
    """How it failed in an earlier process."""


class RunStarted(NamedTuple):
    """A graph, or a subgraph (`ns` not empty), begins or goes on."""

    ns: Namespace
    step: int
    time: float
    run: str
    graph: str
    thread: str | None
    resumed: bool
    outputs: tuple[str, ...] | str = ()
    """The keys that the graph returns; a name for a state that is not a mapping."""


class StepStarted(NamedTuple):
    """A superstep is planned."""

    ns: Namespace
    step: int
    time: float
    tasks: tuple[TaskInfo, ...]


class TaskStarted(NamedTuple):
    """A body is about to run. `input` is what it gets."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    input: Any
    triggers: tuple[str, ...]
    attempt: int
    metadata: Mapping[str, Any]


class TaskEmitted(NamedTuple):
    """Something said while a body runs; `kind` is custom, stdout, stderr, log, messages or reads."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    kind: str
    payload: Any


class TaskRetried(NamedTuple):
    """An attempt failed and another follows in `delay` seconds."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    attempt: int
    error: BaseException
    delay: float


class TaskFinished(NamedTuple):
    """The outcome is decided and handed to the checkpointer: `writes` in order, `routes` chosen.

    `carried` is true when the outcome comes from a record and no body ran.
    """

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    writes: Writes
    routes: tuple[Route, ...]
    carried: bool


class TaskFailed(NamedTuple):
    """The last attempt failed, or a person rejected the task."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    error: BaseException


class TaskInterrupted(NamedTuple):
    """Node code asked a person and unwound."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    interrupts: tuple[Interrupt, ...]


class Paused(NamedTuple):
    """The engine asks a gate and waits; `request` is the id of the question."""

    ns: Namespace
    step: int
    time: float
    request: str
    pause: Pause


class Decided(NamedTuple):
    """The question `request` was answered."""

    ns: Namespace
    step: int
    time: float
    request: str
    place: str
    node: str | None
    task: str | None
    verb: str
    by: str | None
    reason: str | None


class StepFinished(NamedTuple):
    """The superstep is applied. `values` is a copy of the whole state, `changed` the keys written, `next` the nodes.

    `source` is input, loop, update or fork, as in checkpoints. With source "input" the values are those before START.
    """

    ns: Namespace
    step: int
    time: float
    source: str
    changed: tuple[str, ...]
    values: Any
    next: tuple[str, ...]


class CheckpointSaved(NamedTuple):
    """A checkpoint was handed to the checkpointer."""

    ns: Namespace
    step: int
    time: float
    thread: str
    checkpoint: str
    parent: str | None
    source: str


class CheckpointLoaded(NamedTuple):
    """A run goes on from this checkpoint."""

    ns: Namespace
    step: int
    time: float
    thread: str
    checkpoint: str
    parent: str | None
    source: str


class RunFinished(NamedTuple):
    """The graph ended; `status` is done, interrupted, failed or cancelled. `planned` would have run next."""

    ns: Namespace
    step: int
    time: float
    status: str
    interrupts: tuple[Interrupt, ...]
    error: BaseException | None
    planned: tuple[TaskInfo, ...] = ()
    values: Any = None
    """The state with the writes of finished tasks, when the run paused while others had not finished; else None."""


Event = (
    RunStarted
    | StepStarted
    | TaskStarted
    | TaskEmitted
    | TaskRetried
    | TaskFinished
    | TaskFailed
    | TaskInterrupted
    | Paused
    | Decided
    | StepFinished
    | CheckpointSaved
    | CheckpointLoaded
    | RunFinished
)
Emit = Callable[[Event], None]
EVENT_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
