"""A pending question to a person: what it shows, what may be decided, and the deciding itself, from any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock
from typing import Any, Literal, NamedTuple, cast

from stepgraph.approve.changes import Change, address_of, asked_of, changes_of, path_of, proposal_of
from stepgraph.approve.checks import Effect, Routing, check_storable, check_words, checked_value, preview_of
from stepgraph.approve.digest import digest
from stepgraph.approve.functions import CalledFunction, called_function
from stepgraph.approve.jsonable import jsonable
from stepgraph.approve.judge import Judge, describe, judge_type
from stepgraph.approve.rules import check_scope
from stepgraph.approve.verbs import allowed, check_verb, refused
from stepgraph.core.errors import StaleDecisionError, UnknownRequestError
from stepgraph.core.plan import Plan
from stepgraph.core.types import END, MISSING, PREVIOUS, Decision, Pause, Place, Route, Verb

Scope = Literal["once", "run"]
MENDS: tuple[Verb, ...] = ("edit", "skip", "reject", "suspend")
"""What may be decided about updates that can't be put together."""
UNFIT = "these updates can't be put together; edit the keys in question, or skip updates of some tasks"


class Cause(NamedTuple):
    """Why a request exists: the stop or gate that asked, in words, and what its policy allows."""

    why: str
    stop: Any = None
    allow: tuple[Verb, ...] = ()
    gate: bool = False
    reason: bool = False
    """Whether a decision must give a reason."""


