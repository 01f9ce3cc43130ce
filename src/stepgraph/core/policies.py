"""What a node is allowed: attempts, time, a cached result. Names, parameters and defaults are LangGraph's."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import random
from typing import Any, Literal, NamedTuple, cast


def default_retry_on(error: Exception) -> bool:
    """Whether trying again may help: not for mistakes in code or data, nor for most errors of the system.

    Of the errors of httpx and requests that carry a response, only those with a status of 500 to 599 count.
    """
    if isinstance(error, ConnectionError):
        return True
    if _is_from(error, "httpx", "HTTPStatusError") or _is_from(error, "requests", "HTTPError"):
        response = getattr(error, "response", None)
        return response is None or 500 <= response.status_code < 600
    return not isinstance(error, _HOPELESS)


_HOPELESS = (
    ValueError, TypeError, ArithmeticError, ImportError, LookupError, NameError, SyntaxError, RuntimeError,
    ReferenceError, StopIteration, StopAsyncIteration, OSError,
)  # fmt: skip


def _is_from(error: Exception, package: str, name: str) -> bool:
    """Whether a class of that package, which need not be installed, is among the error's classes."""
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in type(error).__mro__)


class RetryPolicy(NamedTuple):
    """When a failed node runs again, and how long it waits before that."""

    initial_interval: float = 0.5
    """Seconds before the second attempt."""
    backoff_factor: float = 2.0
    """What the wait is multiplied by after each attempt."""
    max_interval: float = 128.0
    """The longest wait in seconds, jitter not counted."""
    max_attempts: int = 3
    """How many attempts in all, the first included."""
    jitter: bool = True
    """Whether up to a second is added to each wait, so that many clients don't try again at once."""
    retry_on: type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool] = default_retry_on
    """Classes of errors, or a function that tells whether to try again after an error."""

    def fits(self, error: Exception) -> bool:
        """Whether the policy is for this error."""
        wanted = self.retry_on
        if isinstance(wanted, Sequence):
            return isinstance(error, tuple(wanted))
        if isinstance(wanted, type) and issubclass(wanted, Exception):
            return isinstance(error, wanted)
        if callable(wanted):
            return bool(cast(Any, wanted)(error))
        raise TypeError(
            f"RetryPolicy(retry_on={wanted!r}): retry_on must be an Exception class, a list or tuple of Exception "
            "classes, or a callable."
        )

    def delay(self, failures: int) -> float:
        """Seconds to wait after that many failures (from 1): truncated exponential backoff."""
        waited = min(self.max_interval, self.initial_interval * self.backoff_factor ** (failures - 1))
        return waited + random() if self.jitter else waited


def delay_after(policies: Sequence[RetryPolicy], error: Exception, failures: int) -> float | None:
    """Seconds until the next attempt, as the first policy that fits says; None to give up.

    `failures` counts all failures of the task, whichever policy they fitted.
    """
    for policy in policies:
        if policy.fits(error):
            return policy.delay(failures) if failures < policy.max_attempts else None
    return None


def as_retries(given: RetryPolicy | Sequence[RetryPolicy] | None) -> tuple[RetryPolicy, ...]:
    """What `add_node(retry_policy=)` was given, as a tuple."""
    if given is None:
        return ()
    return (given,) if isinstance(given, RetryPolicy) else tuple(given)


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
        policy = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
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
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
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


class RunControl:
    """Asks a run to stop at its next boundary, from any thread. One a run.

    Hand it to `invoke(control=)`; after `request_drain` the run raises GraphDrained before its next superstep, and
    `invoke(None, ...)` goes on from there.
    """

    __slots__ = ("_drain_reason",)

    def __init__(self) -> None:
        self._drain_reason: str | None = None

    def request_drain(self, reason: str = "shutdown") -> None:
        """Stop before the next superstep. A run that has nothing left to do ends as usual."""
        self._drain_reason = reason

    @property
    def drain_requested(self) -> bool:
        return self._drain_reason is not None

    @property
    def drain_reason(self) -> str | None:
        return self._drain_reason
