"""The review card: everything a person needs to answer one request, as JSON."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stepgraph.approve.changes import path_of, shortened
from stepgraph.approve.checks import thens_of
from stepgraph.approve.edits import refusal_of
from stepgraph.approve.jsonable import jsonable
from stepgraph.approve.text import error_name
from stepgraph.core.types import END, MISSING, Route, Send
from stepgraph.panels.difference import difference
from stepgraph.panels.values import one_line, spelled_out

if TYPE_CHECKING:
    from stepgraph.approve.changes import Change
    from stepgraph.approve.checks import Effect
    from stepgraph.approve.requests import Request

KEPT = "and kept for the next run"
LAZY = 65_536
"""Characters of a proposal beyond which the page fetches it when somebody edits."""


def card(request: Request) -> dict[str, Any]:
    """The card of a pending request. Builds diffs once; the page only draws."""
    pause = request.pause
    value = jsonable(request.value)
    large = len(repr(value)) > LAZY
    return {
        "id": request.id,
        "title": request.title,
        "place": request.place,
        "node": request.node or "",
        "path": request.path,
        "within": _within(request),
        "step": request.step,
        "index": pause.index,
        "router": pause.router,
        "why": request.why,
        "stop": request.stop.id if request.stop is not None else None,
        "allow": list(request.allow),
        "refused": dict(request.refused),
        "schema": request.schema,
        "respond": request.respond_schema if "respond" in request.allow else None,
        "answer": _answer(request),
        "thens": thens_of(request),
        "reason": request.cause.reason,
        "value": None if large else value,
        "results": {} if large else _results(request),
        "lazy": large,
        "beginnings": _beginnings(request, value) if large else [],
        "digest": request.digest,
        "changes": [_row(request, each) for each in request.own_changes],
        "tasks": _tasks(request),
        "routes": _routes(request),
        "alternatives": list(pause.alternatives),
        "reads": _reads(request),
        "question": None if pause.interrupt is None else spelled_out(pause.interrupt.value),
        "error": None if pause.error is None else failure(pause.error),
    }


def bare_card(request: Request, error: Exception) -> dict[str, Any]:
    """What is left when a card can't be made: where it is, what may be decided, and why nothing is shown."""
    return {
        **dict.fromkeys(("router", "schema", "respond", "value"), None),
        "changes": [],
        "tasks": [],
        "routes": [],
        "alternatives": [],
        "reads": [],
        "answer": None,
        "thens": [],
        "results": {},
        "lazy": False,
        "beginnings": [],
        "index": request.pause.index,
        "id": request.id,
        "title": request.title,
        "place": request.place,
        "node": request.node or "",
        "path": request.path,
        "within": request.path,
        "step": request.step,
        "why": request.why,
        "stop": None,
        "allow": list(request.allow),
        "refused": dict(request.refused),
        "reason": request.cause.reason,
        "digest": request.digest,
        "question": None,
        "error": {**failure(error), "message": f"This can be decided, but not shown: {error}"},
    }


def changes(found: tuple[Change, ...] | list[Change]) -> list[dict[str, Any]]:
    """One entry a key: its reducer and what changes. An appended list shows only what is added."""
    return [_change(each) for each in found]


def effect(found: Effect) -> dict[str, Any]:
    """What an edit would do, for the preview next to the form."""
    return {
        "changes": changes(found.changes),
        "routes": [target(route) for route in found.routes or ()],
        "known": found.routes is not None,
        "reruns_router": found.reruns_router,
        "errors": list(found.errors),
        "trouble": found.trouble,
    }


def target(route: Route) -> str:
    """Where a route goes, in words."""
    return f"{route.node}({one_line(route.arg, 60)[0]})" if isinstance(route, Send) else route


def failure(error: BaseException) -> dict[str, str]:
    """Type, message and traceback of an error, bounded."""
    lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-30)
    return {"type": error_name(error), "message": str(error)[:4_000], "traceback": "".join(lines)[-20_000:]}


