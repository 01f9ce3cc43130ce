"""Chapter 1 as a reader goes through it: run all, look back in the panel, set a stop, change an answer, fork."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.lab import Notebook

PANEL, STATES, TASKS = 14, 16, 18


def test_all_cells_run_and_the_panel_shows_each_step(open_chapter: Callable[[str], Notebook]) -> None:
    notebook = open_chapter("01_first_graph")
    notebook.run_all()
    panel = notebook.panel().until_live().until("done")
    for node in ("count", "choose", "write", "shorten"):
        expect(panel.node(node)).to_have_attribute("data-state", "done")
    panel.root.scroll_into_view_if_needed()
    notebook.picture("notebook-01")

    panel.root.get_by_role("option", name="step 1").click()
    expect(panel.node("shorten")).to_have_attribute("data-state", "")
    expect(panel.panel("state")).to_contain_text("favourite")
    expect(panel.panel("state")).not_to_contain_text("report")
    assert "3 knows ['favourite', 'notes', 'report', 'text', 'words']" in notebook.text(STATES)


def test_a_stop_set_by_a_click_holds_the_next_run_and_an_edit_is_what_later_cells_see(
    open_chapter: Callable[[str], Notebook],
) -> None:
    notebook = open_chapter("01_first_graph")
    notebook.run_all()
    panel = notebook.panel().until_live().until("done")
    panel.node("write").click()
    panel.root.get_by_role("menuitemcheckbox", name="Stop after it").click()

    notebook.run_cell(PANEL)
    panel = notebook.panel().until_live().until_stopped_at("after:write")
    panel.click("Edit")
    panel.field("report").get_by_label("report", exact=True).fill("A poem about better code.")
    expect(panel.root.locator(".sg-then strong")).to_have_text("END")
    panel.click("Apply edit").until("done")
    notebook.picture("notebook-01-edited")
    notebook.run_cell(TASKS)
    assert "shorten" not in notebook.text(TASKS)

    panel.root.get_by_role("button", name="step back").click()
    panel.root.locator(".sg-banner").get_by_role("button", name="Fork here…").click()
    panel.root.locator(".sg-forkform").get_by_role("button", name="Fork", exact=True).click()
    panel.until_stopped_at("after:write")
    panel.click("Approve").until("done")
    told = notebook.run_source(TASKS, "[(each.branch, each.result['report'][:9]) for each in run.tree()]")
    assert told == "[('main', 'A poem ab'), ('fork 1', '144 words')]"
