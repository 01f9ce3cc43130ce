"""Errors by whose move it is: the author's (build), the caller's (run), a node's (run) and a person's (decide)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.core.types import Interrupt


class StepgraphError(Exception):
    """The root of every error that stepgraph itself raises."""


class GraphRecursionError(RecursionError, StepgraphError):
    """The run took more supersteps than `recursion_limit` allows."""


class InvalidUpdateError(StepgraphError):
    """A write that the state cannot take: wrong shape, unknown target, or two writers of a plain key."""


class EmptyInputError(StepgraphError):
    """The run got nothing that any input key can take."""


class ThreadRequiredError(ValueError, KeyError, StepgraphError):
    """A graph with a checkpointer was called without a thread. LangGraph raises ValueError in runs, else KeyError."""

    def __init__(self) -> None:
        super().__init__(
            "Checkpointer requires one or more of the following 'configurable' keys: "
            "thread_id, checkpoint_ns, checkpoint_id. "
            'Pass thread="…" or {"configurable": {"thread_id": "…"}}.'
        )

    __str__ = Exception.__str__  # that of a KeyError shows the text in quotes


class EmptyChannelError(StepgraphError):
    """A channel was read before anything was written to it."""


class CheckpointError(StepgraphError):
    """A checkpoint could not be written or read; names thread, namespace, step and path in the state."""


class GraphBubbleUp(Exception):  # noqa: N818  LangGraph's name; it signals, it is no failure
    """Control flow that passes through node code; never retried, never recorded as a failure."""


class GraphInterrupt(GraphBubbleUp):
    """A pause that unwinds: raised by `interrupt()` when nobody live can answer."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        super().__init__(interrupts)


def refuses_answer(error: BaseException) -> BaseException:
    """Mark an error as a schema's refusal of an answer: the question stays, and nothing is recorded."""
    error._langgraph_invalid_resume = True  # type: ignore[attr-defined]  # the mark that LangGraph's packages look for
    return error


def is_invalid_resume(error: BaseException | None) -> bool:
    """Whether an answer did not fit the `response_schema` of its question, which can be answered again."""
    return getattr(error, "_langgraph_invalid_resume", False) is True


class NodeInterrupt(GraphInterrupt):
    """A pause that node code raises itself. Deprecated: call `interrupt(value)`."""

    def __init__(self, value: Any, id: str | None = None) -> None:
        warnings.warn(
            "NodeInterrupt is deprecated. Please use `langgraph.types.interrupt` instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        super().__init__([Interrupt(value) if id is None else Interrupt(value, id)])


class ParentCommand(GraphBubbleUp):
    """A `Command(graph=Command.PARENT)` on its way up."""

    def __init__(self, command: Any) -> None:
        super().__init__(command)


class Suspended(GraphBubbleUp):
    """A decision to stop here durably; any process may go on later."""


class GraphDrained(GraphBubbleUp):
    """The run stopped before a superstep because `RunControl.request_drain` asked for it; it can be resumed."""

    def __init__(self, reason: str = "shutdown") -> None:
        self.reason = reason
        super().__init__(f"Graph drained: {reason}")


class Cancelled(StepgraphError):  # noqa: N818  the word for what happened
    """The run was cancelled by its caller."""


class StreamClosed(Cancelled):
    """The reader of a stream has closed it: what runs ends and is kept, and nothing more begins."""


class Rejected(StepgraphError):  # noqa: N818  the word for what happened
    """A person rejected an update, an input or a call. Never retried by a retry policy."""

    verdict: Literal["stop", "route"] | None = None
    """Set where it is a decision about the task itself: then nobody is asked at [error], and `route` goes to the node's
    error handler."""


@dataclass(frozen=True, slots=True)
class NodeError:
    """What an error handler learns, in its parameter `error: NodeError`."""

    node: str
    """The node that failed."""
    error: BaseException
    """What it raised. When another process goes on, an error of the same class and message if the class is loaded."""


class NodeCancelledError(StepgraphError):
    """A node raised CancelledError itself, while nobody had cancelled it. No retry policy of that node tries again."""

    ended: str | None = None
    """The id of the task that it ended."""

    def __init__(self, node: str, message: str | None = None) -> None:
        super().__init__(message or f"Node {node!r} raised asyncio.CancelledError")
        self.node = node


class NodeTimeoutError(StepgraphError):
    """An attempt of a node took longer than its TimeoutPolicy allows.

    `kind` is "run" or "idle", `timeout` the limit that was passed, `elapsed` how long the attempt had run. It is no
    built-in TimeoutError, so the default RetryPolicy tries again.
    """

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["idle", "run"],
        idle_timeout: float | None = None,
        run_timeout: float | None = None,
    ) -> None:
        if kind not in ("idle", "run"):
            raise ValueError(f"kind must be 'idle' or 'run', not {kind!r}.")
        timeout = idle_timeout if kind == "idle" else run_timeout
        if timeout is None:
            raise ValueError(f"{kind}_timeout is required when kind={kind!r}.")
        without = " without making progress" if kind == "idle" else ""
        super().__init__(
            f"Node '{node}' exceeded its {kind} timeout of {timeout:.3f}s{without} (elapsed: {elapsed:.3f}s)."
        )
        self.node = node
        self.timeout = timeout
        self.run_timeout = run_timeout
        self.idle_timeout = idle_timeout
        self.elapsed = elapsed
        self.kind = kind


def sync_timeout_unsupported(name: str, *, kind: str = "Node") -> ValueError:
    """A limit on what can't be cancelled."""
    return ValueError(
        "Node timeouts are only supported for async nodes because sync Python execution cannot be safely cancelled "
        f"in-process. {kind} {name!r} is sync: make it an async function, or take its timeout away."
    )


class RecordedError(StepgraphError):
    """An error that an earlier process recorded, where its class is not loaded here."""


class UnknownInterruptError(StepgraphError):
    """In strict resume mode: the answer does not fit what is pending. Nothing was written.

    `reason` is "not_pending" (ids in `interrupt_ids` ask nothing), "empty_map", or "ambiguous" (one value for several
    questions); `pending_ids` are the questions that still wait.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Literal["not_pending", "empty_map", "ambiguous"],
        interrupt_ids: Sequence[str] = (),
        pending_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.interrupt_ids = tuple(interrupt_ids)
        self.pending_ids = tuple(pending_ids)


class DecisionError(StepgraphError):
    """A decision that cannot be taken; the request stays pending."""


class StaleDecisionError(DecisionError):
    """The decision was made on a proposal that has changed since."""


class UnknownRequestError(DecisionError):
    """No such request is pending: decided already, or its run has ended."""


class TaskNotFound(StepgraphError):  # noqa: N818  LangGraph's name
    """A resumed task is not among the planned ones."""
