"""Every verb at every place that has it, in a real run."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.approve.verbs import TABLE
from stepgraph.core.channels import UntrackedValue
from stepgraph.core.errors import DecisionError, Rejected
from stepgraph.core.types import END, START, Command, Decision, Send
from stepgraph.graph.builder import StateGraph
from stepgraph.run.context import get_config, interrupt
from tests.debug.support import State, finished, held


def at(support: Any, spec: str, decide: Any, **options: Any) -> Any:
    """Run the support graph, decide the one request at `spec`, and return the run at its end."""
    dbg = support.debug(**options)
    dbg.stop(spec, once=True)
    run = dbg.start({"question": "refund"})
    (request,) = held(run)
    decide(request)
    return finished(run)


@pytest.mark.parametrize("place", [place for place in TABLE if "approve" in TABLE[place]])
def test_approve_goes_on_as_proposed_everywhere(support, place):
    spec = place if place in ("plan", "step", "committed") else f"{place}:draft"
    run = at(support, spec, lambda q: q.approve())
    assert run.result["messages"] == ["classified", "drafted", "sent: about refund"]
    assert run.stats.decisions == 1


@pytest.mark.parametrize("place", [place for place in TABLE if place not in ("error", "interrupt")])
def test_what_a_place_refuses_is_refused_with_the_allowed_verbs(support, place):
    from stepgraph.core.errors import DecisionError
    from stepgraph.core.types import Decision

    dbg = support.debug()
    dbg.stop(place if place in ("plan", "step", "committed") else f"{place}:draft", once=True)
    (request,) = held(dbg.start({"question": "refund"}))
    for verb in request.refused:
        with pytest.raises(DecisionError, match="Allowed:"):
            request.decide(Decision(verb))
    assert request.pending


@pytest.mark.parametrize("place", ["plan", "step", "committed"])
def test_a_rejected_superstep_of_a_subgraph_is_named_with_it(support, place):
    inner = StateGraph(State).add_node("draft", lambda state: {"answer": "a"}).add_edge(START, "draft")
    outer = StateGraph(State).add_node("sub", inner.compile()).add_edge(START, "sub")
    dbg = support.debug(outer.compile(name="outer"))
    dbg.stop(f"{place}:sub")
    run = dbg.start({"question": "refund"})
    held(run)[0].reject("no")
    assert str(finished(run).error) == "Rejected at superstep 1 of sub: no"


class TestBefore:
    def test_edit_changes_the_input_of_this_task_only(self, support):
        run = at(support, "before:draft", lambda q: q.edit({"question": "invoice"}))
        assert run.result["answer"] == "about invoice"
        assert run.result["question"] == "refund"

    def test_respond_answers_instead_of_the_node(self, support):
        run = at(support, "before:draft", lambda q: q.respond({"answer": "mine", "messages": ["by hand"]}))
        assert run.result["messages"] == ["classified", "by hand", "sent: mine"]
        assert support.calls["draft"] == 0

    def test_skip_does_not_run_the_node(self, support):
        run = at(support, "before:draft", lambda q: q.skip())
        assert run.result["messages"] == ["classified", "sent: None"]
        assert support.calls["draft"] == 0

    def test_redirect_goes_elsewhere_without_running_it(self, support):
        run = at(support, "before:draft", lambda q: q.redirect("classify"))
        assert support.calls == {"classify": 2, "draft": 1, "send": 1}
        assert run.status == "done"

    def test_reject_fails_the_task(self, support):
        run = at(support, "before:draft", lambda q: q.reject("too dear", by="ana"))
        assert run.status == "failed"
        assert isinstance(run.error, Rejected)
        assert "Rejected by ana at draft" in str(run.error)
        assert "too dear" in str(run.error)


class TestAfter:
    def test_edit_steers_the_router(self, support):
        run = at(support, "after:draft", lambda q: q.edit({"score": 1.0}))
        assert support.calls["send"] == 0
        assert run.result["answer"] == "about refund"

    def test_edit_of_a_key_with_a_reducer_can_set_append_and_remove(self, support):
        run = at(support, "after:draft", lambda q: q.edit({"messages": {"$set": ["only"]}}))
        assert run.result["messages"] == ["only", "sent: about refund"]

    def test_remove_takes_out_what_was_there_before(self, support):
        run = at(support, "after:draft", lambda q: q.edit({"messages": {"$remove": ["classified"]}}))
        assert run.result["messages"] == ["drafted", "sent: about refund"]

    def test_skip_drops_the_update_and_goes_on(self, support):
        run = at(support, "after:draft", lambda q: q.skip())
        assert run.result["messages"] == ["classified", "sent: None"]
        assert support.calls["draft"] == 1

    def test_redirect_keeps_the_update(self, support):
        run = at(support, "after:draft", lambda q: q.redirect("__end__"))
        assert run.result["answer"] == "about refund"
        assert support.routed == []

    def test_reject_with_retry_runs_the_task_again_and_asks_again(self, support):
        dbg = support.debug()
        dbg.stop("after:draft")
        run = dbg.start({"question": "refund"})
        held(run)[0].reject("shorter", then="retry")
        (again,) = held(run)
        assert (again.id, support.calls["draft"]) == ("r2", 2)
        again.approve()
        assert finished(run).stats.asked == 1
        assert run.stats.reruns == 0

    def test_the_node_learns_why_its_answer_was_rejected(self, support):
        told = []

        def draft(state: State) -> State:
            told.append(get_config()["configurable"].get("rejection"))
            return {"answer": "a draft"}

        graph = StateGraph(State).add_node(draft).add_edge(START, "draft").compile(name="told")
        dbg = support.debug(graph)
        dbg.stop("after:draft")
        run = dbg.start({"question": "refund"})
        held(run)[0].reject("too long", then="retry")
        held(run)[0].approve()
        assert finished(run).status == "done"
        assert told == [None, "too long"]

    def test_a_rejection_is_an_error_of_its_public_class(self, support):
        run = at(support, "after:draft", lambda q: q.reject("no", by="ana"))
        assert type(run.error) is Rejected
        assert str(run.error) == "Rejected by ana at draft#0@2: no"


class TestEdge:
    def test_it_shows_the_targets_and_what_the_router_read(self, support):
        dbg = support.debug()
        dbg.stop("edge:draft/by_score")
        (request,) = held(dbg.start({"question": "refund"}))
        assert request.routes == ("send",)
        assert set(request.pause.alternatives) == {"send", "__end__"}
        assert request.pause.reads >= {"score"}

    def test_redirect_replaces_them(self, support):
        run = at(support, "edge:draft", lambda q: q.redirect("classify"))
        assert support.calls == {"classify": 2, "draft": 2, "send": 1}
        assert run.status == "done"

    def test_skip_takes_none(self, support):
        run = at(support, "edge:draft", lambda q: q.skip())
        assert support.calls["send"] == 0
        assert run.status == "done"


class Wide(TypedDict, total=False):
    total: Annotated[int, operator.add]
    left: str
    right: str


@pytest.fixture
def wide():
    builder = StateGraph(Wide)
    builder.add_node("l", lambda state: {"total": 1, "left": "l"}).add_node(
        "r", lambda state: {"total": 2, "right": "r"}
    )
    return builder.add_edge(START, "l").add_edge(START, "r").compile(name="wide")


class TestStep:
    def held(self, support, wide):
        dbg = support.debug(wide)
        dbg.stop("step", once=True)
        run = dbg.start({"total": 10})
        return run, held(run)[0]

    def test_it_shows_who_writes_what_with_which_reducer(self, support, wide):
        run, request = self.held(support, wide)
        rows = {each.key: each for each in request.changes}
        assert rows["total"].writers == (("l#0@1", 1), ("r#0@1", 2))
        assert (rows["total"].old, rows["total"].new, rows["total"].reducer) == (10, 13, "add")
        assert run.step.writes == {"total": {"l@1": 1, "r@1": 2}, "left": {"l@1": "l"}, "right": {"r@1": "r"}}

    def test_edit_sets_final_values(self, support, wide):
        run, request = self.held(support, wide)
        request.edit({"total": 5, "left": {"$drop": True}})
        assert finished(run).result == {"total": 5, "right": "r"}

    def test_skip_drops_the_marked_tasks(self, support, wide):
        run, request = self.held(support, wide)
        request.skip(["r"])
        assert finished(run).result == {"total": 11, "left": "l"}

    def test_reject_commits_nothing(self, support, wide):
        run, request = self.held(support, wide)
        request.reject("no")
        assert finished(run).status == "failed"
        assert run.state == {"total": 10}

    def test_redirect_chooses_other_next_tasks(self, support, wide):
        run, request = self.held(support, wide)
        request.redirect(["l"])
        assert finished(run).result["total"] == 14


class TestBoundaries:
    @pytest.mark.parametrize("place", ["plan", "committed"])
    def test_edit_updates_the_state_through_the_reducers(self, support, place):
        run = at(support, place, lambda q: q.edit({"messages": ["noted"], "score": 1.0}))
        assert "noted" in run.result["messages"]

    def test_redirect_at_plan_runs_other_tasks(self, support):
        run = at(support, "plan", lambda q: q.redirect("send"))
        assert support.calls == {"send": 1}
        assert run.result["messages"] == ["sent: None"]

    def test_redirect_at_committed_runs_other_tasks(self, support):
        run = at(support, "committed", lambda q: q.redirect([Send("send", {"answer": "x"})]))
        assert run.result["messages"] == ["classified", "sent: x"]

    def test_reject_stops_the_run(self, support):
        run = at(support, "plan", lambda q: q.reject("enough"))
        assert run.status == "failed"
        assert support.calls == {}


class Fallible(TypedDict, total=False):
    n: int
    done: str


class TestError:
    def held(self, support):
        self.calls = Counter()

        def work(state: Fallible) -> Fallible:
            self.calls["work"] += 1
            if state["n"] < 1 and self.calls["work"] < 2:
                raise ValueError("n is too small")
            return {"done": f"with {state['n']}"}

        def other(state: Fallible) -> Fallible:
            self.calls["other"] += 1
            return {}

        builder = StateGraph(Fallible).add_node(work).add_node(other).add_node("spare", lambda state: {"done": "spare"})
        graph = builder.add_edge(START, "work").add_edge(START, "other").compile(name="fallible")
        dbg = support.debug(graph)
        dbg.stop("error")
        run = dbg.start({"n": 0})
        (request,) = held(run)
        assert request.title == "error:work"
        assert isinstance(request.error, ValueError)
        return run, request

    def test_rerun_runs_the_task_again_and_only_it(self, support):
        run, request = self.held(support)
        request.rerun()
        assert finished(run).result["done"] == "with 0"
        assert self.calls == {"work": 2, "other": 1}
        assert (run.stats.asked, run.stats.reruns) == (1, 0)

    def test_edit_runs_it_again_with_another_input(self, support):
        run, request = self.held(support)
        request.edit({"n": 5})
        assert finished(run).result == {"n": 0, "done": "with 5"}

    def test_respond_answers_for_it(self, support):
        run, request = self.held(support)
        request.respond({"done": "by hand"})
        assert finished(run).result["done"] == "by hand"

    def test_skip_goes_on_without_it(self, support):
        run, request = self.held(support)
        request.skip()
        assert finished(run).result == {"n": 0}

    def test_redirect_goes_elsewhere(self, support):
        run, request = self.held(support)
        request.redirect("spare")
        assert finished(run).result["done"] == "spare"

    def test_reject_raises_the_nodes_own_error(self, support):
        run, request = self.held(support)
        request.reject("hopeless")
        assert finished(run).status == "failed"
        assert isinstance(run.error, ValueError)
        assert "n is too small" in str(run.error)


class TestInterrupt:
    def held(self, support):
        self.calls = Counter()

        def ask(state: Fallible) -> Fallible:
            self.calls["ask"] += 1
            first = interrupt("how many?", response_schema=int)
            return {"n": first, "done": interrupt({"ok": first})}

        graph = StateGraph(Fallible).add_node(ask).add_edge(START, "ask").compile(name="asking")
        run = support.debug(graph).start({"n": 0})
        return run, held(run)[0]

    def test_the_node_waits_and_its_body_runs_once(self, support):
        run, request = self.held(support)
        assert (request.title, request.question, request.why) == ("interrupt:ask", "how many?", "the node asks")
        with pytest.raises(Exception, match="valid integer"):
            request.respond("many")
        request.respond(3)
        (second,) = held(run)
        assert second.question == {"ok": 3}
        second.respond("yes")
        assert finished(run).result == {"n": 3, "done": "yes"}
        assert self.calls["ask"] == 1
        assert run.stats.interrupts == 0

    def test_reject_raises_in_the_node(self, support):
        run, request = self.held(support)
        request.reject("nobody home")
        assert isinstance(finished(run).error, Rejected)


class TestEditedStep:
    """An edit of what a router has read makes it run again, unless a person has chosen where to go."""

    def test_the_preview_and_the_run_go_where_the_router_goes_now(self, support):
        dbg = support.debug()
        dbg.stop("step")
        run = dbg.start({"question": "refund"})
        held(run)[0].approve()
        (request,) = held(run)
        assert request.routes == ("send",)
        effect = request.preview({"score": 0.95})
        assert (effect.routes, effect.reruns_router) == ((), True)
        assert request.preview({"answer": "other"}).reruns_router is True, "the router has read it too"
        request.edit({"score": 0.95})
        assert finished(run).result["score"] == 0.95
        assert support.calls == {"classify": 1, "draft": 1}
        assert run.stats.routers == 2

    def test_an_edit_of_another_key_leaves_it(self, support):
        dbg = support.debug()
        dbg.stop("step")
        run = dbg.start({"question": "refund"})
        held(run)[0].approve()
        (request,) = held(run)
        effect = request.preview({"question": "other"})
        assert (effect.routes, effect.reruns_router) == (("send",), False)
        request.edit({"question": "other"})
        held(run)[0].approve()
        assert finished(run).stats.routers == 1

    def test_what_it_chooses_is_asked_about_at_edge(self, support):
        dbg = support.debug()
        dbg.stop("step", hits=2)
        dbg.stop("edge:draft")
        run = dbg.start({"question": "refund"})
        held(run)[0].approve()
        held(run)[0].edit({"score": 0.95})
        (request,) = held(run)
        assert (request.title, request.routes) == ("edge:draft", ())
        request.redirect("send")
        held(run)[0].approve()
        assert finished(run).result["messages"][-1] == "sent: about refund"

    def test_a_persons_choice_stays(self, support):
        dbg = support.debug()
        dbg.stop("step", hits=2)
        dbg.stop("edge:draft")
        run = dbg.start({"question": "refund"})
        held(run)[0].redirect("classify")
        held(run)[0].edit({"score": 0.95})
        (request,) = held(run)
        assert (request.title, request.step) == ("step", 3)
        run.cancel()


class TestRules:
    """scope="run": the same stop is decided like this for the rest of the run."""

    def looped(self, support):
        def turn(state: State) -> State:
            support.calls["turn"] += 1
            return {"messages": [f"turn {support.calls['turn']}"]}

        builder = StateGraph(State).add_node(turn).add_edge(START, "turn")
        builder.add_conditional_edges("turn", lambda state: END if len(state["messages"]) > 4 else "turn")
        return support.debug(builder.compile(name="looped"))

    def test_it_decides_until_it_is_revoked(self, support):
        dbg = self.looped(support)
        dbg.gate("after:turn", allow="approve edit", reason=True)
        stop = dbg.stop("before:turn", hits=4)
        run = dbg.start({"messages": []})
        held(run)[0].approve(by="ana", reason="harmless", scope="run")
        (request,) = held(run)
        assert (request.stop, support.calls["turn"]) == (stop, 3)
        assert repr(run.rules) == "(<Rule rule 1: after:turn → approve (by ana)>,)"
        assert "  rule 1: after:turn → approve (by ana); until run.revoke('rule 1')" in str(run).splitlines()
        run.revoke("rule 1")
        request.approve()
        (again,) = held(run)
        assert again.title == "after:turn"
        with pytest.raises(ValueError, match=r"run-1 has no rule 'rule 1'\. Rules: none\."):
            run.revoke("rule 1")
        assert list(run.audit()["reason"]) == [
            "harmless", "rule 1, made with request r1: harmless", "rule 1, made with request r1: harmless", None,
        ]  # fmt: skip
        assert run.audit()["then"][0] == "the same for the rest of the run"
        run.cancel()

    def test_it_does_not_end_a_step_that_a_person_ordered(self, support):
        dbg = self.looped(support)
        dbg.stop("after:turn")
        dbg.stop("plan", once=True)
        run = dbg.start({"messages": []})
        held(run)[0].approve()
        held(run)[0].approve(scope="run")
        run.pause()
        (request,) = held(run)
        run.next()
        (request,) = held(run)
        assert (request.place, request.why) == ("committed", "next step")
        run.cancel()

    @pytest.mark.parametrize(
        ("place", "verb", "args", "told"),
        [
            ("after:turn", "edit", {"value": {"messages": []}}, "`edit` is about what is shown now .*: approve reject"),
            ("pause", "approve", {}, r"none asked here \(paused by hand\)"),
            ("after:turn", "approve", {"scope": "always"}, "scope='always' is unknown. Use 'once' or 'run'."),
        ],
    )
    def test_what_cannot_be_a_rule_is_refused(self, support, place, verb, args, told):
        dbg = self.looped(support)
        dbg.stop("plan" if place == "pause" else place, once=True)
        run = dbg.start({"messages": []})
        (request,) = held(run)
        if place == "pause":
            run.next()
            (request,) = held(run)
            told = told.replace("paused by hand", "next step")
        with pytest.raises(DecisionError, match=told):
            request.decide(Decision(verb, args.get("value"), scope=args.get("scope", "run")))
        assert request.pending
        run.cancel()


class Loose(TypedDict, total=False):
    found: Any
    messages: Annotated[list[str], operator.add]


class TestWhatCannotBeStored:
    """It is refused while it can be mended: taken, it would fail the whole run."""

    @pytest.fixture
    def request_at(self, support):
        def node(state: Loose) -> Loose:
            return {"found": interrupt("what?"), "messages": ["n"]}

        graph = StateGraph(Loose).add_node("node", node).add_edge(START, "node").compile(name="loose")

        def start(spec: str) -> Any:
            dbg = support.debug(graph)
            dbg.stop(spec, once=True)
            run = dbg.start({"found": 1})
            return held(run)[0]

        return start

    @pytest.mark.parametrize("spec", ["plan", "before:node"])
    def test_an_edit_with_it_leaves_the_request_pending(self, request_at, spec):
        request = request_at(spec)
        with pytest.raises(EditError, match=r"found: this can't be stored.*object.*The request is still pending"):
            request.edit({"found": object()})
        assert request.pending
        request.edit({"found": {"a": [(1, 2)]}})
        request.run.inbox.wait(1, 5)
        answer = held(request.run)[0]
        answer.respond("yes")
        assert finished(request.run).result["found"] == "yes"

    def test_an_answer_with_it_leaves_the_question_pending(self, request_at):
        run = request_at("before:node").run
        run.go()
        run.inbox.wait(1, 5)
        question = held(run)[0]
        with pytest.raises(EditError, match=r"can't be stored.*\[0\].*still pending"):
            question.respond([object()])
        question.respond(["yes"])
        assert finished(run).result["found"] == ["yes"]

    def test_an_update_in_the_nodes_place_and_a_sends_argument_are_tried_too(self, request_at):
        request = request_at("before:node")
        with pytest.raises(EditError, match="found: this can't be stored"):
            request.respond({"found": object()})
        with pytest.raises(EditError, match=r"Send\(node\).*can't be stored"):
            request.redirect(Send("node", object()))
        request.respond(Command(update={"found": 2}))
        assert finished(request.run).result["found"] == 2

    def test_a_key_that_is_never_stored_takes_anything_between_supersteps(self, support):
        class Hidden(TypedDict, total=False):
            handle: Annotated[Any, UntrackedValue]

        graph = StateGraph(Hidden).add_node("node", lambda state: {"handle": 1}).add_edge(START, "node").compile()
        dbg = support.debug(graph)
        dbg.stop("plan", once=True)
        dbg.stop("after:node", once=True)
        run = dbg.start({"handle": 0})
        held(run)[0].edit({"handle": object()})
        run.inbox.wait(1, 5)
        (request,) = held(run)
        with pytest.raises(EditError, match="handle: this can't be stored"):
            request.edit({"handle": object()})  # what a task wrote is recorded whole, to go on from it elsewhere
        request.approve()
        assert finished(run).status == "done", run.error


class TestWhatIsShown:
    def test_an_edge_shows_what_the_update_makes_of_its_keys(self, support):
        dbg = support.debug()
        dbg.stop("edge:draft")
        run = dbg.start({"question": "refund"})
        (request,) = held(run)
        shown = {each.key: (each.old, each.new) for each in request.changes}
        assert shown["messages"] == (["classified"], ["classified", "drafted"])
        assert shown["answer"][1] == "about refund"

    def test_a_failed_router_shows_what_the_update_makes_of_its_keys(self, support):
        def route(state: State) -> str:
            raise ValueError("no way")

        builder = StateGraph(State).add_node("work", lambda state: {"messages": ["done"]}).add_edge(START, "work")
        dbg = support.debug(builder.add_conditional_edges("work", route, [END]).compile(name="no way"))
        dbg.stop("error:work")
        (request,) = held(dbg.start({"messages": ["first"]}))
        assert [(each.key, each.new) for each in request.changes] == [("messages", ["first", "done"])]
