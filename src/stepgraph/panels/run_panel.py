"""The widget of a run: one model a run and its forks, any number of views, commands in and batches out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

import anywidget
import traitlets

from stepgraph.graph.drawing import structure
from stepgraph.panels.commands import COMMANDS, LOOKING, Reply
from stepgraph.panels.feed import Feed
from stepgraph.panels.layout import Layout, dot_source, parse, run_dot
from stepgraph.panels.publisher import PUBLISHER
from stepgraph.panels.still import still
from stepgraph.panels.subshells import deliver_on_any_subshell, reach_of_this_message
from stepgraph.panels.values import speakable

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

STILLS = 20
"""Cells that show the run and get its still picture renewed."""
log = logging.getLogger("stepgraph.panels")


class RunPanel(anywidget.AnyWidget):
    """Shows a run and takes decisions about it. Make it by showing the run: it is the same one each time."""

    _esm = Path(__file__).parent / "static" / "panel.js"
    _graph = traitlets.Dict().tag(sync=True)
    """Shape and layout; changes only when a subgraph is opened or closed."""
    _snapshot = traitlets.Dict().tag(sync=True)
    """The last view, for a page that finds the kernel busy or gone."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._shape = structure(run.graph)
        self._feeds: dict[str, Feed] = {}
        self._lock = Lock()
        self._replies: deque[tuple[dict[str, Any], Reply]] = deque()
        self._seq = 0
        self._news = True
        self._collapsed: frozenset[str] = frozenset()
        self._rested: object = None
        self._greeted = False
        self._reach: Literal["idle", "await", "block"] = "idle"
        self._attended: set[tuple[str, str]] = set()
        self._listed: dict[str, Any] = {}
        self._stills: deque[tuple[str, str]] = deque(maxlen=STILLS)
        super().__init__(_graph=self._shape_only(), _snapshot=self.picture(run))
        deliver_on_any_subshell(self.comm)
        self.on_msg(self._hand_over)
        self._unsubscribe = run.session.subscribe(self._session_changed)
        PUBLISHER.add(self)
        LOOKING.do(self._lay_out)

    # The publisher's side

    def send_replies(self) -> None:
        """Send what was answered; called by the publisher's thread, as is `send_batch`."""
        while self._replies:
            content, reply = self._replies.popleft()
            self._say({**content, **self._answer(reply)}, reply.buffers)

    def _answer(self, reply: Reply) -> dict[str, Any]:
        if reply.picture is None:
            return {"value": reply.value}
        try:
            return {"value": self.picture(reply.picture)}
        except Exception as error:  # noqa: BLE001  the page must learn of it, and the other panels must go on
            return {"ok": False, "error": _told(error)}

    def send_batch(self) -> bool:
        """Send what happened in each followed run, and keep snapshot and still picture up to date."""
        if not self._news:
            return False  # it is another panel's run that goes on
        self._news = False
        patches = [patch for feed in list(self._feeds.values()) if (patch := feed.collect())]
        lists = self._lists()
        if lists != self._listed:
            self._listed = lists
            patches.append(lists)
        if patches:
            self._say({"kind": "batch", "patches": patches})
        self._renew()
        self._news = self._news or any(feed.waiting for feed in self._feeds.values())
        return self._news

    def _say(self, content: dict[str, Any], buffers: tuple[bytes, ...] = ()) -> None:
        self._seq += 1
        message = {**content, "seq": self._seq}
        try:
            self.send(message, list(buffers))
        except UnicodeEncodeError:
            self.send(speakable(message), list(buffers))

    def _renew(self) -> None:
        """Snapshot and still picture change when a run stops or ends, not while it goes."""
        run = self.run
        now = (
            run.status,
            [request.id for request in run.pending()],
            len(self._feeds),
            self._graph["layout"] is not None,
        )
        if now[0] == "running" or now == self._rested:
            return
        self._rested = now
        self._snapshot = self.picture(run)
        self._renew_stills()

    # What pages are told

    def feed(self, run: Run) -> Feed:
        """The feed of a run of this tree; made on first use."""
        with self._lock:
            found = self._feeds.get(run.id)
            if found is not None:
                return found
            found = self._feeds[run.id] = Feed(run, self._happened)
        run.on_change(self._happened)
        self._attend(run)
        self._happened()
        return found

    def picture(self, run: Run) -> dict[str, Any]:
        """Everything that a page shows of `run`, as of message `seq`."""
        found: dict[str, Any] = speakable({"seq": self._seq, **self._lists(), **self.feed(run).snapshot()})
        return found

    def _lists(self) -> dict[str, Any]:
        """Branches and stops: what belongs to the session."""
        session = self.run.session
        return {
            "session": session.name,
            "branches": [
                {
                    "id": run.id,
                    "branch": run.branch,
                    "note": run.note,
                    "parent": None if run.parent is None else [run.parent[0].id, run.parent[1]],
                    "status": run.status,
                }
                for run in self.run.tree()
            ],
            "stops": [
                {
                    "id": stop.id,
                    "spec": stop.spec,
                    "kind": stop.kind,
                    "when": stop.when_text,
                    "enabled": stop.enabled,
                    "hits": stop.hits,
                    "allow": list(stop.allow),
                    "problem": stop.problem,
                }
                for stop in session.stops
            ],
        }

    def greeted(self) -> None:
        """A front end has answered: a person may decide on this run and its forks."""
        self._greeted = True
        for feed in list(self._feeds.values()):
            self._attend(feed.run)

    def _attend(self, run: Run) -> None:
        """Tell the run that somebody may answer, and whether that can be while a cell runs."""
        if self._greeted and (run.id, self._reach) not in self._attended:
            self._attended.add((run.id, self._reach))
            run.attend("the panel", self._reach)
            run.attended = True

    def _session_changed(self, _kind: str, _payload: Any) -> None:
        self._happened()

    def _happened(self) -> None:
        """There is something to send; called from any thread, for every event."""
        self._news = True
        PUBLISHER.happened()

    # What pages say

    def _hand_over(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Runs on whatever thread the kernel chose, perhaps while a cell runs: it only hands over."""
        if not isinstance(content, dict) or content.get("cmd") not in COMMANDS:
            self._reply(content, {"ok": False, "error": {"type": "LookupError", "message": "unknown command"}})
            return
        self._reach = reach_of_this_message()
        worker, _ = COMMANDS[content["cmd"]]
        worker.do(lambda: self._carry_out(content))

    def _carry_out(self, content: Mapping[str, Any]) -> None:
        try:
            run = self._named(content.get("run"))
            result = COMMANDS[content["cmd"]][1](self, run, content)
        except Exception as error:  # noqa: BLE001  whatever a command raises is shown where it was clicked
            self._reply(content, {"ok": False, "error": _told(error)})
            return
        self._reply(content, {"ok": True}, result if isinstance(result, Reply) else Reply(result))

    def _reply(self, content: Any, answer: dict[str, Any], reply: Reply = Reply()) -> None:  # noqa: B008  it is frozen
        # The key is not "id": ipykernel 7.4 keeps a note for each sent content with an "id", and would do so for ever.
        re = content.get("id") if isinstance(content, dict) else None
        self._replies.append(({"kind": "reply", "re": re, **answer}, reply))
        PUBLISHER.replied()

    def _named(self, id: Any) -> Run:
        if id is None or id == self.run.id:
            return self.run
        for run in self.run.tree():
            if run.id == id:
                return run
        raise LookupError(f"This panel shows no run {id!r}.")

    # The still picture in the notebook

    def publish_still(self) -> None:
        """A second output beside the panel, hidden while the panel is live, for whoever opens the notebook later."""
        from IPython.display import display as show

        content = self._still()
        name = f"stepgraph-{uuid4().hex}"
        self._stills.append((name, content))
        show(_still_bundle(content), raw=True, display_id=name)  # type: ignore[no-untyped-call]  # IPython has no types

    def _still(self) -> str:
        return still(self._snapshot, self._graph, self._graph["layout"])

    def _renew_stills(self) -> None:
        from IPython.display import update_display

        content = self._still()
        for index, (name, before) in enumerate(list(self._stills)):
            if before != content:
                self._stills[index] = (name, content)
                update_display(_still_bundle(content), raw=True, display_id=name)  # type: ignore[no-untyped-call]  # same

    def redraw_stills(self) -> None:
        """Send the still pictures again, whether or not they have changed."""
        self._snapshot = self.picture(self.run)
        names = [name for name, _ in self._stills]
        self._stills.clear()
        self._stills.extend((name, "") for name in names)
        self._renew_stills()

    # The graph

    def collapse(self, path: str, on: bool) -> None:
        """Show the subgraph at `path` as one box, or open it, and lay out again."""
        self._collapsed = self._collapsed | {path} if on else self._collapsed - {path}
        self._graph = self._shape_only()
        self._lay_out()

    def take_layout(self, source: str, text: str) -> None:
        """A page without a `dot` program behind it has laid out `source`. Ignored if the graph has changed since."""
        if self._graph.get("dot") == source:
            self._laid_out(parse(text, self._shape))

    def _shape_only(self) -> dict[str, Any]:
        shape = self._shape
        return {
            "nodes": [[node.path, node.name, node.kind, node.parent] for node in shape.nodes],
            "edges": [[edge.source, edge.target, edge.conditional, edge.label] for edge in shape.edges],
            "collapsed": sorted(self._collapsed),
            "layout": None,
            "dot": None,
        }

    def _lay_out(self) -> None:
        try:
            source = dot_source(self._shape, self._collapsed)
            found = run_dot(self._shape, source)
            if found is None:
                self._graph = {**self._shape_only(), "dot": source}
            else:
                self._laid_out(found)
        except Exception:
            log.exception("The graph could not be laid out; the panel shows it as a list.")

    def _laid_out(self, found: Layout) -> None:
        self._graph = {**self._shape_only(), "layout": dict(found)}
        self._happened()

    def close(self) -> None:
        """End every view and listen no more."""
        PUBLISHER.remove(self)
        self._unsubscribe()
        for feed in self._feeds.values():
            feed.close()
        super().close()


_PANELS: WeakKeyDictionary[Run, RunPanel] = WeakKeyDictionary()


def panel_of(run: Run) -> RunPanel:
    """The panel of `run`: showing a run twice gives two views of one panel."""
    found = _PANELS.get(run)
    if found is None:
        found = _PANELS[run] = RunPanel(run)
    return found


def redraw_stills() -> None:
    """Send every panel's still picture again. A program that runs notebooks misses those sent between two cells."""
    for panel in list(_PANELS.values()):
        panel.redraw_stills()


def display(run: Run, text: Mapping[str, str], _include: Any = None, _exclude: Any = None) -> dict[str, Any]:
    """The mimebundle of a run: its panel, with `text` for front ends that can't show one. Only in a Jupyter kernel."""
    from IPython.core.getipython import get_ipython

    if not hasattr(get_ipython(), "kernel"):
        return dict(text)
    panel = panel_of(run)
    panel.publish_still()
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}
    return {**text, "application/vnd.jupyter.widget-view+json": view}


def _still_bundle(content: str) -> dict[str, str]:
    return {"text/html": content, "text/plain": "the run as it was last shown"}


def _told(error: Exception) -> dict[str, Any]:
    """An error as the page shows it: at the field if it names fields."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    problems = getattr(error, "errors", None)
    if isinstance(problems, list):
        told["errors"] = [dict(problem) for problem in problems]
    return told
