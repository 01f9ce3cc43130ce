"""Whether a decision's value can be taken, and what an edit would do: the request's types and graph are the judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.approve.changes import Change, changes_between
from stepgraph.approve.digest import digest
from stepgraph.approve.edits import Edit, Ground, edit_input, edit_state, edit_values, edit_writes, refusal_of
from stepgraph.approve.judge import EditError, Problem, describe, judge_type
from stepgraph.approve.verbs import closest
from stepgraph.core.combining import combine_fitting, preview
from stepgraph.core.errors import DecisionError
from stepgraph.core.routing import rerouted
from stepgraph.core.types import END, MISSING, PREVIOUS, START, Command, Decision, Pause, Route, Send, Writes
from stepgraph.core.writes import collect

if TYPE_CHECKING:
    from stepgraph.approve.requests import Request

Routing = Callable[[Pause, Mapping[str, Any], Writes], "Routed"]
"""Where it would go with these writes, at `step` with these values: (pause, graph values before, pairs) -> routes."""
THENS = ("stop", "retry", "route")


class Routed(NamedTuple):
    """Where routers would send a task. `routes` is None if it can't be told; `trouble` is what a router raised."""

    routes: tuple[Route, ...] | None
    trouble: str | None = None


UNTOLD = Routed(None)


class Effect(NamedTuple):
    """What an edit would do. `routes` is None where they can't be told without running more than routers.

    `trouble` is what a router raised when it was asked about the edit: if applied, the edit ends at `error`.
    """

    changes: tuple[Change, ...]
    routes: tuple[Route, ...] | None
    reruns_router: bool
    errors: tuple[Problem, ...]
    trouble: str | None = None


def checked_value(request: Request, decision: Decision) -> Any:
    """The decision's value as the engine takes it. Raises a DecisionError; the request stays pending then."""
    match decision.verb:
        case "edit":
            edit = edit_of(request, decision.value)
            if edit.problems:
                raise EditError(request.name, edit.problems)
            return edit.value
        case "respond":
            return _checked_response(request, decision.value)
        case "redirect":
            return _checked_targets(request, decision.value)
        case "reject":
            _check_then(request, decision)
        case "skip" if request.place == "step":
            _check_tasks(request, decision.value)
    return decision.value


def check_words(request: Request, decision: Decision) -> None:
    """Raises DecisionError if who decides, or why, is no text, or if the gate wants a reason and there is none."""
    for name in ("by", "reason"):
        given = getattr(decision, name)
        if given is not None and not isinstance(given, str):
            raise DecisionError(
                f"{request.name}: {name}={describe(given)}: text is wanted, or None. The request is still pending."
            )
    if request.cause.reason and decision.verb != "suspend" and not (decision.reason or "").strip():
        raise DecisionError(
            f'{request.name}: this gate wants a reason. Give one: {decision.verb}(…, reason="…"). '
            "The request is still pending."
        )


def check_storable(request: Request, decision: Decision, value: Any) -> None:
    """Raises EditError if the run's checkpointer can't keep what was decided, `value` being that as it was checked."""
    refusal = getattr(getattr(request.run, "saver", None), "refusal", None)
    if refusal is None:
        return
    hidden = request.plan.untracked if request.task is None else ()  # what a task gets or writes instead is kept whole
    problems = [
        Problem([key] if key else [], f"this can't be stored, and every decision is: {why}")
        for key, given in _kept(request, decision, value)
        if key not in hidden and (why := refusal(given)) is not None
    ]
    if problems:
        raise EditError(request.name, problems)


def _kept(request: Request, decision: Decision, value: Any) -> list[tuple[str, Any]]:
    """What is recorded of a decision, by key where it has keys."""
    if decision.verb == "redirect":
        return [(f"Send({each.node})", each.arg) for each in value if isinstance(each, Send)]
    if decision.verb not in ("edit", "respond") or value is None:
        return []
    replaced = decision.verb == "edit" and request.place in ("before", "error") and not isinstance(value, Mapping)
    if replaced or request.place == "interrupt":  # an input that is no state, an answer
        return [("", value)]
    pairs: Any = value
    if request.function is not None:  # its result
        return [("", value)]
    if decision.verb == "respond" and not isinstance(value, Mapping):
        pairs = collect(request.plan.nodes[request.node or ""], value)[0]
    return list(pairs.items() if isinstance(pairs, Mapping) else pairs)


