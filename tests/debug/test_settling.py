"""`settle()`: for the cells below a start, which wait for the run and never for a person."""

from __future__ import annotations

import sys
from threading import Timer
from types import SimpleNamespace

from stepgraph.debug import presence
from tests.debug.support import held


def test_a_run_that_ends_is_settled_with_true(support):
    run = support.debug().start({"question": "refund"})
    assert run.settle()
    assert run.status == "done"


def test_a_run_held_for_a_person_is_settled_with_false(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    assert not run.settle()
    assert run.pending()[0].title == "after:draft"


def test_a_policy_that_is_about_to_decide_is_waited_for(support, monkeypatch):
    monkeypatch.setattr(presence, "may_appear", lambda: True)
    monkeypatch.setattr(presence, "_nobody", False)
    monkeypatch.setattr(presence, "ANSWER_SECONDS", 0.2)
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}).unattended("approve")
    held(run)
    assert run.settle()
    assert run.inbox.all()[0].decided.by == presence.BY


def test_what_a_policy_leaves_to_a_person_is_not_waited_for(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}).unattended(lambda q: None)
    assert not run.settle()


def test_a_front_end_that_answers_ends_the_wait(support, monkeypatch):
    monkeypatch.setattr(presence, "may_appear", lambda: True)
    monkeypatch.setattr(presence, "_nobody", False)
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}).unattended("approve")
    held(run)
    Timer(0.1, setattr, (run, "attended", True)).start()
    assert not run.settle()
    assert run.status == "held"


def test_where_an_editor_sent_the_cell_its_panel_gets_more_time(support, monkeypatch):
    monkeypatch.setattr(presence, "may_appear", lambda: True)
    monkeypatch.setattr(presence, "from_editor", lambda: True)
    monkeypatch.setattr(presence, "_nobody", True)
    monkeypatch.setattr(presence, "ANSWER_SECONDS", 0.0)
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}).unattended("approve")
    assert not run.settle()
    assert run.status == "held"


def shell_with(monkeypatch, *, metadata):
    """Pretend that a kernel runs a cell sent with this metadata."""
    shell = SimpleNamespace(kernel=object(), get_parent=lambda: {"metadata": metadata})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_front_end_may_appear_in_a_kernel_before_any_panel_was_shown(monkeypatch):
    shell_with(monkeypatch, metadata={})
    monkeypatch.delitem(sys.modules, "ipywidgets", raising=False)
    assert presence.may_appear()


def test_no_front_end_can_appear_outside_a_kernel(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not presence.may_appear()


def test_an_editor_is_known_by_the_names_it_gives_its_cells(monkeypatch):
    shell_with(monkeypatch, metadata={"cellId": "3f"})
    assert presence.from_editor()
    shell_with(monkeypatch, metadata={})
    assert not presence.from_editor()


def test_a_bot_that_reads_the_requests_is_waited_for(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    reading = iter(run.requests())
    Timer(0.1, next(reading).approve).start()
    assert run.settle()
