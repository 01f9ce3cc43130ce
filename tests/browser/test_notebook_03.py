"""Chapter 3 by keyboard alone: not even cells are run with anything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, Panel

START, RESULT, TASKS, STRICT, STRICT_RESULT, FORK, ALL = 7, 9, 11, 13, 14, 16, 17


class Reader:
    """Somebody with a keyboard and no mouse."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.keyboard = notebook.page.keyboard

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keyboard.press(key)

    def write(self, text: str) -> None:
        """Replace what is in the field."""
        self.press("Control+a")
        self.keyboard.type(text)

    def run_to(self, cell: int) -> None:
        """Run cells from the chosen one on, and stay on `cell`."""
        while (at := self.cell()) < cell:
            self.press("Shift+Enter")
            self.notebook.page.wait_for_function(
                "(at) => window.jupyterapp.shell.currentWidget.content.activeCellIndex > at", arg=at
            )
        self.press("Control+Enter")
        self.notebook.until_idle()

    def cell(self) -> int:
        index: int = self.notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
        return index

    def enter(self, panel: Panel) -> None:
        """From the cell into its panel."""
        for _ in range(4):
            self.press("Tab")
            if panel.root.evaluate("(root) => root === document.activeElement"):
                return
        raise AssertionError("Tab does not lead from the cell into its panel")

    def leave(self) -> None:
        """Back to the notebook, on the same cell."""
        self.press("Escape")


@pytest.fixture
def reader(open_chapter: Callable[[str], Notebook]) -> Reader:
    """At the top of the chapter, as it opens."""
    return Reader(open_chapter("03_hold_edit_resume"))


def test_an_edit_is_made_and_is_the_result(reader: Reader) -> None:
    reader.run_to(START)
    panel = reader.notebook.panel().until_live().until_stopped_at("after:draft")
    reader.enter(panel)
    reader.notebook.picture("notebook-03-held")
    expect(panel.root.locator(".sg-cardbody")).to_contain_text("36.0")

    reader.press("e")
    expect(panel.field("refund").get_by_label("refund", exact=True)).to_be_focused()
    reader.write("abc")
    expect(panel.field("refund").locator(".sg-problem")).to_contain_text("number")
    reader.write("20")
    expect(panel.root.locator(".sg-then strong")).to_have_text("send")
    reader.notebook.picture("notebook-03-edit")
    reader.press("Tab", "Tab")
    expect(panel.field("letter").get_by_label("letter", exact=True)).to_be_focused()
    reader.write("Dear Ana, here are 20.00.")
    reader.press("Control+Enter")
    panel.until("done")

    reader.leave()
    assert reader.cell() == START
    reader.press("ArrowDown", "ArrowDown", "Control+Enter")
    reader.notebook.until_idle()
    assert reader.notebook.text(RESULT) == "To the customer: Dear Ana, here are 20.00.\n"
    reader.run_to(TASKS)
    assert "nodes run again because of the stop: 0" in reader.notebook.text(TASKS)
    assert "manager" not in reader.notebook.text(TASKS)


def test_a_stop_a_step_back_and_a_fork(reader: Reader) -> None:
    reader.run_to(START)
    panel = reader.notebook.panel().until_live().until_stopped_at("after:draft")
    reader.enter(panel)
    for _ in range(6):
        reader.press("ArrowRight")
        if panel.node("send").get_attribute("data-selected") is not None:
            break
    reader.press("b")
    expect(panel.node("send")).to_have_attribute("data-stop", "on")
    reader.press("a", "Enter")
    panel.until_stopped_at("after:send")
    reader.press("a", "Enter")
    panel.until("done")

    reader.press("Home", "]")
    expect(panel.root).to_have_attribute("data-at", "1")
    reader.press("f")
    expect(panel.root.get_by_label("note")).to_be_focused()
    reader.keyboard.type("once more")
    reader.press("Control+Enter")
    expect(panel.root.locator(".sg-branchname")).to_contain_text("once more")
    panel.until_stopped_at("after:draft")
    reader.press("e")
    expect(panel.field("refund").get_by_label("refund", exact=True)).to_be_focused()
    reader.write("5")
    reader.press("Control+Enter")
    panel.until_stopped_at("after:send")
    reader.press("a", "Enter")
    panel.until("done")
    reader.notebook.picture("notebook-03-fork")


def test_a_rejection_with_its_reason_and_a_branch_beside_it(reader: Reader) -> None:
    reader.run_to(STRICT)
    panel = reader.notebook.panel(1).until_live().until_stopped_at("after:draft")
    reader.enter(panel)
    reader.press("x")
    expect(panel.root.get_by_label("reason")).to_be_focused()
    reader.keyboard.type("please explain")
    reader.press("Control+Enter")
    panel.until("failed")
    reader.leave()
    reader.press("ArrowDown", "Control+Enter")
    reader.notebook.until_idle()
    assert "please explain" in reader.notebook.text(STRICT_RESULT)
    assert "sent: []" in reader.notebook.text(STRICT_RESULT)

    reader.run_to(FORK)
    branch = reader.notebook.panel(2).until_live().until_stopped_at("after:draft")
    reader.press("ArrowDown", "Control+Enter")
    reader.notebook.until_idle()
    assert "held: decide in the panel" in reader.notebook.text(ALL)
    reader.press("ArrowUp")
    reader.enter(branch)
    reader.press("a", "Enter")
    branch.until("done")
    reader.leave()
    reader.press("ArrowDown", "Control+Enter")
    reader.notebook.until_idle()
    assert "we refund 8.00" in reader.notebook.text(ALL)
