from __future__ import annotations

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.core.types import Overwrite

PROPOSED = [("answer", "new"), ("messages", ["m1", "m2"])]


def edited(request, value):
    request.edit(value)
    return request.answer.result(timeout=0).value


def test_an_edit_changes_the_named_key_and_keeps_the_others(ask):
    assert edited(ask("after", PROPOSED), {"answer": "better"}) == (("answer", "better"), ("messages", ["m1", "m2"]))


def test_a_plain_value_replaces_the_write_and_is_still_reduced(ask):
    assert edited(ask("after", PROPOSED), {"messages": ["m3"]})[1] == ("messages", ["m3"])


@pytest.mark.parametrize(
    ("operation", "writes"),
    [
        ({"$append": ["m3"]}, [["m1", "m2", "m3"]]),
        ({"$remove": ["m1"]}, [["m2"]]),
        ({"$remove": ["hello"]}, [Overwrite(["m1", "m2"])]),
        ({"$set": ["only"]}, [Overwrite(["only"])]),
        ({"$drop": True}, []),
    ],
)
def test_an_operation_works_on_the_value_of_a_key_with_a_reducer(ask, operation, writes):
    found = edited(ask("after", PROPOSED), {"messages": operation})
    assert [update for key, update in found if key == "messages"] == writes


@pytest.mark.parametrize(
    ("operation", "value"),
    [({"$append": ["c"]}, ["a", "b", "c"]), ({"$remove": ["a"]}, ["b"]), ({"$set": ["x"]}, ["x"])],
)
def test_an_operation_works_on_a_key_without_reducer_too(ask, operation, value):
    assert edited(ask("after"), {"tags": operation}) == (("tags", value),)


def test_an_edit_may_write_a_key_that_was_not_proposed(ask):
    assert edited(ask("after", [("answer", "new")]), {"score": 1}) == (("answer", "new"), ("score", 1.0))


def test_at_step_an_edit_gives_final_values(ask):
    request = ask("step", PROPOSED)
    assert edited(request, {"messages": {"$append": ["m3"]}}) == {"messages": ["hello", "m1", "m2", "m3"]}


def test_at_before_an_edit_changes_the_input_only(ask):
    request = ask("before")
    assert edited(request, {"answer": "other"}) == {"answer": "other", "messages": ["hello"], "tags": ["a", "b"]}
    assert request.state["answer"] == "old"


def test_at_before_the_argument_of_a_send_is_replaced_whole(ask):
    assert edited(ask("before", state=7), 8) == 8


def test_between_supersteps_an_edit_is_an_update_through_the_reducers(ask):
    assert edited(ask("committed"), {"messages": ["m"], "tags": {"$remove": ["b"]}}) == (
        ("messages", ["m"]),
        ("tags", ["a"]),
    )


@pytest.mark.parametrize(
    ("place", "value", "path", "message"),
    [
        ("after", {"anser": "x"}, ["anser"], "did you mean 'answer'"),
        ("after", {"score": "high"}, ["score"], "valid number"),
        ("after", {"messages": [1]}, ["messages", 0], "valid string"),
        ("after", {"messages": {"$append": "x"}}, ["messages"], "valid list"),
        ("after", {"messages": {"$remove": ["nobody"]}}, ["messages", "$remove"], "not in the value"),
        (
            "after",
            {"messages": {"$apend": ["x"]}},
            ["messages"],
            "(did you mean '$append'?). Operations: $set",
        ),
        (
            "after",
            {"answer": {"$foo": "x"}},
            ["answer"],
            "Operations: $set, $append, $remove, $drop",
        ),
        ("step", {"messages": {"$append": ["x"], "$remove": ["m1"]}}, ["messages"], "give one alone"),
        ("after", "text", [], "an object of keys"),
        ("step", {"score": []}, ["score"], "valid number"),
        ("before", {"answer": 5}, ["answer"], "valid string"),
        ("committed", {"nope": 1}, ["nope"], "unknown key"),
    ],
)
def test_a_wrong_edit_is_refused_and_the_request_stays_pending(ask, place, value, path, message):
    request = ask(place, PROPOSED if place in ("after", "step") else ())
    with pytest.raises(EditError) as caught:
        request.edit(value)
    assert caught.value.errors[0]["path"] == path
    assert message in caught.value.errors[0]["message"]
    assert "still pending" in str(caught.value)
    assert request.pending
    assert not request.answer.done()


def test_what_a_reducer_refuses_is_told_as_an_error_of_its_key(ask, plan):
    def picky(value, update):
        raise RuntimeError("no")

    plan.channels["messages"].operator = picky
    request = ask("after", [("answer", "new")])
    with pytest.raises(EditError) as caught:
        request.edit({"messages": ["m"]})
    assert caught.value.errors == [{"path": ["messages"], "message": "the reducer picky raised RuntimeError: no"}]


def test_a_preview_tells_the_new_values_and_decides_nothing(ask):
    request = ask("after", PROPOSED)
    effect = request.preview({"messages": {"$remove": ["m1"]}})
    assert {each.key: each.new for each in effect.changes} == {"answer": "new", "messages": ["hello", "m2"]}
    assert request.preview({"score": "x"}).errors[0]["path"] == ["score"]
    assert request.pending


def test_a_shown_value_that_looks_like_an_operation_is_a_valid_edit(ask, plan):
    request = ask("after", [("answer", {"$ref": "a"})])
    assert request.value == {"answer": {"$set": {"$ref": "a"}}}
