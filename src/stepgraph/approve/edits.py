"""From what a person typed to what the engine applies: edits of an update, an input, a superstep or the state.

An edit names only the keys that it changes. A plain value replaces the proposed write of its key; an object with one of
the operations below as its only key works on the *value* that the key would get:

    {"messages": {"$append": [m]}}    also append m
    {"messages": {"$remove": [m]}}    take m out, whether it was proposed now or is there already
    {"messages": {"$set": [m]}}       exactly this, past the reducer
    {"messages": {"$drop": true}}     no write to this key

At `step`, where a key has writers, what some of them write can be edited instead; the reducer then works on that:

    {"messages": {"$writes": {"search": [m], "plan@4": {"$drop": true}}}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from stepgraph.approve.changes import node_of, shortened
from stepgraph.approve.jsonable import jsonable
from stepgraph.approve.judge import Judge, Problem, describe
from stepgraph.approve.verbs import closest
from stepgraph.core.channels import overwritten
from stepgraph.core.combining import preview, reducer_name
from stepgraph.core.plan import Plan
from stepgraph.core.types import MISSING, ROOT, Overwrite, Writes

OPERATIONS: Final = ("$set", "$append", "$remove", "$drop", "$writes")
PARTS: Final = ("$set", "$drop")
"""Those for parts of what is no state: arguments of a called function, or of a Send."""
Writers = Mapping[str, Sequence[tuple[str, Any]]]
"""Key -> (task address, update) of each of its writers, in the order of the reducer."""


class Edit(NamedTuple):
    """The edited thing and what is wrong with it; use `value` only when there are no problems."""

    value: Any
    problems: list[Problem]


class Ground(NamedTuple):
    """What an edit stands on: the graph, its values now, and the judge of its keys."""

    plan: Plan
    values: Mapping[str, Any]
    judge: Judge


def refusal_of(plan: Plan, key: str, error: Exception) -> str:
    """Why updates of a key can't be put together, in words for who looks at the key and its writers."""
    name = reducer_name(plan.channels[key])
    told = str(error).partition(f"\nKey {key!r} at superstep")[0]
    if name is None:
        return "it keeps one value, and several tasks write to it"
    return f"the reducer {name} raised {type(error).__name__}: {told}"


def operation(value: Any) -> tuple[str, Any] | None:
    """(operation, operand) of an edited key's value, or None if it is an ordinary value."""
    if isinstance(value, Mapping) and len(value) == 1:
        name = next(iter(value))
        if name in OPERATIONS:
            return name, value[name]
    return None


def misspelt(value: Any, known: Sequence[str] = OPERATIONS) -> str | None:
    """What is wrong with an object that looks like an operation and is none, or None."""
    if not isinstance(value, Mapping) or not value or not all(str(key).startswith("$") for key in value):
        return None
    found = operation(value)
    if found is not None and found[0] in known:
        return None
    names = [str(key) for key in value]
    if len(names) > 1:
        wrong = f"{', '.join(names)} together are no operation: give one alone"
    else:
        wrong = f"{names[0]} is no operation{' here' if found else closest(names[0], known)}"
    return f"{wrong}. Operations: {', '.join(known)}; a value of this form goes in as {{'$set': …}}"


def edit_writes(ground: Ground, writes: Writes, value: Any, allowed: Iterable[str]) -> Edit:
    """A task's proposed writes with an edit applied; writes to other keys stay as they are, in their order."""
    changes, problems = _changes(value, allowed)
    found: list[tuple[str, Any]] = []
    for key, update in writes:
        if key not in changes:
            found.append((key, update))
    for key, change in changes.items():
        own = [update for written, update in writes if written == key]
        found.extend((key, update) for update in _edited_updates(ground, key, own, change, problems))
    found.sort(key=_position([*dict.fromkeys(key for key, _ in writes)]))
    if not problems:
        problems.extend(_refused_by_reducer(ground, tuple(found), changes))
    return Edit(tuple(found), problems)


def edit_values(ground: Ground, new: Mapping[str, Any], value: Any, writers: Writers) -> Edit:
    """A superstep's combined values with an edit applied: the final value of each edited key."""
    changes, problems = _changes(value, ground.plan.state_keys or ground.plan.channels)
    found: dict[str, Any] = {}
    for key, change in changes.items():
        before = new.get(key, ground.values.get(key, MISSING))
        if _is_drop(change):
            found[key] = ground.values.get(key, MISSING)
        elif (found_operation := operation(change)) is not None and found_operation[0] == "$writes":
            found[key] = _rewritten(ground, key, writers.get(key, ()), found_operation[1], problems)
        else:
            found[key] = _edited_value(ground, key, before, change, problems)
    return Edit(found, problems)


