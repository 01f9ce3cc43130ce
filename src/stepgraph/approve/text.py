"""Requests and changes as plain text: what a script prints, and what a screen reader reads."""

from __future__ import annotations

from typing import Any

from stepgraph.approve.changes import Change, shortened
from stepgraph.approve.requests import Request
from stepgraph.core.types import MISSING

SIGNS = {
    "running": "●", "held": "◆", "done": "✓", "failed": "✗", "cancelled": "✗", "suspended": "◌", "interrupted": "◆",
    "skipped": "◌",
}  # fmt: skip
"""One sign a status; never alone, always beside its word."""


def request_text(request: Request) -> str:
    """One line of what is asked, one a change, one of what may be decided."""
    head = f"◆ held {request.title}, superstep {request.step} (request {request.id}): {request.why}"
    unfit = request.pause.unfit
    lines = [head, *(f"  {unfit_text(each) if each.key in unfit else change_text(each)}" for each in request.changes)]
    if request.place == "before":
        arguments = request.arguments
        lines.append(f"  input: {short(request.state if arguments is None else arguments)}")
    if request.place in ("plan", "committed"):
        lines.append(f"  next: {', '.join(task.node for task in request.pause.tasks) or 'nothing'}")
    if request.place == "edge":
        lines.append(f"  goes to: {', '.join(request.routes) or 'END'}; could: {', '.join(request.pause.alternatives)}")
    if request.error is not None:
        lines.append(f"  {type(request.error).__name__}: {request.error}")
    if request.place == "interrupt":
        lines.append(f"  asks: {short(request.question)}")
    if request.decided is not None:
        lines.append(f"  decided: {request.decided.verb}")
    elif request.closed is not None:
        lines.append(f"  closed: {request.closed}")
    else:
        lines.append(f"  allowed: {' '.join(request.allow)}")
    return "\n".join(lines)


def unfit_text(change: Change) -> str:
    """`answer: can't be put together: left@1 "a", right@1 "b"`."""
    writers = ", ".join(f"{shortened(address)} {short(update)}" for address, update in change.writers)
    how = f" ({change.reducer})" if change.reducer else ""
    return f"{change.key}: can't be put together{how}: {writers}"


def change_text(change: Change) -> str:
    """`answer: "old" → "new"`, or `messages: +2 (add)` for a list that grows."""
    how = f" ({change.reducer})" if change.reducer else ""
    if isinstance(change.old, list) and isinstance(change.new, list):
        grown = len(change.new) - len(change.old)
        if grown > 0 and change.new[: len(change.old)] == change.old:
            return f"{change.key}: +{grown}{how} {short(change.new[len(change.old) :])}"
    return f"{change.key}: {short(change.old)} → {short(change.new)}{how}"


def short(value: Any, width: int = 72) -> str:
    """A value on one bounded line."""
    if value is MISSING:
        return "–"
    text = " ".join(repr(value).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def error_name(error: BaseException) -> str:
    """The name of an error's class; of a class that is nobody's business, the name of the one that it refines."""
    return next(kind.__name__ for kind in type(error).__mro__ if not kind.__name__.startswith("_"))
