"""What pages ask for: each command answers once, in order, with a value or with words that help."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from jupyter_client.session import json_packer

from stepgraph import END, START, StateGraph
from stepgraph.core.events import TaskEmitted
from stepgraph.debug import debug
from stepgraph.debug.run import Run
from stepgraph.panels.run_panel import RunPanel
from tests.panels.conftest import FakePage, Ticket


def test_hello_gives_everything_that_a_page_draws(page: FakePage, held: Run) -> None:
    picture = page.value("hello")
    assert picture["head"]["status"] == "held"
    assert picture["nodes"]["classify"] == ["done", 1, 0]
    assert picture["nodes"]["draft"][0] == "held"
    assert [row[1] for row in picture["steps"]][-1] == ["classify"]
    assert picture["requests"][0]["title"] == "after:draft"
    assert [piece[5] for piece in picture["output"]] == ["classifying Where is it?\n"]
    assert held.attended


def test_every_message_is_plain_json(page: FakePage) -> None:
    json.dumps(page.value("hello"), allow_nan=False)


def test_every_command_is_answered_and_messages_are_numbered_without_gaps(page: FakePage) -> None:
    for _ in range(20):
        page.value("value", position=[])
    page.value("decide", request="r1", verb="approve")
    page.until(lambda content: "done" in [head["status"] for head in page.patches("head")])
    assert page.seqs == list(range(page.seqs[0], page.seqs[0] + len(page.seqs)))


def test_approve_lets_the_run_go_on(page: FakePage, held: Run) -> None:
    page.value("decide", request="r1", verb="approve")
    assert held.wait(10)
    assert held.result["messages"][-1] == "sent: We can refund it."


def test_a_click_is_told_from_decisions_of_programs(page: FakePage, held: Run) -> None:
    (request,) = held.pending()
    page.ask("decide", request=request.id, verb="approve")
    assert request.decided is not None
    assert request.decided.by == "panel"


def test_a_command_that_is_sent_twice_is_carried_out_once_and_answered_twice(page: FakePage, held: Run) -> None:
    command = {"cmd": "decide", "id": "same", "seq": 0, "request": "r1", "verb": "edit", "value": {"answer": "new"}}
    page.panel._hand_over(None, command, [])
    first = page.until(lambda content: content.get("re") == "same")
    page.panel._hand_over(None, command, [])
    second = page.until(lambda content: content.get("re") == "same")
    assert (first["ok"], second["ok"]) == (True, True)
    assert held.wait(10)
    assert held.stats.decisions == 1


def test_an_edit_is_previewed_and_then_made(page: FakePage, held: Run) -> None:
    effect = page.value("preview", request="r1", value={"confidence": 0.1})
    assert effect["routes"] == ["human"]
    assert effect["trouble"] is None
    assert {change["key"] for change in effect["changes"]} >= {"answer", "confidence"}
    page.value("decide", request="r1", verb="edit", value={"confidence": 0.1})
    assert held.wait(10)
    assert held.result["messages"][-1] == "a colleague answers"


def test_a_wrong_value_names_its_field_and_the_request_stays(page: FakePage, held: Run) -> None:
    error = page.refusal("decide", request="r1", verb="edit", value={"confidence": "high"})
    assert error["errors"][0]["path"] == ["confidence"]
    assert "number" in error["errors"][0]["message"]
    assert held.status == "held"


def test_a_decision_on_an_older_proposal_is_refused(page: FakePage, held: Run) -> None:
    error = page.refusal("decide", request="r1", verb="approve", seen="something else")
    assert error["type"] == "StaleDecisionError"
    assert held.status == "held"


def test_a_verb_that_is_not_allowed_is_refused_with_those_that_are(page: FakePage) -> None:
    error = page.refusal("decide", request="r1", verb="respond", value={})
    assert "approve" in error["message"]


def test_an_unknown_request_stop_run_command_and_step_are_refused_in_words(page: FakePage) -> None:
    assert "not pending any more" in page.refusal("decide", request="r99", verb="approve")["message"]
    assert "does not exist any more" in page.refusal("unstop", stop="s99")["message"]
    assert "no run 'other'" in page.refusal("hello", run="other")["message"]
    assert "unknown command" in page.refusal("explode")["message"]
    assert "no step 77" in page.refusal("value", position=[], at=77)["message"]
    assert "no verb 'fly'" in page.refusal("go_on", verb="fly")["message"]
    assert "no part 'passwords'" in page.refusal("asset", name="passwords")["message"]


def test_the_state_now_and_then_is_read_branch_by_branch(page: FakePage) -> None:
    now = page.value("value", position=[])
    labels = [line["label"] for line in now["lines"]]
    assert sorted(labels) == ["confidence", "messages", "question"]
    assert page.value("value", position=[labels.index("messages")])["lines"][0]["text"] == "classified"
    before = page.value("value", position=[], at=0)
    assert sorted(line["label"] for line in before["lines"]) == ["messages", "question"]


def test_a_search_gives_positions_that_can_be_opened(page: FakePage) -> None:
    hits = page.value("find", text="CLASS")["hits"]
    assert [labels for _, labels, _ in hits] == [["messages", "0"]]
    assert page.value("value", position=hits[0][0])["text"] == "classified"


def test_stops_are_added_switched_and_removed(page: FakePage, held: Run) -> None:
    made = page.value("stop", spec="before:human", when="confidence < 0.5")
    assert [stop.spec for stop in held.session.stops] == ["after:draft", "before:human"]
    page.value("enable", stop=made["id"], on=False)
    assert not held.session.stops[1].enabled
    page.value("unstop", stop=made["id"])
    assert [stop.spec for stop in held.session.stops] == ["after:draft"]
    assert "nobody" in page.refusal("stop", spec="after:nobody")["message"]


def test_a_rule_for_the_rest_of_the_run_is_made_shown_and_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(state: Ticket) -> Ticket:
        return {"messages": ["turn"]}

    graph = StateGraph(Ticket).add_node(turn).add_edge(START, "turn")
    graph.add_conditional_edges("turn", lambda state: "turn" if len(state["messages"]) < 4 else END, ["turn", END])
    dbg = debug(graph.compile(name="turns"))
    stop = dbg.stop("after:turn")
    dbg.stop("before:turn", hits=3)
    run = dbg.start({"question": "?"})
    panel = RunPanel(run)
    page = FakePage(panel)
    monkeypatch.setattr(panel, "send", page.take)
    asked = iter(run.requests())
    page.value("decide", request=next(asked).id, verb="approve", scope="run", reason="harmless")
    request = next(each for each in asked if each.place == "before")
    assert run.step.number == 3
    rule = {"id": "rule 1", "title": "after:turn", "stop": stop.id, "verb": "approve", "by": "panel"}
    assert page.value("hello")["head"]["rules"] == [{**rule, "reason": "harmless"}]
    page.value("revoke", rule="rule 1")
    page.value("revoke", rule="rule 1")
    assert page.value("hello")["head"]["rules"] == []
    request.approve()
    assert next(asked).place == "after"
    run.cancel()
    panel.close()


def test_the_form_of_a_fork_sets_keys_with_a_reducer(page: FakePage) -> None:
    form = page.value("schema", at=1)
    assert form["value"]["messages"] == {"$set": ["classified"]}
    assert form["value"]["confidence"] == 0.8
    assert form["schema"]["properties"]["confidence"]["type"] == "number"


def test_a_fork_is_followed_by_the_same_panel(page: FakePage, held: Run) -> None:
    made = page.value("fork", at=1, note="lower", updates={"confidence": 0.1})
    picture = page.value("branch", run=made["run"])
    assert picture["head"]["note"] == "lower"
    assert [branch["note"] for branch in picture["branches"]] == [None, "lower"]
    fork = held.tree()[1]
    next(iter(fork.requests()))
    page.value("decide", run=made["run"], request=fork.pending()[0].id, verb="approve")
    assert fork.wait(10)
    assert fork.result["messages"] == ["classified", "drafted", "a colleague answers"]


def test_a_branch_may_run_its_nodes_again(page: FakePage, held: Run) -> None:
    made = page.value("fork", at=1, note="once more", updates={}, again=True)
    fork = held.tree()[1]
    next(iter(fork.requests()))
    (drafted,) = [row for row in fork.ledger.rows() if row.node == "draft"]
    assert (fork.note, drafted.attempts, drafted.carried) == ("once more", 1, False)
    page.value("decide", run=made["run"], request=fork.pending()[0].id, verb="approve")
    assert fork.wait(10)


def test_the_layout_program_comes_packed(page: FakePage) -> None:
    reply = page.ask("asset", name="viz.js")
    assert reply["ok"]
    assert len(reply["buffers"][0]) < 700_000
    assert gzip.decompress(reply["buffers"][0]).lstrip().startswith((b'"use strict"', b"(()"))


def test_a_layout_made_in_the_page_is_taken_only_for_the_graph_that_is_shown(page: FakePage) -> None:
    chart = page.panel.chart
    page.value("hello")  # comes after the layout by `dot`, on the same thread
    chart._show(None, "digraph {}")
    drawn = json.dumps({"bb": "0,0,10,20", "objects": [{"id": "n:2", "pos": "5,5", "width": "0.1", "height": "0.1"}]})
    page.value("layout", source="digraph {old}", layout=drawn)
    assert page.panel._graph["layout"] is None
    page.value("layout", source="digraph {}", layout=drawn)
    assert page.panel._graph["layout"]["nodes"] == {"draft": [5.0, 15.0, 7.2, 7.2]}


def test_rows_of_the_log_are_fetched_from_any_number_on(page: FakePage) -> None:
    kept = page.value("rows", since=0, limit=3)
    assert [row[0] for row in kept["rows"]] == [0, 1, 2]
    assert [row[0] for row in page.value("rows", since=4, limit=2)["rows"]] == [4, 5]


def test_a_request_that_cannot_be_shown_can_still_be_decided(
    page: FakePage, held: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> None:
        raise RuntimeError("no comparing")

    monkeypatch.setattr("stepgraph.panels.feed.card", broken)
    made = page.value("fork", at=1, note="again")
    fork = held.tree()[1]
    next(iter(fork.requests()))
    card = page.value("branch", run=made["run"])["requests"][0]
    assert card["error"]["message"] == "This can be decided, but not shown: no comparing"
    page.value("decide", run=made["run"], request=card["id"], verb="approve", seen=card["digest"])
    assert fork.wait(10)


def test_half_a_surrogate_pair_does_not_end_the_panel(
    page: FakePage, held: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(content: Any, buffers: Any = None) -> None:
        json_packer(content)  # raises as the kernel's session would
        page.take(content, buffers)

    monkeypatch.setattr(page.panel, "send", send)
    held.hub.publish(TaskEmitted((), 2, 0.0, "t", "draft", "stdout", "half a pair: \ud83d"))
    page.until(lambda content: "half a pair: ?" in [piece[5] for part in page.patches("output") for piece in part])
    assert page.value("hello")["output"][-1][5] == "half a pair: ?"
