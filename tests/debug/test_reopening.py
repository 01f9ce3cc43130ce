"""A held run whose kernel was killed is reopened in another process, where it was, and nothing runs again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.debug.left import Shapes
from tests.debug.support import finished, held


@pytest.fixture
def leave(tmp_path):
    """Hold a run in another process and kill that process."""
    running = []

    def leave(shape, *stops, answered=0):
        db = str(tmp_path / "runs.db")
        command = [sys.executable, "-m", "tests.debug.left", db, shape, str(answered), *stops]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
        process.wait()
        return Shapes(db)

    yield leave
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("stop", "title", "step"),
    [
        ("before:b", "before:b", 2),
        ("after:b", "after:b", 2),
        ("edge:b", "edge:b", 2),
        ("step", "step", 1),
        ("plan", "plan", 2),
        ("committed", "committed", 1),
    ],
)
def test_a_request_is_pending_again_where_it_was(leave, stop, title, step):
    shapes = leave("chain", stop)
    before = shapes.calls()
    dbg = shapes.session("chain")
    run = dbg.open("t1")
    (request,) = held(run)
    assert (request.title, request.step) == (title, step)
    assert request.why.startswith("reopened: ")
    assert shapes.calls() == before
    request.approve()
    assert finished(run).result == {"seen": ["a", "b", "c"]}
    assert shapes.calls() == {"a": 1, "b": 1, "c": 1}
    assert run.stats.reruns == 0
    assert dbg.open("t1") is run


def test_the_proposal_can_be_edited_and_the_policy_still_holds(leave):
    shapes = leave("chain", "after:b")
    run = shapes.session("chain").open("t1")
    (request,) = held(run)
    assert request.value == {"seen": ["b"]}
    assert request.allow == ("approve", "edit", "suspend")
    assert request.why == "reopened: gate g1"
    request.edit({"seen": ["edited"]})
    assert finished(run).result == {"seen": ["a", "edited", "c"]}
    assert [row.nodes for row in run.history()] == [(), ("a",), ("b",), ("c",)]
    assert run.at(1).state == {"seen": ["a"]}


def test_parallel_tasks_are_each_where_they_were(leave):
    shapes = leave("parallel", "before:a", "after:b")
    run = shapes.session("parallel").open("t1")
    requests = {request.title: request for request in held(run, 2)}
    assert set(requests) == {"before:a", "after:b"}
    assert shapes.calls() == {"b": 1, "c": 1}
    requests["after:b"].approve()
    run.go()
    assert finished(run).result == {"seen": ["a", "b", "c"]}
    assert shapes.calls() == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("stop", ["after:sub/y", "before:sub/y", "step:sub"])
def test_a_request_inside_a_subgraph_is_pending_again(leave, stop):
    shapes = leave("nested", stop)
    run = shapes.session("nested").open("t1")
    (request,) = held(run)
    assert request.title == stop
    request.approve()
    assert finished(run).result == {"seen": ["x", "y", "z"]}
    assert shapes.calls() == {"x": 1, "y": 1, "z": 1}


@pytest.mark.parametrize("answered", [0, 1])
def test_what_a_node_asked_is_asked_without_entering_its_body(leave, answered):
    shapes = leave("asking", answered=answered)
    run = shapes.session("asking").open("t1")
    (request,) = held(run)
    assert (request.title, request.question) == ("interrupt:ask", ["first?", "second?"][answered])
    assert shapes.calls() == {"ask": 1}
    request.respond("late")
    if not answered:
        held(run)[0].respond("later")
    assert finished(run).result == {"seen": [["late", "later"], ["early", "late"]][answered]}
    assert shapes.calls() == {"ask": 2}
    assert run.stats.interrupts == 1
    assert run.stats.reruns == 0


def test_a_question_of_another_process_can_be_rejected(leave):
    shapes = leave("asking")
    run = shapes.session("asking").open("t1")
    held(run)[0].reject("not now")
    assert finished(run).status == "failed"
    assert str(run.error) == "Rejected at ask#0@1: not now"
    assert shapes.calls() == {"ask": 2}, "entered once more, to be told"


def test_a_failure_inside_a_subgraph_of_another_process_can_be_rejected(leave):
    shapes = leave("failing_inside", "error:sub/*")
    run = shapes.session("failing_inside").open("t1")
    held(run)[0].reject("enough")
    assert finished(run).status == "failed"
    assert str(run.error) == "ValueError: not the first time"
    assert shapes.calls() == {"fails": 1}


def test_a_failure_is_asked_about_again_without_running_the_body(leave):
    shapes = leave("failing", "error")
    run = shapes.session("failing").open("t1")
    (request,) = held(run)
    assert (request.title, request.why) == ("error:fails", "reopened: stop s1")
    assert str(request.error) == "ValueError: not the first time"
    assert "in fails" in "".join(request.error.__notes__), "the traceback of the earlier process is told"
    assert request.allow == ("rerun", "edit", "respond", "skip", "redirect", "reject", "suspend")
    assert shapes.calls() == {"fails": 1}
    request.rerun()
    assert finished(run).result == {"seen": ["fails"]}
    assert shapes.calls() == {"fails": 2}
    assert (run.stats.reruns, run.stats.asked) == (0, 1)


@pytest.mark.parametrize(
    ("verb", "value", "seen"),
    [("respond", {"seen": ["by hand"]}, ["by hand"]), ("skip", None, []), ("reject", "enough", None)],
)
def test_a_failure_of_another_process_can_be_decided_like_one_of_this(leave, verb, value, seen):
    shapes = leave("failing", "error")
    run = shapes.session("failing").open("t1")
    (request,) = held(run)
    getattr(request, verb)(*([] if value is None else [value]))
    if seen is None:
        assert finished(run).status == "failed"
        assert str(run.error) == "ValueError: not the first time"
    else:
        assert finished(run).result == {"seen": seen}
    assert shapes.calls() == {"fails": 1}


def test_a_failure_of_another_process_can_go_to_the_error_handler(leave):
    shapes = leave("handled", "error:fails")
    run = shapes.session("handled").open("t1")
    held(run)[0].reject("give up", then="route")
    assert finished(run).result == {"seen": ["handled ValueError: never"]}
    assert shapes.calls() == {"fails": 1, "handles": 1}


def test_a_held_error_handler_is_held_again(leave):
    shapes = leave("handled", "before:__error_handler__fails")
    run = shapes.session("handled").open("t1")
    (request,) = held(run)
    assert request.title == "before:__error_handler__fails"
    assert shapes.calls() == {"fails": 1}
    request.approve()
    assert finished(run).result == {"seen": ["handled never"]}
    assert shapes.calls() == {"fails": 1, "handles": 1}


def test_where_a_router_failed_it_alone_is_asked_again(leave):
    shapes = leave("routing", "error")
    run = shapes.session("routing").open("t1")
    (request,) = held(run)
    assert (request.title, str(request.error)) == ("error:a", "ValueError: no way yet")
    assert shapes.calls() == {"a": 1, "route": 1}
    request.rerun()
    assert finished(run).result == {"seen": ["a", "b"]}
    assert shapes.calls() == {"a": 1, "route": 2, "b": 1}


def test_an_edit_of_a_whole_step_of_another_process_lets_the_routers_run_again(leave):
    shapes = leave("choosing", "step")
    run = shapes.session("choosing").open("t1")
    (request,) = held(run)
    assert request.preview({"seen": {"$set": ["far"]}}).routes == ("c", "b")
    request.edit({"seen": {"$set": ["far"]}})
    assert sorted(finished(run).result["seen"]) == ["b", "c", "far"], "the goto of the node's Command stays"
    assert shapes.calls() == {"a": 1, "b": 1, "c": 1}
    assert run.stats.reruns == 0


def test_a_choice_of_another_process_stays_when_the_whole_step_is_edited(leave):
    """The routers ran, a person sent the task elsewhere, and the process was killed while the step was asked about."""
    shapes = leave("choosing", "edge:a", "step", answered="redirect")
    run = shapes.session("choosing").open("t1")
    (request,) = held(run)
    assert request.title == "step"
    request.edit({"seen": {"$set": ["far"]}})
    assert finished(run).result == {"seen": ["far", "d"]}


def test_a_question_after_the_last_checkpoint_is_asked_again(leave):
    shapes = leave("single", "committed")
    dbg = shapes.session("single")
    assert dbg.threads()[0]["status"] == "suspended"
    run = dbg.open("t1")
    (request,) = held(run)
    assert (request.title, request.step, request.state) == ("committed", 1, {"seen": ["a"]})
    request.edit({"seen": ["more"]})
    assert finished(run).result == {"seen": ["a", "more"]}
    assert dbg.threads()[0]["status"] == "done"
    assert shapes.calls() == {"a": 1}


def test_committed_and_the_plan_after_it_are_two_questions_also_when_reopened(leave):
    shapes = leave("chain", "committed")
    dbg = shapes.session("chain")
    dbg.stop("plan")
    run = dbg.open("t1")
    held(run)[0].approve()
    (request,) = held(run)
    assert (request.title, request.step, request.why) == ("plan", 2, "stop s1")
    run.cancel()


@pytest.mark.parametrize("place", ["plan", "before:b", "committed"])
def test_what_was_decided_is_not_asked_again_but_nothing_runs_unasked(leave, place):
    """The first process was killed in the body of b, after the question before it was decided."""
    shapes = leave("blocking", place, answered=1)
    run = shapes.session("blocking").open("t1")
    (request,) = held(run)
    where = place.partition(":")[0]
    assert request.title in ("plan", "before:b")
    assert request.why.startswith(f"reopened: {where} was decided by ana (approve), then the run was left")
    assert shapes.calls() == {"a": 1, "b": 1}
    run.cancel()


def test_an_answer_outlives_its_process(leave):
    """The node had its first answer and asked no more before the process was killed."""
    shapes = leave("asking_once", answered=1)
    run = shapes.session("asking_once").open("t1")
    (request,) = held(run)
    assert request.title == "before:ask"
    assert "interrupt was decided (respond), then the run was left" in request.why
    shapes.file.with_suffix(".go").touch()
    request.approve()
    assert finished(run).result == {"seen": ["early"]}
    assert shapes.calls() == {"ask": 2}
    assert (run.stats.interrupts, run.stats.reruns) == (1, 0)


def test_a_rejected_answer_does_not_come_back(leave):
    """Rejected with then="retry"; the process was killed while the node ran again."""
    shapes = leave("blocking", "after:b", answered=1)
    run = shapes.session("blocking").open("t1")
    (request,) = held(run)
    assert request.title == "before:b"
    assert "after was decided by ana (reject), then the run was left" in request.why
    shapes.file.with_suffix(".go").touch()
    request.approve()
    assert finished(run).result == {"seen": ["a", "b"]}


def test_a_run_that_was_suspended_goes_on_in_this_process_too(support, tmp_path):
    shapes = Shapes(str(tmp_path / "runs.db"))
    dbg = shapes.session("parallel")
    dbg.stop("after:b")
    run = dbg.start({"seen": []}, thread="t1")
    held(run)[0].suspend()
    assert finished(run).status == "suspended"
    assert "goes on with run.go()" in str(run)
    run.go()
    held(run)[0].approve()
    assert finished(run).result == {"seen": ["a", "b", "c"]}
    assert shapes.calls() == {"a": 1, "b": 1, "c": 1}
    assert run.stats.reruns == 0


def test_a_question_suspended_live_is_asked_again(support, tmp_path):
    shapes = Shapes(str(tmp_path / "runs.db"))
    dbg = shapes.session("asking")
    run = dbg.start({"seen": []}, thread="t1")
    held(run)[0].suspend()
    assert finished(run).status == "interrupted"
    again = dbg.open("t1")
    held(again)[0].respond("one")
    held(again)[0].respond("two")
    assert finished(again).result == {"seen": ["one", "two"]}


def test_threads_lists_what_other_processes_left(leave):
    shapes = leave("chain", "after:b")
    dbg = shapes.session("chain")
    ((row),) = dbg.threads()
    assert (row["thread"], row["status"], row["step"], row["next"]) == ("t1", "suspended", 1, ["b"])
    with pytest.raises(ValueError, match=r"No thread 't2'\. Threads: t1\."):
        dbg.open("t2")


def test_a_fork_of_a_reopened_run_carries_its_proposals(leave):
    shapes = leave("chain", "after:b")
    dbg = shapes.session("chain")
    run = dbg.open("t1")
    held(run)
    dbg.stop("after:b")
    fork = run.fork()
    held(fork)[0].edit({"seen": ["forked"]})
    assert finished(fork).result == {"seen": ["a", "forked", "c"]}
    assert shapes.calls() == Counter("abc")
    reopened = dbg.open("t1~2")
    assert reopened is fork
    assert reopened.at(1).state == {"seen": ["a"]}


def test_a_finished_thread_opens_as_done(tmp_path, support):
    from stepgraph.debug import session as sessions

    shapes = Shapes(str(tmp_path / "runs.db"))
    finished(shapes.session("chain").start({"seen": []}, thread="t1"))
    sessions._sessions.clear()
    run = shapes.session("chain").open("t1")
    assert (run.status, run.result) == ("done", {"seen": ["a", "b", "c"]})
    assert [row.nodes for row in run.history()] == [(), ("a",), ("b",), ("c",)]
    assert run.go() is run


def test_the_table_of_tasks_has_those_of_earlier_processes(leave):
    pytest.importorskip("pandas")
    shapes = leave("chain", "after:b")
    dbg = shapes.session("chain")
    run = dbg.open("t1")
    held(run)[0].edit({"seen": ["edited"]})
    table = finished(run).steps()
    assert table[["step", "node", "status"]].to_numpy().tolist() == [
        [1, "a", "done"],
        [2, "b", "carried"],
        [3, "c", "done"],
    ]
    assert table["writes"].tolist() == [{"seen": ["a"]}, {"seen": ["edited"]}, {"seen": ["c"]}]
    assert table["decision"].tolist() == [None, "edit", None]
    fork = finished(run.at(2).rerun())
    assert fork.steps()["node"].tolist() == ["a", "b", "c"]
    dbg.runs.clear()
    again = dbg.open("t1").steps()
    assert again["status"].tolist() == ["done"] * 3
    assert again["decision"].tolist() == [None, "edit", None]
    assert again["reads"].tolist() == [[]] * 3


def test_when_tasks_of_earlier_processes_ran_and_what_they_read_is_known(leave):
    pytest.importorskip("pandas")
    from stepgraph.debug import session as sessions

    began = time.time()
    shapes = leave("chain", "after:b")
    reopened = time.time()
    run = shapes.session("chain").open("t1")
    held(run)[0].approve()
    table = finished(run).steps()
    assert table["reads"].tolist() == [[]] * 3
    started = [each.timestamp() for each in table["started"]]
    assert began < started[0] < started[1] < reopened < started[2]
    assert all(0 <= seconds < reopened - began for seconds in table["seconds"]), "not the time in which it lay held"
    sessions._sessions.clear()
    again = shapes.session("chain").open("t1").steps()
    assert again["started"].tolist() == table["started"].tolist()
    assert again["seconds"].tolist() == pytest.approx(table["seconds"].tolist(), abs=1e-5)


def test_without_a_debugger_nothing_is_kept_of_times(tmp_path, support):
    pytest.importorskip("pandas")
    shapes = Shapes(str(tmp_path / "runs.db"))
    app = shapes.chain().compile(checkpointer=f"sqlite:///{shapes.db}", name="chain")
    app.invoke({"seen": []}, thread="t1", durability="sync")
    table = shapes.session("chain").open("t1").steps()
    assert table["reads"].tolist() == [None] * 3
    assert table["started"].isna().all()
