"""A graph added as a node of another: the same driver runs it, one namespace deeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.core.effects import Flow
from stepgraph.core.request import Request
from stepgraph.core.task import Task

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def run_child(engine: Engine, task: Task) -> Flow:
    """Run the node's graph on the task's input; its output is the task's result.

    A child of a thread with a checkpointer keeps its own checkpoints under the task's namespace, so a pause in it is
    resumed there. Its pauses raise through to `flow_of`, which records them as the parent task's.
    """
    from stepgraph.core.engine import Engine as Inner

    parent = engine.request
    node = task.node
    assert node.child is not None
    own = node.child_checkpointer
    checkpointer = None if own is False else parent.checkpointer
    if own not in (None, True, False):
        checkpointer = own
    ns: tuple[str, ...] = (*engine.scope.ns, task.name) if own is True else task.ns
    inner = Inner(
        node.child,
        Request(
            input=task.input if node.mapper is None or task.key >= 0 else node.mapper(task.input),
            config=parent.config,
            run_id=parent.run_id,
            clock=parent.clock,
            new_id=parent.new_id,
            thread=parent.thread,
            ns=ns,
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
        ),
    )
    outcome = yield from inner.run()
    return outcome.values
