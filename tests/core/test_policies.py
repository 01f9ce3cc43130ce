"""Policies alone: how long to wait, which errors count, what counts as the same input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepgraph.core.limits import TimeoutPolicy, default_cache_key, omit_payload
from stepgraph.core.policies import RetryPolicy, RunControl, as_retries, default_retry_on, delay_after


def test_waits_grow_by_the_factor_up_to_the_longest() -> None:
    policy = RetryPolicy(initial_interval=1, backoff_factor=3, max_interval=20, jitter=False)
    assert [policy.delay(failures) for failures in (1, 2, 3, 4)] == [1, 3, 9, 20]


def test_jitter_adds_up_to_a_second() -> None:
    waits = {RetryPolicy(initial_interval=2).delay(1) for _ in range(50)}
    assert len(waits) > 1
    assert all(2 <= wait < 3 for wait in waits)


def test_the_first_policy_that_fits_decides_and_all_failures_count() -> None:
    quick = RetryPolicy(initial_interval=1, jitter=False, max_attempts=2, retry_on=KeyError)
    patient = RetryPolicy(initial_interval=5, jitter=False, max_attempts=4, retry_on=(KeyError, OSError))
    policies = (quick, patient)
    assert delay_after(policies, KeyError(), 1) == 1
    assert delay_after(policies, KeyError(), 2) is None
    assert delay_after(policies, OSError(), 2) == 10
    assert delay_after(policies, OSError(), 4) is None
    assert delay_after(policies, ValueError(), 1) is None


def test_retry_on_may_be_a_class_a_list_or_a_function() -> None:
    assert RetryPolicy(retry_on=LookupError).fits(KeyError())
    assert RetryPolicy(retry_on=[OSError, KeyError]).fits(KeyError())
    assert RetryPolicy(retry_on=lambda error: "again" in str(error)).fits(ValueError("again"))
    assert not RetryPolicy(retry_on=lambda error: "again" in str(error)).fits(ValueError("no"))
    wrong: Any = 7
    with pytest.raises(TypeError, match="retry_on must be an Exception class"):
        RetryPolicy(retry_on=wrong).fits(ValueError())


def test_one_policy_or_several_can_be_given() -> None:
    policy = RetryPolicy()
    assert as_retries(None) == ()
    assert as_retries(policy) == as_retries([policy]) == (policy,)
    assert tuple(policy[:5]) == (0.5, 2.0, 128.0, 3, True)


@pytest.mark.parametrize("error", [ConnectionError(), ConnectionResetError(), Exception(), EOFError()])
def test_by_default_errors_of_the_world_are_tried_again(error: Exception) -> None:
    assert default_retry_on(error)


@pytest.mark.parametrize(
    "kind",
    [
        ValueError, TypeError, ArithmeticError, ImportError, LookupError, NameError, SyntaxError, RuntimeError,
        ReferenceError, StopIteration, StopAsyncIteration, OSError, TimeoutError, KeyError, RecursionError,
    ],
)  # fmt: skip
def test_by_default_mistakes_are_not(kind: type[Exception]) -> None:
    assert not default_retry_on(kind())


def test_by_default_answers_of_servers_count_when_the_server_is_to_blame() -> None:
    httpx, requests = pytest.importorskip("httpx"), pytest.importorskip("requests")

    def of_httpx(status: int) -> Any:
        request = httpx.Request("GET", "http://localhost")
        return httpx.HTTPStatusError("x", request=request, response=httpx.Response(status))

    def of_requests(status: int) -> Any:
        response = requests.Response()
        response.status_code = status
        return requests.HTTPError("x", response=response)

    assert [default_retry_on(of_httpx(status)) for status in (404, 500, 599, 600)] == [False, True, True, False]
    assert [default_retry_on(of_requests(status)) for status in (404, 500, 503)] == [False, True, True]
    assert default_retry_on(requests.HTTPError("nothing came back"))


def test_a_timeout_may_be_a_number_a_timedelta_or_a_policy() -> None:
    assert TimeoutPolicy.coerce(None) is None
    assert TimeoutPolicy.coerce(TimeoutPolicy()) is None
    assert TimeoutPolicy.coerce(2) == TimeoutPolicy(run_timeout=2.0)
    assert TimeoutPolicy.coerce(timedelta(seconds=3)) == TimeoutPolicy(run_timeout=3.0)
    idle = TimeoutPolicy.coerce(TimeoutPolicy(idle_timeout=timedelta(minutes=1), refresh_on="heartbeat"))
    assert idle == TimeoutPolicy(idle_timeout=60.0, refresh_on="heartbeat")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0, "run_timeout must be greater than 0"),
        (TimeoutPolicy(idle_timeout=-1), "idle_timeout must be greater than 0"),
        (TimeoutPolicy(run_timeout=1, refresh_on="never"), "refresh_on must be 'auto' or 'heartbeat'"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_a_timeout_that_makes_no_sense_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeoutPolicy.coerce(given)


def test_equal_inputs_have_equal_keys_in_whatever_order_they_were_built() -> None:
    one, other = {"a": 1, "b": {3, 1, 2}, "c": [{"x": 1, "y": 2}]}, {"c": [{"y": 2, "x": 1}], "b": {2, 3, 1}, "a": 1}
    assert default_cache_key(one) == default_cache_key(other)
    assert default_cache_key(one) != default_cache_key({**one, "a": 2})
    assert default_cache_key([1, 2]) != default_cache_key([2, 1])


def test_a_control_remembers_why_to_drain() -> None:
    control = RunControl()
    assert (control.drain_requested, control.drain_reason) == (False, None)
    control.request_drain("deploy")
    assert (control.drain_requested, control.drain_reason) == (True, "deploy")


def test_omit_payload_records_nothing() -> None:
    assert omit_payload({"secret": 1}) == {}
