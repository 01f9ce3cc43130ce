"""What is stored of a run, and what a backend must be able to do.

A checkpoint holds what *changed* in one superstep, never the whole state; the backend replays changes and decides
when to store a keyframe. Values are handed over by reference: a backend encodes or copies them before it returns,
because node code may change them later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from stepgraph.core.types import Limit

Source = Literal["input", "loop", "update", "fork"]
Durability = Literal["sync", "async", "exit"]


class Extend(NamedTuple):
    """A change of a list that only grew: append `items` to the value before, if any."""

    items: tuple[Any, ...]


class Removed(NamedTuple):
    """A change that left the channel without a value."""


REMOVED = Removed()


@dataclass(slots=True)
class Control:
    """What runs next, whole in every checkpoint (it is small).

    `next` are the names of the nodes to run, `sends` (node, arg, timeout) of the tasks that `Send` made, and
    `channels` the raw values of barriers, topics and deferred triggers.
    """

    next: tuple[str, ...] = ()
    sends: tuple[tuple[str, Any, Limit], ...] = ()
    channels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Checkpoint:
    """One saved superstep.

    `changes` maps each written key to its new value, an `Extend`, or `REMOVED`, relative to `parent`. `ran` are the
    nodes that ran in this superstep. `version` grows by one a checkpoint. `id` sorts by time. A root of a fork has
    `parent_thread`, the thread in which `parent` is found; its state is the parent's plus `changes`. `time` is kept to
    the microsecond. The object and its `changes` belong to the backend once saved; values in them stay the caller's.
    """

    id: str
    parent: str | None
    step: int
    source: Source
    time: float
    version: int
    changes: Mapping[str, Any]
    control: Control
    ran: tuple[str, ...]
    metadata: Mapping[str, Any]
    parent_thread: str | None = None
    parent_ns: str | None = None


Kind = Literal[
    "outcome", "interrupt", "resume", "error", "input", "proposal", "decision", "question", "audit", "handler", "times"
]
WHOLE_STEP = ""
"""The task id of what concerns no task but a whole superstep."""


class Record(NamedTuple):
    """Something known of one task of the checkpoint it was planned from; a later record of a kind replaces an earlier.

    A payload of None takes the earlier one back.

    outcome: (writes, routes, joins) · interrupt: tuple of Interrupt · resume: list of answers · error: text ·
    input: the edited input · proposal: (writes, gotos) as the body returned them · decision: dict form of what was
    decided · question: where and why a person was asked and, once that is so, how they decided, kept by the debugger ·
    audit: one decision with all about it, under a task id of its own · handler: that the task's error handler took
    over, which runs as a task of its own: (its node, the error's class as "module:name", its message) · times: by task
    id when tasks ran and what they read, kept by the debugger under a task id of its own.
    """

    task: str
    kind: Kind
    payload: Any
    node: str
    path: tuple[Any, ...]


Outcome = tuple[str, int, Any, Any, Any]
"""Of a task: node, the position of its Send or -1, writes, routes, joins."""
PULL, PUSH = "__pregel_pull", "__pregel_push"
_TAIL = 0xFFFFFFFFFFFF


def id_of(base: tuple[str, int], key: int) -> str:
    """The id of a planned task; `base` is of its node (`Origin.base`), `key` -1 or the position of its Send."""
    return f"{base[0]}{(base[1] + key) & _TAIL:012x}"


def path_of(name: str, key: int) -> tuple[Any, ...]:
    """LangGraph's path of a planned task."""
    return (PUSH, key, False) if key >= 0 else (PULL, name)


NUMBERS = frozenset({int, float, bool, complex, type(None)})
"""Small values that nobody can change: a backend needs no copy of them."""
Row = tuple[str, str | None, int, Source, float, int, dict[str, Any], tuple[str, ...], tuple[str, ...], Any]
"""A checkpoint in short: its fields up to `changes`, the names of the nodes that run next, `ran` and `metadata`."""


def of_row(row: Row) -> Checkpoint:
    """The same at length."""
    return Checkpoint(*row[:7], Control(row[7]), *row[8:])


class Steps(Protocol):
    """Where the supersteps of one namespace wait for their checkpointer."""

    atoms: frozenset[type]
    """The types of values that need no copy."""

    latest: str | None
    """The id of the checkpoint saved last. Whoever lets one wait that follows it sets it, after that."""

    def start(self, rows: Sequence[Row]) -> bool:
        """Let the first checkpoints of a new thread wait. False, and nothing has happened, if it has some by now."""

    @property
    def take(self) -> Callable[[Row], bool | None]:
        """Lets a superstep wait that follows the latest; true if it can't any more. Values in it are its own."""

    gone: bool
    """Whether the thread was deleted, so that nothing is kept here any more."""


class Origin(Protocol):
    """What tells the tasks of a superstep from any others."""

    def base(self, name: str, sent: bool) -> tuple[str, int]:
        """What the ids of a node's tasks have in common: those that Sends made, or the one that edges made."""

    def records(self, outcomes: Sequence[Outcome]) -> Iterator[Record]:
        """The records of these outcomes."""


class Shelf(Protocol):
    """Where outcomes of the tasks planned from `checkpoint` lie, for a checkpointer that takes many at once."""

    thread: str
    ns: str
    checkpoint: str
    origin: Origin
    silent: bool
    """Whether the checkpointer need not be told (`lies`) that something lies here. To be set by it."""

    def take(self) -> list[Any]:
        """The tasks whose outcomes lie here. They are the caller's, who keeps these or has each recorded."""

    def outcomes(self, tasks: Sequence[Any]) -> list[Outcome]:
        """Their outcomes, with the very values that they wrote."""

    def record_each(self, tasks: Sequence[Any]) -> None:
        """Hand their outcomes to `save_record`, one by one; what that raises ends the task it is of."""


@dataclass(slots=True)
class Stored:
    """A checkpoint as read back: the whole state at it, and the records of its tasks.

    `values` and everything in it is the reader's own. `seen` maps node name to the version at which it last ran;
    `versions` maps key to the version at which it was last written.
    """

    thread: str
    ns: str
    id: str
    parent: str | None
    step: int
    source: Source
    time: float
    version: int
    values: dict[str, Any]
    control: Control
    seen: dict[str, int]
    versions: dict[str, int]
    metadata: dict[str, Any]
    records: tuple[Record, ...] = ()
    parent_thread: str | None = None


def plain_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint's metadata keeps of a config's: plain values that do not say where it is."""
    return {
        key: value
        for key, value in given.items()
        if key not in PLACES and not key.startswith("__") and isinstance(value, (str, int, float, bool))
    }


PLACES = (
    "thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map",
    "langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns",
)  # fmt: skip
"""Metadata that says where something ran; a checkpoint and a task know that by themselves."""


class Keeper(Protocol):
    """A checkpointer opened for one run, where the thread is kept in the format of another engine.

    That format names what ran and what it wrote, which our checkpoints leave out: the engine tells it. Every task's
    outcome is handed over as a record. `task_id` and `interrupt_id` name tasks and questions as that engine does.
    """

    awaits: bool
    """Whether load, save, save_record and flush give awaitables: set by who drives the run on an event loop."""

    def restored(self, stored: Stored) -> None:
        """The run goes on from this checkpoint, which `load` gave."""

    def amended(self, task: Any) -> None:
        """A caller's Command has been applied: `task` has its writes and routes."""

    def answered(self, task: Any) -> None:
        """What the task was answered goes with the record of its outcome, error or next question, that follows."""

    def called(self, task: Any) -> None:
        """Node code calls this function of the functional API, or finds its result recorded."""

    def edited(self, task: Any, place: int, planned: bool) -> None:
        """`task` is the edit at that place of its superstep, in the name of a planned task or of none."""

    def turned(self, source: Source, tasks: Sequence[Any]) -> None:
        """A superstep of these tasks has been applied; its checkpoint has its id and may be saved next, or never."""

    def task_id(self, task: Any) -> str:
        """The id of a planned task."""

    def interrupt_id(self, ns: str, slot: int) -> str:
        """The id of the `slot`-th question (from 0) of the task with this namespace."""


def records_by_task(stored: Stored) -> dict[str, dict[str, Record]]:
    """The records of a checkpoint by task id, then by kind."""
    found: dict[str, dict[str, Record]] = {}
    for record in stored.records:
        if record.payload is not None:
            found.setdefault(record.task, {})[record.kind] = record
    return found


def undecided(records: Mapping[str, Record] | None, place: str) -> Mapping[str, Any] | None:
    """The question that was asked at `place` and that nobody decided before the process ended."""
    found = records.get("question") if records else None
    if found is None or found.payload["place"] != place or found.payload.get("decided"):
        return None
    question: Mapping[str, Any] = found.payload
    return question


class ThreadInfo(NamedTuple):
    """What a list of threads shows: the newest root checkpoint of each."""

    thread: str
    checkpoint: str
    step: int
    time: float
    next: tuple[str, ...]
    metadata: Mapping[str, Any]


class Checkpointer(Protocol):
    """Where threads live. Methods may be called from any thread. `save` and `save_record` hand over; `flush` waits.

    What was handed over is durable within 20 ms, or when `flush` returns. A failed write raises CheckpointError
    from the next call. `thread` is the thread id, `ns` the checkpoint namespace ("" at the root, else
    `node:task_id|…`).

    A backend may also have `shelve(shelf)`: if it gives true, outcomes of parallel tasks will lie there, for it to take
    whenever somebody reads and at last at `unshelve(shelf)`; values that it has taken may be changed later. A shelf
    that is not `silent` tells `lies(shelf)` of the first. And it may have
    `successor(thread, ns, checkpoint_id, sources)`, without which histories are walked: the first checkpoint that was
    saved as a child of this one, on its thread, and has one of these sources, or None. And in memory `steps(thread, ns,
    latest, metadata)`, where short supersteps wait as rows, `own(changes)`, which copies what may wait, and
    `stepped(steps, weight)`, which is told how much came. And `refusal(value)`, which
    says in words why a value can't be stored, or None: a person's decision with such a value is refused while it can
    still be mended. And `flush_thread(thread)`, which waits as `flush` does but raises nothing that another thread
    alone is to hear of: runs call it.
    """

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        """Append a checkpoint. Its parent is the last one, an older one (a fork in place), or one of another thread."""

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        """Keep what is known of a task planned from `checkpoint_id`."""

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Stored | None:
        """The named checkpoint, or the newest; None when there is none."""

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        """Checkpoints, newest first, in time linear in their number. `values=False` leaves `values` empty.

        What did not change between two checkpoints may be the same objects in both, but no list that grew.
        """

    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""

    def threads(self) -> list[ThreadInfo]:
        """All threads, newest first."""

    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces."""

    def flush(self) -> None:
        """Return when everything handed over before is durable."""

    def close(self) -> None:
        """Flush and release files. Idempotent."""


def flush(checkpointer: Any, thread: str) -> Any:
    """Wait, on behalf of a run of this thread, until everything handed over is durable."""
    own = getattr(checkpointer, "flush_thread", None)
    return checkpointer.flush() if own is None else own(thread)
