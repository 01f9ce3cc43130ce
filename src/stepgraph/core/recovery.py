"""What follows a failure: another attempt, or the node's error handler, which runs as a task of its own."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from typing import Any

from stepgraph.core.checkpoint import Record
from stepgraph.core.errors import NodeCancelledError, NodeError, RecordedError, Rejected
from stepgraph.core.policies import delay_after
from stepgraph.core.task import Task


def wait_before_retry(task: Task, error: Exception) -> float | None:
    """Seconds until the task is tried again, as its node's retry policies say; None when it has failed for good."""
    policies = task.node.retries
    if not policies or isinstance(error, Rejected):
        return None
    if isinstance(error, NodeCancelledError) and error.ended == task.id:  # another node's is a failure like others
        return None
    task.failures += 1
    return delay_after(policies, error, task.failures)


def cancelled_itself(task: Task, error: BaseException) -> NodeCancelledError:
    """A CancelledError that the body raised by itself, as the failure that it is."""
    found = NodeCancelledError(task.name)
    found.ended, found.__cause__ = task.id, error
    return found


def handler_of(task: Task, error: BaseException) -> Task:
    """The task of the error handler: it gets what the failed task's body got."""
    assert task.node.handler is not None
    value = task.input
    if task.node.mapper is not None and task.key < 0:
        try:
            value = task.node.mapper(value)
        except Exception:  # noqa: BLE001  the schema refused the input, and that is the failure
            value = task.input
    handler = Task(task.scope.plan.nodes[task.node.handler], task.scope, task.step, -1, value)
    handler.failed, handler.failure = task, NodeError(task.name, error)
    handler.index, task.error = task.index, error
    return handler


def take_up(task: Task, pending: Mapping[str, dict[str, Record]]) -> None:
    """If the task's error handler took over in an earlier process, let it go on from what is recorded of it."""
    taken = None if task.records is None else task.records.get("handler")
    if taken is None or task.node.handler is None:
        return
    error = restored(taken.payload)
    proposal = task.records.get("proposal") if task.records is not None else None
    if proposal is not None and not isinstance(error, Rejected):
        task.writes = tuple((key, value) for key, value in proposal.payload[0])
    task.handler = handler_of(task, error)
    task.handler.records = pending.get(task.handler.id)


def kept(handler: str, error: BaseException) -> tuple[str, str, str]:
    """The record of a take-over: the handler's node, and what `restored` makes the error of."""
    kind = type(error)
    return handler, f"{kind.__module__}:{kind.__qualname__}", str(error)


def restored(payload: Any) -> BaseException:
    """The recorded error: of its own class where that is loaded and can be made of a message, else a RecordedError."""
    _, where, message = payload
    module, _, name = where.partition(":")
    found: Any = builtins if module == "builtins" else sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Exception):
        try:
            return found(message)
        except Exception:  # noqa: BLE001  its constructor wants something else
            pass
    return RecordedError(f"{name}: {message}")