class Request:
    """One pending pause with an id and a policy. Every method may be called from any thread.

    The first decision counts; the same one again is harmless, another one is refused.
    """

    def __init__(
        self,
        id: str,
        pause: Pause,
        cause: Cause,
        plan: Plan,
        judge: Judge,
        *,
        run: Any = None,
        answer: Future[Decision] | None = None,
    ) -> None:
        self.id = id
        self.pause = pause
        self.run = run
        self.plan = plan
        """That of the graph, or subgraph, which asks."""
        self.judge = judge
        self.function: CalledFunction | None = called_function(pause)
        """The called function that it is about, in place of a node."""
        self.take_cause(cause)
        self.values: Mapping[str, Any] = _values(pause)
        self.changes: tuple[Change, ...] = changes_of(self.plan, pause, self.values)
        self.routing: Routing | None = None
        self.decided: Decision | None = None
        self.taken: Any = None
        """The value of the decision as the engine takes it: an edit checked and applied, targets as a list."""
        self.closed: str | None = None
        """Why it can't be decided any more, although nobody did."""
        self.answer: Future[Decision] = Future() if answer is None else answer
        self._on_end: list[Callable[[Request], None]] = []
        self._lock = Lock()
        self.answer.add_done_callback(self._withdrawn)
        self._digest: str | None = None

    def take_cause(self, cause: Cause) -> None:
        """Why it is asked, and so what may be decided; fixed once it is shown."""
        self.cause = cause
        self.allow: tuple[Verb, ...] = allowed(self.pause.place, cause.allow)
        self.refused: dict[Verb, str] = refused(self.pause.place, cause.allow)
        if not self.pause.can_edit and "edit" in self.allow:
            self.allow = tuple(verb for verb in self.allow if verb != "edit")
            self.refused["edit"] = "the subgraph has started already; edit inside it"
        if self.function is not None and "redirect" in self.allow:
            self.allow = tuple(verb for verb in self.allow if verb != "redirect") or ("reject",)
            self.refused["redirect"] = "a called function goes back to its caller"
        if self.pause.unfit:
            mends = tuple(verb for verb in self.allow if verb in MENDS)
            self.allow = mends if "reject" in mends else (*mends, "reject")
            self.refused = {**self.refused, "approve": UNFIT, "redirect": UNFIT}

    # What it is

    @property
    def place(self) -> Place:
        return self.pause.place

    @property
    def node(self) -> str | None:
        return self.pause.node

    @property
    def ns(self) -> tuple[str, ...]:
        return self.pause.ns

    @property
    def step(self) -> int:
        return self.pause.step

    @property
    def task(self) -> str | None:
        return self.pause.task

    @property
    def stop(self) -> Any:
        """The stop or gate that asked; None for a step or pause by hand and for what node code asks."""
        return self.cause.stop

    @property
    def why(self) -> str:
        return self.cause.why

    @property
    def path(self) -> str:
        """`research/plan`: the node with the subgraphs around it; or of a whole superstep, its graph."""
        return path_of(self.ns, self.node)

    @property
    def address(self) -> str:
        """`path/node#k@s`."""
        return address_of(self.pause)

    @property
    def title(self) -> str:
        """`after:draft`."""
        return f"{self.place}:{self.path}" if self.path else self.place

    @property
    def name(self) -> str:
        """How messages call it: `Request r1 (after:draft, superstep 3)`."""
        return f"Request {self.id} ({self.title}, superstep {self.step})"

    @property
    def pending(self) -> bool:
        return self.decided is None and self.closed is None

    def __repr__(self) -> str:
        if self.decided is not None:
            state = f"decided: {self.decided.verb}"
        else:
            state = f"closed: {self.closed}" if self.closed else f"pending, allows {' '.join(self.allow)}"
        return f"<Request {self.id} {self.title} in superstep {self.step}, {state}>"

    # What it shows; the short names are those of conditions

    @property
    def state(self) -> Any:
        """The state as the node read it, or the whole state at plan, step and committed. Don't change it."""
        return self.pause.state

    @property
    def arguments(self) -> dict[str, Any] | None:
        """What a called function gets, by the names of its parameters; None for a node. Don't change it."""
        return None if self.function is None else self.function.arguments

    @property
    def update(self) -> dict[str, Any]:
        """The proposed writes by key."""
        return {each.key: each.proposed for each in self.changes}

    @property
    def keys(self) -> frozenset[str]:
        """The keys that would be written."""
        return frozenset(each.key for each in self.changes)

    @property
    def old(self) -> Any:
        """The value before of the one written key; a dict of them when several, or none, are written."""
        return self._values_of("old")

    @property
    def new(self) -> Any:
        """The value after of the one written key; a dict of them when several, or none, are written."""
        return self._values_of("new")

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the chosen targets."""
        return tuple(route if isinstance(route, str) else route.node for route in self.pause.routes)

    @property
    def error(self) -> BaseException | None:
        return self.pause.error

    @property
    def question(self) -> Any:
        """What node code asked with `interrupt(value)`."""
        return None if self.pause.interrupt is None else self.pause.interrupt.value

    @property
    def value(self) -> Any:
        """What is proposed, as JSON, in the form that `edit` takes: an object of keys."""
        match self.place:
            case "before" | "error":
                arguments = self.arguments
                return jsonable(asked_of(self.pause.state) if arguments is None else arguments)
            case "after" | "edge":
                return proposal_of(self.own_changes)
            case "step":
                return {each.key: jsonable(self._combined(each)) for each in self.own_changes}
            case "plan" | "committed":
                channels = self.plan.channels
                return {key: jsonable(each) for key, each in self.values.items() if channels[key].plain}
            case _:
                return None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of what `edit` takes (at `interrupt`, what `respond` takes); None for any JSON."""
        if self.place == "interrupt":
            return judge_type(self.pause.response_schema)[0]
        if self.place in ("before", "error") and self.function is not None:
            return self.function.schema
        if self.place in ("before", "error") and not isinstance(self.pause.state, Mapping):
            return None
        return self.judge.schema(self.editable)

    @property
    def respond_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of what `respond` takes."""
        if self.place == "interrupt":
            return self.schema
        if self.function is not None:
            return self.function.result_schema
        if self.takes_result:
            return judge_type(self.plan.channels[END].type)[0]
        return self.judge.schema(self.writable)

    @property
    def result_of(self) -> Callable[[Any], Any] | None:
        """What makes an update of a bare result, where that is what the node gives: an entrypoint's function."""
        node = self.plan.nodes.get(self.node or "")
        return None if node is None or self.function is not None else node.edited

    @property
    def takes_result(self) -> bool:
        """Whether a bare result is enough of a response; not where an entrypoint keeps a value of another type."""
        channels = self.plan.channels
        return self.result_of is not None and bool(channels[END].type == channels[PREVIOUS].type)

    @property
    def kept_as_returned(self) -> bool:
        """Whether an entrypoint would keep for its next run just what it returns, so that one edit is of both."""
        if self.place not in ("after", "step"):
            return False
        found = {each.key: each.new for each in self.changes if each.key in (END, PREVIOUS)}
        return len(found) == 2 and (found[END] is found[PREVIOUS] or digest(found[END]) == digest(found[PREVIOUS]))

    @property
    def own_changes(self) -> tuple[Change, ...]:
        """The changes that are shown and edited by themselves: what an entrypoint keeps may follow what it returns."""
        return tuple(each for each in self.changes if each.key != PREVIOUS or not self.kept_as_returned)

    @property
    def editable(self) -> tuple[str, ...]:
        """The keys that an edit may name; those proposed come first."""
        shown = [each.key for each in self.changes]
        if self.place in ("before", "error"):
            more: Iterable[str] = asked_of(self.pause.state) if isinstance(self.pause.state, Mapping) else ()
        elif self.place in ("after", "edge"):
            more = self.writable
        else:
            more = self.plan.state_keys or self.plan.channels
        return tuple(dict.fromkeys([*shown, *more]))

    @property
    def writable(self) -> tuple[str, ...]:
        """The keys that the node may write."""
        node = self.plan.nodes.get(self.node or "")
        keys = self.plan.state_keys or tuple(self.plan.channels)
        return tuple(key for key in keys if node is None or key in node.writes)

    @property
    def digest(self) -> str:
        """Names what is shown. A decision that carries another one is stale."""
        if self._digest is None:
            pause = self.pause
            routes = [route if isinstance(route, str) else (route.node, route.arg) for route in pause.routes]
            shown = self.pause.state if self.place in ("before", "plan", "committed") else None
            question = None if pause.interrupt is None else pause.interrupt.value
            error = None if pause.error is None else repr(pause.error)
            writes, result = list(pause.writes), dict(pause.result)
            self._digest = digest(self.place, self.address, writes, result, routes, shown, question, error)
        return self._digest

    def _combined(self, change: Change) -> Any:
        """What the superstep makes of a key; where it can't be told, what an edit would best begin with."""
        new = change.new
        if change.key in self.pause.unfit:
            new = change.writers[-1][1] if change.reducer is None else change.old
        return None if new is MISSING else new

    def _values_of(self, name: str) -> Any:
        found = {each.key: getattr(each, name) for each in self.changes}
        found = {key: None if each is MISSING else each for key, each in found.items()}
        return next(iter(found.values())) if len(found) == 1 else found

    # Deciding

    # With scope="run" the verb also decides what the same stop asks here later in the run: see `run.rules`.

    def approve(self, *, by: str | None = None, reason: str | None = None, scope: Scope = "once") -> None:
        """Go on as proposed."""
        self.decide(Decision("approve", by=by, reason=reason, scope=scope))

    def edit(self, value: Any, *, by: str | None = None, reason: str | None = None, seen: str | None = None) -> None:
        """Go on with changed keys; keys that `value` does not name stay as proposed. See `approve/edits.py`.

        Raises EditError if the types of the state refuse it.
        """
        self.decide(Decision("edit", value, reason, by, seen))

    def reject(
        self, reason: str | None = None, then: str = "stop", *, by: str | None = None, scope: Scope = "once"
    ) -> None:
        """Drop it. `then`: "stop" the run, "retry" the task with the reason, or "route" to the error handler."""
        self.decide(Decision("reject", None, reason, by, then=cast(Any, then), scope=scope))

    def respond(self, value: Any, *, by: str | None = None, reason: str | None = None) -> None:
        """Answer instead of the node (an update), or answer what node code asked."""
        self.decide(Decision("respond", value, reason, by))

    def skip(
        self,
        tasks: Sequence[str] | None = None,
        *,
        by: str | None = None,
        reason: str | None = None,
        scope: Scope = "once",
    ) -> None:
        """Go on without the update; at `step` without those of `tasks` (names or ids; None for all)."""
        self.decide(Decision("skip", tasks, reason, by, scope=scope))

    def redirect(
        self,
        targets: Route | Sequence[Route],
        *,
        by: str | None = None,
        reason: str | None = None,
        scope: Scope = "once",
    ) -> None:
        """Go to these nodes next instead of those chosen."""
        self.decide(Decision("redirect", targets, reason, by, scope=scope))

    def rerun(self, *, by: str | None = None, reason: str | None = None, scope: Scope = "once") -> None:
        """Run the failed task again."""
        self.decide(Decision("rerun", by=by, reason=reason, scope=scope))

    def suspend(self, *, by: str | None = None, reason: str | None = None) -> None:
        """Leave it undecided and end the run here, durably; any process may go on later."""
        self.decide(Decision("suspend", by=by, reason=reason))

    def decide(self, decision: Decision) -> None:
        """Take a decision. Raises a DecisionError, and stays pending, if it can't be taken."""
        if not isinstance(decision, Decision):
            raise TypeError(
                f"{self.name}: a Decision is wanted, got {describe(decision)}; for example Decision('approve'), "
                "or call the verb itself: approve(), edit(value), …"
            )
        try:
            checked = self._check(decision)
            with self._lock:
                self._refuse_second(decision)
                self.decided = replace(decision, request=self.id, seen=self.digest)
                self.taken = checked.value
        except _SameAgain:
            return
        self._finish(checked)

    def _check(self, decision: Decision) -> Decision:
        """The decision as the engine takes it. Raises a DecisionError if it is stale, not allowed or wrong."""
        if self.decided is None and self.closed is None:
            if decision.seen is not None and decision.seen != self.digest:
                raise StaleDecisionError(
                    f"{self.name}: the decision `{decision.verb}` was made on an older proposal. "
                    "Look at the request again and decide on what it shows now."
                )
            check_verb(decision.verb, self.allow, self.refused, self.name)
            check_scope(self, decision)
            check_words(self, decision)
            value = checked_value(self, decision)
            check_storable(self, decision, value)
        else:
            self._refuse_second(decision)
            value = decision.value
        return replace(decision, value=value, request=self.id)

    def close(self, why: str) -> None:
        """Nobody can decide it any more, for example because the run was cancelled."""
        with self._lock:
            if not self.pending:
                return
            self.closed = why
        self._finish(None)

    def on_end(self, callback: Callable[[Request], None]) -> None:
        """Call back once, on the deciding thread, when it is decided or closed; at once if it is.

        It comes before the decision takes effect. What a callback raises is raised in the run then.
        """
        with self._lock:
            if self.pending:
                self._on_end.append(callback)
                return
        callback(self)

    def preview(self, value: Any) -> Effect:
        """What `edit(value)` would do. Runs no node; at `after` it runs the node's synchronous routers."""
        return preview_of(self, value)

    # Inside

    def _refuse_second(self, decision: Decision) -> None:
        if self.closed is not None:
            raise UnknownRequestError(f"{self.name} is no longer pending: {self.closed}. Nothing was changed.")
        made = self.decided
        if made is None:
            return
        if (made.verb, made.reason, made.then) == (decision.verb, decision.reason, decision.then) and digest(
            made.value
        ) == digest(decision.value):
            raise _SameAgain
        by = f" by {made.by}" if made.by else ""
        raise UnknownRequestError(
            f"{self.name} was decided already{by}: {made.verb}. The first decision counts; nothing was changed. "
            "To decide differently, fork the run at the step before."
        )

    def _withdrawn(self, answer: Future[Decision]) -> None:
        """The engine gave up waiting."""
        if answer.cancelled():
            self.close("the run was cancelled")

    def _finish(self, decision: Decision | None) -> None:
        callbacks, self._on_end = self._on_end, []
        problem: Exception | None = None
        for callback in callbacks:
            try:
                callback(self)
            except Exception as error:  # noqa: BLE001  nobody may wait for ever for a decision that was taken
                problem = problem or error
        if decision is None:
            self.answer.cancel()
        elif self.answer.set_running_or_notify_cancel():
            if problem is None:
                self.answer.set_result(decision)
            else:
                self.answer.set_exception(problem)


class _SameAgain(Exception):  # noqa: N818  a signal inside this module, not a failure
    """The same decision once more: a cell was run twice."""


def _values(pause: Pause) -> Mapping[str, Any]:
    """The graph's values before the pending change."""
    return cast(Mapping[str, Any], pause.state) if pause.place in ("plan", "step", "committed") else pause.values
