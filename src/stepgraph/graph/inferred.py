"""Which node an update without `as_node` comes from: the last one that ran, as the thread's checkpoints tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepgraph.core.checkpoint import Stored, records_by_task
from stepgraph.core.effects import Flow, Load
from stepgraph.core.engine import Engine
from stepgraph.core.entry import NOBODY, written
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.plan import Plan
from stepgraph.core.state import LAST
from stepgraph.core.types import START


def inferred(engine: Engine) -> Flow:
    """The node that ran last, if only one did; START if none has. As in LangGraph, edits and Sends do not count."""
    plan = engine.plan
    others = [name for name in plan.nodes if name != START]
    if len(others) == 1 and plan.intake is not None:
        return others[0]
    if engine.keeper is not None:
        last = _seen_last(plan, engine.state.seen)
    else:
        last = yield from last_to_run(engine)
    if not last and (engine.checkpoint is None or plan.intake is None):
        return START
    if len(last) != 1:
        raise InvalidUpdateError(
            f"Ambiguous update, specify as_node: the update could come from any of {sorted(others)}."
        )
    return next(iter(last))


def last_to_run(engine: Engine) -> Flow:
    """The nodes of the last superstep to which edges led any: that before the engine's checkpoint, or an earlier one.

    A checkpoint that edits made of others says so itself, where its place among them would not tell.
    """
    plan, request, ns = engine.plan, engine.request, engine.scope.ns_text
    thread, saver = request.thread or "", request.checkpointer
    at = None if engine.checkpoint is None else (yield Load(saver, thread, ns, engine.checkpoint))
    while at is not None:
        known = at.control.channels.get(LAST)
        if known is not None:
            return frozenset(known).intersection(plan.nodes)
        before = None if at.parent is None else (yield Load(_Before(saver, at.id), thread, ns, at.parent))
        if before is None and at.parent is not None:  # the parent is another thread's
            return _seen_last(plan, at.seen)
        dropped = at.source == "input" and at.control.next == (START,)  # what waited; an edit's input comes beside it
        if before is not None and (dropped or at.source == "loop") and (led := newest(plan, before)):
            return led
        at = before
    return frozenset()


def _seen_last(plan: Plan, seen: Mapping[str, int]) -> frozenset[str]:
    known = {name: version for name, version in seen.items() if name in plan.nodes}
    last = max(known.values(), default=0)
    return frozenset(name for name, version in known.items() if version == last)


def newest(plan: Plan, stored: Stored) -> frozenset[str]:
    """The nodes to which edges, or a caller's Command, led last before the superstep after `stored`."""
    nobody = records_by_task(stored).get(NOBODY, {})
    if "outcome" in nobody:
        gone = frozenset(route for route in written(nobody)[1] if isinstance(route, str) and route in plan.nodes)
        if gone:
            return gone
    following = frozenset(stored.control.next).intersection(plan.nodes)
    if START in following:
        return frozenset((START,))
    kept = plan.deferred
    if stored.source == "update":  # an edit leaves complete joins as they are
        arrived = stored.control.channels
        kept |= {b.node for key, b in plan.barriers.items() if len(arrived.get(key, ())) == len(b.sources)}
    return following - kept or following


class _Before:
    """A checkpointer whose `load` finds a checkpoint before another one, and leaves its values out."""

    def __init__(self, checkpointer: Any, child: str) -> None:
        self._checkpointer, self._child = checkpointer, child
        self.in_memory = getattr(checkpointer, "in_memory", False)

    def load(self, thread: str, ns: str, checkpoint: str | None) -> Stored | None:
        for each in self._checkpointer.history(thread, ns, before=self._child, values=False):
            if each.id == checkpoint:
                found: Stored = each
                return found
        return None
