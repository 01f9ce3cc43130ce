"""What LangGraph's StateGraph makes of annotations and of what nodes return, for code that asks it by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from stepgraph.compat.format import BRANCH, TASKS
from stepgraph.core.channels import Channel
from stepgraph.core.errors import ParentCommand
from stepgraph.core.types import END, PARENT, ROOT, Command, Send
from stepgraph.schema.channels import channel_of, is_keyed, mapper_of
from stepgraph.schema.managed import ManagedValue, is_managed


def get_channels(schema: Any) -> tuple[dict[str, Any], dict[str, type[ManagedValue[Any]]], dict[str, Any]]:
    """The channels and managed values of a schema's keys, and its hints; of a type without keys its one channel."""
    if not hasattr(schema, "__annotations__"):
        return {ROOT: get_channel(ROOT, schema, allow_managed=False)}, {}, {}
    hints = get_type_hints(schema, include_extras=True)
    channels: dict[str, Any] = {}
    managed: dict[str, type[ManagedValue[Any]]] = {}
    for key, hint in hints.items():
        if key != "__slots__":
            made = get_channel(key, hint)
            (managed if is_managed(made) else channels)[key] = made
    return channels, managed, hints


def get_channel(name: str, annotation: Any, *, allow_managed: bool = True) -> Any:
    """The channel or managed value of a key. Raises ValueError for a managed value where none is allowed."""
    manager = is_field_managed_value(name, annotation)
    if manager is None:
        return channel_of(name, annotation)[0]
    if not allow_managed:
        raise ValueError(f"This {annotation} not allowed in this position")
    return manager


def is_field_channel(typ: Any) -> Any:
    """The channel that an annotation names; None if it names none."""
    return channel_of("", typ)[0] if any(map(_is_channel, getattr(typ, "__metadata__", ()))) else None


def _is_channel(item: Any) -> bool:
    if isinstance(item, type):
        return issubclass(item, Channel)
    return isinstance(item, Channel) or hasattr(item, "from_checkpoint")


def is_field_binop(typ: Any) -> Any:
    """The channel of the reducer that is named last; None if that is none. Raises ValueError for another signature."""
    last = (getattr(typ, "__metadata__", None) or (None,))[-1]
    return channel_of("", Annotated[getattr(typ, "__origin__", Any), last])[0] if callable(last) else None


def is_field_managed_value(name: str, typ: Any) -> type[ManagedValue[Any]] | None:
    """The managed value that is named last in an annotation, or in one inside it."""
    last = (getattr(typ, "__metadata__", None) or (None,))[-1]
    kind: Any = get_origin(last) or last
    if is_managed(kind):
        return kind  # type: ignore[no-any-return]  # it is one
    inner = get_args(typ) if get_origin(typ) is not None else ()
    return is_field_managed_value(name, inner[0]) if inner and inner[0] else None


def pick_mapper(state_keys: Sequence[str], schema: Any) -> Callable[[Any], Any] | None:
    """What makes a schema's object of a dict of values; None where nodes get the dict, or the one value."""
    maps = state_keys != [ROOT] and is_keyed(schema) and mapper_of(schema) is not None
    return partial(coerce_state, schema) if maps else None


def coerce_state(schema: Any, input: dict[str, Any]) -> Any:
    return schema(**input)


def control_branch(value: Any) -> Sequence[tuple[str, Any]]:
    """The writes that make what a result goes to ready. Raises ParentCommand for a Command to the graph around."""
    if isinstance(value, Send):
        return ((TASKS, value),)
    given: Sequence[Any] = value if isinstance(value, (list, tuple)) else (value,)
    found: list[tuple[str, Any]] = []
    for command in given:
        if not isinstance(command, Command):
            continue
        if command.graph == PARENT:
            raise ParentCommand(command)
        targets: Sequence[Any] = (command.goto,) if isinstance(command.goto, (Send, str)) else command.goto
        for target in targets:
            if isinstance(target, Send):
                found.append((TASKS, target))
            elif isinstance(target, str) and target != END:
                found.append((BRANCH + target, None))
    return found


def control_static(ends: Iterable[str]) -> Sequence[tuple[str, Any, str | None]]:
    """What drawings show of the nodes that Commands may go to; with the labels of a dict."""
    labels: Mapping[str, str] = ends if isinstance(ends, dict) else {}
    return [(each if each == END else BRANCH + each, None, labels.get(each)) for each in ends]


def get_root(input: Any) -> Sequence[tuple[str, Any]] | None:
    """The writes of a result where the state is one value; None for None."""
    several = isinstance(input, (list, tuple)) and any(isinstance(each, Command) for each in input)
    if not several and not isinstance(input, Command):
        return None if input is None else [(ROOT, input)]
    found: list[tuple[str, Any]] = []
    for each in input if several else (input,):
        if not isinstance(each, Command):
            found.append((ROOT, each))
        elif each.graph != PARENT:
            found.extend(each._update_as_tuples())
    return found
