"""The forms in which a stream's chunks reach the caller: LangGraph's v1 shapes, its v2 parts, and printed lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stepgraph.core.types import INTERRUPT, START, Namespace

Put = Callable[[Namespace, str, Any], None]
Shape = Callable[[Namespace, str, Any], Any]


class Mappers(NamedTuple):
    """What makes objects of the values that v2 shows; None where they stay dicts."""

    output: Callable[[Any], Any] | None = None
    """For the graph's results."""
    state: Callable[[Any], Any] | None = None
    """For whole states, as checkpoints hold them."""


def v1(modes: str | Sequence[str], subgraphs: bool) -> Shape:
    """The payload for a single mode (or a tuple of modes), (mode, payload) for a list; the namespace in front."""
    if isinstance(modes, (str, tuple)):
        return (lambda ns, _, payload: (ns, payload)) if subgraphs else (lambda *chunk: chunk[2])
    if subgraphs:
        return lambda ns, mode, payload: (ns, mode, payload)
    return lambda _, mode, payload: (mode, payload)


def v2(mappers: Mappers) -> Shape:
    """Dicts with "type", "ns" and "data", for every mode; values also have "interrupts"."""

    def shape(ns: Namespace, mode: str, payload: Any) -> dict[str, Any]:
        part = {"type": mode, "ns": ns, "data": payload}
        if mode == "values":
            part["data"], part["interrupts"] = _apart(payload, mappers.output)
        elif mappers.state is not None:
            if mode == "checkpoints":
                part["data"] = _coerced(payload, mappers.state)
            elif mode == "debug" and payload["type"] == "checkpoint":
                part["data"] = {**payload, "payload": _coerced(payload["payload"], mappers.state)}
        return part

    return shape


def _apart(values: Any, mapper: Callable[[Any], Any] | None) -> tuple[Any, tuple[Any, ...]]:
    """Values without the interrupts among them, and these."""
    if not isinstance(values, dict):
        return values, ()
    asked = tuple(values.get(INTERRUPT, ()))
    if INTERRUPT in values:
        values = {key: value for key, value in values.items() if key != INTERRUPT}
    return (values if mapper is None else mapper(values)), asked


def _coerced(checkpoint: dict[str, Any], mapper: Callable[[Any], Any]) -> dict[str, Any]:
    """The payload of a checkpoint with its values as an object, once the input has been taken in."""
    if START in checkpoint["next"] or not isinstance(checkpoint["values"], dict):
        return checkpoint
    return {**checkpoint, "values": mapper(checkpoint["values"])}


def printer(subgraphs: bool) -> Put:
    """Prints chunks, one a line, for `print_mode` and `debug`."""

    def show(ns: Namespace, mode: str, payload: Any) -> None:
        where = f" \033[1;30;33m[graph={ns}]\033[0m" if subgraphs and ns else ""
        print(f"\033[1m[{mode}]\033[0m{where} {payload!r}")

    return show
