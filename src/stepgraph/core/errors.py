"""Errors by whose move it is: the author's (build), the caller's (run), a node's (run) and a person's (decide)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepgraph.core.types import Interrupt


class StepgraphError(Exception):
    """The root of every error that stepgraph itself raises."""


class GraphRecursionError(RecursionError, StepgraphError):
    """The run took more supersteps than `recursion_limit` allows."""


class InvalidUpdateError(StepgraphError):
    """A write that the state cannot take: wrong shape, unknown target, or two writers of a plain key."""


class EmptyInputError(StepgraphError):
    """The run got nothing that any input key can take."""


class EmptyChannelError(StepgraphError):
    """A channel was read before anything was written to it."""


class CheckpointError(StepgraphError):
    """A checkpoint could not be written or read; names thread, namespace, step and path in the state."""


class GraphBubbleUp(Exception):  # noqa: N818  LangGraph's name; it signals, it is no failure
    """Control flow that passes through node code; never retried, never recorded as a failure."""


class GraphInterrupt(GraphBubbleUp):
    """A pause that unwinds: raised by `interrupt()` when nobody live can answer."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        super().__init__(tuple(interrupts))


class ParentCommand(GraphBubbleUp):
    """A `Command(graph=Command.PARENT)` on its way up."""

    def __init__(self, command: Any) -> None:
        super().__init__(command)


class Suspended(GraphBubbleUp):
    """A decision to stop here durably; any process may go on later."""


class Cancelled(StepgraphError):  # noqa: N818  the word for what happened
    """The run was cancelled by its caller."""


class Rejected(StepgraphError):  # noqa: N818  the word for what happened
    """A person rejected an update, an input or a call. Never retried by a retry policy."""


class DecisionError(StepgraphError):
    """A decision that cannot be taken; the request stays pending."""


class StaleDecisionError(DecisionError):
    """The decision was made on a proposal that has changed since."""


class UnknownRequestError(DecisionError):
    """No such request is pending: decided already, or its run has ended."""


class TaskNotFound(StepgraphError):  # noqa: N818  LangGraph's name
    """A resumed task is not among the planned ones."""
