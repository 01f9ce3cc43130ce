"""Clicks arrive with every supported ipykernel: after the cell, after a reload, in two tabs, and while a cell waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import kernels
from tests.browser.lab import Notebook, Opener
from tests.browser.samples import HELD, SUPPORT

pytestmark = [pytest.mark.kernels, pytest.mark.slow]

BLOCK = """
import time
until = time.monotonic() + 12
while not run.ended and time.monotonic() < until:
    time.sleep(0.02)
print(run.status)
"""
AWAIT = """
import asyncio
import time
until = time.monotonic() + 12
while not run.ended and time.monotonic() < until:
    await asyncio.sleep(0.02)
print(run.status)
"""


@pytest.fixture(params=list(kernels.VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    """Each supported ipykernel."""
    return str(request.param)


@pytest.fixture
def held(version: str, lab: tuple[str, Path], open_notebook: Opener) -> Notebook:
    """A notebook on that kernel, with a run held at `after:draft`."""
    _, work = lab
    name = kernels.install(version, work.parent / "data")
    notebook = open_notebook([SUPPORT, HELD, ""], kernel=name)
    notebook.run_all()
    notebook.panel().until_live().until_stopped_at("after:draft")
    return notebook


def test_a_click_is_handled_after_the_cell_has_returned(held: Notebook, version: str) -> None:
    held.panel().click("Approve").until("done")
    told = held.run_source(2, "import ipykernel\nprint(ipykernel.__version__, run.status)")
    assert told.startswith(version)
    assert told.endswith("done\n")


def test_a_click_is_handled_after_a_reload(held: Notebook) -> None:
    held.reload()
    held.panel().until_live().until_stopped_at("after:draft").click("Approve").until("done")


def test_two_tabs_show_the_same_run_and_both_can_click(held: Notebook, browser: Browser) -> None:
    held.panel().click("Edit")
    held.command("docmanager:save")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = Notebook(context.new_page(), held.url, held.path).open()
    other.panel().until_live().until_stopped_at("after:draft").click("Approve").until("done")
    held.panel().until("done")
    context.close()


def test_a_click_is_handled_while_a_cell_awaits_where_the_kernel_can(held: Notebook, version: str) -> None:
    held.set_source(2, AWAIT)
    held.run_cell(2, wait=False)
    held.panel().click("Approve").until("done")
    held.until_idle()
    # 6.31 handles one message of the shell channel after the other, a cell that awaits included
    assert held.text(2) == ("held\n" if version == "6.31" else "done\n")


def test_a_cell_may_await_the_run_where_a_click_can_arrive_meanwhile(held: Notebook, version: str) -> None:
    held.set_source(
        2, "result = await run\nprint(result['answer'])" if version != "6.31" else "print(run.answerable('await'))"
    )
    held.run_cell(2, wait=version == "6.31")
    held.panel().click("Approve").until("done")
    held.until_idle()
    assert held.text(2) == ("False\n" if version == "6.31" else "We can refund your order today.\n")


def test_a_click_while_a_cell_blocks_is_handled_at_once_or_the_panel_says_when(held: Notebook, version: str) -> None:
    held.set_source(2, BLOCK)
    held.run_cell(2, wait=False)
    panel = held.panel().click("Approve")
    if version == "6.31":  # has no subshells: nothing can reach it before the cell ends
        expect(panel.root.locator(".sg-banner")).to_contain_text("kernel busy: handled when the cell ends")
    panel.until("done")
    held.until_idle()
    assert held.text(2) == ("held\n" if version == "6.31" else "done\n")


def test_a_click_after_a_reload_is_handled_while_a_cell_blocks(held: Notebook, version: str) -> None:
    held.set_source(2, BLOCK)
    held.reload()
    held.panel().until_live()
    held.run_cell(2, wait=False)
    held.panel().click("Approve").until("done")
    held.until_idle()
    assert held.text(2) == ("held\n" if version == "6.31" else "done\n")