def _change(change: Change) -> dict[str, Any]:
    added = _appended(change.old, change.new) if change.reducer else None
    return {
        "key": change.key,
        "reducer": change.reducer,
        "missing": change.old is MISSING,
        "added": None if added is None else len(added),
        "diff": difference(change.old, change.new) if added is None else difference(MISSING, added),
    }


def _row(request: Request, change: Change) -> dict[str, Any]:
    """The same with who wrote it, where several tasks may have; where it can't be put together, what each wants."""
    error = request.pause.unfit.get(change.key)
    if error is None:
        by = dict.fromkeys(shortened(address).partition("@")[0].rpartition("/")[2] for address, _ in change.writers)
        also = change.key == END and request.kept_as_returned
        return {
            **_change(change),
            "by": list(by) if len(request.pause.tasks) > 1 else [],
            "also": KEPT if also else None,
        }
    return {
        "key": change.key,
        "reducer": change.reducer,
        "missing": change.old is MISSING,
        "added": None,
        "diff": difference(change.old, change.old),
        "problem": refusal_of(request.plan, change.key, error)[:1_000],
        "writers": [_writer(address, update) for address, update in change.writers],
    }


def _writer(address: str, update: Any) -> dict[str, Any]:
    """One write: by which task, on a line, and as JSON unless that is too large for a form."""
    value = jsonable(update)
    lazy = len(repr(value)) > LAZY
    return {"task": shortened(address), "text": one_line(update)[0], "value": None if lazy else value, "lazy": lazy}


def _routes(request: Request) -> list[str]:
    """Where it goes from here; at `plan` and `committed`, the nodes that run next."""
    if request.place in ("plan", "committed"):
        return list(dict.fromkeys(task.node for task in request.pause.tasks))
    return [target(route) for route in request.pause.routes]


def _answer(request: Request) -> dict[str, Any] | None:
    """The update that a form for `respond` begins with; the task's input may know more of it than its keys.

    None where the answer is no update: to a question, or in place of what a function returns.
    """
    if request.place == "interrupt" or request.function is not None or request.takes_result:
        return None
    made = getattr(request.pause.state, "__answer__", None)
    return {} if made is None else jsonable(made())


def _within(request: Request) -> str:
    """The path of the node that stands still for it: of a called function, the node whose code has called it."""
    task = request.pause.tasks[0] if request.node and len(request.pause.tasks) == 1 else None
    caller = getattr(task, "caller", None)
    if caller is None:
        return request.path
    while caller.caller is not None:
        caller = caller.caller
    return path_of(request.ns, caller.name)


def _beginnings(request: Request, value: Any) -> list[list[str]]:
    """What a card shows of an input that is too large to be sent: each key, "" where there is none, and some text."""
    if request.place not in ("before", "plan", "error"):
        return []
    pairs = value.items() if isinstance(value, Mapping) else [("", value)]
    return [[key, one_line(each, 300)[0]] for key, each in pairs]


def _tasks(request: Request) -> list[list[str]]:
    """Those of the whole superstep, where the updates of some may be dropped: id, and address without its graph."""
    if request.place != "step":
        return []
    return [[task.id, shortened(task.address).rpartition("/")[2]] for task in request.pause.tasks]


def _results(request: Request) -> dict[str, Any]:
    """What each key with a reducer would hold: the ground on which `$set` and `$remove` start."""
    unfit = request.pause.unfit
    found = {
        each.key: jsonable(each.old if each.key in unfit else each.new)
        for each in request.changes
        if each.reducer and (each.old if each.key in unfit else each.new) is not MISSING
    }
    return found if len(repr(found)) <= LAZY else dict.fromkeys(found)


def _appended(old: Any, new: Any) -> list[Any] | None:
    """What was appended to a list, or None if something else happened."""
    if not isinstance(new, list) or not isinstance(old, list) or not old or len(new) <= len(old):
        return None
    return new[len(old) :] if new[: len(old)] == old else None


def _reads(request: Request) -> list[list[str]]:
    """Keys that the router (or node) read, with the values it saw; nothing when unknown."""
    state = request.pause.state
    if request.pause.reads is None or not hasattr(state, "get"):
        return []
    return [[key, one_line(state.get(key), 80)[0]] for key in sorted(request.pause.reads)]
