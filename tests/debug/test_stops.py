from __future__ import annotations

import pytest

from tests.debug.support import finished, held


def test_a_condition_is_a_function_or_an_expression_over_request_and_state(support):
    dbg = support.debug()
    dbg.stop("after:classify", when="score < 0.1")
    dbg.stop("after:draft", when="len(answer) > 3 and q.step == 2")
    run = dbg.start({"question": "refund"})
    (request,) = held(run)
    assert request.title == "after:draft"
    assert request.why == "stop s2 “len(answer) > 3 and q.step == 2”"


def test_a_condition_that_raises_asks_and_says_so(support):
    dbg = support.debug()
    stop = dbg.stop("after:draft", when=lambda q: q.nothing)
    (request,) = held(dbg.start({"question": "refund"}))
    assert "the condition raised AttributeError" in request.why
    assert stop.problem is not None


def test_an_expression_with_an_error_is_refused_at_once(support):
    with pytest.raises(ValueError, match="An expression is wanted"):
        support.debug().stop("after:draft", when="score >")


def test_equal_stops_are_one_although_their_cell_ran_twice(support):
    dbg = support.debug()

    def cell():
        return dbg.stop("after:draft", when=lambda q: len(q.update["answer"]) > 5)

    assert cell() is cell()
    assert dbg.stop("after:draft", when=lambda q: len(q.update["answer"]) > 6) is not cell()
    assert len(dbg.stops) == 2


def test_the_text_of_a_lambda_is_its_body(support):
    stop = support.debug().stop("after:draft", when=lambda q: q.update["answer"] != "x")
    assert stop.when_text == 'q.update["answer"] != "x"'


def test_a_stop_switched_off_or_removed_stops_nothing(support):
    dbg = support.debug()
    off = dbg.stop("after:draft")
    off.enabled = False
    dbg.remove(dbg.stop("before:send"))
    dbg.remove(dbg.stop("before:draft").id)
    assert finished(dbg.start({"question": "refund"})).status == "done"
    assert [stop.spec for stop in dbg.stops] == ["after:draft"]
    with pytest.raises(ValueError, match="No stop 's9'"):
        dbg.remove("s9")


def test_from_the_nth_hit_on_it_stops_in_each_run(support):
    dbg = support.debug()
    stop = dbg.stop("after:*", hits=2)
    for _ in range(2):
        run = dbg.start({"question": "refund"})
        assert held(run)[0].title == "after:draft"
        run.go()
        assert held(run)[0].title == "after:send"
        run.go()
        finished(run)
    assert stop.hits == 6


def test_once_stops_a_single_time_until_it_is_set_again(support):
    dbg = support.debug()
    stop = dbg.stop("after:draft", once=True)
    run = dbg.start({"question": "refund"})
    held(run)
    assert not stop.enabled
    run.go()
    finished(run)
    assert finished(dbg.start({"question": "refund"})).status == "done"
    assert dbg.stop("after:draft", once=True) is stop
    assert stop.enabled


def test_a_logpoint_writes_and_does_not_stop(support):
    dbg = support.debug()
    dbg.stop("after:draft", log="{state[question]} -> {answer}")
    run = finished(dbg.start({"question": "refund"}))
    assert run.stdout == "refund -> about refund\n"


def test_of_a_stop_and_a_gate_at_one_place_the_gates_policy_counts(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    gate = dbg.gate("after:draft", allow="approve reject")
    (request,) = held(dbg.start({"question": "refund"}))
    assert request.stop is gate
    assert request.allow == ("approve", "reject", "suspend")
    assert request.why == "gate g2; stop s1"


def test_history_tells_where_a_new_stop_would_have_held(support):
    dbg = support.debug()
    run = finished(dbg.start({"question": "refund"}))
    stop = dbg.stop("after:*", when=lambda q: "answer" in q.keys)
    assert [row.hits for row in run.history()] == [(), (), (stop.id,), ()]
    dbg.remove(stop)
    assert not any(row.hits for row in run.history())


def test_a_stop_whose_node_is_gone_says_so(support):
    dbg = support.debug()
    stop = dbg.stop("after:send")
    from stepgraph.core.types import START
    from stepgraph.graph.builder import StateGraph
    from tests.debug.support import State

    other = StateGraph(State).add_node("draft", lambda state: {}).add_edge(START, "draft").compile(name="support")
    assert support.debug(other) is dbg
    assert "the graph has no node 'send'" in stop.problem


def test_static_breakpoints_hold_the_run_live(support):
    dbg = support.debug(support.graph(interrupt_before=["send"], interrupt_after=["classify"]))
    run = dbg.start({"question": "refund"})
    (first,) = held(run)
    assert (first.title, first.why) == ("committed", "interrupt_after: classify")
    run.go()
    (second,) = held(run)
    assert (second.title, second.why) == ("plan", "interrupt_before: send")
    run.go()
    assert finished(run).status == "done"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda dbg: dbg.stop(5), "A stop is named by text such as 'after:draft', got 5 of type int"),
        (lambda dbg: dbg.gate("after:draft", allow=5), "allow=5: verbs are wanted as text or as a list"),
        (lambda dbg: dbg.gate("after:draft", allow=[5]), "5 is no verb but of type int"),
        (lambda dbg: dbg.stop("after:draft", hits="3"), "hits='3': a number of arrivals is wanted, got str"),
        (lambda dbg: dbg.stop("after:draft", log=5), "log=5: text is wanted"),
        (lambda dbg: dbg.start({}, config=5), "config=5: a dict is wanted"),
        (lambda dbg: dbg.start({}, config={"configurable": 5}), "a dict is wanted"),
    ],
)
def test_an_argument_of_a_wrong_type_is_refused_in_plain_words(support, make, message):
    dbg = support.debug()
    with pytest.raises(TypeError) as caught:
        make(dbg)
    assert message in str(caught.value)
    assert dbg.stops == []
    assert dbg.runs == []


@pytest.mark.parametrize("text", ["{a", "a}", "{}", "{0}", "{a!z}", "{a:{b}", "{[x]}"])
def test_a_log_that_cannot_be_filled_in_is_refused_when_the_stop_is_made(support, text):
    dbg = support.debug()
    with pytest.raises(ValueError, match=r"Braces hold a name"):
        dbg.stop("after:draft", log=text)
    assert dbg.stops == []


def test_a_log_may_have_formats_conversions_and_doubled_braces(support):
    dbg = support.debug()
    dbg.stop("after:draft", log="{{{answer!r:>5}}} {score:.{q.step}f} {q.node}")
    assert finished(dbg.start({"question": "refund"})).stdout == "{'about refund'} 0.50 draft\n"
