"""The one fold behind every panel: events of a run become a small view of which node does what.

The view is keyed by task id and ignores events that it does not know, so it shows live, recorded and remote runs alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from stepgraph.approve.text import error_name
from stepgraph.core.events import (
    CheckpointSaved,
    Decided,
    Event,
    Paused,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TaskEmitted,
    TaskFailed,
    TaskFinished,
    TaskInterrupted,
    TaskRetried,
    TaskStarted,
)
from stepgraph.core.types import END, PREVIOUS, RETURN, START, Namespace, Send
from stepgraph.panels.values import one_line

NodeState = Literal["", "running", "held", "done", "failed", "skipped"]
Row = list[Any]
"""[seq, time, type, node path or "", step, text]: one event as the page lists it."""

RESULTS = {RETURN: "returned", END: "gave the result", PREVIOUS: "kept a value for the next run"}
"""What is said of the keys of called functions and of entrypoints."""
OUTPUT = 2_000
"""Pieces of node output that are kept; older ones go first."""


@dataclass(slots=True)
class TaskView:
    """A task that has not ended yet."""

    path: str
    step: int
    index: int
    started: float
    held: bool = False


@dataclass(slots=True)
class NodeView:
    """A node over the whole run: `count` bodies finished, `last` how the latest ended."""

    count: int = 0
    running: int = 0
    held: int = 0
    last: NodeState = ""

    @property
    def state(self) -> NodeState:
        """The most urgent of what its tasks do."""
        if self.held:
            return "held"
        return "running" if self.running else self.last


@dataclass(slots=True)
class RunView:
    """What the events so far amount to; the fields from `touched_nodes` on say what the next patch must carry."""

    nodes: dict[str, NodeView] = field(default_factory=dict)
    edges: dict[tuple[str, str], int] = field(default_factory=dict)
    tasks: dict[str, TaskView] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    """Tasks whose update a person dropped, until they end."""
    output: list[list[Any]] = field(default_factory=list)
    step: int = 0
    started: float | None = None
    ended: float | None = None
    pieces: int = 0
    """Pieces of output so far, those that have gone included."""
    touched_nodes: set[str] = field(default_factory=set)
    touched_edges: set[tuple[str, str]] = field(default_factory=set)
    fresh_output: list[list[Any]] = field(default_factory=list)
    turned: bool = True
    """Something happened that changes the list of steps or requests."""


def fold(view: RunView, batch: Iterable[tuple[int, Event]]) -> list[Row]:
    """Bring `view` up to date and say each event in one row. Owns `view`."""
    rows: list[Row] = []
    for seq, event in batch:
        path, text = _apply(view, event)
        rows.append(
            [seq, round(getattr(event, "time", 0.0), 3), type(event).__name__, path, getattr(event, "step", 0), text]
        )
    return rows


def fold_quietly(view: RunView, batch: Iterable[tuple[int, Event]]) -> None:
    """The same without a row for each: what is left to do when more happens than anybody can read."""
    for _, event in batch:
        match event:
            case TaskFinished():
                _count_finished(view, event)
            case StepFinished():
                view.turned = True
            case StepStarted():
                if not event.ns:
                    view.step = event.step
            case TaskEmitted(kind="reads") | CheckpointSaved():
                pass
            case _:
                _apply(view, event)


def recall(view: RunView, nodes: Iterable[str]) -> None:
    """Nodes of the outermost graph that are known to have run, although no event tells of it."""
    for path in nodes:
        if path == START:
            continue
        node = _node(view, path)
        node.count += 1
        node.last = node.last or "done"


def where(ns: Namespace) -> str:
    """Path of a namespace: ("sub:1f", "inner:2c") is "sub/inner"."""
    return "/".join(each.partition(":")[0] for each in ns)


def _apply(view: RunView, event: Event) -> tuple[str, str]:
    """(path, text) of the event, after the view took it in."""
    match event:
        case TaskStarted():
            return _started(view, event)
        case TaskFinished():
            return _finished(view, event)
        case TaskFailed():
            path = _end(view, event.ns, event.node, event.task, "failed")
            return path, f"{error_name(event.error)}: {_first_line(event.error)}"
        case TaskInterrupted():
            path = _end(view, event.ns, event.node, event.task, "held")
            return path, f"asked {len(event.interrupts)} question(s) and unwound"
        case TaskEmitted():
            return _emitted(view, event)
        case TaskRetried():
            text = f"attempt {event.attempt} failed: {error_name(event.error)}: {_first_line(event.error)}"
            return _path(event.ns, event.node), text
        case Paused():
            return _paused(view, event)
        case Decided():
            return _decided(view, event)
        case StepStarted():
            if not event.ns:
                view.step = event.step
            return where(event.ns), "planned " + ", ".join(_counted(task.node for task in event.tasks))
        case StepFinished():
            view.turned = True
            return where(event.ns), f"{_written(event.changed)} → {', '.join(event.next) or 'end'}"
        case RunStarted():
            return _run_started(view, event)
        case RunFinished():
            return _run_finished(view, event)
        case _:
            return where(getattr(event, "ns", ())), ""


def _started(view: RunView, event: TaskStarted) -> tuple[str, str]:
    path = _path(event.ns, event.node)
    node = _node(view, path)
    if event.task not in view.tasks:
        node.running += 1
    view.tasks[event.task] = TaskView(path, event.step, event.index, event.time)
    return path, f"attempt {event.attempt}" if event.attempt > 1 else ""


def _finished(view: RunView, event: TaskFinished) -> tuple[str, str]:
    path, targets = _count_finished(view, event)
    chosen = f" → {', '.join(_counted(targets))}" if targets else ""
    return path, f"{_written([key for key, _ in event.writes])}{chosen}{' (from the record)' if event.carried else ''}"


def _written(keys: Iterable[str]) -> str:
    """`wrote answer, score`; what functions of the functional API return and keep has keys that nobody named."""
    found = dict.fromkeys(keys)
    told = [words for key, words in RESULTS.items() if key in found]
    named = [key for key in found if key not in RESULTS]
    return ", ".join([*told, f"wrote {', '.join(named)}"] if named or not told else told) if found else "wrote nothing"


def _count_finished(view: RunView, event: TaskFinished) -> tuple[str, list[str]]:
    """(path, names of the targets)."""
    how: NodeState = "skipped" if event.task in view.skipped else "done"
    view.skipped.discard(event.task)
    path = _end(view, event.ns, event.node, event.task, how)
    view.nodes[path].count += 0 if event.carried else 1
    above = where(event.ns)
    targets = [route.node if isinstance(route, Send) else route for route in event.routes]
    for target in targets:
        edge = (path, f"{above}/{target}" if above else target)
        view.edges[edge] = view.edges.get(edge, 0) + 1
        view.touched_edges.add(edge)
    return path, targets


def _emitted(view: RunView, event: TaskEmitted) -> tuple[str, str]:
    path = _path(event.ns, event.node)
    if event.kind == "reads":
        if isinstance(event.payload, str):
            return path, f"what it read is not known: {event.payload}"
        return path, f"read {', '.join(map(str, event.payload)) or 'nothing'}"
    text = event.payload if isinstance(event.payload, str) else one_line(event.payload, 2_000)[0]
    piece = [view.pieces, event.task, path, event.step, event.kind, text[:20_000], event.time]
    view.pieces += 1
    view.output.append(piece)
    view.fresh_output.append(piece)
    if len(view.output) > OUTPUT:
        del view.output[:-OUTPUT]
        del view.fresh_output[:-OUTPUT]
    return path, f"{event.kind}: {text[:120].rstrip()}"


def _paused(view: RunView, event: Paused) -> tuple[str, str]:
    pause = event.pause
    view.turned = True
    path = _path(event.ns, pause.node) if pause.node else where(event.ns)
    if pause.node:
        view.asked[event.request] = path
        _node(view, path).held += 1
    return path, f"held {pause.place}{':' + path if path else ''} (request {event.request})"


def _decided(view: RunView, event: Decided) -> tuple[str, str]:
    view.turned = True
    path = view.asked.pop(event.request, None)
    if path is not None:
        node = _node(view, path)
        node.held = max(0, node.held - 1)
        if event.verb == "skip" and event.task is not None:
            view.skipped.add(event.task)
    by = f" by {event.by}" if event.by else ""
    return path or where(event.ns), f"{event.verb}{by}{': ' + event.reason if event.reason else ''}"


def _run_started(view: RunView, event: RunStarted) -> tuple[str, str]:
    if not event.ns:
        view.turned = True
        view.started, view.ended = view.started or event.time, None
    return where(event.ns), f"{event.graph} {'resumed' if event.resumed else 'started'}"


def _run_finished(view: RunView, event: RunFinished) -> tuple[str, str]:
    if not event.ns:
        view.turned = True
        view.ended = event.time
        for task in list(view.tasks):
            _drop(view, task, "")
    return where(event.ns), event.status + (f": {_first_line(event.error)}" if event.error else "")


def _end(view: RunView, ns: Namespace, name: str, task: str, how: NodeState) -> str:
    path = _path(ns, name)
    _node(view, path).last = how
    _drop(view, task, how)
    return path


def _drop(view: RunView, task: str, how: NodeState) -> None:
    known = view.tasks.pop(task, None)
    if known is not None:
        node = _node(view, known.path)
        node.running = max(0, node.running - 1)
        node.last = how or node.last


def _node(view: RunView, path: str) -> NodeView:
    view.touched_nodes.add(path)
    found = view.nodes.get(path)
    if found is None:
        found = view.nodes[path] = NodeView()
    return found


def _path(ns: Namespace, name: str) -> str:
    return f"{where(ns)}/{name}" if ns else name


def _counted(names: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return [name if number == 1 else f"{name} ×{number}" for name, number in counts.items()]


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]
