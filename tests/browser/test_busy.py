"""While the kernel can't take clicks the panel says so, and afterwards every click has been done, once and in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import kernels
from tests.browser.lab import Notebook, Opener
from tests.browser.samples import HELD, SUPPORT

pytestmark = [pytest.mark.kernels, pytest.mark.slow]

# A cell that waits until the test lets it go, by one of the ways in which cells wait.
AWAIT = """
import asyncio, pathlib
while not pathlib.Path({flag!r}).exists():
    await asyncio.sleep(0.02)
print(run.status, len(dbg.stops))
"""
BLOCK = AWAIT.replace("await asyncio.sleep", "time.sleep").replace("asyncio", "time")
SAYS = "kernel busy: handled when the cell ends"


@pytest.fixture
def held(lab: tuple[str, Path], open_notebook: Opener) -> Notebook:
    """A run held at `after:draft` in the one kernel that handles no message while a cell awaits."""
    name = kernels.install("6.31", lab[1].parent / "data")
    notebook = open_notebook([SUPPORT, HELD, ""], kernel=name)
    notebook.run_all()
    notebook.panel().until_live().until_stopped_at("after:draft")
    return notebook


@pytest.mark.parametrize("waits", [AWAIT, BLOCK], ids=["awaits", "blocks"])
def test_clicks_during_a_cell_are_announced_kept_and_done_in_order(held: Notebook, tmp_path: Path, waits: str) -> None:
    flag = tmp_path / "go"
    held.set_source(2, waits.format(flag=str(flag)))
    held.run_cell(2, wait=False)
    panel = held.panel()
    banner = panel.root.locator(".sg-banner")

    panel.node("send_email").click()
    panel.root.get_by_role("menuitemcheckbox", name="Stop before it runs").click()
    expect(banner).to_have_text(f"{SAYS} (stop)")
    panel.click("Approve")
    expect(banner).to_have_text(f"{SAYS} (stop, decide)")
    expect(panel.button("Approve")).to_be_disabled()
    held.picture("kernel_busy")
    assert panel.attribute("status") == "held"

    flag.touch()
    panel.until_stopped_at("before:send_email")
    held.until_idle()
    expect(banner).to_be_hidden()
    assert held.text(2) == "held 1\n"
    assert held.run_source(2, "print(calls, [stop.spec for stop in dbg.stops])") == (
        "['classify', 'draft'] ['after:draft', 'before:send_email']\n"
    )


def test_a_page_that_comes_while_a_cell_awaits_shows_the_last_view_and_wakes_up(held: Notebook, tmp_path: Path) -> None:
    """JupyterLab itself asks the kernel for the widget, so that until the cell ends there is the still picture."""
    flag = tmp_path / "go"
    held.set_source(2, AWAIT.format(flag=str(flag)))
    held.run_cell(2, wait=False)
    held.reload()
    still = held.page.locator(".sg-still")
    expect(still).to_contain_text("stopped after:draft")
    expect(still.get_by_role("img", name="draft stopped")).to_be_visible()

    flag.touch()
    held.panel().until_live().click("Approve").until("done")
    expect(still).to_be_hidden()
