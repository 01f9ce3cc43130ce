"""Everything works by keyboard alone, and no key that is meant for the panel reaches the notebook."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Notebook, Opener, Panel
from tests.browser.samples import HELD, SUPPORT


def focused(open_notebook: Opener) -> tuple[Notebook, Panel]:
    """A held run whose panel has the focus, reached without the mouse."""
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:draft")
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.node.focus()")
    for _ in range(60):
        notebook.page.keyboard.press("Tab")
        if panel.root.evaluate("(root) => root === document.activeElement"):
            return notebook, panel
    raise AssertionError("Tab never reached the panel")


def test_the_panel_is_reached_by_tab_and_a_letter_with_enter_approves(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    notebook.page.keyboard.press("a")
    expect(panel.root.locator('[data-verb="approve"]')).to_have_attribute("aria-pressed", "true")
    panel.until("held")
    notebook.page.keyboard.press("Enter")
    panel.until("done")


def test_letters_never_reach_the_notebook(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    for key in ("d", "d", "z", "m", "y", "b", "b", "Shift+Enter", "x", "Escape", "Escape", "Control+Enter"):
        notebook.page.keyboard.press(key)
    assert notebook.cell_count() == 3
    assert notebook.run_source(2, "print(run.status)") == "held\n"
    panel.until("held")
    assert len(notebook.outputs(1)) >= 1


def test_an_edit_is_typed_and_confirmed_without_the_mouse(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    notebook.page.keyboard.press("e")
    expect(panel.field("answer").get_by_label("answer", exact=True)).to_be_focused()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.type("abc xyz ? dd")
    notebook.page.keyboard.press("Control+Enter")
    panel.until("done")
    assert "sent: abc xyz ? dd" in notebook.run_source(2, "print(run.result['messages'])")


def test_escape_leaves_field_then_form_then_panel(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    notebook.page.keyboard.press("e")
    expect(panel.field("answer")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    expect(panel.root).to_be_focused()
    expect(panel.field("answer")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    expect(panel.field("answer")).to_have_count(0)
    notebook.page.keyboard.press("Escape")
    expect(panel.root).not_to_be_focused()
    assert notebook.page.evaluate("() => Boolean(document.activeElement.closest('.jp-Notebook'))")


def test_a_stop_is_set_on_a_node_chosen_with_the_arrows(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    for _ in range(4):
        notebook.page.keyboard.press("ArrowRight")
    chosen = panel.root.locator(".sg-node[data-selected]").get_attribute("data-path")
    assert chosen in ("send_email", "human")
    notebook.page.keyboard.press("Enter")
    menu = panel.root.get_by_role("menu")
    expect(menu).to_be_visible()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Enter")
    expect(panel.node(chosen)).to_have_attribute("data-stop", "on")
    assert notebook.run_source(2, "print([stop.spec for stop in dbg.stops])") == f"['after:draft', 'after:{chosen}']\n"


def test_back_fork_help_and_list_by_keys(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    press = notebook.page.keyboard.press
    press("[")
    expect(panel.root).to_have_attribute("data-at", "1")
    press("Home")
    expect(panel.root).to_have_attribute("data-at", "0")
    press("End")
    expect(panel.root).not_to_have_attribute("data-at", "0")
    press("?")
    expect(panel.root.get_by_role("dialog", name="keys")).to_be_visible()
    press("Escape")
    press("L")
    expect(panel.root.locator(".sg-twin")).to_contain_text("draft stopped, has a stop → send_email, human")
    press("L")
    press("[")
    press("f")
    expect(panel.root.get_by_label("note")).to_be_focused()
    notebook.page.keyboard.type("by keys")
    press("Control+Enter")
    expect(panel.root.locator(".sg-branchname")).to_contain_text("by keys")


def test_changes_are_announced_for_screen_readers(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    voice = panel.root.locator("[aria-live=polite]")
    expect(voice).to_contain_text("stopped: after:draft")
    notebook.page.keyboard.press("a")
    expect(voice).to_contain_text("press Enter to confirm")
    notebook.page.keyboard.press("Enter")
    expect(voice).to_contain_text("run done")


def test_each_further_stop_is_announced_too(open_notebook: Opener) -> None:
    notebook, panel = focused(open_notebook)
    notebook.run_source(2, "dbg.stop('after:send_email')")
    panel.click("Approve").until_stopped_at("after:send_email")
    expect(panel.root.locator("[aria-live=polite]")).to_contain_text("stopped: after:send_email")
