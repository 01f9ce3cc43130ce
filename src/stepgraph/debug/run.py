"""A run under the debugger: start to end in the background, held where a stop says so, decided from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from stepgraph.approve.changes import plan_of
from stepgraph.approve.inbox import Inbox, Requests
from stepgraph.approve.listeners import Listeners
from stepgraph.approve.news import News
from stepgraph.approve.requests import Cause, Request
from stepgraph.approve.rules import Rule, Rules
from stepgraph.core.checkpoint import Stored, flush
from stepgraph.core.engine import Outcome
from stepgraph.core.errors import Cancelled, DecisionError
from stepgraph.core.events import TaskEmitted
from stepgraph.core.types import Decision, Pause
from stepgraph.debug import audit, lifetime
from stepgraph.debug.answers import Answers
from stepgraph.debug.earlier import rows_of
from stepgraph.debug.frontier import Frontier
from stepgraph.debug.gate import Mode, Order, RunGate
from stepgraph.debug.graphs import store_of
from stepgraph.debug.ledger import Ledger, StepRow
from stepgraph.debug.moments import Moment, moment_at, whole_state
from stepgraph.debug.presence import Unattended, kernel_reach
from stepgraph.debug.probe import Watch
from stepgraph.debug.relay import Relayed, Unwaited
from stepgraph.debug.show import run_text, show
from stepgraph.debug.stats import Stats
from stepgraph.debug.steps import Step, current, frame
from stepgraph.debug.times import keep_times
from stepgraph.debug.waiting import Attendance, Reach, awaiting, settle, wait
from stepgraph.debug.worker import Worker
from stepgraph.run.hub import Hub

if TYPE_CHECKING:
    import pandas

    from stepgraph.debug.presence import Policy
    from stepgraph.debug.session import Session

Status = Literal["running", "held", "done", "failed", "cancelled", "suspended", "interrupted"]
RESUMABLE = ("suspended", "interrupted")


class Run:
    """One run of a session's graph on one thread. Made by `dbg.start`, `dbg.open` and `run.at(n).fork`.

    Every method may be called from any thread and in every status.
    """

    def __init__(
        self,
        session: Session,
        id: str,
        thread: str,
        *,
        config: Mapping[str, Any] | None = None,
        parent: tuple[Run, int] | None = None,
        branch: str = "main",
        note: str | None = None,
    ) -> None:
        self.session = session
        self.id = id
        self.thread = thread
        self.parent = parent
        self.branch = branch
        self.note = note
        self.here = session.where == "here"
        """Whether it runs as a task on the event loop on which it was started, and in no thread."""
        self.graph, self.static = session._watched()
        self._store = store_of(self.graph)
        self.hub = Hub()
        self.ledger = Ledger()
        self.inbox = Inbox(f"Run {id}")
        self.attendance = Attendance()
        self.answers = Answers()
        """To questions of node code that were asked before the run was resumed."""
        self.reopened = False
        """Whether an earlier process, or an earlier run, has worked on the thread."""
        self.result: Any = None
        self.error: BaseException | None = None
        self._config = dict(config or {})
        self._probe = Watch()
        self._gate = RunGate(self)
        self._worker: Worker | None = None
        self._end: Status | None = "suspended"
        """How it ended; None while it is at work or held."""
        self._cancelling = False
        self._front_end = False
        self._unattended: Unattended | None = None
        self._before = Stats()
        self._rules = Rules()
        self._leave: Callable[[], None] = lambda: None
        self._news = News()
        self._listeners: Listeners[Callable[[], object]] = Listeners(f"run {id}")
        self._cached: tuple[str, dict[str, Any]] | None = None
        self.hub.subscribe(self.ledger.take)
        self.inbox.watch(self._request_changed)

    # What it is

    @property
    def status(self) -> Status:
        """running, held (a request waits), done, failed, cancelled; suspended, interrupted (any process may go on)."""
        end = self._end
        if end is None:
            return "held" if self.inbox.pending() else "running"
        return end

    @property
    def ended(self) -> bool:
        """Whether nothing is at work and nothing waits for a decision."""
        return self.status not in ("running", "held")

    @property
    def state(self) -> dict[str, Any]:
        """The state after the last committed superstep; change it with `fork`, or by editing a request."""
        stored = self.saver.load(self.thread, "", None) if self._cached is None or not self.ended else None
        if stored is not None:
            self._cached = (stored.id, whole_state(self.graph.plan, stored))
        return {} if self._cached is None else dict(self._cached[1])

    @property
    def step(self) -> Step:
        """The current superstep as data."""
        return current(self.ledger)

    @property
    def stdout(self) -> str:
        """What nodes printed and logged, in order."""
        return self.ledger.text()

    @property
    def stats(self) -> Stats:
        """Counts over the whole run, also over several resumptions."""
        return self._counted(self._before)

    @property
    def saver(self) -> Any:
        """The checkpointer."""
        return self._store

    @property
    def durable(self) -> bool:
        """Whether another process can reopen the run."""
        kept_by = getattr(self.saver, "saver", None)  # LangGraph's
        return not (getattr(self.saver, "in_memory", False) or type(kept_by).__name__ == "InMemorySaver")

    @property
    def summary(self) -> str:
        """`Run run-1 is held at after:draft (request r1)`."""
        pending = self.pending()
        where = f" at {pending[0].title} (request {pending[0].id})" if pending else ""
        return f"Run {self.id} is {self.status}{where}"

    def __repr__(self) -> str:
        return f"<{self.summary}; thread {self.thread!r}, step {self.ledger.step}>"

    def __str__(self) -> str:
        return run_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return show(self, include, exclude)

    def tree(self) -> list[Run]:
        """All branches that grew from the same start, oldest first."""
        root = self._root
        return [run for run in self.session.runs if run._root is root]

    @property
    def _root(self) -> Run:
        run = self
        while run.parent is not None:
            run = run.parent[0]
        return run

    # Requests

    def pending(self) -> tuple[Request, ...]:
        """The requests that wait now, oldest first."""
        return self.inbox.pending()

    def requests(self) -> Requests:
        """Each request once, as it comes, until the run ends: `for` in a thread, `async for` beside the run."""
        return self.inbox.stream()

    def requests_by_id(self, id: str) -> tuple[Request, ...]:
        """The pending request called `id`, if there is one."""
        return tuple(request for request in self.pending() if request.id == id)

    def decide(self, id: str, decision: Decision) -> None:
        """Take a decision on the request `id`."""
        self.inbox.decide(id, decision)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Decisions with scope="run": they decide what the same stops ask at the same places, until revoked."""
        return self._rules.all

    def revoke(self, rule: Rule | str) -> None:
        """Ask again what a rule decided so far; it is named by itself or its id. Raises ValueError."""
        self._rules.revoke(rule, self.id)
        self._tell()

    def unattended(self, policy: Policy) -> Run:
        """Let `policy` decide where no front end has answered within three seconds, or thirty where an editor sent the
        cell; returns the run.

        `policy` is a verb such as "approve", or a function of the request that decides it itself, returns a verb or a
        Decision, or returns None to leave it held.
        """
        self._unattended = Unattended(self, policy)
        self._unattended.begin()
        return self

    def will_decide(self, request: Request) -> bool:
        """Whether the policy of `unattended` decides the request presently."""
        return self._unattended is not None and self._unattended.will_decide(request)

    def attend(self, name: str, reach: Reach = "idle") -> Callable[[], None]:
        """Somebody called `name` may answer from now on; the returned function says that they have left.

        `reach` tells when an answer can arrive: "idle" while no cell runs, "await" also while one awaits, "block"
        always.
        """
        leave = self.attendance.attend(name, reach)
        self._tell()
        return leave

    @property
    def attended(self) -> bool:
        """Whether a front end has answered. A panel sets it."""
        return self._front_end

    @attended.setter
    def attended(self, value: bool) -> None:
        if value and not self._front_end and "the panel" not in self.attendance.names():
            self.attend("the panel", kernel_reach())  # a panel that knows better has said so itself
        self._front_end = bool(value)

    def answerable(self, reach: Reach) -> bool:
        """Whether somebody's answer can arrive in such a wait."""
        return self.inbox.attended or self.attendance.within(reach)

    # Going on

    def go(self) -> Run:
        """Continue: approve what stops hold, and run to the next stop. Gates are decided by their own verbs."""
        return self._go(None)

    def next(self) -> Run:
        """Run to the end of the next superstep, over subgraphs."""
        return self._go("next")

    def into(self) -> Run:
        """Run to the next superstep boundary, also inside subgraphs."""
        return self._go("into")

    def out(self) -> Run:
        """Run to the end of the superstep around this subgraph; at the outermost level, to the next stop."""
        return self._go("out")

    def pause(self) -> Run:
        """Hold at the next place that the run comes to."""
        if self._end is None and not self.pending():
            self._gate.order = Order("pause")
            self._tell()
        return self

    @property
    def ordered(self) -> Literal["pause", "cancel"] | None:
        """What was ordered and has yet to happen: the run goes on to the next place, or until its node ends."""
        if self.ended:
            return None
        if self._cancelling:
            return "cancel"
        order = self._gate.order
        return "pause" if order is not None and order.mode == "pause" and not self.pending() else None

    def cancel(self, force: bool = False) -> Run:
        """End the run at the next boundary; async nodes end where they wait. Pending requests are closed.

        `force` raises Cancelled in the thread of a running sync node, which works for pure Python only.
        """
        if self.ended:
            return self
        self._cancelling = True
        worker = self._worker
        if self._end is not None or worker is None:
            self._finish("cancelled")
            return self
        worker.cancel(force=force)
        self.inbox.end("the run was cancelled")
        self._tell()
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the run has ended, or for `timeout` seconds; whether it has ended.

        On the main thread it raises HeldError when a request is pending that nobody can answer meanwhile.
        """
        return wait(self, self._news, timeout)

    def settle(self) -> bool:
        """Block while the run works, but never for a person; whether it has ended.

        For cells and scripts below a start: `if run.settle(): …`, else the run is held and somebody has to decide.
        """
        return settle(self, self._news)

    def __await__(self) -> Generator[Any, None, Any]:
        """The final state. Raises the run's error, or HeldError when nobody can answer what is pending."""
        yield from awaiting(self)
        if self.error is not None:
            raise self.error
        return self.result

    # Looking back

    def at(self, step: int) -> Moment:
        """The run after superstep `step`; 0 is the thread's first input, -1 the last. Raises ValueError for others."""
        return moment_at(self, step)

    def fork(self, note: str | None = None, /, **updates: Any) -> Run:
        """A new branch from the last committed superstep, with changed keys."""
        return self.at(-1).fork(note, **updates)

    def history(self) -> tuple[StepRow, ...]:
        """The committed supersteps, oldest first; `hits` are the ids of stops that are or would have been hit there."""
        return self.session._marked(self)

    def steps(self) -> pandas.DataFrame:
        """One row a task: step, node, path, status, started, seconds, reads, writes, decision.

        With those before a fork and, of the outermost graph, those of earlier processes: when these ran and what they
        read is known where a debugger watched them.
        """
        return frame(rows_of(self))

    def audit(self) -> pandas.DataFrame:
        """One row a decision: step, place, path, verb, by, reason, proposed, decided. See `debug/audit.py`."""
        return audit.frame(audit.audit(self))

    def on_change(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call back, on any thread, after a change of status or of the pending requests; returns the way out."""
        return self._listeners.add(listener)

    # For the gate, the session and the end of the process

    def make_request(self, pause: Pause) -> Request | None:
        """The question that a pause would be; None for a graph that the session knows nothing of."""
        plan = plan_of(self.graph.plan, pause)
        if plan is None:
            return None
        answer = Unwaited() if self.here else Relayed()
        return Request("", pause, Cause(""), plan, self.session._judges.of(plan), run=self, answer=answer)

    def hold(self, request: Request) -> None:
        """A question to whoever may answer."""
        request.on_end(self._rules.make)
        keep_times(self, request.task)
        self.inbox.put(request)

    def decided_by_rule(self, request: Request) -> bool:
        """Whether one of the run's rules has decided the request."""
        return self._rules.decide(request)

    def log(self, pause: Pause, text: str) -> None:
        """The text of a logpoint, as output of the task it is at."""
        now = self._engine_clock()
        self.hub.publish(TaskEmitted(pause.ns, pause.step, now, pause.task or "", pause.node or "", "log", text + "\n"))

    def rest(self) -> None:
        """The process ends."""
        if not self.ended:
            self._end = "suspended"
            self.inbox.end("the process ended; the run can be reopened")
            keep_times(self)
            flush(self.saver, self.thread)

    def begin(self, input: Any) -> None:
        """Start, or resume with input None, in the background."""
        config = {
            **self._config,
            "configurable": {**(self._config.get("configurable") or {}), "thread_id": self.thread},
        }
        engine = self.graph.engine(input, config, emit=self.hub.publish, gate=self._gate, probe=self._probe)
        worker = Worker(engine, name=f"stepgraph-{self.id}", has_async=self.graph.has_async, here=self.here)
        self._before = self._counted(self._before)
        self._worker, self._end, self.error, self._cached = worker, None, None, None
        self.inbox.reopen()
        self._leave = lifetime.enter(self)
        worker.done.add_done_callback(lambda _: self._ended_with(worker))
        worker.start()
        self._tell()

    def reopen(self) -> None:
        """Go on where another process was, holding every task where it was held, or before it runs."""
        self._gate.frontier = Frontier(self)
        self.begin(None)

    # Inside

    def ended_before(self, stored: Stored) -> None:
        """An earlier process took the run to its end."""
        self.result = self.graph.plan.output(whole_state(self.graph.plan, stored))
        self._end = "done"
        self.inbox.end("the run is done")

    def _go(self, mode: Mode | None) -> Run:
        pending = self.pending()
        undecided = [request for request in pending if request.cause.gate or "approve" not in request.allow]
        if undecided:
            request = undecided[0]
            raise DecisionError(
                f"{request.name} is a question that going on can't answer ({request.why}). "
                f"Decide it: {', '.join(request.allow)}."
            )
        self._gate.frontier = None
        if self._end in RESUMABLE and not pending:
            self._gate.order = Order(mode) if mode else None
            self.begin(None)
            return self
        if self._end is None:
            depth = max((len(request.ns) for request in pending), default=0)
            self._gate.order = Order(mode, depth) if mode else None
            for request in pending:
                request.approve()
        return self

    def _ended_with(self, worker: Worker) -> None:
        unkept = self._flushed()
        error = worker.done.exception() or unkept
        if error is None:
            outcome: Outcome = worker.done.result()
            self.result = outcome.values
            status: Status = "done"
            if outcome.status != "done":
                status = "interrupted" if outcome.interrupts else "suspended"
            if status == "interrupted" and self.here and not self._cancelling:
                self._leave()
                self.reopen()  # the question is asked where nothing blocks, and the body entered again with the answer
            else:
                self._finish(status)
        elif self._cancelling or isinstance(error, Cancelled):
            self._finish("cancelled", error if isinstance(error, Cancelled) else Cancelled("The run was cancelled."))
        else:
            self._finish("failed", error)

    def _flushed(self) -> BaseException | None:
        """Makes the end durable before anybody hears of it; what the checkpointer raises is the run's error."""
        try:
            keep_times(self)
            flush(self.saver, self.thread)
        except Exception as error:  # noqa: BLE001  shown as the run's error
            return error
        return None

    def _finish(self, status: Status, error: BaseException | None = None) -> None:
        self._gate.order = self._gate.frontier = None
        self._cancelling = False
        self._cached = None
        self.error = error
        self._end = status
        self.inbox.end(f"the run is {status}")
        self._leave()
        self._tell()
        self.session._tell("runs", self)

    def _request_changed(self, request: Request) -> None:
        self._tell()
        self.session._tell("requests", request)

    def _tell(self) -> None:
        self._news.tell()
        self._listeners.tell()

    def _counted(self, before: Stats) -> Stats:
        if self._worker is None:
            return before
        counts, ledger = self._worker.engine.scope.counts, self.ledger
        tasks, steps, reruns, decisions = ledger.counts()
        return Stats(
            tasks,
            steps,
            reruns,
            before.retries + counts.retries,
            before.asked + counts.asked,
            self.answers.entered,
            before.routers + counts.routers,
            decisions,
        )

    def _engine_clock(self) -> float:
        assert self._worker is not None
        return self._worker.engine.scope.clock()
