"""Decisions of persons: what they change of a task, and their form in records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core.errors import InvalidUpdateError, Rejected
from stepgraph.core.task import Task
from stepgraph.core.types import (
    END,
    RETURN,
    Command,
    Decision,
    Namespace,
    Pause,
    Place,
    Route,
    Send,
    Writes,
    limit,
    sent,
)
from stepgraph.core.writes import collect, update_of

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def as_writes(task: Task, value: Any) -> Writes:
    """An edited update: a mapping or (key, value) pairs, which may name one key twice."""
    if isinstance(value, Mapping) or not isinstance(value, (list, tuple)):
        return update_of(task.node, Command(update=value))
    return tuple((key, each) for key, each in value)


def choose(task: Task, targets: Any) -> None:
    """Routes that a person gave in place of all others; joins are not filled."""
    task.routes, task.routed, task.chosen, task.joined = tuple(as_routes(targets)), True, True, ()


def as_routes(value: Any) -> Sequence[Route]:
    """Targets that a person gave: one or several names or Sends; END goes nowhere."""
    routes = (value,) if isinstance(value, (str, Send)) else tuple(value or ())
    return [str.__str__(route) if isinstance(route, str) else route for route in routes if route != END]


def update_from(engine: Engine, value: Any, pause: Pause) -> Writes:
    """A person's update of the state between supersteps."""
    channels = engine.plan.channels
    pairs = tuple(value.items()) if isinstance(value, Mapping) else tuple((key, each) for key, each in value)
    unknown = [key for key, _ in pairs if key not in channels]
    if unknown:
        raise InvalidUpdateError(
            f"Unknown state key {unknown[0]!r} in an edit at {pause.place} of superstep {pause.step}; "
            f"the graph has {sorted(channels)}."
        )
    return pairs


def superstep(ns: Namespace, step: int) -> str:
    """How a message calls a superstep, with the subgraphs around it."""
    inside = "/".join(part.partition(":")[0] for part in ns)
    return f"superstep {step} of {inside}" if inside else f"superstep {step}"


def rejected(decision: Decision, where: str) -> Rejected:
    """The error of a rejection."""
    by = f" by {decision.by}" if decision.by else ""
    error = Rejected(f"Rejected{by} at {where}: {decision.reason or 'no reason given'}")
    error.verdict = "stop"
    return error


def verdict(task: Task, decision: Decision) -> Rejected:
    """What a rejection raises."""
    error = rejected(decision, task.address)
    if decision.then == "route" and task.node.handler is not None:
        error.verdict = "route"
    return error


def verdict_of(error: BaseException) -> str | None:
    return error.verdict if isinstance(error, Rejected) else None


def replace_body(task: Task, decision: Decision) -> None:
    task.writes, task.gotos = (), ()
    if decision.verb == "respond" and task.caller is not None:
        task.writes = ((RETURN, decision.value),)
    elif decision.verb == "respond":
        task.writes, task.gotos = collect(task.node, decision.value)
    elif decision.verb == "redirect":
        choose(task, decision.value)
    task.collected = True


def packed(routes: Sequence[Route]) -> tuple[Any, ...]:
    """Routes in the form that records keep."""
    return tuple(route if isinstance(route, str) else (route.node, route.arg, limit(route)) for route in routes)


def unpacked(routes: Sequence[Any]) -> tuple[Route, ...]:
    return tuple(route if isinstance(route, str) else sent(*route) for route in routes)


def as_record(decision: Decision, place: Place) -> dict[str, Any]:
    """A decision in the form that records keep. `place` is before (in place of the body, also at [error]) or after."""
    value = packed(as_routes(decision.value)) if decision.verb == "redirect" else decision.value
    return {
        "verb": decision.verb,
        "value": value,
        "reason": decision.reason,
        "by": decision.by,
        "then": decision.then,
        "place": place,
    }


def from_record(record: Mapping[str, Any]) -> Decision:
    value = unpacked(record["value"]) if record["verb"] == "redirect" else record["value"]
    return Decision(record["verb"], value, record["reason"], record["by"], then=record["then"])
