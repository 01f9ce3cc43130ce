from __future__ import annotations

import pytest

from stepgraph.approve.verbs import PLACES, TABLE, VERBS, allowed, check_verb, parse_allow, refused
from stepgraph.core.errors import DecisionError


@pytest.mark.parametrize("place", PLACES)
def test_every_verb_is_either_offered_or_refused_with_a_reason(place):
    offered, not_offered = allowed(place), refused(place)
    assert set(offered) | set(not_offered) == set(VERBS)
    assert not set(offered) & set(not_offered)
    assert all(not_offered.values())


def test_a_policy_narrows_the_verbs_but_never_suspend():
    assert allowed("after", ("approve", "reject")) == ("approve", "reject", "suspend")
    assert refused("after", ("approve", "reject"))["edit"] == "the gate's policy does not allow it"


def test_a_policy_is_read_from_words_in_the_order_of_the_table():
    assert parse_allow("reject approve, edit", "after") == ("approve", "edit", "reject")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("aprove", "after", "did you mean 'approve'"),
        ("respond", "after", "the node has answered already; use `edit`"),
        ("", "after", "allows nothing"),
    ],
)
def test_a_wrong_policy_says_what_to_write(text, place, message):
    with pytest.raises(ValueError) as caught:
        parse_allow(text, place)
    assert message in str(caught.value)


def test_a_refused_verb_names_the_allowed_ones():
    with pytest.raises(DecisionError) as caught:
        check_verb("edit", TABLE["edge"], refused("edge"), "Request r1 (edge:draft)")
    assert "targets are changed with `redirect`" in str(caught.value)
    assert "Allowed: approve reject skip redirect suspend" in str(caught.value)
