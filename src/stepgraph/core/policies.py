"""When a failed node runs again, and how a run is asked to stop. Names, parameters and defaults are LangGraph's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast


def default_retry_on(exc: Exception) -> bool:
    """Whether trying again may help: not for mistakes in code or data, nor for most errors of the system.

    Of the errors of httpx and requests that carry a response, only those with a status of 500 to 599 count.
    """
    if isinstance(exc, ConnectionError):
        return True
    if _is_from(exc, "httpx", "HTTPStatusError") or _is_from(exc, "requests", "HTTPError"):
        response = getattr(exc, "response", None)
        return response is None or 500 <= response.status_code < 600
    return not isinstance(exc, _HOPELESS)


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
        if not self.jitter:
            return waited
        from random import random  # takes time to load

        return waited + random()


def delay_after(policies: Sequence[RetryPolicy], error: Exception, failures: int) -> float | None:
    """Seconds until the next attempt, as the first policy that fits says; None to give up.

    `failures` counts all failures of the task, whichever policy they fitted.
    """
    for policy in policies:
        if policy.fits(error):
            return policy.delay(failures) if failures < policy.max_attempts else None
    return None


def as_retries(given: Any) -> tuple[RetryPolicy, ...]:
    """What `add_node(retry_policy=)` was given, as a tuple."""
    if given is None:
        return ()
    several = isinstance(given, Iterable) and not hasattr(given, "max_attempts")  # LangGraph's policy is a tuple
    found: tuple[Any, ...] = tuple(given) if several else (given,)
    for each in found:
        if not hasattr(each, "max_attempts"):
            raise TypeError(
                f"retry_policy is a RetryPolicy or a list of them, not {each!r}; "
                "for three attempts write RetryPolicy(max_attempts=3)."
            )
    return tuple(each if isinstance(each, RetryPolicy) else _own(each) for each in found)


def _own(given: Any) -> RetryPolicy:
    """LangGraph's policy, or an object like it, as ours."""
    return RetryPolicy(**{name: getattr(given, name) for name in RetryPolicy._fields if hasattr(given, name)})


def taken_retries(given: Any) -> Any:
    """`retry_policy` as it was given, but for what can be gone through only once. Raises TypeError for what is none."""
    found = as_retries(given)
    return given if given is None or isinstance(given, Sequence) else found


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
