"""Stops and gates of a session: equal ones are one, each counts its hits, and a table tells quickly who asks where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from threading import RLock
from typing import Any, Literal

from stepgraph.approve.requests import Cause, Request
from stepgraph.approve.verbs import closest
from stepgraph.core.plan import Plan
from stepgraph.core.types import Place, Verb
from stepgraph.debug.conditions import Condition, names_of
from stepgraph.debug.places import Spec, matches, notice_of, problem_of


@dataclass(eq=False)
class Stop:
    """A breakpoint (`kind` "stop") or an approval policy ("gate"). `enabled` may be set; the rest is fixed.

    From its `first`-th hit in a run on it stops; a hit is an arrival with the condition true. `hits` counts all runs.
    A stop with `log` never stops: it writes the text to the run's log.
    """

    id: str
    spec: str
    where: Spec
    kind: Literal["stop", "gate"] = "stop"
    when: Condition | None = None
    first: int = 1
    once: bool = False
    log: str | None = None
    allow: tuple[Verb, ...] = ()
    reason: bool = False
    problem: str | None = None
    """Why it can't work as meant: its condition raised, or its node is gone."""
    hits: int = 0
    _enabled: bool = True
    _changed: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def place(self) -> Place:
        return self.where.place

    @property
    def pattern(self) -> str:
        return self.where.pattern

    @property
    def when_text(self) -> str | None:
        return None if self.when is None else self.when.text

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = bool(value)
        self._changed()

    @property
    def text(self) -> str:
        """`stop s2 “len(q.new) > 500”`."""
        name = f"{self.kind} {self.id}"
        return f"{name} “{self.when_text}”" if self.when is not None else name

    def __repr__(self) -> str:
        parts = [self.spec, f"when {self.when_text!r}" if self.when else "", "" if self.enabled else "off"]
        parts += [f"allows {' '.join(self.allow)}" if self.allow else "", self.problem or ""]
        return f"<{self.kind.title()} {self.id} {', '.join(part for part in parts if part)}; hits {self.hits}>"

    def same_as(self, other: Stop) -> bool:
        """Whether two are one: everything but counts and switches is equal."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("where", "kind", "when", "first", "once", "log", "allow", "reason")
        )


class Stops:
    """The stops of one session. Reading is safe from any thread; `changed` is called after each change."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._stops: tuple[Stop, ...] = ()
        self._table: dict[tuple[str, str], tuple[Stop, ...]] = {}
        self._lock = RLock()
        self._tell = changed
        self._made = 0
        self.armed = False
        """Whether any is on: while none is, nothing needs to be looked up."""

    def __iter__(self) -> Any:
        return iter(self._stops)

    def all(self) -> list[Stop]:
        return list(self._stops)

    def add(self, stop: Stop) -> Stop:
        """Add a stop, or find the equal one, which is switched on again."""
        with self._lock:
            for known in self._stops:
                if known.same_as(stop):
                    known.enabled = True
                    return known
            self._made += 1
            stop.id = f"{stop.kind[0]}{self._made}"
            stop._changed = self._update
            self._stops = (*self._stops, stop)
        self._update()
        return stop

    def remove(self, stop: Stop | str) -> None:
        """Forget a stop, named by itself, its id or its text; one that is gone already is no error."""
        if isinstance(stop, str):
            found = [each for each in self._stops if stop in (each.id, each.spec)]
            if not found:
                known = [each.id for each in self._stops]
                raise ValueError(f"No stop {stop!r}{closest(stop, known)}. Stops: {', '.join(known) or 'none'}.")
        else:
            found = [stop]
        with self._lock:
            self._stops = tuple(each for each in self._stops if each not in found)
        self._update()

    def at(self, place: str, path: str) -> tuple[Stop, ...]:
        """The stops that are on and whose pattern fits. A lookup after the first time."""
        found = self._table.get((place, path))
        if found is None:
            found = tuple(
                each for each in self._stops if each.enabled and each.place == place and matches(each.pattern, path)
            )
            self._table[place, path] = found
        return found

    def check(self, plan: Plan) -> None:
        """The graph was defined anew: tell which stops it no longer has a place for."""
        for stop in self._stops:
            stop.problem = problem_of(stop.where, plan) or notice_of(stop.where, plan)
        self._update()

    def _update(self) -> None:
        self._table = {}
        self.armed = any(each.enabled for each in self._stops)
        self._tell()


class Hits:
    """Hit counts of one run: `hits=3` means the third time *in this run*."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def arrive(self, stops: tuple[Stop, ...], request: Request, log: Callable[[str], None]) -> Cause | None:
        """Count the arrival with each stop, write logs, and say why to hold, if one does. Gates come before stops."""
        holding: list[tuple[Stop, str | None]] = []
        for stop in stops:
            if not _concerns(stop, request):
                continue
            holds, problem = stop.when.judge(request) if stop.when is not None else (True, None)
            stop.problem = problem
            if not holds:
                continue
            stop.hits += 1
            count = self._counts[stop.id] = self._counts.get(stop.id, 0) + 1
            if stop.log is not None:
                log(_message(stop, request))
            elif count >= stop.first or problem is not None:
                holding.append((stop, problem))
                if stop.once:
                    stop.enabled = False
        return _cause(holding)


def _concerns(stop: Stop, request: Request) -> bool:
    router = stop.where.router
    if router is None:
        return True
    node = request.plan.nodes.get(request.node or "")
    return node is not None and any(each.name == router for each in node.routers)


def _cause(holding: list[tuple[Stop, str | None]]) -> Cause | None:
    """One cause of several stops: what all gates among them allow."""
    if not holding:
        return None
    gates = [each for each in holding if each[0].kind == "gate"]
    first, problem = (gates or holding)[0]
    why = "; ".join(stop.text for stop, _ in (gates + [each for each in holding if each not in gates]))
    if problem is not None:
        why = f"{why}: {problem}, so you are asked"
    allow = first.allow
    for gate, _ in gates[1:]:
        if gate.allow:
            allow = tuple(verb for verb in gate.allow if not allow or verb in allow) or ("reject",)
    return Cause(why, first, allow, bool(gates), any(gate.reason for gate, _ in gates))


def check_log(text: str | None) -> str | None:
    """The text of a logpoint, if it can be filled in. Raises ValueError, and TypeError for no text."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"log={text!r}: text is wanted, for example '{{state[question]}}', got {type(text).__name__}.")
    try:
        _check_fields(text)
    except ValueError as error:
        raise ValueError(
            f"log={text!r}: {error}. Braces hold a name: a key of the state, `state`, `update` or `q`, as in "
            "'{state[question]}' or '{q.step}'; a brace that is meant as such is doubled, '{{'."
        ) from error
    return text


def _check_fields(text: str) -> None:
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        first = name.partition(".")[0].partition("[")[0]
        if not first or first.isdecimal():
            raise ValueError(f"'{{{name}}}' names nothing")
        if conversion not in (None, "s", "r", "a"):
            raise ValueError(f"!{conversion} is no conversion; there are !s, !r and !a")
        _check_fields(spec or "")


def _message(stop: Stop, request: Request) -> str:
    names: Mapping[str, Any] = {**names_of(request), "state": request.state, "update": request.update}
    try:
        return (stop.log or "").format(**names)
    except Exception as error:  # noqa: BLE001  a bad format string must not stop the run
        stop.problem = f"the log text raised {type(error).__name__}: {error}"
        return f"{stop.log} ({stop.problem})"
