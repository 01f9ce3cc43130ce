"""What was ordered and has not happened yet is said; a policy that wants a reason gets a place to write it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import HELD, SUPPORT

LONG = """
import threading
from typing import TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Count(TypedDict, total=False):
    n: int


free = threading.Event()


def load(state):
    print("file 3 of 9")
    free.wait(60)
    return {"n": 1}


graph = StateGraph(Count)
graph.add_node("load", load)
graph.add_node("after", lambda state: {"n": 2})
graph.add_edge(START, "load")
graph.add_edge("load", "after")
graph.add_edge("after", END)
dbg = debug(graph.compile(name="long"))
run = dbg.start({"n": 0})
run
"""


def test_a_pause_is_told_until_the_run_holds(open_notebook: Opener) -> None:
    notebook = open_notebook([LONG, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("running")
    why = panel.root.locator(".sg-why")
    expect(why).to_contain_text("RUNNING")
    expect(why).to_contain_text("load: file 3 of 9")

    panel.click("Pause")
    expect(why).to_contain_text("PAUSING")
    expect(why).to_contain_text("holds at the next place")
    panel.picture("pausing")

    notebook.run_source(1, "free.set()")
    panel.until_stopped_at("after:load")
    expect(why).not_to_contain_text("PAUSING")


def test_a_run_whose_node_does_not_end_is_broken_off(open_notebook: Opener) -> None:
    endless = LONG.replace("free.wait(60)", "while not free.wait(0.01): pass")
    notebook = open_notebook([endless])
    notebook.run_all()
    panel = notebook.panel().until_live().until("running")
    panel.click("Stop run").root.get_by_text("Really stop?").click()
    expect(panel.root.locator(".sg-why")).to_contain_text("ENDING")
    expect(panel.root.locator(".sg-why")).to_contain_text("waits for the end of its node")

    panel.root.get_by_text("Break off…").click()
    panel.root.get_by_text("Really stop?").click()
    panel.until("cancelled")


def test_a_gate_that_wants_a_reason_asks_for_it_by_mouse_and_by_key(open_notebook: Opener) -> None:
    gate = 'dbg.gate("after:draft", allow="approve reject", reason=True)'
    notebook = open_notebook([SUPPORT, HELD.replace('dbg.stop("after:draft")', gate), ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:draft")
    panel.click("Continue")
    expect(panel.root.locator(".sg-banner")).to_contain_text("a question that going on can't answer")

    panel.click("Approve")
    reason = panel.root.get_by_label("reason")
    expect(reason).to_be_focused()
    panel.root.press("Escape")
    expect(reason).to_have_count(0)
    panel.root.press("a")
    expect(reason).to_be_focused()
    notebook.page.keyboard.type("it is true")
    notebook.page.keyboard.press("Control+Enter")
    panel.until("done")
    expect(panel.root.locator(".sg-banner")).to_be_hidden()
    assert notebook.run_source(2, "print(list(run.audit()['reason']))") == "['it is true']\n"
