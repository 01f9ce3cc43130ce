"""What a node returned, as writes and gotos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from stepgraph.core.errors import InvalidUpdateError, ParentCommand
from stepgraph.core.plan import WHOLE, Node
from stepgraph.core.types import END, PARENT, ROOT, START, Command, Route, Send, Writes


def collect(node: Node, result: Any) -> tuple[Writes, tuple[Route, ...]]:
    """The (key, value) writes and the gotos in a node's result.

    A mapping, an object of a schema, a Command, a list that mixes Commands and mappings, or None. Keys that the
    graph does not have are dropped, as in LangGraph. Raises InvalidUpdateError, or ParentCommand on its way up.
    """
    if node.writer is not None:
        return node.writer(result)
    if result is None:
        return (), ()
    if type(result) is dict and node.writes != WHOLE:
        return _items(node, result), ()
    if isinstance(result, Command):
        return _command(node, result)
    if isinstance(result, (list, tuple)) and result and any(isinstance(each, Command) for each in result):
        writes: list[tuple[str, Any]] = []
        gotos: list[Route] = []
        for each in result:
            more, goto = collect(node, each)
            writes.extend(more)
            gotos.extend(goto)
        return tuple(writes), tuple(gotos)
    if isinstance(result, Send):
        return (), (result,)
    return updates(node, result), ()


def _items(node: Node, result: Mapping[str, Any]) -> Writes:
    allowed = node.writes
    for key in result:
        if key not in allowed:
            return tuple((key, value) for key, value in result.items() if key in allowed)
    return tuple(result.items())


def _command(node: Node, command: Command[Any]) -> tuple[Writes, tuple[Route, ...]]:
    if command.graph == PARENT:
        raise ParentCommand(command)
    return update_of(node, command), _gotos(node, command.goto)


def _gotos(node: Node, goto: Any) -> tuple[Route, ...]:
    """A Command's targets without END, as plain strings and Sends."""
    found: list[Route] = []
    for target in (goto,) if isinstance(goto, (str, Send)) or not isinstance(goto, Iterable) else goto:
        if type(target) is str or isinstance(target, Send):
            if target != END:
                found.append(target)
        elif isinstance(target, str):  # a member of an enum of names
            found.append(str.__str__(target))
        else:
            kind = TypeError if target is goto else InvalidUpdateError  # as LangGraph, of what is no list at all
            raise kind(
                f"Node {node.name!r} returned a Command with goto={goto!r}: {target!r} is neither a node's name "
                "nor a Send. Give one of them, or a list of them."
            )
    return tuple(found)


def update_of(node: Node, command: Command[Any]) -> Writes:
    """The writes of a Command: its update may be a mapping, an object or a list of (key, value).

    A mapping or an object names keys where the state is one value too, whose key is `__root__`.
    """
    update = command.update
    if update is None:
        return ()
    if isinstance(update, (list, tuple)) and all(_is_pair(each) for each in update):
        return tuple((key, value) for key, value in update if key in node.writes)
    if isinstance(update, dict):
        return _items(node, update)
    if node.writes == WHOLE and (attributes := attributes_of(update)) is not None:
        return tuple((key, value) for key, value in attributes if key in node.writes)
    return updates(node, update)


def pairs_of(update: Any) -> Sequence[tuple[str, Any]]:
    """An update as (key, value) pairs, whatever keys there are: of a value that names none, the whole state's."""
    if update is None:
        return []
    if isinstance(update, dict):
        return list(update.items())
    if isinstance(update, (list, tuple)) and all(map(_is_pair, update)):
        return update
    attributes = attributes_of(update)
    return [(ROOT, update)] if attributes is None else list(attributes)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def updates(node: Node, result: Any) -> Writes:
    """The writes in a value that is no Command."""
    if result is None:
        return ()
    if node.writes == WHOLE:
        return ((ROOT, result),)
    if isinstance(result, Mapping):
        return _items(node, result)
    attributes = attributes_of(result)
    if attributes is not None:
        return tuple((key, value) for key, value in attributes if key in node.writes)
    who = "The input must be" if node.name == START else f"Node {node.name!r} must return"
    raise InvalidUpdateError(
        f"Expected dict, got {result}\n{who} a dict of state keys, a Command or None; "
        f"its keys are {sorted(node.writes)}.\n"
        "For troubleshooting see the error code INVALID_GRAPH_NODE_RETURN_VALUE."
    )


def attributes_of(value: Any) -> Iterable[tuple[str, Any]] | None:
    """(name, value) of a schema object's fields that carry an update, or None if it is no such object.

    Of a Pydantic object: fields that were set, are not None, or whose default is not None.
    """
    if isinstance(value, type):
        return None
    if is_dataclass(value):
        return [(each.name, getattr(value, each.name)) for each in fields(value)]
    declared = getattr(type(value), "model_fields", None)
    if declared is not None:
        given = value.model_fields_set
        return [
            (name, found)
            for name, info in declared.items()
            if (found := getattr(value, name, None)) is not None or info.default is not None or name in given
        ]
    hints = getattr(type(value), "__annotations__", None)
    if hints:
        return [(name, getattr(value, name)) for name in hints if hasattr(value, name)]
    return None
