"""The time line of a thread, read back from its checkpointer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepgraph.core.checkpoint import Stored
from stepgraph.core.types import START
from stepgraph.debug.ledger import StepRow


def history_of(saver: Any, thread: str) -> list[StepRow]:
    """The supersteps on the way to the thread's newest checkpoint, oldest first, across the threads it forked from."""
    found: list[StepRow] = []
    for stored in ancestors(saver, thread):
        if stored.step >= 0:
            following = (*stored.control.next, *(node for node, _, _ in stored.control.sends))
            ran = _ran(stored)
            nodes = tuple(name for name in ran if name != START)
            source = "input" if stored.source == "loop" and ran == (START,) else stored.source
            found.append(StepRow(stored.step, stored.id, nodes, following, source, stored.time))
    steps: dict[int, StepRow] = {}
    for row in found:
        steps.setdefault(row.step, row)  # the newest checkpoint of a superstep counts: it has the amendments
    return [steps[step] for step in sorted(steps)]


def ancestors(saver: Any, thread: str) -> Iterator[Stored]:
    """From the newest checkpoint back to the first, across the threads that it was forked from."""
    wanted: str | None = None
    first = True
    home: str | None = thread
    while home is not None:
        here, home = home, None
        for stored in saver.history(here, "", values=False):
            if first or stored.id == wanted:
                first = False
                wanted = stored.parent
                yield stored
                if stored.parent_thread is not None:
                    home = stored.parent_thread
                    break


def _ran(stored: Stored) -> tuple[str, ...]:
    """The nodes of the superstep that led to a checkpoint: those whose last version is the checkpoint's own."""
    return tuple(sorted(name for name, version in stored.seen.items() if version == stored.version))