def edit_of(request: Request, value: Any) -> Edit:
    """The edited thing at the request's place."""
    pause = request.pause
    ground = Ground(request.plan, request.values, request.judge)
    if request.kept_as_returned and isinstance(value, Mapping) and END in value:
        value = {PREVIOUS: value[END], **value}
    match request.place:
        case "after":
            edit = edit_writes(ground, pause.writes, value, request.editable)
            return Edit(edit.value, _once(edit.problems))
        case "step":
            edit = edit_values(ground, pause.result, value, {each.key: each.writers for each in request.changes})
            return Edit(edit.value, [*_once(edit.problems), *_still_unfit(request, edit.value)])
        case "plan" | "committed":
            return edit_state(ground, value)
        case "before" | "error":
            if request.function is not None:
                return Edit(*request.function.edited(value))
            return edit_input(ground, pause.state, value)
        case _:
            return Edit(value, [Problem([], f"there is nothing to edit at {request.place!r}")])


def preview_of(request: Request, value: Any) -> Effect:
    """What `edit(value)` would do. Runs no node."""
    edit = edit_of(request, value)
    if edit.problems:
        return Effect(request.changes, None, False, tuple(edit.problems))
    pause = request.pause
    match request.place:
        case "after":
            changes = _between(request, edit.value, request.address)
            routed = UNTOLD if request.routing is None else request.routing(pause, request.values, edit.value)
            return Effect(changes, routed.routes, False, (), routed.trouble)
        case "step":
            again = any(rerouted(task, edit.value) for task in pause.tasks)
            routed = Routed(tuple(pause.routes))
            if again:
                edited = tuple(edit.value.items())
                routed = UNTOLD if request.routing is None else request.routing(pause, request.values, edited)
            return Effect(_step_changes(request, edit.value), routed.routes, again, (), routed.trouble)
        case "plan" | "committed":
            return Effect(_between(request, edit.value, "edit"), None, False, ())
        case _:
            return Effect(_input_changes(*_inputs(request, edit.value)), None, False, ())


def _checked_response(request: Request, value: Any) -> Any:
    if request.place != "interrupt" and request.function is not None:
        value, problems = request.function.result(value)
        if problems:
            raise EditError(request.name, problems)
        return value
    result_of = request.result_of
    if result_of is not None and request.place != "interrupt" and not _is_update(request, value):
        writes, problems = _writes(request, result_of(value))
        checked, problems = dict(writes), [_of_result(each) for each in _once(problems)]
    elif request.place == "interrupt":
        checked, problems = judge_type(request.pause.response_schema)[1].check("value", value)
        problems = [Problem(each["path"][1:], each["message"]) for each in problems]
    elif isinstance(value, Mapping):
        writes, problems = _writes(request, value)
        checked = dict(writes)
    else:
        return _checked_return(request, value)
    if problems:
        raise EditError(request.name, problems)
    return checked


def _once(problems: list[Problem]) -> list[Problem]:
    """Without what is said of the kept value and of the result alike."""
    of_result = [(each["path"][1:], each["message"]) for each in problems if each["path"][:1] == [END]]
    return [
        each
        for each in problems
        if each["path"][:1] != [PREVIOUS] or (each["path"][1:], each["message"]) not in of_result
    ]


def _of_result(problem: Problem) -> Problem:
    """The same of a bare result; what it can't be kept as needs a value of its own."""
    path, told = problem["path"], problem["message"]
    if path[:1] != [PREVIOUS]:
        return Problem(path[1:], told)
    return Problem(path[1:], f"as what is kept for the next run: {told}; give both, entrypoint.final(value=…, save=…)")


def _writes(request: Request, update: Any) -> tuple[Writes, list[Problem]]:
    edit = edit_writes(Ground(request.plan, request.values, request.judge), (), update, request.writable)
    return edit.value, edit.problems


def _is_update(request: Request, value: Any) -> bool:
    """Whether it is what an entrypoint's node writes, or a Command, and no bare result of its function."""
    named = isinstance(value, Mapping) and END in value and set(value) <= set(request.writable)
    return named or isinstance(value, Command)


def _checked_return(request: Request, value: Any) -> Any:
    """A Command, object or None in a node's place: anything that a node may return."""
    try:
        collect(request.plan.nodes[request.node or ""], value)
    except Exception as error:
        told = str(error).partition("\nFor troubleshooting")[0].rstrip(".").replace("\n", ". ")
        raise EditError(request.name, [Problem([], told)]) from error
    return value


