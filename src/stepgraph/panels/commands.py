"""What a page may ask for, by name: each is one call of a method that a script could make too.

A command gets the panel, the run it is about and its arguments, and runs on a thread of its own. What it returns or
raises becomes the reply.
"""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepgraph.core.types import Decision
from stepgraph.panels import values
from stepgraph.panels.card import effect
from stepgraph.panels.fold import RunView, fold

if TYPE_CHECKING:
    from stepgraph.debug.run import Run
    from stepgraph.panels.run_panel import RunPanel

Arguments = Mapping[str, Any]
Command = Callable[["RunPanel", "Run", Arguments], Any]
STATIC = Path(__file__).parent / "static"
BY = "panel"
"""Who decided, as far as a page knows: an audit tells people's clicks from decisions of programs."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command, with binary parts if it has any.

    A `picture` is drawn by the publisher's thread when it sends the reply, so that it fits between two batches.
    """

    value: Any = None
    buffers: tuple[bytes, ...] = ()
    picture: Run | None = None


class Worker:
    """A daemon thread that does what it is handed, in order. It starts with the first job."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def do(self, job: Callable[[], None]) -> None:
        """Hand over `job`, which must not raise; returns at once."""
        self._jobs.put(job)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            self._jobs.get()()


ACTING = Worker("stepgraph decisions")
"""What changes a run: in the order in which it was clicked."""
LOOKING = Worker("stepgraph views")
"""What only reads: a long search never delays a decision."""


def hello(panel: RunPanel, run: Run, _: Arguments) -> Reply:
    """A page shows the panel: everything it needs to draw it, and somebody is there to decide."""
    panel.greeted()
    panel.feed(run)
    return Reply(picture=run)


def decide(_panel: RunPanel, run: Run, given: Arguments) -> None:
    """Answer a request with any verb."""
    request = _request(run, given["request"])
    request.decide(
        Decision(
            verb=given["verb"],
            value=given.get("value"),
            reason=given.get("reason") or None,
            by=given.get("by") or BY,
            seen=given.get("seen"),
            then=given.get("then", "stop"),
            scope=given.get("scope", "once"),
            request=request.id,
        )
    )


def preview(_panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """What an edit would do; runs no node."""
    return effect(_request(run, given["request"]).preview(given["value"]))


def proposal(_panel: RunPanel, run: Run, given: Arguments) -> Any:
    """A proposal that was too large to send with its card."""
    return _request(run, given["request"]).value


def value(_panel: RunPanel, run: Run, given: Arguments) -> values.Branch:
    """A branch of the state, now or after step `at`."""
    return values.branch(_state(run, given), given["position"], given.get("offset", 0), given.get("limit", values.PAGE))


def find(_panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """Places in the state where a key or a text contains `text`."""
    hits, complete = values.search(_state(run, given), given["text"])
    return {"hits": hits, "complete": complete}


def rows(_panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """Rows of the log from number `since` on, as long as the hub keeps their events."""
    events = run.hub.log(given["since"])[: min(given.get("limit", 500), 2_000)]
    return {"rows": fold(RunView(), events), "first": run.hub.first}


def asset(_panel: RunPanel, _run: Run, given: Arguments) -> Reply:
    """A heavy part of the page, compressed; only what ships in `static/`."""
    if given["name"] != "viz.js":
        raise LookupError(f"There is no part {given['name']!r} of this page.")
    return Reply(buffers=(gzip.compress((STATIC / "viz.js").read_bytes(), 6),))


def laid_out(panel: RunPanel, _run: Run, given: Arguments) -> None:
    """The page has run Graphviz itself."""
    panel.chart.take(given["source"], given["layout"])


def collapse(panel: RunPanel, _run: Run, given: Arguments) -> None:
    """Show a subgraph as one box, or open it."""
    panel.chart.collapse(given["path"], given["on"])


def stop(_panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """Add a stop; equal stops are one."""
    more = {name: given[name] for name in ("when", "hits", "once") if given.get(name)}
    found = run.session.stop(given["spec"], **more)
    return {"id": found.id, "problem": found.problem}


def unstop(_panel: RunPanel, run: Run, given: Arguments) -> None:
    """Remove a stop."""
    run.session.remove(_stop(run, given["stop"]))


def enable(_panel: RunPanel, run: Run, given: Arguments) -> None:
    """Switch a stop on or off."""
    _stop(run, given["stop"]).enabled = bool(given["on"])


def revoke(_panel: RunPanel, run: Run, given: Arguments) -> None:
    """Ask again what a rule of the run decided so far; one that is revoked already is no error."""
    if any(rule.id == given["rule"] for rule in run.rules):
        run.revoke(given["rule"])


def go_on(_panel: RunPanel, run: Run, given: Arguments) -> None:
    """One of the run's own verbs: next, into, out, go, pause, cancel."""
    match given["verb"]:
        case "next":
            run.next()
        case "into":
            run.into()
        case "out":
            run.out()
        case "go":
            run.go()
        case "pause":
            run.pause()
        case "cancel":
            run.cancel(force=bool(given.get("force")))
        case other:
            raise LookupError(f"A run has no verb {other!r}. It has: next, into, out, go, pause, cancel.")


def fork(panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """Start a branch after step `at`, with changed keys; with `again` the nodes run again although none is changed."""
    moment, note, updates = run.at(given["at"]), given.get("note") or None, dict(given.get("updates") or {})
    made = moment.rerun(note) if given.get("again") and not updates else moment.fork(note, **updates)
    panel.feed(made)
    return {"run": made.id, "branch": made.branch}


def branch(panel: RunPanel, run: Run, _: Arguments) -> Reply:
    """Another branch of the same tree is looked at, or a page missed a message."""
    panel.feed(run)
    return Reply(picture=run)


def schema(_panel: RunPanel, run: Run, given: Arguments) -> dict[str, Any]:
    """The form for a fork after step `at`: schema and values of the state. Keys with a reducer are set, not added."""
    found = run.at(given["at"]).form()
    channels = run.graph.plan.channels
    reduced = {key: content for key, content in found["value"].items() if not channels[key].plain}
    found["value"].update({key: {"$set": content} for key, content in reduced.items()})
    return {**found, "results": reduced}


COMMANDS: Mapping[str, tuple[Worker, Command]] = {
    "hello": (LOOKING, hello),
    "branch": (LOOKING, branch),
    "value": (LOOKING, value),
    "find": (LOOKING, find),
    "rows": (LOOKING, rows),
    "proposal": (LOOKING, proposal),
    "preview": (LOOKING, preview),
    "asset": (LOOKING, asset),
    "layout": (LOOKING, laid_out),
    "collapse": (LOOKING, collapse),
    "schema": (LOOKING, schema),
    "decide": (ACTING, decide),
    "go_on": (ACTING, go_on),
    "fork": (ACTING, fork),
    "stop": (ACTING, stop),
    "unstop": (ACTING, unstop),
    "enable": (ACTING, enable),
    "revoke": (ACTING, revoke),
}


def _request(run: Run, id: str) -> Any:
    for request in run.requests_by_id(id):
        return request
    raise LookupError(f"Request {id} is not pending any more: it was decided, or its run has ended.")


def _state(run: Run, given: Arguments) -> Any:
    step = given.get("at")
    return run.state if step is None else run.at(step).state


def _stop(run: Run, id: Any) -> Any:
    for found in run.session.stops:
        if found.id == id:
            return found
    raise LookupError(f"Stop {id} does not exist any more.")
