"""Which items and namespaces a search or a listing wants."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from stepgraph.store.base import ListNamespacesOp, MatchCondition, Namespace

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def passes(value: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether an item's value passes a filter. Raises ValueError for an unknown operator."""
    return not wanted or all(_equals(value.get(key), each) for key, each in wanted.items())


def _equals(value: Any, wanted: Any) -> bool:
    """As JSON in databases is compared: a mapping needs its keys only, lists are compared by position."""
    if isinstance(wanted, dict):
        if any(key.startswith("$") for key in wanted):
            return all(_compares(value, name, other) for name, other in wanted.items())
        return isinstance(value, dict) and all(_equals(value.get(key), each) for key, each in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(wanted)
            and all(_equals(one, other) for one, other in zip(value, wanted, strict=True))
        )
    return bool(value == wanted)


def _compares(value: Any, name: str, other: Any) -> bool:
    if name == "$eq":
        return bool(value == other)
    if name == "$ne":
        return bool(value != other)
    if name not in _COMPARISONS:
        raise ValueError(f"Unsupported operator: {name}. The operators are $eq, $ne, {', '.join(_COMPARISONS)}.")
    return _COMPARISONS[name](float(value), float(other))


def listed(namespaces: list[Namespace], op: ListNamespacesOp) -> list[Namespace]:
    """The namespaces that an operation lists."""
    found = [each for each in namespaces if all(_matches(each, one) for one in op.match_conditions or ())]
    if op.max_depth is not None:
        found = list({each[: op.max_depth] for each in found})
    return sorted(found)[op.offset : op.offset + op.limit]


def _matches(namespace: Namespace, condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    if condition.match_type == "prefix":
        part = namespace[: len(path)]
    elif condition.match_type == "suffix":
        part = namespace[len(namespace) - len(path) :]
    else:
        raise ValueError(f"Unsupported match type: {condition.match_type}. It is 'prefix' or 'suffix'.")
    return all(wanted in ("*", label) for label, wanted in zip(part, path, strict=True))
