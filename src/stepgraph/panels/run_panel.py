"""The widget of a run: one model a run and its forks, any number of views, commands in and batches out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import anywidget
import traitlets

from stepgraph.graph.drawing import structure
from stepgraph.panels.chart import Chart
from stepgraph.panels.commands import COMMANDS, LOOKING, Reply
from stepgraph.panels.feed import Feed
from stepgraph.panels.listing import listing
from stepgraph.panels.outputs import Stills
from stepgraph.panels.publisher import PUBLISHER
from stepgraph.panels.still import still
from stepgraph.panels.subshells import deliver_on_any_subshell, reach_of_this_message, take_unnoticed_messages
from stepgraph.panels.values import speakable

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

FIRST = 0.15
"""Seconds that the first batch waits for a page: cards are not made while the cell is still sending the panel."""
REMEMBERED = 500
"""Commands whose answers are kept for pages that ask again."""


class RunPanel(anywidget.AnyWidget):
    """Shows a run and takes decisions about it. Make it by showing the run: it is the same one each time."""

    _esm = Path(__file__).parent / "static" / "panel.js"
    _graph = traitlets.Dict().tag(sync=True)
    """Shape and layout; changes only when a subgraph is opened or closed."""
    _snapshot = traitlets.Dict().tag(sync=True)
    """The last view, for a page that finds the kernel busy or gone."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.chart = Chart(structure(run.graph), self._drawn)
        self.stills = Stills(self._still)
        self._feeds: dict[str, Feed] = {}
        self._lock = Lock()
        self._replies: deque[tuple[dict[str, Any], Reply]] = deque()
        self._acted: dict[Any, tuple[dict[str, Any], Reply] | None] = {}
        """Command id -> its answer, None while it is being carried out."""
        self._seq = 0
        self._news = True
        self._rested: object = None
        self._greeted = False
        self._quiet = monotonic() + FIRST
        self._reach: Literal["idle", "await", "block"] = "idle"
        self._attended: set[tuple[str, str]] = set()
        self._listed: dict[str, Any] = {}
        super().__init__(_graph=self.chart.drawing, _snapshot=self.picture(run, cards=False))
        deliver_on_any_subshell(self.comm)
        take_unnoticed_messages()
        self.on_msg(self._hand_over)
        self._unsubscribe = run.session.subscribe(self._session_changed)
        PUBLISHER.add(self)
        LOOKING.do(self.chart.lay_out)

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
        if not self._greeted and monotonic() < self._quiet:
            return True
        self._news = False
        patches = [patch for feed in list(self._feeds.values()) if (patch := feed.collect())]
        lists = listing(self.run)
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
        self.stills.renew()

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

    def picture(self, run: Run, *, cards: bool = True) -> dict[str, Any]:
        """Everything that a page shows of `run`, as of message `seq`.

        The first one is without `cards`, so that the cell's output does not wait for diffs and schemas of them: they
        come with the first batch.
        """
        view = self.feed(run).snapshot(cards=cards)
        found: dict[str, Any] = speakable({"seq": self._seq, **listing(self.run), **view})
        return found

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
        if worker is LOOKING or self._is_new(content.get("id")):
            worker.do(lambda: self._carry_out(content))

    def _is_new(self, id: Any) -> bool:
        """Pages send again what was not answered: a message on a subshell that was deleted is lost without a word.

        What changes a run is done once; when it was done already, its answer is sent again.
        """
        with self._lock:
            if id in self._acted:
                answered = self._acted[id]
                if answered is not None:
                    self._replies.append(answered)
                    PUBLISHER.replied()
                return False
            self._acted[id] = None
            for oldest in list(self._acted)[:-REMEMBERED]:
                del self._acted[oldest]
            return True

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
        answered = ({"kind": "reply", "re": re, **answer}, reply)
        with self._lock:
            if re in self._acted:
                self._acted[re] = answered
            self._replies.append(answered)
        PUBLISHER.replied()

    def _named(self, id: Any) -> Run:
        if id is None or id == self.run.id:
            return self.run
        for run in self.run.tree():
            if run.id == id:
                return run
        raise LookupError(f"This panel shows no run {id!r}.")

    # What the notebook keeps

    def redraw_stills(self) -> None:
        """Send the still pictures again, whether or not they have changed."""
        self._snapshot = self.picture(self.run)
        self.stills.renew(always=True)

    def _still(self) -> str:
        return still(self._snapshot, self._graph, self._graph["layout"])

    def _drawn(self, drawing: dict[str, Any]) -> None:
        self._graph = drawing
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
    panel.stills.publish()
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}
    return {**text, "application/vnd.jupyter.widget-view+json": view}


def _told(error: Exception) -> dict[str, Any]:
    """An error as the page shows it: at the field if it names fields."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    problems = getattr(error, "errors", None)
    if isinstance(problems, list):
        told["errors"] = [dict(problem) for problem in problems]
    return told
