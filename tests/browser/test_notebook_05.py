"""Chapter 5 as a reader goes through it: an agent's orders are changed, refused, or answered in the shop's place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, Panel

TOLD, STRICT_TOLD, BRANCH, BRANCH_TOLD, BY_HAND_TOLD = 10, 13, 15, 16, 20


@pytest.fixture
def notebook(open_chapter: Callable[[str], Notebook]) -> Notebook:
    """All cells have run, and each run is held before its order."""
    found = open_chapter("05_agent_with_tools")
    found.run_all()
    return found


def panel_of(notebook: Notebook, index: int) -> Panel:
    return notebook.panel(index).until_live().until_stopped_at("before:tools")


def confirm(panel: Panel, verb: str) -> None:
    panel.root.locator(".sg-act").get_by_role("button", name=verb, exact=True).click()


def told(notebook: Notebook, cell: int) -> str:
    notebook.run_cell(cell)
    return notebook.text(cell)


def test_an_order_is_changed_before_it_is_made(notebook: Notebook) -> None:
    assert "held: decide in the panel" in notebook.text(TOLD)
    panel = panel_of(notebook, 0)
    card = panel.root.locator(".sg-cardbody")
    expect(card).to_contain_text("pencils")
    expect(card).not_to_contain_text("out of pencils")
    panel.tab("State")
    panel.panel("state").get_by_role("treeitem", name="messages").click()
    expect(panel.panel("state")).to_contain_text("ai: stock(item: “pencils”)")
    panel.root.scroll_into_view_if_needed()
    notebook.picture("notebook-05-held")

    panel.click("Edit")
    panel.field("tool_call").get_by_label("pieces", exact=True).fill("50")
    expect(panel.root.locator(".sg-then")).to_contain_text("args › pieces")
    panel.picture("notebook-05-edit")
    panel.click("Apply edit").until("done")
    said = told(notebook, TOLD)
    assert "tool  50 pencils ordered for 20.00" in said
    assert "ordered: [('pencils', 50)]" in said


def test_orders_are_refused_and_the_model_learns_why(notebook: Notebook) -> None:
    strict = panel_of(notebook, 1)
    strict.click("Reject")
    expect(strict.root.get_by_label("then")).to_have_count(0)
    strict.root.get_by_label("reason").fill("nobody uses them")
    confirm(strict, "Reject")
    strict.until("failed")
    assert "nobody uses them" in told(notebook, STRICT_TOLD)

    notebook.run_cell(BRANCH)
    branch = panel_of(notebook, 2)
    branch.click("Respond")
    expect(branch.field("messages").get_by_label("messages content", exact=True)).to_be_focused()
    notebook.page.keyboard.type("no erasers this year")
    confirm(branch, "Respond")
    branch.until("done")
    assert "This is what I heard: no erasers this year." in told(notebook, BRANCH_TOLD)

    by_hand = panel_of(notebook, 3)
    expect(by_hand.root.locator(".sg-then")).not_to_contain_text("error_handler")
    by_hand.click("Reject")
    by_hand.root.get_by_label("reason").fill("ask again in May")
    by_hand.root.get_by_label("then").select_option("then go to the error handler")
    confirm(by_hand, "Reject")
    by_hand.until("done")
    expect(by_hand.node("__error_handler__tools")).to_contain_text("on error")
    by_hand.root.scroll_into_view_if_needed()
    notebook.picture("notebook-05-by-hand")
    said = told(notebook, BY_HAND_TOLD)
    assert "This is what I heard: Rejected by panel at tools#0@4: ask again in May." in said
    assert "ordered: []" in said
