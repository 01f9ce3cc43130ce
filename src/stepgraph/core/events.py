"""The one account of a run: small immutable events, made only when somebody listens.

Every event has `ns` (where), `step` (superstep of that namespace) and `time` (seconds since the epoch, stamped by the
driver's clock). The hub numbers them. `to_json` and `from_json` give each a form that files and pages understand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple, get_args

from stepgraph.core.errors import StepgraphError
from stepgraph.core.types import Interrupt, Namespace, Pause, Route, Send, Writes, limit


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
    nests: bool = False
    """Whether its node is a graph, or names one."""


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
    parents: Mapping[str, str] = {}
    """The checkpoints of the graphs around it that this run belongs to, by their namespace as text."""


class StepStarted(NamedTuple):
    """A superstep is planned."""

    ns: Namespace
    step: int
    time: float
    tasks: tuple[TaskInfo, ...]


class TaskPlanned(NamedTuple):
    """A task of the superstep that begins, before the first body runs. Told only to those who ask for it."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    input: Any
    triggers: tuple[str, ...]
    metadata: Mapping[str, Any]
    path: tuple[Any, ...] = ()


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
    path: tuple[Any, ...] = ()
    """LangGraph's task path."""


class TaskEmitted(NamedTuple):
    """Something said while a body runs.

    `kind` is custom (or taken, around a graph that node code streams, if its own stream has shown it), stdout, stderr,
    log or reads; messages: (part of a message, metadata) as a model makes it; message: the same of a whole one, which
    is shown unless its parts were; streamed: of one whose parts were shown; tools: how a tool call goes on; relayed:
    (namespace, mode, payload), a chunk of a graph that runs elsewhere; arrived: that its result is a Command which a
    graph inside sent up, told to streams of messages.
    """

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    kind: str
    payload: Any
    caller: Namespace | None = None
    """For a called function of the functional API: the namespace of the task that called it, which streams name."""


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


class TaskCached(NamedTuple):
    """The cache had the task's result, so its body does not run. Told in place of TaskStarted."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    input: Any
    triggers: tuple[str, ...]
    metadata: Mapping[str, Any]
    path: tuple[Any, ...] = ()


class TaskReturned(NamedTuple):
    """A body has ended with `result`, which is not yet taken apart. Told only to those who ask for it."""

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    result: Any


class TaskFinished(NamedTuple):
    """The outcome is decided and handed to the checkpointer: `writes` in order, `routes` chosen.

    `carried` is true when the outcome comes from a record or the cache and no body ran.
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
    """The last attempt failed, or a person rejected the task.

    `writes` are what its body had written, or returned before a router failed. Streams show them; only an error handler
    that goes on keeps them in the state.
    """

    ns: Namespace
    step: int
    time: float
    task: str
    node: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on an event
    error: BaseException
    writes: Writes = ()


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
    metadata: Mapping[str, Any] = {}
    """What was stored with it of the config of the run that saved it."""


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
    place: str | None = None
    """The side of its superstep, before or after, on which it paused; None if tasks were under way."""


Event = (
    RunStarted
    | StepStarted
    | TaskPlanned
    | TaskStarted
    | TaskEmitted
    | TaskRetried
    | TaskCached
    | TaskReturned
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


def to_json(event: Event) -> dict[str, Any]:
    """The event as a dict that `json.dumps` takes, with its type's name under "event".

    Users' values stay where JSON has them; other objects become their text, an error {"error", "message", "notes"}.
    """
    return {"event": type(event).__name__, **{key: _plain(value) for key, value in event._asdict().items()}}


def from_json(row: Mapping[str, Any]) -> Event:
    """The event that `to_json` made `row` of; fields that this version does not know are left out.

    Namespaces, writes, routes and tasks are tuples again; users' values are what JSON kept of them. Raises ValueError
    for an unknown type of event or a missing field.
    """
    kind = EVENT_TYPES.get(row.get("event", ""))
    if kind is None:
        raise ValueError(f"Unknown event {row.get('event')!r}; the events are {', '.join(EVENT_TYPES)}.")
    missing = [name for name in kind._fields if name not in row and name not in kind._field_defaults]
    if missing:
        raise ValueError(f"The {kind.__name__} event of a file or page lacks its field {missing[0]!r}.")
    found: Event = kind(**{name: _restored(name, row[name]) for name in kind._fields if name in row})
    return found


_TUPLES = ("ns", "caller", "writes", "routes", "tasks", "triggers", "interrupts", "changed", "next")
_USERS = ("input", "payload", "values")


def _restored(name: str, value: Any) -> Any:
    if name in _USERS or value is None:
        return value
    if name in ("tasks", "planned"):
        return tuple(TaskInfo._make(tuple(p) if isinstance(p, list) else p for p in each) for each in value)
    if name == "writes":
        return tuple((key, each) for key, each in value)
    if name == "routes":
        return tuple(Send(**each) if isinstance(each, dict) else each for each in value)
    if name == "interrupts":
        return tuple(Interrupt(each["value"], each["id"], each.get("response_schema")) for each in value)
    if name == "error":
        return StepgraphError(f"{value['error']}: {value['message']}")
    if name == "pause":
        known = {field.name for field in fields(Pause)} - {"error", "unfit"}
        return Pause(**{key: _restored(key, each) for key, each in value.items() if key in known})
    return tuple(value) if name in _TUPLES else value


def _plain(value: Any) -> Any:
    """What JSON can hold of a value."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, BaseException):
        notes = [str(note) for note in getattr(value, "__notes__", ())]
        return {"error": type(value).__name__, "message": str(value), "notes": notes}
    if isinstance(value, Send):
        return {"node": value.node, "arg": _plain(value.arg), "timeout": _plain(limit(value))}
    if isinstance(value, Interrupt):
        return {"value": _plain(value.value), "id": value.id, "response_schema": _plain(value.response_schema)}
    if isinstance(value, Pause):
        shown = {field.name: getattr(value, field.name) for field in fields(Pause) if field.name != "response_schema"}
        shown["tasks"] = [task.info() if hasattr(task, "info") else task for task in value.tasks]
        return {key: _plain(each) for key, each in shown.items()}
    return str(value)