def edit_state(ground: Ground, value: Any) -> Edit:
    """An update of the state between supersteps: plain values go through the reducers, operations do not."""
    changes, problems = _changes(value, ground.plan.state_keys or ground.plan.channels)
    found: list[tuple[str, Any]] = []
    for key, change in changes.items():
        found.extend((key, update) for update in _edited_updates(ground, key, [], change, problems))
    if not problems:
        problems.extend(_refused_by_reducer(ground, tuple(found), changes))
    return Edit(tuple(found), problems)


def edit_input(ground: Ground, given: Any, value: Any) -> Edit:
    """A task's input with an edit applied. One that is no mapping is replaced whole."""
    if not isinstance(given, Mapping):
        return Edit(value, [])
    if not isinstance(value, Mapping):
        return Edit(given, [Problem([], f"an object of keys to change is wanted, got {describe(value)}")])
    if hasattr(given, "__edited__"):
        return _edited_by_itself(given, value)
    if not set(given) <= set(ground.plan.channels):
        return _edited_argument(given, value)
    changes, problems = _changes(value, {**ground.plan.channels, **given})
    found = dict(given)
    for key, change in changes.items():
        if _is_drop(change):
            found.pop(key, None)
        else:
            found[key] = _edited_value(ground, key, given.get(key, MISSING), change, problems)
    return Edit(found, problems)


def _edited_argument(given: Mapping[Any, Any], value: Mapping[Any, Any]) -> Edit:
    """A Send's argument: any key may be set or left out, and nothing is known of their types."""
    found = dict(given)
    problems: list[Problem] = []
    for key, change in value.items():
        name, operand = operation(change) or ("$set", change)
        wrong = misspelt(change, PARTS)
        if wrong is not None:
            problems.append(Problem([str(key)], wrong))
        elif name == "$drop":
            found.pop(key, None)
        else:
            found[key] = operand
    return Edit(found, problems)


def _edited_by_itself(given: Any, value: Mapping[str, Any]) -> Edit:
    """An input of a class that knows what of it a person may change: see `asked_of`."""
    known = list(given.__asked__())
    problems = [
        Problem([str(key)], f"unknown key{closest(str(key), known)}. Known here: {', '.join(known)}")
        for key in value
        if key not in known
    ]
    if problems:
        return Edit(given, problems)
    try:
        return Edit(given.__edited__(value), [])
    except ValueError as error:
        return Edit(given, [Problem([next(iter(value), known[0])], str(error))])


