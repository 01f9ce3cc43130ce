"""Chapter 4 with the mouse alone: cells are run from the toolbar, batches and corrections decided by clicks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, Panel

PANEL, CLEAN, AUDIT = 17, 19, 21
BATCHES = ("names", "comments", "sexes", "ids", "sizes", "apply")


class Reader:
    """Somebody with a mouse and no keyboard."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page

    @property
    def panel(self) -> Panel:
        return self.notebook.panel()

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.notebook.until_idle()

    def restart_and_run_all(self) -> None:
        """The button with two arrows, and its question."""
        self.page.get_by_role("button", name="Restart the kernel and run all cells").click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel?.status !== 'idle'"
        )
        self.notebook.until_ready()
        self.notebook.until_idle()

    def run(self, cell: int) -> str:
        """Click the cell, and the button with the arrow; what it says then."""
        self.notebook.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-InputPrompt").click()
        self.page.get_by_role("button", name="Run this cell and advance").click()
        self.notebook.until_idle()
        return self.notebook.text(cell)

    def until_waiting(self, count: int) -> None:
        expect(self.panel.root).to_contain_text(f"{count} waiting")

    def look_at(self, batch: str) -> None:
        """Turn to the batch, if several wait. A card that was just decided may be there for a moment more."""
        head = self.panel.root.locator(".sg-cardhead strong")
        following = self.panel.root.get_by_label("next request")
        for _ in BATCHES:
            if head.inner_text() == f"proposed by {batch}":
                return
            if not following.count():
                break
            following.click()
        expect(head).to_have_text(f"proposed by {batch}")

    def approve(self, *batches: str) -> None:
        for batch in batches:
            self.look_at(batch)
            self.panel.click("Approve")
            expect(self.panel.node(batch)).not_to_have_attribute("data-state", "held")

    def untick(self, *rows: int) -> None:
        """Open the form and take single corrections out of the batch."""
        self.panel.click("Edit")
        lines = self.panel.field("corrections").locator("tbody tr")
        for row in rows:
            lines.nth(row).get_by_role("checkbox").uncheck()


@pytest.fixture
def reader(open_chapter: Callable[[str], Notebook]) -> Reader:
    """All cells have run, and the run is held."""
    found = Reader(open_chapter("04_clean_real_data"))
    found.run_all()
    found.panel.until_live().until("held")
    found.until_waiting(2)
    return found


def test_each_batch_is_decided_and_the_result_is_a_clean_table_with_an_audit(reader: Reader) -> None:
    assert "held: decide in the panel" in reader.run(CLEAN)
    reader.look_at("comments")
    expect(reader.panel.change("corrections")).to_contain_text("Nest never observed with full clutch.")
    reader.panel.root.scroll_into_view_if_needed()
    reader.notebook.picture("notebook-04-held")
    reader.approve("comments", "names")

    reader.panel.until_stopped_at("after:sexes")
    reader.untick(1, 2, 3, 4)
    expect(reader.panel.root.locator(".sg-thenhead")).to_have_text("then, with this edit")
    reader.panel.root.scroll_into_view_if_needed()
    reader.panel.picture("notebook-04-edit")
    reader.panel.click("Apply edit")

    reader.until_waiting(2)
    reader.look_at("sizes")
    reader.panel.click("Skip")
    reader.until_waiting(1)
    reader.approve("ids")
    reader.panel.until_stopped_at("after:apply")
    expect(reader.panel.change("table").locator("tbody")).to_contain_text("Adelie Penguin (Pygoscelis adeliae)")
    reader.panel.picture("notebook-04-apply")
    reader.approve("apply")
    reader.panel.until("done")

    clean = reader.run(CLEAN)
    assert "held" not in clean
    assert "N24A1-0809" in clean
    audit = reader.run(AUDIT)
    for line in ("comments panel        0    10", "sexes    panel        4     7", "sizes    panel        5     0"):
        assert line in audit
    reader.notebook.picture("notebook-04-audit")


def test_a_stop_a_step_back_and_a_fork_with_other_decisions(reader: Reader) -> None:
    reader.approve("names", "comments")
    reader.panel.until_stopped_at("after:sexes")
    reader.panel.node("sizes").click()
    reader.panel.root.get_by_role("menuitemcheckbox", name="Stop before it runs").click()
    expect(reader.panel.node("sizes")).to_have_attribute("data-stop", "on")
    reader.approve("sexes")
    expect(reader.panel.node("sizes")).to_have_attribute("data-state", "held")
    expect(reader.panel.root.locator(".sg-cardhead")).to_contain_text("of 2 waiting")

    reader.panel.root.get_by_role("button", name="step back").click()
    reader.panel.root.get_by_role("button", name="step back").click()
    expect(reader.panel.root).to_have_attribute("data-at", "1")
    reader.panel.root.locator(".sg-banner").get_by_role("button", name="Fork here…").click()
    reader.panel.root.locator(".sg-forkform").get_by_role("button", name="Fork", exact=True).click()
    expect(reader.panel.root.locator(".sg-branchname")).to_contain_text("fork 1")
    reader.panel.until_stopped_at("after:sexes")
    reader.panel.click("Skip")
    reader.until_waiting(2)
    told = reader.notebook.run_source(AUDIT, "[(each.branch, len(each.state['corrections'])) for each in run.tree()]")
    assert told == "[('main', 26), ('fork 1', 15)]"


def test_after_a_restart_of_the_kernel_the_run_is_back_with_what_was_waiting(reader: Reader) -> None:
    reader.approve("names", "comments")
    reader.panel.until_stopped_at("after:sexes")
    reader.restart_and_run_all()
    reader.panel.until_live().until_stopped_at("after:sexes")
    reader.approve("sexes")
    reader.until_waiting(2)
    reader.approve("ids", "sizes")
    reader.panel.until_stopped_at("after:apply")
    reader.approve("apply")
    reader.panel.until("done")
    assert "held" not in reader.run(CLEAN)
    audit = reader.run(AUDIT)
    assert "names    panel     5" in audit
    assert "sexes    panel    11" in audit
