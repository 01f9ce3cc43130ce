"""How long a node may take, whether its result is kept, and what is traced of it. Loaded when a graph says so.

Names, parameters and defaults are LangGraph's.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import GenericAlias
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutPolicy:
    """How long one attempt of an async node may take. A timed-out attempt raises NodeTimeoutError."""

    run_timeout: float | timedelta | None = None
    """Seconds for the whole attempt; nothing extends them."""
    idle_timeout: float | timedelta | None = None
    """Seconds that may pass without a sign of progress."""
    refresh_on: Literal["auto", "heartbeat"] = "auto"
    """What is a sign of progress: all that the node streams, calls and says, or `runtime.heartbeat()` alone."""

    @classmethod
    def coerce(cls, value: float | timedelta | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """The policy in seconds; a number or timedelta is its `run_timeout`. Raises ValueError unless positive."""
        if value is None:
            return None
        policy: Any = value if hasattr(value, "refresh_on") else cls(run_timeout=value)  # LangGraph's class too
        if policy.refresh_on not in ("auto", "heartbeat"):
            raise ValueError(f"refresh_on must be 'auto' or 'heartbeat', not {policy.refresh_on!r}.")
        run = _seconds(policy.run_timeout, "run_timeout")
        idle = _seconds(policy.idle_timeout, "idle_timeout")
        if run is None and idle is None:
            return None
        return cls(run_timeout=run, idle_timeout=idle, refresh_on=policy.refresh_on)


def _seconds(value: float | timedelta | None, name: str) -> float | None:
    if value is None:
        return None
    try:
        seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}: {name} is a number of seconds or a timedelta, not {value!r}.") from None
    if seconds <= 0:
        raise ValueError(f"{name} must be greater than 0, not {value!r}.")
    return seconds


def default_cache_key(*args: Any, **kwargs: Any) -> str | bytes:
    """The pickled input: equal inputs have equal keys, whatever order their dicts and sets are in."""
    return pickle.dumps((_frozen(args), _frozen(kwargs)), protocol=5, fix_imports=False)


def _frozen(value: Any, depth: int = 10) -> Any:
    """`value` with containers in a form that does not depend on order; deeper than `depth` it is left as it is."""
    if depth <= 0:
        return value
    if isinstance(value, Mapping):
        pairs = [(key, _frozen(each, depth - 1)) for key, each in value.items()]
        return ("mapping", tuple(sorted(pairs, key=_by_text)))
    if isinstance(value, (set, frozenset)):
        return ("set", tuple(sorted((_frozen(each, depth - 1) for each in value), key=_by_text)))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(each, depth - 1) for each in value)
    if hasattr(value, "tobytes") and hasattr(value, "shape"):  # an array
        return (type(value).__name__, value.shape, str(getattr(value, "dtype", "")), value.tobytes())
    return value


def _by_text(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """That a node's result may be taken from the graph's cache when the node had the same input before."""

    key_func: Callable[..., str | bytes] = field(default=default_cache_key)
    """Gives the key for the node's input."""
    ttl: int | None = None
    """Seconds until a result is forgotten; None keeps it."""

    def __class_getitem__(cls, key_func: Any) -> Any:
        """Annotations may name the type of `key_func`."""
        return GenericAlias(cls, key_func)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePolicy:
    """What tracers record of a node's run. The node itself always gets and returns the real values."""

    process_inputs: Callable[[Any], Any] | None = None
    """Gives what is recorded in place of the input."""
    process_outputs: Callable[[Any], Any] | None = None
    """Gives what is recorded in place of the output."""


def omit_payload(_value: Any) -> dict[str, Any]:
    """For a TracePolicy: record nothing of a value."""
    return {}
