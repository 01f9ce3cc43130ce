"""Prints and logs of node code: they go where they always went, and to the task that made them."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Any, TextIO

from stepgraph.core.events import TaskEmitted
from stepgraph.core.task import Task
from stepgraph.run.context import current_task

_lock = RLock()
_users = 0


class Tee:
    """Stands for sys.stdout or sys.stderr while runs are watched; passes everything on to `original`."""

    def __init__(self, original: TextIO, kind: str) -> None:
        self.original = original
        self.kind = kind

    def write(self, text: str) -> int:
        task = current_task.get(None)
        if task is not None and (lines := lines_of(task)) is not None:
            lines.add(task, self.kind, text)
        return self.original.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class Lines:
    """Collects what a task writes and emits it a line at a time."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], list[str]] = {}

    def add(self, task: Task, kind: str, text: str) -> None:
        """May be called from any thread of the task."""
        held = self._open.setdefault((id(task), kind), [])
        held.append(text)
        if "\n" in text:
            self._send(task, kind)

    def flush(self, task: Task) -> None:
        """The body has ended: what has no line end yet is sent too."""
        if not self._open:
            return
        for kind in ("stdout", "stderr"):
            if (id(task), kind) in self._open:
                self._send(task, kind)

    def _send(self, task: Task, kind: str) -> None:
        text = "".join(self._open.pop((id(task), kind), ()))
        if text:
            emit_text(task, kind, text)


class Capturing:
    """What a probe is if its tasks' output is to be captured."""

    def __init__(self) -> None:
        self.lines = Lines()


def lines_of(task: Task) -> Lines | None:
    """Where the task's output is collected; None if its run is not watched."""
    found: Lines | None = getattr(task.scope.probe, "lines", None)
    return found


class LogHandler(logging.Handler):
    """Puts log records of node code on the run's events, as `LEVEL name: message`."""

    def emit(self, record: logging.LogRecord) -> None:
        task = current_task.get(None)
        if task is not None and lines_of(task) is not None:
            try:
                emit_text(task, "log", f"{record.levelname} {record.name}: {record.getMessage()}\n")
            except Exception:  # noqa: BLE001  logging's own rule: a handler never breaks the program
                self.handleError(record)


_handler = LogHandler()


def emit_text(task: Task, kind: str, text: str) -> None:
    """One piece of output as an event of its task."""
    scope = task.scope
    if scope.emit is not None:
        scope.emit(TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, kind, text))


def install() -> Callable[[], None]:
    """Watch the output until the returned function is called; may be nested."""
    global _users
    with _lock:
        _users += 1
        _wrap()
        if _users == 1:
            logging.getLogger().addHandler(_handler)
    done = False

    def uninstall() -> None:
        global _users
        nonlocal done
        with _lock:
            if done:
                return
            done = True
            _users -= 1
            if _users == 0:
                logging.getLogger().removeHandler(_handler)
                _unwrap()

    return uninstall


_tees: deque[Tee] = deque(maxlen=64)
"""The stand-ins made last, used again for the same stream and never freed soon: Python's own `print` (seen in 3.11)
holds no reference to the stream that it writes to, and one freed by another thread in mid-print ends the process."""


def _wrap() -> None:
    if not isinstance(sys.stdout, Tee):
        sys.stdout = _tee(sys.stdout, "stdout")
    if not isinstance(sys.stderr, Tee):
        sys.stderr = _tee(sys.stderr, "stderr")


def _tee(original: Any, kind: str) -> Any:
    for known in _tees:
        if known.original is original and known.kind == kind:
            return known
    _tees.append(Tee(original, kind))
    return _tees[-1]


def _unwrap() -> None:
    """Only our own stand-ins are taken away: somebody else may have replaced them meanwhile."""
    if isinstance(sys.stdout, Tee):
        sys.stdout = sys.stdout.original
    if isinstance(sys.stderr, Tee):
        sys.stderr = sys.stderr.original
