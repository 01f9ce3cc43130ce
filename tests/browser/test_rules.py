"""A decision for the rest of the run: made with a tick, drawn with the stops and on its node, taken back by a click."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import SUPPORT

LOOP = """
builder = StateGraph(Ticket)
builder.add_node("turn", lambda state: {"messages": [f"turn {len(state['messages'])}"]})
builder.add_edge(START, "turn")
builder.add_conditional_edges("turn", lambda state: END if len(state["messages"]) > 9 else "turn", ["turn", END])
dbg = debug(builder.compile(name="turns"))
dbg.stop("after:turn")
dbg.stop("before:turn", when=lambda q: len(q.state["messages"]) in (3, 5))
"""


def test_a_stop_is_decided_for_the_rest_of_the_run_until_that_is_taken_back(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, f'{LOOP}\nrun = dbg.start({{"messages": []}})\nrun', ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:turn")
    panel.root.get_by_label("for the rest of the run").check()
    panel.click("Approve").until_stopped_at("before:turn")
    rule = panel.root.locator("[data-rule]")
    expect(rule).to_contain_text("approve for the rest of the run · by panel")
    expect(panel.root.get_by_label("for the rest of the run")).not_to_be_checked()
    expect(panel.node("turn")).to_have_attribute("data-stop", "on")  # the other stop still asks
    panel.picture("rule")
    panel.root.get_by_label("before:turn on").uncheck()
    expect(panel.node("turn")).to_have_attribute("data-stop", "rule")
    panel.root.get_by_label("before:turn on").check()
    panel.click("Approve").until_stopped_at("before:turn")
    panel.root.get_by_role("button", name="ask again at after:turn").click()
    expect(rule).to_have_count(0)
    panel.click("Approve").until_stopped_at("after:turn")
    assert notebook.run_source(2, "print(run.rules, len(run.state['messages']))") == "() 5\n"