def _changes(value: Any, allowed: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The edit as a mapping of known keys; a state that is no mapping has the one key ROOT."""
    known = list(allowed)
    if ROOT in known:
        wrong = misspelt(value)
        return {ROOT: value}, [] if wrong is None else [Problem([], wrong)]
    if not isinstance(value, Mapping):
        return {}, [Problem([], f"an object of keys to change is wanted, got {describe(value)}")]
    problems = [
        Problem([str(key)], f"unknown key{closest(str(key), known)}. Known here: {', '.join(known)}")
        for key in value
        if key not in known
    ]
    problems += [
        Problem([key], wrong) for key, each in value.items() if key in known and (wrong := misspelt(each)) is not None
    ]
    return {key: each for key, each in value.items() if key in known}, problems


def _edited_updates(ground: Ground, key: str, own: list[Any], change: Any, problems: list[Problem]) -> list[Any]:
    """What a task writes to `key` after the edit, `own` being what it wanted to write."""
    found = operation(change)
    reduced = not ground.plan.channels[key].plain
    if found is None:
        return [_checked(ground, key, change, problems)]
    name, operand = found
    if name == "$drop":
        return []
    if name == "$append" and reduced:
        items = _checked(ground, key, operand, problems)
        if own and isinstance(own[-1], list) and isinstance(items, list):
            return [*own[:-1], [*own[-1], *items]]
        return [*own, items]
    if name == "$remove" and reduced:
        trimmed = _without(own, operand)
        if trimmed is not None:
            return trimmed
    value = _edited_value(ground, key, _value_after(ground, key, own), change, problems)
    return [Overwrite(value) if reduced else value]


def _value_after(ground: Ground, key: str, own: list[Any]) -> Any:
    if not own:
        return ground.values.get(key, MISSING)
    return preview(ground.plan, ground.values, tuple((key, update) for update in own))[key]


def _edited_value(ground: Ground, key: str, before: Any, change: Any, problems: list[Problem]) -> Any:
    """The value of `key` after the edit, `before` being what it would be without."""
    found = operation(change)
    if found is None or found[0] == "$set":
        return _checked(ground, key, change if found is None else found[1], problems)
    name, operand = found
    if name == "$writes":
        problems.append(Problem([key, name], "only at `step` there are writers to choose from"))
        return before
    if name == "$append":
        return _appended(ground, key, before, operand, problems)
    left = _removed(before, operand)
    if left is None:
        problems.append(Problem([key, name], f"{describe(operand)} is not in the value"))
        return before
    return left


def _rewritten(ground: Ground, key: str, own: Sequence[tuple[str, Any]], operand: Any, problems: list[Problem]) -> Any:
    """The value of `key` when some of its writers write something else: `operand` has it by node name or address."""
    addresses = list(dict.fromkeys(address for address, _ in own))
    edited: dict[str, Any] = {}
    if not isinstance(operand, Mapping):
        problems.append(Problem([key, "$writes"], f"an object of writers is wanted, got {describe(operand)}"))
        return MISSING
    for name, change in operand.items():
        meant = [each for each in addresses if name in (each, shortened(each), node_of(each))]
        if len(meant) == 1:
            edited[meant[0]] = change
            continue
        unknown = f"no such writer{closest(str(name), map(node_of, addresses))}"
        which = "several tasks of this name write to it" if meant else unknown
        known = ", ".join(map(shortened, addresses))
        problems.append(Problem([key, "$writes", str(name)], f"{which}. Writers: {known}"))
    updates: list[Any] = []
    told: set[str] = set()
    for address, update in own:
        if address not in edited:
            updates.append(update)
        elif address not in told and not _is_drop(edited[address]):
            updates.append(_checked(ground, key, edited[address], problems))
        told.add(address)
    if problems or not updates:
        return ground.values.get(key, MISSING)
    pairs = tuple((key, update) for update in updates)
    problems.extend(_refused_by_reducer(ground, pairs, [key]))
    return MISSING if problems else preview(ground.plan, ground.values, pairs)[key]


def _appended(ground: Ground, key: str, before: Any, operand: Any, problems: list[Problem]) -> Any:
    items = _checked(ground, key, operand, problems)
    if before is MISSING:
        return items
    try:
        if isinstance(before, Mapping):
            return {**before, **items}
        if isinstance(before, set | frozenset):
            return before | set(items)
        return type(before)([*before, *items]) if isinstance(before, tuple) else before + items
    except TypeError as error:
        problems.append(Problem([key, "$append"], f"can't append to {describe(before)}: {error}"))
        return before


def _removed(before: Any, operand: Any) -> Any:
    """`before` without the items (or keys of a dict) in `operand`, or None if one of them is not in it."""
    wanted = list(operand) if isinstance(operand, list | tuple | set | frozenset) else [operand]
    if isinstance(before, Mapping):
        if not all(key in before for key in wanted):
            return None
        return {key: value for key, value in before.items() if key not in wanted}
    if not isinstance(before, list | tuple | set | frozenset):
        return None
    left = list(before)
    for each in wanted:
        at = _find(left, each)
        if at is None:
            return None
        del left[at]
    return type(before)(left)


def _without(own: list[Any], operand: Any) -> list[Any] | None:
    """The updates without the items, if all of them were proposed only now; None if the old value has some."""
    wanted = list(operand) if isinstance(operand, list | tuple) else [operand]
    if not own or not all(isinstance(update, list) for update in own):
        return None
    left = [list(update) for update in own]
    for each in wanted:
        for update in reversed(left):
            at = _find(update, each)
            if at is not None:
                del update[at]
                break
        else:
            return None
    return [update for update in left if update] or [[]]


def _find(items: list[Any], wanted: Any) -> int | None:
    """The last item that equals `wanted` itself or in its JSON form."""
    shown = jsonable(wanted)
    for at in reversed(range(len(items))):
        if items[at] is wanted or jsonable(items[at]) == shown:
            return at
    return None


def _checked(ground: Ground, key: str, value: Any, problems: list[Problem]) -> Any:
    inner = overwritten(value)
    if inner is not MISSING and not ground.plan.channels[key].plain:
        return Overwrite(_checked(ground, key, inner, problems))
    checked, found = ground.judge.check(key, value)
    problems.extend(found)
    return checked


def _refused_by_reducer(ground: Ground, writes: Writes, changes: Iterable[str]) -> list[Problem]:
    """What the reducers of the edited keys say to the new writes."""
    problems: list[Problem] = []
    for key in changes:
        try:
            preview(ground.plan, ground.values, tuple(pair for pair in writes if pair[0] == key))
        except Exception as error:  # noqa: BLE001  a reducer is the user's code and may raise anything
            problems.append(Problem([key], refusal_of(ground.plan, key, error)))
    return problems


def _is_drop(change: Any) -> bool:
    found = operation(change)
    return found is not None and found[0] == "$drop"


def _position(order: list[str]) -> Callable[[tuple[str, Any]], int]:
    return lambda pair: order.index(pair[0]) if pair[0] in order else len(order)
