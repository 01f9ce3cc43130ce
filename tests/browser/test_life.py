"""The life of a panel: several views, reload, a dead kernel, and what a notebook shows that was opened later."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Notebook, Opener, end_kernels
from tests.browser.samples import HELD, SUPPORT


def held(open_notebook: Opener, *more: str) -> Notebook:
    notebook = open_notebook([SUPPORT, HELD, *more])
    notebook.run_all()
    notebook.panel().until_live().until_stopped_at("after:draft")
    return notebook


def test_showing_a_run_twice_gives_two_views_of_it(open_notebook: Opener) -> None:
    notebook = held(open_notebook, "run")
    second = notebook.panel(1).until_live().until_stopped_at("after:draft")

    second.click("Approve").until("done")

    notebook.panel(0).until("done")
    expect(notebook.page.locator(".sg-root")).to_have_count(2)


def test_what_is_typed_in_one_view_stays_when_another_view_is_added(open_notebook: Opener) -> None:
    notebook = held(open_notebook, "run", "")
    panel = notebook.panel().click("Edit")
    panel.field("answer").get_by_label("answer", exact=True).fill("half a sentence")

    notebook.run_cell(2)
    notebook.panel(1).until_live().tab("Stops")
    notebook.run_source(3, "dbg.stop('before:human')")

    expect(notebook.panel(0).panel("stops")).to_contain_text("before:human")
    expect(panel.field("answer").get_by_label("answer", exact=True)).to_have_value("half a sentence")


def test_a_new_view_for_output_is_a_live_view(open_notebook: Opener) -> None:
    notebook = held(open_notebook)
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    notebook.command("notebook:create-output-view")
    expect(notebook.page.locator(".sg-root")).to_have_count(2)
    view = notebook.page.locator(".jp-LinkedOutputView .sg-root")
    expect(view).to_have_attribute("data-health", "live")
    view.get_by_role("button", name="Approve", exact=True).click()
    expect(notebook.page.locator('.sg-root[data-status="done"]')).to_have_count(2)


def test_a_reload_shows_the_run_again_with_its_state(open_notebook: Opener) -> None:
    notebook = held(open_notebook, "")
    notebook.reload()

    panel = notebook.panel().until_live().until_stopped_at("after:draft")
    expect(panel.node("classify")).to_have_attribute("data-state", "done")
    expect(panel.node("draft")).to_have_attribute("data-state", "held")
    panel.click("Approve").until("done")


def test_a_panel_of_a_restarted_kernel_is_greyed_out_and_says_how_to_go_on(open_notebook: Opener) -> None:
    notebook = held(open_notebook)
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
    )

    panel = notebook.panel()
    expect(panel.root).to_have_attribute("data-health", "dead", timeout=20_000)
    expect(panel.root.locator(".sg-banner")).to_contain_text("dbg.open(")
    expect(panel.root.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect(panel.root.locator(".sg-why")).to_contain_text("after:draft")


def test_the_still_picture_is_hidden_while_the_panel_is_live(open_notebook: Opener) -> None:
    notebook = held(open_notebook)
    expect(notebook.page.locator(".sg-still")).to_have_count(1)
    expect(notebook.page.locator(".sg-still")).to_be_hidden()


def test_a_saved_notebook_without_its_kernel_still_shows_the_last_view(open_notebook: Opener) -> None:
    notebook = held(open_notebook)
    still = notebook.page.locator(".sg-still")
    expect(still).to_contain_text("stopped after:draft", use_inner_text=False)
    notebook.command("docmanager:save")
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    end_kernels(notebook.url)

    later = notebook.open()

    shown = later.page.locator(".sg-still")
    shown.scroll_into_view_if_needed()
    expect(shown).to_be_visible()
    expect(shown).to_contain_text("We can refund your order today.")
    expect(shown.get_by_role("img", name="draft stopped")).to_be_visible()
    expect(shown.locator("script")).to_have_count(0)
    later.picture("saved_notebook")


def test_the_still_picture_follows_the_run_to_its_end(open_notebook: Opener) -> None:
    notebook = held(open_notebook)
    notebook.panel().click("Approve").until("done")
    expect(notebook.page.locator(".sg-still")).to_contain_text("done", use_inner_text=False)


def test_an_interrupt_of_the_kernel_while_a_run_is_held_loses_nothing(open_notebook: Opener) -> None:
    notebook = held(open_notebook, "")
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()"
    )
    notebook.panel().click("Approve").until("done")


def test_a_decision_made_elsewhere_reaches_the_panel(open_notebook: Opener) -> None:
    notebook = held(open_notebook, "")
    panel = notebook.panel().click("Edit")
    notebook.run_source(2, "run.pending()[0].approve()")
    panel.until("done")
    expect(panel.root.locator(".sg-card")).to_be_hidden()
