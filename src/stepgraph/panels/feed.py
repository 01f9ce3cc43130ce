"""A run as panels follow it: the hub's events gathered, folded, and turned into patches for the page."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from stepgraph.core.events import Event, TaskFinished
from stepgraph.panels.card import bare_card, card, failure
from stepgraph.panels.fold import Row, RunView, fold, fold_quietly, recall
from stepgraph.panels.listing import parent_of

if TYPE_CHECKING:
    from stepgraph.approve.requests import Request
    from stepgraph.approve.rules import Rule
    from stepgraph.debug.ledger import StepRow
    from stepgraph.debug.run import Run

ROWS = 20_000
"""Rows of the log that are kept for the page to scroll back to."""
MOST = 6_000
"""Rows sent in one batch; of more only the newest are, with the number of the last one left out."""
NEWEST = 100
HISTORY_SECONDS = 0.25
"""Least time between two readings of the step list of a run at full speed."""


class Feed:
    """The fold of one run. `collect` is called by the publisher's thread only; the hub may call from any thread."""

    def __init__(self, run: Run, wake: Callable[[], None]) -> None:
        self.run = run
        self.view = RunView()
        self.rows: deque[Row] = deque(maxlen=ROWS)
        self.first = 0
        """Number of the first event that this feed has seen; earlier ones had left the hub's ring already."""
        self._wake = wake
        self._inbox: deque[tuple[int, Event]] = deque()
        self._seen = -1
        self._sent: dict[str, Any] = {}
        self._cards: dict[str, tuple[str, dict[str, Any]]] = {}
        self._history_due = 0.0
        past = run.history()  # before the events are read: each newer step is told by them
        self.close = run.hub.subscribe(self._take)
        backlog = run.hub.log()
        self.first = backlog[0][0] if backlog else 0
        if len(backlog) > ROWS:
            self._fold_quietly(backlog[:-ROWS])
        self._fold(backlog[-ROWS:])
        self._restore(past, backlog)

    @property
    def waiting(self) -> bool:
        """Whether there is something to send that no event will announce: a step list that was put off."""
        return self.view.turned

    def collect(self) -> dict[str, Any] | None:
        """Everything since the last call as one patch; None if nothing changed."""
        inbox = self._inbox
        batch = [inbox.popleft() for _ in range(len(inbox))]
        patch: dict[str, Any] = {}
        if len(batch) > MOST:
            patch["skip"] = self._fold_quietly(batch[:-NEWEST])
            batch = batch[-NEWEST:]
        rows = self._fold(batch)
        if rows:
            patch["rows"] = rows
        view = self.view
        if view.touched_nodes:
            patch["nodes"] = {path: self._node(path) for path in view.touched_nodes}
            view.touched_nodes = set()
        if view.touched_edges:
            patch["edges"] = [[source, to, view.edges[source, to]] for source, to in view.touched_edges]
            view.touched_edges = set()
        if view.fresh_output:
            patch["output"], view.fresh_output = view.fresh_output, []
        patch.update(self._turned())
        patch.update(self._differing("head", self.head()))
        if not patch:
            return None
        patch["run"] = self.run.id
        return patch

    def snapshot(self, *, cards: bool = True) -> dict[str, Any]:
        """The whole view, with the newest rows and output only. Without `cards` it takes next to no time."""
        view = self.view
        return {
            "run": self.run.id,
            "head": self.head(),
            "nodes": {path: self._node(path) for path in view.nodes},
            "edges": [[source, to, number] for (source, to), number in view.edges.items()],
            "steps": self.steps(),
            "requests": self.requests() if cards else [],
            "output": view.output[-300:],
            "rows": list(self.rows)[-200:],
            "first": self.first,
            "seen": self._seen,
        }

    def head(self) -> dict[str, Any]:
        """What the status line says."""
        run, view = self.run, self.view
        error = run.error
        return {
            "thread": run.thread,
            "branch": run.branch,
            "note": run.note,
            "parent": parent_of(run),
            "status": run.status,
            "ordered": run.ordered,
            "step": view.step,
            "started": view.started,
            "ended": view.ended,
            "error": None if error is None else failure(error),
            "stats": _stats(run),
            "durable": run.durable,
            "rules": [] if run.ended else [_rule(rule) for rule in run.rules],
            "failures": [f"{name}: {type(error).__name__}: {error}" for name, error in run.hub.failures],
        }

    def requests(self) -> list[dict[str, Any]]:
        """Cards of what is pending, oldest first; each is built once for a digest."""
        pending = self.run.pending()
        known, self._cards = self._cards, {}
        for request in pending:
            before = known.get(request.id)
            fresh = before is None or before[0] != request.digest
            self._cards[request.id] = (request.digest, _card(request)) if fresh or before is None else before
        return [self._cards[request.id][1] for request in pending]

    def steps(self) -> list[list[Any]]:
        """The time line: [step, nodes, next, source, decisions, ids of stops that would have hit]."""
        return [
            [row.step, list(row.nodes), list(row.next), row.source, list(row.decisions), list(row.hits)]
            for row in self.run.history()
        ]

    def _take(self, seq: int, event: Event) -> None:
        """The hub's callback: runs on the engine's path, so it only hands over."""
        self._inbox.append((seq, event))
        self._wake()

    def _fold(self, batch: list[tuple[int, Event]]) -> list[Row]:
        fresh = [each for each in batch if each[0] > self._seen]  # the backlog and the first call may overlap
        if not fresh:
            return []
        self._seen = fresh[-1][0]
        rows = fold(self.view, fresh)
        self.rows.extend(rows)
        return rows

    def _fold_quietly(self, batch: list[tuple[int, Event]]) -> int:
        """The number of the last event, of which no row is made."""
        fold_quietly(self.view, (each for each in batch if each[0] > self._seen))
        self._seen = max(self._seen, batch[-1][0])
        return self._seen

    def _restore(self, past: Iterable[StepRow], backlog: list[tuple[int, Event]]) -> None:
        """Mark what ran before this run's events begin: the steps that a fork shares, or another process made."""
        told = {event.step for _, event in backlog if isinstance(event, TaskFinished) and not event.ns}
        for row in past:
            if row.step not in told:
                recall(self.view, row.nodes)

    def _turned(self) -> dict[str, Any]:
        """Requests at once; the step list at most every HISTORY_SECONDS while the run goes at full speed."""
        if not self.view.turned:
            return {}
        result = self._differing("requests", self.requests())
        now = time.monotonic()
        if now >= self._history_due or self.run.status != "running":
            self.view.turned = False
            steps = self.steps()
            self._history_due = time.monotonic() + max(HISTORY_SECONDS, 10 * (time.monotonic() - now))
            result.update(self._differing_tail(steps))
        return result

    def _differing(self, name: str, value: Any) -> dict[str, Any]:
        if self._sent.get(name) == value:
            return {}
        self._sent[name] = value
        return {name: value}

    def _differing_tail(self, steps: list[list[Any]]) -> dict[str, Any]:
        """Only the rows from the first that differs: [index, rows]."""
        known: list[list[Any]] = self._sent.get("steps", [])
        start = next((i for i, (old, new) in enumerate(zip(known, steps, strict=False)) if old != new), len(known))
        start = min(start, len(steps))
        self._sent["steps"] = steps
        if start == len(steps) == len(known):
            return {}
        return {"steps_from": [start, steps[start:]]}

    def _node(self, path: str) -> list[Any]:
        node = self.view.nodes[path]
        return [node.state, node.count, node.running]


def _card(request: Request) -> dict[str, Any]:
    """The card; where values can't even be compared or shown, one that says so and still takes a decision."""
    try:
        return card(request)
    except Exception as error:  # noqa: BLE001  values are of users' classes, which may raise anything
        return bare_card(request, error)


def _rule(rule: Rule) -> dict[str, Any]:
    decision = rule.decision
    return {
        "id": rule.id,
        "title": rule.title,
        "stop": rule.stop.id,
        "verb": decision.verb,
        "by": decision.by,
        "reason": decision.reason,
    }


def _stats(run: Run) -> dict[str, Any]:
    stats = run.stats
    return {name: getattr(stats, name) for name in ("tasks", "steps", "reruns", "retries", "asked", "decisions")}
