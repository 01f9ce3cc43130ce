"""What the engine asks a driver to do. The driver performs it and sends the result back, or throws the error in.

A yielded `Task` is an effect of its own: call the node's body with the task's input, send back what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core.checkpoint import Checkpoint, Record
from stepgraph.core.task import Scope, Task
from stepgraph.core.types import Pause

if TYPE_CHECKING:
    from stepgraph.core.limits import TimeoutPolicy
    from stepgraph.core.shelf import TaskShelf


class Call(NamedTuple):
    """Call user code other than a body (a router) in the task's context. Sends back what it returns."""

    task: Task
    function: Callable[..., Any]
    value: Any
    is_async: bool
    extra: dict[str, Any] | None
    twin: Callable[..., Any] | None = None
    """What an async driver awaits in place of a sync function."""


class Together(NamedTuple):
    """Run these flows to their ends, in any order or at once.

    When one raises: an async driver cancels the others, a sync one lets them end; then the first error in the order of
    `tasks` is thrown in. With `hold_errors` the others go on in both.
    """

    tasks: Sequence[Task]
    flows: Sequence[Generator[Any, Any, None]]
    hold_errors: bool


class Bodies(NamedTuple):
    """Call the bodies of these lean tasks, in any order or at once, conclude each, and put it on `shelf`.

    Nothing is thrown in: what a body raised is left in `task.error`. After an error other than a pause an async
    driver cancels the others, a sync one lets them end.
    """

    tasks: Sequence[Task]
    shelf: TaskShelf | None


class Ask(NamedTuple):
    """Ask the scope's gate. Sends back the Decision."""

    scope: Scope
    pause: Pause


class Load(NamedTuple):
    """Sends back the Stored checkpoint, or None."""

    checkpointer: Any
    thread: str
    ns: str
    checkpoint: str | None


class Save:
    """Hand a checkpoint over. An engine may use one object again for its next checkpoint: perform it at once."""

    __slots__ = ("checkpoint", "checkpointer", "ns", "thread")
    __match_args__ = ("checkpointer", "thread", "ns", "checkpoint")

    def __init__(self, checkpointer: Any, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        self.checkpointer = checkpointer
        self.thread = thread
        self.ns = ns
        self.checkpoint = checkpoint


class SaveRecord(NamedTuple):
    """Hand a task's record over."""

    checkpointer: Any
    thread: str
    ns: str
    checkpoint: str
    record: Record


class Flush(NamedTuple):
    """Wait until everything handed over is durable, on behalf of a run of this thread."""

    checkpointer: Any
    thread: str


class Within(NamedTuple):
    """Run `flow` to its end within a limit, and send back its result.

    With a task it is one attempt of that, under the limits of `policy`: NodeTimeoutError is thrown in when one is
    passed. Else it is a superstep, which may take `seconds`: then it is TimeoutError. An async driver cancels what
    takes too long; a sync one refuses the limits of tasks with ValueError, and lets a superstep end before it throws.
    """

    flow: Generator[Any, Any, Any]
    task: Task | None
    policy: TimeoutPolicy | None = None
    seconds: float | None = None


class Recall(NamedTuple):
    """Sends back what the cache has under `key` ((namespace, digest)), or MISSING."""

    cache: Any
    key: tuple[tuple[str, ...], str]


class Remember(NamedTuple):
    """Put a value into the cache, for `ttl` seconds or for ever."""

    cache: Any
    key: tuple[tuple[str, ...], str]
    value: Any
    ttl: int | None


class Sleep(NamedTuple):
    """Let that many seconds pass; other tasks go on."""

    seconds: float


class Join(NamedTuple):
    """Wait until these futures are done, whatever became of them. With `cancel` those that can be are cancelled."""

    futures: Sequence[Any]
    cancel: bool


Effect = (
    Task | Call | Together | Bodies | Ask | Load | Save | SaveRecord | Flush | Within | Recall | Remember | Sleep | Join
)
Flow = Generator[Any, Any, Any]