def _checked_targets(request: Request, value: Any) -> list[Route]:
    targets: list[Route] = [value] if isinstance(value, str | Send) else []
    if isinstance(value, list | tuple | set | frozenset):
        targets = list(value)
    if not targets:
        raise DecisionError(
            f"{request.name}: redirect to {describe(value)}: a node's name, END, a Send, or a list of them is wanted; "
            "redirect(END) goes nowhere. The request is still pending."
        )
    known = [name for name in request.plan.nodes if name != START]
    for target in targets:
        name = target.node if isinstance(target, Send) else target
        if name not in known and not (name == END and isinstance(target, str)):
            raise DecisionError(
                f"{request.name}: redirect to {name!r}: the graph has no such node{closest(str(name), known)}. "
                f"Nodes: {', '.join(known)}, or END. The request is still pending."
            )
    return targets


def thens_of(request: Request) -> list[str]:
    """How it may go on after a rejection, besides the run's end."""
    node = request.plan.nodes.get(request.node or "")
    possible = {"retry": request.place == "after", "route": node is not None and node.handler is not None}
    return [then for then in THENS if possible.get(then)]


def _check_then(request: Request, decision: Decision) -> None:
    then = decision.then
    if then not in THENS:
        raise DecisionError(
            f"{request.name}: reject(then={then!r}) is unknown{closest(then, THENS)}. Use {', '.join(THENS)}. "
            "The request is still pending."
        )
    if then == "stop" or then in thens_of(request):
        return
    if then == "route":
        raise DecisionError(
            f"{request.name}: reject(then='route') wants an error handler, and node {request.node!r} has none. "
            "Use redirect(targets) to go to another node. The request is still pending."
        )
    raise DecisionError(
        f"{request.name}: reject(then='retry') exists only at `after`, where a node has just run. "
        "The request is still pending."
    )


def _check_tasks(request: Request, tasks: Any) -> None:
    known = [name for task in request.pause.tasks for name in (task.name, task.id)]
    for name in tasks or ():
        if name not in known:
            names = sorted({task.name for task in request.pause.tasks})
            raise DecisionError(
                f"{request.name}: skip({name!r}): no such task in this superstep{closest(str(name), names)}. "
                f"Tasks: {', '.join(names)}. The request is still pending."
            )

    if request.pause.unfit:
        marked = set(tasks or known)
        left = [task for task in request.pause.tasks if not marked & {task.name, task.id}]
        for key, error in combine_fitting(request.plan, request.values, left)[2].items():
            raise DecisionError(
                f"{request.name}: without the updates of {', '.join(tasks)}, key {key!r} still can't be put together: "
                f"{refusal_of(request.plan, key, error)}. The request is still pending."
            )


def _still_unfit(request: Request, edited: Mapping[str, Any]) -> list[Problem]:
    """The keys that can't be put together and that an edit leaves as they are."""
    return [
        Problem([key], f"this can't be put together and needs a value: {refusal_of(request.plan, key, error)}")
        for key, error in request.pause.unfit.items()
        if key not in edited
    ]


def _between(request: Request, writes: Writes, writer: str) -> tuple[Change, ...]:
    result = preview(request.plan, request.values, writes)
    return changes_between(request.plan, request.values, result, [(writer, writes)])


def _step_changes(request: Request, edited: Mapping[str, Any]) -> tuple[Change, ...]:
    rows = {each.key: each for each in request.changes}
    for key, new in edited.items():
        row = rows.get(key)
        rows[key] = row._replace(new=new) if row else Change(key, None, request.values.get(key, MISSING), MISSING, new)
    return tuple(rows.values())


def _inputs(request: Request, edited: Any) -> tuple[Any, Any]:
    """A task's input before and after an edit; of a called function the arguments by name."""
    if request.function is not None:
        before, after = request.function.arguments, request.function.named(edited)
        if before is not None and after is not None:
            return before, after
    return request.pause.state, edited


def _input_changes(given: Any, edited: Any) -> tuple[Change, ...]:
    if not isinstance(given, Mapping) or not isinstance(edited, Mapping):
        return (Change("input", None, given, edited, edited),)
    return tuple(
        Change(key, None, given.get(key, MISSING), edited.get(key, MISSING), edited.get(key, MISSING))
        for key in dict.fromkeys([*given, *edited])
        if key not in given or key not in edited or digest(given[key]) != digest(edited[key])
    )
