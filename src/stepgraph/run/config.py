"""LangGraph's configuration dicts: how several become one, and what a graph called from node code inherits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

KEYS = frozenset(
    ("tags", "metadata", "callbacks", "run_name", "max_concurrency", "recursion_limit", "configurable", "run_id")
)
"""The keys that have a meaning at the top; any other one belongs in `configurable`."""
COORDINATES = ("thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map")
"""What addresses checkpoints: a config with one of them is about its own thread, not about the one around it."""
INNER = ("__pregel_", "__stepgraph_")
"""How the configurable keys begin by which code finds the run around it: nothing that listeners or savers are told."""
SHOWN = ("thread_id", "checkpoint_id", "checkpoint_ns", "task_id", "run_id", "assistant_id", "graph_id")
"""The configurable keys that metadata repeats."""
CHECKPOINTER, CACHE, DURABILITY, RUNTIME = (
    "__pregel_checkpointer",
    "__pregel_cache",
    "__pregel_durability",
    "__pregel_runtime",
)
"""The configurable keys by which a caller lends one run what it goes on with, as LangGraph's own callers do."""
LENT = frozenset((CHECKPOINTER, CACHE, DURABILITY, RUNTIME))
_PLAIN = frozenset((dict, list, str, int))
"""Kinds that can be asked whether they are empty: an array, as tags, can't."""
RUNNING = "__pregel_task_id"
"""The configurable key that names the task around: a config with it, handed on by node code, makes a subgraph."""


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two configs as one: configurable and metadata merge by key, tags and callbacks add up, the rest is replaced.

    Empty values replace nothing.
    """
    if not base and KEYS.issuperset(more):
        if _PLAIN.issuperset(map(type, more.values())) and all(more.values()):
            return dict(more)
        return {key: value for key, value in more.items() if filled(value)}
    found = dict(base)
    for key, value in more.items():
        if not filled(value):
            continue
        known = found.get(key)
        if key not in KEYS:
            found["configurable"] = {**(found.get("configurable") or {}), key: value}
        elif not known:
            found[key] = value
        elif key == "configurable":
            found[key] = {**known, **value}
        elif key == "metadata":
            found[key] = _metadata(known, value)
        elif key == "tags":
            found[key] = [*known, *value]
        elif key == "callbacks":
            found[key] = _callbacks(known, value)
        else:
            found[key] = value
    return found


def inherited(around: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a graph that node code calls: `own` over the one `around`.

    A config that addresses checkpoints of its own takes nothing of the configurable around it. Tags that are there
    already are not added again.
    """
    base = {key: value for key, value in around.items() if key not in ("run_id", "run_name") and filled(value)}
    if addresses(own):
        base.pop("configurable", None)
    known = set(base.get("tags") or ())
    if own.get("tags"):
        own = {**own, "tags": [tag for tag in own["tags"] if tag not in known]}
    if own.get("callbacks") is not None and own["callbacks"] is base.get("callbacks"):
        own = {key: value for key, value in own.items() if key != "callbacks"}
    return merged(base, own)


def addresses(config: Mapping[str, Any]) -> bool:
    """Whether the config names a thread or checkpoint."""
    configurable = config.get("configurable") or {}
    return any(filled(configurable.get(key)) for key in COORDINATES)


def shown_metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config's metadata, with the configurable keys that it repeats."""
    found = dict(config.get("metadata") or {})
    configurable = config.get("configurable") or {}
    for key in SHOWN:
        if key not in found and configurable.get(key):
            found[key] = configurable[key]
    return found


def check(config: Mapping[str, Any]) -> None:
    """Raises AttributeError or TypeError, as LangGraph does, for a setting of a wrong kind."""
    for key in config.keys() & _KINDS:
        kinds, error, wanted = _KINDS[key]
        given = config[key]
        if given is not None and not isinstance(given, kinds):
            raise error(f"{key} is {wanted}, not {given!r}: correct it in the config of the call.")
    callbacks = config.get("callbacks")
    if not (callbacks is None or isinstance(callbacks, Sequence) or hasattr(callbacks, "handlers")):
        raise AttributeError(f"callbacks is a list of handlers or a callback manager, not {callbacks!r}.")


_KINDS: dict[str, tuple[tuple[type, ...], type[Exception], str]] = {
    "configurable": ((Mapping,), AttributeError, 'a dict such as {"thread_id": "t1"}'),
    "metadata": ((Mapping,), AttributeError, "a dict"),
    "tags": ((Iterable,), TypeError, "a list of texts"),
    "recursion_limit": ((Real,), TypeError, "a number of supersteps"),
}
"""Setting -> what it may be, what is raised for another kind, and what the message says is wanted."""


def filled(value: Any) -> bool:
    """Whether a config's value says anything."""
    return value is not None and (not isinstance(value, (list, tuple, dict)) or len(value) > 0)


def check_width(given: Any) -> None:
    """Whether `max_concurrency` is one. Raises TypeError or ValueError."""
    if given is None or (isinstance(given, Real) and float(given) >= 0):
        return
    kind = ValueError if isinstance(given, Real) else TypeError
    raise kind(
        f"max_concurrency is {given!r} in the config of this call or graph: it says how many tasks of a superstep may "
        "run at once. Give a number from 1 on; None or 0 sets no limit."
    )


def _metadata(known: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    found = {**known, **more}
    if isinstance(known.get("lc_versions"), Mapping) and isinstance(more.get("lc_versions"), Mapping):
        found["lc_versions"] = {**known["lc_versions"], **more["lc_versions"]}
    return found


def _callbacks(known: Any, more: Any) -> Any:
    """Lists of handlers add up; a langchain-core callback manager takes in the others' handlers."""
    if isinstance(known, list) and isinstance(more, list):
        return known + more
    if isinstance(known, list):
        known, more = more, known
    elif not isinstance(more, list):
        return known.merge(more)
    manager = known.copy()
    for handler in more:
        manager.add_handler(handler, inherit=True)
    return manager
