"""The debugger of a graph: its stops, its runs, and the threads that earlier processes left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any, Literal, cast

from stepgraph.approve.listeners import Listeners
from stepgraph.approve.verbs import TABLE, closest, parse_allow
from stepgraph.core.checkpoint import Stored, ThreadInfo
from stepgraph.core.types import START, Verb
from stepgraph.debug.conditions import Condition, When
from stepgraph.debug.errors import HeldError
from stepgraph.debug.frontier import left_at_end, left_waiting
from stepgraph.debug.graphs import Judges, Static, has_checkpointer, same_graph, store_of, watched
from stepgraph.debug.ledger import StepRow
from stepgraph.debug.places import notice_of, parse
from stepgraph.debug.presence import warm
from stepgraph.debug.retro import Marks
from stepgraph.debug.run import Run
from stepgraph.debug.stops import Stop, Stops, check_log
from stepgraph.debug.timeline import ancestors, history_of
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.drawing import GraphShape, structure

Subscriber = Callable[[str, Any], None]
DEFAULT_NAMES = ("LangGraph", "graph")
REPLACE_SECONDS = 10.0
"""How long `start(replace=True)` waits for a node of the run that it replaces."""
_sessions: dict[str, Session] = {}
_lock = RLock()


def debug(graph: Any, *, name: str | None = None, where: Literal["thread", "here"] = "thread") -> Session:
    """The debugger of a compiled graph. Attaching takes this one line and changes nothing about the graph.

    The same graph name gives the same session in one kernel, with its stops and runs, so that cells may be run again;
    the graph may be a newly compiled one. `where="here"` runs the graph as a task on the current event loop, for
    hosts without threads (JupyterLite) and for objects that are bound to that loop. No thread is started then: a long
    sync node holds up the kernel, and a node that calls `interrupt()` is entered again with the answer.
    """
    if not isinstance(graph, CompiledStateGraph):
        hint = " Compile it first: debug(graph.compile())." if hasattr(graph, "compile") else ""
        raise TypeError(f"debug() takes a compiled graph, got {type(graph).__name__}.{hint}")
    if where not in ("thread", "here"):
        raise ValueError(f"where={where!r}: use 'thread' (a thread of its own) or 'here' (a task on this event loop).")
    with _lock:
        key, known = _known(graph, name)
        if known is None:
            known = _sessions[key] = Session(graph, key, where)
        else:
            known._take(graph, where)
    warm()
    return known


def _known(graph: CompiledStateGraph, name: str | None) -> tuple[str, Session | None]:
    """The session's name, and the session if it exists.

    Graphs that nobody named are called after their state, or their function, and told apart by their nodes.
    """
    if name is not None or graph.name not in DEFAULT_NAMES:
        key = name or graph.name
        return key, _sessions.get(key)
    entry = graph.plan.entry
    base = getattr(graph.builder.state_schema, "__name__", "graph") if entry == START else entry
    key, number = base, 1
    while key in _sessions and not same_graph(_sessions[key].graph, graph):
        number += 1
        key = f"{base} {number}"
    return key, _sessions.get(key)


class Session:
    """What `debug(graph)` gives. Everything may be called from any thread."""

    def __init__(self, graph: CompiledStateGraph, name: str, where: Literal["thread", "here"] = "thread") -> None:
        self.name = name
        self.where = where
        self.graph = graph
        self.shape: GraphShape = structure(graph)
        self.runs: list[Run] = []
        self._memory: Any = None
        self._judges = Judges(graph)
        self._stops = Stops(lambda: self._tell("stops", None))
        self._marks = Marks(self._stops)
        self._subscribers: Listeners[Subscriber] = Listeners(f"session {name!r}")
        self._made = 0
        self._lock = RLock()

    def __repr__(self) -> str:
        runs = ", ".join(f"{run.id} {run.status}" for run in self.runs) or "none"
        stops = ", ".join(stop.spec for stop in self._stops) or "none"
        return f"<Session {self.name!r}: runs {runs}; stops {stops}>"

    # Stops

    @property
    def stops(self) -> list[Stop]:
        """Stops and gates, oldest first."""
        return self._stops.all()

    def stop(
        self, spec: str, *, when: When | None = None, hits: int = 1, once: bool = False, log: str | None = None
    ) -> Stop:
        """Hold the run at a place: "after:draft", "before:*", "step", "error", "edge:classify/by_confidence", …

        `when` is a function of the request or an expression over it and the state's keys ("len(answer) > 500"). From
        the `hits`-th arrival in a run on it stops; with `once` it stops a single time. With `log`, a text such as
        "{state[question]}", it writes a line and does not stop. An equal stop is the one that exists. Raises
        ValueError, and TypeError for arguments of other types.
        """
        if not isinstance(hits, int):
            raise TypeError(
                f"hits={hits!r}: a number of arrivals is wanted, got {type(hits).__name__}; 1 is the first."
            )
        if hits < 1:
            raise ValueError(f"hits={hits}: the first arrival is 1.")
        check_log(log)
        where = parse(spec, self.graph.plan)
        made = Stop("", spec.strip(), where, "stop", _condition(when), first=hits, once=once, log=log)
        return self._add(made)

    def gate(
        self, spec: str, *, allow: str | Iterable[str] | None = None, when: When | None = None, reason: bool = False
    ) -> Stop:
        """A stop with a policy: only the verbs in `allow` ("approve edit reject") may decide it, and `go()` may not.

        With `reason`, a decision must give one. Raises ValueError, and TypeError for arguments of other types.
        """
        where = parse(spec, self.graph.plan)
        verbs: tuple[Verb, ...] = TABLE[where.place] if allow is None else parse_allow(allow, where.place)
        return self._add(Stop("", spec.strip(), where, "gate", _condition(when), allow=verbs, reason=reason))

    def remove(self, stop: Stop | str) -> None:
        """Forget a stop or gate, named by itself, its id or its place."""
        self._stops.remove(stop)

    # Runs

    def start(
        self, input: Any, *, thread: str | None = None, replace: bool = False, config: Mapping[str, Any] | None = None
    ) -> Run:
        """Run the graph in the background and return at once; `input` None goes on with the thread.

        `thread=None` makes a new thread. Raises HeldError while another run is at work or held on the thread, and if an
        earlier one was left there with questions that `open` would ask again; with `replace` they are thrown away.
        """
        self._check_loop()
        given = _configurable(config).get("thread_id")
        thread = thread if thread is not None else given
        with self._lock:
            if thread is not None:
                self._free(str(thread), replace=replace)
                if input is not None and not replace:
                    self._check_left(str(thread))
            run = self._new(None if thread is None else str(thread), config=config)
        if thread is not None:
            self._learn(run)
        run.begin(input)
        self._tell("runs", run)
        return run

    def threads(self) -> list[dict[str, Any]]:
        """Every thread that the checkpointer knows, newest first: thread, status, step, next, time, parent.

        `pandas.DataFrame(dbg.threads())` makes a table of them.
        """
        saver = self._saver
        live = {run.thread: run for run in self.runs}
        found = []
        for info in saver.threads():
            run = live.get(info.thread)
            status = run.status if run is not None else ("suspended" if self._waits(info) else "done")
            origin = self._origin(info.thread)
            found.append(
                {"thread": info.thread, "status": status, "step": info.step, "next": list(info.next), "time": info.time,
                 "parent": None if origin is None else origin.parent_thread}
            )  # fmt: skip
        return found

    def open(self, thread: str) -> Run:
        """Reopen a thread that this or another process left: its requests are pending again, and nothing runs.

        A thread that a run of this session is on gives that run. Raises ValueError for a thread without checkpoints.
        """
        self._check_loop()
        with self._lock:
            for run in reversed(self.runs):
                if run.thread == thread and (not run.ended or run.status not in ("suspended", "interrupted")):
                    return run
            stored = self._saver.load(thread, "", None)
            if stored is None:
                known = [info.thread for info in self._saver.threads()]
                raise ValueError(
                    f"No thread {thread!r}{closest(thread, known)}. Threads: {', '.join(known[:20]) or 'none'}."
                )
            parent = self._parent_of(thread)
            run = self._new(thread, parent=parent)
        self._learn(run)
        if not (stored.control.next or stored.control.sends or left_at_end(stored)):
            run.ended_before(stored)
        else:
            run.reopen()
        self._tell("runs", run)
        return run

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call back with ("stops", None), ("runs", run) or ("requests", request) after a change; returns the way out.

        A callback that raises is logged and removed.
        """
        return self._subscribers.add(callback)

    # For runs

    def _watched(self) -> tuple[CompiledStateGraph, Static]:
        return watched(self.graph, None if has_checkpointer(self.graph) else self._saver)

    @property
    def _saver(self) -> Any:
        """The graph's checkpointer, or one memory for all runs of the session."""
        if has_checkpointer(self.graph):
            return store_of(self.graph)
        if self._memory is None:
            self._memory = watched(self.graph)[0].checkpointer
        return self._memory

    def _branch(self, run: Run, step: int, note: str | None) -> Run:
        """A run for a fork, on a new thread: `t1~2`, `t1~3`, … whichever branch of `t1` it grows from."""
        root = run.thread
        while (origin := self._origin(root)) is not None:
            root = str(origin.parent_thread)
        with self._lock:
            number = 2
            while not self._is_free(f"{root}~{number}"):
                number += 1
            return self._new(
                f"{root}~{number}", config=run._config, parent=(run, step), branch=f"fork {number - 1}", note=note
            )

    def _marked(self, run: Run) -> tuple[StepRow, ...]:
        return self._marks.of(run)

    def _tell(self, kind: str, payload: Any) -> None:
        self._subscribers.tell(kind, payload)

    # Inside

    def _check_loop(self) -> None:
        if self.where == "here" and asyncio._get_running_loop() is None:
            raise RuntimeError(
                "debug(graph, where='here') runs graphs on the current event loop, and none is running here: start the "
                "run in a notebook's cell or in a coroutine, or leave `where` out."
            )

    def _add(self, stop: Stop) -> Stop:
        stop.problem = notice_of(stop.where, self.graph.plan)
        return self._stops.add(stop)

    def _waits(self, info: ThreadInfo) -> bool:
        """Whether there is something left to run or to decide."""
        if info.next:
            return True
        newest = next(self._saver.history(info.thread, "", limit=1, values=False), None)
        return newest is not None and bool(newest.control.sends or left_at_end(newest))

    def _take(self, graph: CompiledStateGraph, where: Literal["thread", "here"]) -> None:
        """The graph was compiled anew: keep stops and runs."""
        self.where = where
        if graph is self.graph:
            return
        self.graph = graph
        self.shape = structure(graph)
        self._judges = Judges(graph)
        self._stops.check(graph.plan)

    def _new(
        self,
        thread: str | None,
        *,
        config: Mapping[str, Any] | None = None,
        parent: tuple[Run, int] | None = None,
        branch: str = "main",
        note: str | None = None,
    ) -> Run:
        self._made += 1
        name = f"run-{self._made}"
        if thread is None:
            thread, number = name, self._made
            while not self._is_free(thread):
                number += 1
                thread = f"run-{number}"
        run = Run(self, name, thread, config=config, parent=parent, branch=branch, note=note)
        self.runs.append(run)
        return run

    def _is_free(self, thread: str) -> bool:
        return all(run.thread != thread for run in self.runs) and self._saver.load(thread, "", None) is None

    def _free(self, thread: str, *, replace: bool) -> None:
        for run in self.runs:
            if run.thread == thread and not run.ended:
                if not replace:
                    raise HeldError(
                        f"Thread {thread!r} is taken: {run.summary}. It is dbg.runs[{self.runs.index(run)}]; show it "
                        "and decide there, or start with replace=True, which cancels it first."
                    )
                run.cancel()
                if not run.wait(REPLACE_SECONDS):
                    raise HeldError(
                        f"Thread {thread!r} is still taken: {run.summary}, and its node has not ended. "
                        f"End it with dbg.runs[{self.runs.index(run)}].cancel(force=True), or start on another thread."
                    )

    def _check_left(self, thread: str) -> None:
        """Raises HeldError if a new input would throw away what people were asked; not if they ended it here."""
        last = next((run for run in reversed(self.runs) if run.thread == thread), None)
        if last is not None and last.status in ("cancelled", "failed"):
            return
        asked = left_waiting(self._saver, thread)
        if asked:
            raise HeldError(
                f"Thread {thread!r} was left undecided at {', '.join(asked)}, and a new input would throw that away. "
                f"Reopen it with dbg.open({thread!r}), or start with replace=True, which drops it."
            )

    def _learn(self, run: Run) -> None:
        """What the checkpointer knows of the thread's earlier supersteps."""
        for row in history_of(self._saver, run.thread):
            run.ledger.restore(row)
            run.reopened = True
        newest = None if run.reopened else next(ancestors(self._saver, run.thread), None)
        if newest is not None:  # left in its first superstep, as entrypoints are: decisions are kept with its input
            run.ledger.resume(newest.id)
            run.reopened = True

    def _parent_of(self, thread: str) -> tuple[Run, int] | None:
        """The run that a thread was forked from, if this session has it."""
        origin = self._origin(thread)
        for run in self.runs:
            if origin is not None and run.thread == origin.parent_thread:
                return (run, origin.step)
        return None

    def _origin(self, thread: str) -> Stored | None:
        """The checkpoint with which a thread was forked from another one; None for a thread that began by itself."""
        if "~" not in thread:  # forks are named so, though not only they: the long way is for these
            return None
        oldest = min(self._saver.history(thread, "", values=False), key=lambda stored: stored.id, default=None)
        return None if oldest is None or oldest.parent_thread is None else cast(Stored, oldest)


def _configurable(config: Any) -> Mapping[str, Any]:
    """Raises TypeError for what is no config."""
    found = {} if config is None else config
    if isinstance(found, Mapping):
        found = found.get("configurable") or {}
        if isinstance(found, Mapping):
            return found
    raise TypeError(
        f"config={config!r}: a dict is wanted, such as {{'recursion_limit': 50, 'configurable': {{'user': 'ana'}}}}."
    )


def _condition(when: When | None) -> Condition | None:
    return None if when is None else Condition(when)
