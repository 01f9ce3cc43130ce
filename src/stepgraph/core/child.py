"""A graph added as a node of another: what its run is asked to do, one namespace deeper."""

from __future__ import annotations

from stepgraph.core.request import Request
from stepgraph.core.task import Task


def keeps_history(task: Task) -> bool:
    """Whether the task's graph has a history of its own, across runs of the thread."""
    return task.node.child_checkpointer is True


def parents_of(task: Task | None) -> dict[str, str]:
    """The checkpoints that a graph run by `task` belongs to, from the outermost graph's on, by namespace as text."""
    found: dict[str, str] = {}
    while task is not None:
        scope = task.scope
        if scope.checkpoint is not None:
            found[scope.ns_text] = scope.checkpoint
        task = scope.request.parent
    return dict(reversed(found.items()))


def child_request(parent: Request, task: Task) -> Request:
    """The request for the node's graph on the task's input.

    A child of a thread with a checkpointer keeps its own checkpoints under the task's namespace, so a pause in it is
    resumed there; `compile(checkpointer=True)` keeps them under the node's, as a history of its own; False keeps none.
    """
    node = task.node
    own = node.child_checkpointer
    checkpointer = None if own is False else parent.checkpointer
    if own is not None and not isinstance(own, bool):
        checkpointer = own
    return Request(
        task.input if node.mapper is None or task.key >= 0 else node.mapper(task.input),
        parent.config,
        parent.clock,
        parent.new_id,
        run_id=task.scope.root.run_id,
        thread=parent.thread,
        ns=(*task.scope.ns, task.name) if own is True else task.ns,
        checkpointer=checkpointer,
        emit=parent.emit,
        gate=parent.gate,
        probe=parent.probe,
        recursion_limit=parent.recursion_limit,
        durability=parent.durability,
        metadata=parent.metadata,
        store=parent.store,
        context=parent.context,
        parent=task,
    )
