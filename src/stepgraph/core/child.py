"""A graph added as a node of another: what its run is asked to do, one namespace deeper."""

from __future__ import annotations

from stepgraph.core.checkpoint import plain_values
from stepgraph.core.events import Emit, Event
from stepgraph.core.request import ORDINARY, Request
from stepgraph.core.task import Task


def parents_of(task: Task | None) -> dict[str, str]:
    """The checkpoints that a graph run by `task` belongs to, from the outermost graph's on, by namespace as text.

    What calls a function has the checkpoint of its graph, also under its own namespace.
    """
    found: dict[str, str] = {}
    while task is not None:
        scope, caller = task.scope, task.caller
        if scope.checkpoint is not None:
            while caller is not None:
                found["|".join(caller.ns)] = scope.checkpoint
                caller = caller.caller
            found[scope.ns_text] = scope.checkpoint
        task = scope.request.parent
    return dict(reversed(found.items()))


def without_ids(ns: str) -> str:
    """A namespace as text without task ids: the same in every run."""
    return "|".join(part.partition(":")[0] for part in ns.split("|"))


def overheard(task: Task, emit: Emit | None) -> Emit | None:
    """What a graph inside `task` tells its listeners: a sign of progress of the task, dropped once it has timed out."""
    if task.progress is None:
        return emit
    attempt = task.attempt

    def tell(event: Event) -> None:
        if attempt <= task.hushed:
            return
        if task.progress is not None:
            task.progress()
        if emit is not None:
            emit(event)

    return tell


def child_request(parent: Request, task: Task) -> Request:
    """The request for the node's graph on the task's input.

    A child of a thread with a checkpointer keeps its own checkpoints under the task's namespace, so a pause in it is
    resumed there; `compile(checkpointer=True)` keeps them under the node's, as a history of its own; False keeps none.
    """
    node = task.node
    own = node.child_checkpointer
    checkpointer = None if own is False else parent.checkpointer
    if checkpointer is None and not isinstance(own, bool) and parent.thread is not None:
        checkpointer = own
    config, metadata, limit = parent.config, parent.metadata, parent.recursion_limit
    if getattr(node.source, "config", None):  # what `with_config` was given
        config, metadata, limit = node.source.below(config, metadata, limit)
    if node.metadata:
        config = {**config, "metadata": {**(config.get("metadata") or {}), **node.metadata}}
        metadata = {**metadata, **plain_values(node.metadata)}
    given = task.input if node.mapper is None or task.key >= 0 else node.mapper(task.input)
    request = Request(given, config, parent.clock, parent.new_id, limit)
    request.run_id, request.thread = task.scope.root.run_id, parent.thread
    request.ns, request.lasting = (task.lasting_ns, True) if own is True else (task.ns, False)
    request.checkpointer, request.durability, request.metadata = checkpointer, parent.durability, metadata
    request.emit = overheard(task, parent.emit)
    request.unheard = parent.unheard if task.progress is None else parent.unheard & ORDINARY
    request.gate, request.probe = parent.gate, parent.probe
    request.store, request.cache = parent.store, getattr(node.source, "cache", None)
    request.step_timeout = getattr(node.source, "step_timeout", None)
    request.context, request.control, request.blocking = parent.context, parent.control, parent.blocking
    request.parent = task
    return request
