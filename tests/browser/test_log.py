"""The list of events when more happened than anybody can read: it says what it left out, and fetches it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import HELD, SUPPORT

# While nothing is sent, as when a node in C keeps the kernel from everything else.
MANY = """
from stepgraph.core.events import TaskEmitted
from stepgraph.panels.run_panel import panel_of
panel = panel_of(run)
send, panel.send_batch = panel.send_batch, lambda: True
for number in range(9_000):
    run.hub.publish(TaskEmitted((), 2, 0.0, "t", "draft", "custom", number))
panel.send_batch = send
print(run.hub.next)
"""


def test_what_was_left_out_is_said_in_its_place_and_fetched_when_pressed(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:draft").tab("Events")
    before = int(panel.attribute("events"))

    told = int(notebook.run_source(2, MANY))
    expect(panel.root).to_have_attribute("data-events", str(told))
    left = int(panel.attribute("left"))
    assert before + left + 100 == told
    assert panel.attribute("lost") == "0"

    log = panel.panel("log")
    expect(log).to_contain_text(f"{told:,} events, {left:,} of them not listed")
    expect(log.locator(".sg-event").last).to_contain_text("8999")
    log.locator(".sg-virtual").evaluate("(list, row) => { list.scrollTop = 20 * row - 100; }", before)
    gap = log.get_by_role("button", name="events not listed")
    expect(gap).to_have_text(f"{left:,} events not listed, {before:,} to {told - 101:,}: show the last 500 of them")
    gap.click()
    expect(gap).to_contain_text(f"{left - 500:,} events not listed")
    expect(log.locator(".sg-event", has_text="custom: 8400")).to_have_count(1)
