"""Chapter 2 as a reader goes through it: a stop with a condition, stepping with buttons, looking back, repairing."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.lab import Notebook

PANEL, HELD, STEPS, STOPS, BACK, AGAIN, REPAIRED = 8, 10, 12, 14, 16, 18, 19


def test_all_cells_run_one_after_the_other(open_chapter: Callable[[str], Notebook]) -> None:
    notebook = open_chapter("02_stop_and_step")
    notebook.run_all()
    assert "1237.16 becomes 1175.3" in notebook.text(HELD)
    assert "out   after:saving/fee" in notebook.text(STEPS)
    assert "reruns: 0" in notebook.text(STOPS)
    assert notebook.text(REPAIRED).startswith("done [1035.0")
    notebook.panel(1).until("done")
    notebook.panel().until_live().until("held").root.scroll_into_view_if_needed()
    notebook.picture("notebook-02")


def test_a_reader_steps_sets_a_stop_edits_and_forks_with_the_panel(open_chapter: Callable[[str], Notebook]) -> None:
    notebook = open_chapter("02_stop_and_step")
    for cell in range(PANEL + 1):
        notebook.run_cell(cell)
    panel = notebook.panel().until_live().until_stopped_at("after:saving/fee")
    expect(panel.root.locator(".sg-why")).to_contain_text("q.new < q.old * 0.99")
    expect(panel.node("saving/fee")).to_have_attribute("data-state", "held")
    panel.root.scroll_into_view_if_needed()
    notebook.picture("notebook-02-held")

    panel.click("Edit")
    panel.field("balance").get_by_label("balance", exact=True).fill("1230.97")
    panel.click("Apply edit")
    expect(panel.change("balance")).to_contain_text("1280.21")

    panel.click("Into").until_stopped_at("committed:saving")
    panel.click("Next").until_stopped_at("committed")
    panel.root.get_by_role("option", name="step 12").click()
    expect(panel.panel("state")).to_contain_text("1230.97")

    panel.node("book").click()
    panel.root.get_by_role("menuitemcheckbox", name="Stop before it runs").click()
    expect(panel.node("book")).to_have_attribute("data-stop", "on")

    panel.root.locator(".sg-banner").get_by_role("button", name="Fork here…").click()
    panel.root.locator(".sg-forkform").get_by_role("button", name="Fork", exact=True).click()
    expect(panel.root.locator(".sg-branchname")).to_contain_text("fork 1")
    panel.until_stopped_at("after:saving/fee")  # decided on the first branch: "changed my mind" starts there
    expect(panel.change("balance")).to_contain_text("1280.21")
    panel.click("Approve").until_stopped_at("before:book")
    notebook.run_cell(BACK)
    assert "year 6   1230.97" in notebook.text(BACK)


def test_cells_may_be_run_twice(open_chapter: Callable[[str], Notebook]) -> None:
    notebook = open_chapter("02_stop_and_step")
    notebook.run_all()
    first = [notebook.text(cell) for cell in (HELD, STEPS)]
    for cell in (PANEL, PANEL, HELD, STEPS, STEPS, STOPS, STOPS, BACK, AGAIN, AGAIN):
        notebook.run_cell(cell)
        notebook.text(cell)
    notebook.run_cell(PANEL)
    notebook.run_cell(HELD)
    assert notebook.text(HELD) == first[0]
