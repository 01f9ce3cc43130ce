from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from stepgraph.approve.checks import thens_of
from stepgraph.approve.requests import Cause
from stepgraph.approve.text import request_text
from stepgraph.core.errors import DecisionError, StaleDecisionError, UnknownRequestError
from stepgraph.core.types import END, Decision, Interrupt, Send

PROPOSED = [("answer", "new"), ("messages", ["m1"])]


def test_a_request_shows_what_would_change(ask):
    request = ask("after", PROPOSED)
    assert [(each.key, each.old, each.new, each.reducer) for each in request.changes] == [
        ("answer", "old", "new", None),
        ("messages", ["hello"], ["hello", "m1"], "add"),
    ]
    assert request.keys == {"answer", "messages"}
    assert request.new == {"answer": "new", "messages": ["hello", "m1"]}
    assert request.value == {"answer": "new", "messages": ["m1"]}
    assert request.title == "after:draft"


def test_new_is_the_value_itself_when_one_key_is_written(ask):
    request = ask("after", [("answer", "new")])
    assert (request.old, request.new) == ("old", "new")


def test_the_shown_value_is_a_valid_edit(ask):
    request = ask("after", [*PROPOSED, ("messages", ["m2"])])
    assert request.value["messages"] == {"$set": ["hello", "m1", "m2"]}
    assert request.preview(request.value).errors == ()


def test_the_first_decision_counts_and_the_same_again_is_harmless(ask):
    request = ask("after", PROPOSED)
    request.edit({"answer": "a"})
    request.edit({"answer": "a"})
    with pytest.raises(UnknownRequestError) as caught:
        request.approve()
    assert "decided already: edit" in str(caught.value)
    assert request.answer.result(timeout=0).verb == "edit"


def test_of_many_threads_that_decide_one_wins(ask):
    request = ask("after", PROPOSED)
    start = Barrier(8)

    def decide(at: int) -> bool:
        start.wait()
        try:
            request.edit({"answer": f"by {at}"})
        except UnknownRequestError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(8))) == 1


def test_a_decision_on_an_older_proposal_is_stale(ask):
    request, older = ask("after", PROPOSED), ask("after", [("answer", "first")])
    with pytest.raises(StaleDecisionError) as caught:
        request.decide(Decision(seen=older.digest))
    assert "older proposal" in str(caught.value)
    request.decide(Decision(seen=request.digest))
    assert request.decided is not None


@pytest.mark.parametrize("reason", [None, "", "   ", 5])
def test_a_gate_that_wants_a_reason_takes_words_only(ask, reason):
    request = ask("after", PROPOSED, cause=Cause("gate #1", gate=True, reason=True))
    with pytest.raises(DecisionError, match=r"reason.*still pending"):
        request.approve(reason=reason)
    assert request.pending
    request.approve(reason="as agreed")


def test_a_word_is_no_decision(ask):
    request = ask("after", PROPOSED)
    with pytest.raises(TypeError, match=r"a Decision is wanted, got str 'approve'; for example Decision\('approve'\)"):
        request.decide("approve")
    assert request.pending


@pytest.mark.parametrize("name", ["by", "reason"])
def test_who_decided_and_why_are_text(ask, name):
    request = ask("after", PROPOSED)
    with pytest.raises(DecisionError, match=rf"{name}=int 5: text is wanted, or None. The request is still pending"):
        request.approve(**{name: 5})
    assert request.pending


@pytest.mark.parametrize("targets", [5, None, [], {"send": 1}])
def test_a_redirect_names_targets(ask, targets):
    request = ask("after", PROPOSED)
    with pytest.raises(DecisionError, match=r"a Send, or a list of them is wanted; redirect\(END\) goes nowhere"):
        request.redirect(targets)
    assert request.pending


def test_an_answer_that_no_node_may_give_is_refused_in_plain_words(ask):
    request = ask("before")
    with pytest.raises(DecisionError) as caught:
        request.respond(5)
    assert "Expected dict, got 5. Node 'draft' must return a dict of state keys" in str(caught.value)
    assert "RETURN_VALUE" not in str(caught.value)
    assert ".." not in str(caught.value)


def test_a_verb_that_the_policy_forbids_is_refused(ask):
    request = ask("after", PROPOSED, cause=Cause("gate #1", allow=("approve",), gate=True))
    with pytest.raises(DecisionError) as caught:
        request.skip()
    assert "Allowed: approve suspend" in str(caught.value)
    assert request.refused["skip"] == "the gate's policy does not allow it"


def test_a_gate_may_want_a_reason(ask):
    request = ask("after", PROPOSED, cause=Cause("gate #1", gate=True, reason=True))
    with pytest.raises(DecisionError, match="wants a reason"):
        request.approve()
    request.approve(reason="looks right", by="ana")
    assert request.decided.by == "ana"


def test_a_redirect_names_known_nodes_only(ask):
    request = ask("after", PROPOSED)
    with pytest.raises(DecisionError) as caught:
        request.redirect("sned")
    assert "did you mean 'send'" in str(caught.value)
    request.redirect(["send", Send("draft", 1), END])
    assert request.answer.result(timeout=0).value == ["send", Send("draft", 1), END]


@pytest.mark.parametrize(
    ("place", "then", "message"),
    [
        ("after", "later", "Use stop, retry, route"),
        ("before", "retry", "only at `after`"),
        ("after", "route", "node 'draft' has none"),
    ],
)
def test_reject_says_what_it_may_lead_to(ask, place, then, message):
    request = ask(place)
    with pytest.raises(DecisionError) as caught:
        request.reject("no", then=then)
    assert message in str(caught.value)
    assert request.pending


def test_respond_is_checked_like_an_update(ask):
    request = ask("before")
    with pytest.raises(DecisionError, match=r"score: Input should be a valid number"):
        request.respond({"score": "x"})
    request.respond({"score": 1})
    assert request.answer.result(timeout=0).value == {"score": 1.0}


def test_a_response_of_another_shape_gets_the_engines_own_message(ask):
    with pytest.raises(DecisionError, match="Expected dict, got 5"):
        ask("before").respond(5)


def test_an_interrupt_is_answered_by_its_schema(ask):
    @dataclass
    class Answer:
        ok: bool

    request = ask("interrupt", interrupt=Interrupt("send it?", "i1"), response_schema=Answer)
    assert request.question == "send it?"
    assert request.schema["$ref"] == "#/$defs/Answer"
    with pytest.raises(DecisionError, match="ok: Field required"):
        request.respond({})
    request.respond({"ok": True})
    assert request.answer.result(timeout=0).value == Answer(ok=True)


def test_a_closed_request_says_why_and_takes_no_decision(ask):
    request = ask("after", PROPOSED)
    request.close("the run was cancelled")
    with pytest.raises(UnknownRequestError, match="no longer pending: the run was cancelled"):
        request.approve()
    assert request.answer.cancelled()


def test_a_request_whose_engine_gave_up_is_closed(ask):
    request = ask("after", PROPOSED)
    request.answer.cancel()
    assert request.closed == "the run was cancelled"


def test_the_text_form_tells_the_same_as_the_card(ask):
    assert request_text(ask("after", PROPOSED)).splitlines() == [
        "◆ held after:draft, superstep 3 (request r1): stop #1",
        "  answer: 'old' → 'new'",
        "  messages: +1 (add) ['m1']",
        "  allowed: approve edit reject skip redirect suspend",
    ]


@pytest.mark.parametrize(("place", "thens"), [("before", []), ("after", ["retry"])])
def test_it_tells_what_may_follow_a_rejection(ask, place, thens):
    assert thens_of(ask(place)) == thens
