"""Approving, editing and rejecting with the mouse in a real JupyterLab."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import HELD, SUPPORT


def test_approving_lets_the_run_end_and_a_later_cell_reads_the_result(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, "run.result"])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:draft")
    expect(panel.change("answer").locator("ins")).to_have_text("We can refund your order today.")

    panel.click("Approve").until("done")

    notebook.run_cell(2)
    assert "sent: We can refund your order today." in notebook.text(2)
    assert notebook.run_source(2, "print(calls, run.stats.reruns)") == "['classify', 'draft', 'send_email'] 0\n"


def test_an_edit_changes_what_the_next_node_gets(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_stopped_at("after:draft")

    panel.click("Edit")
    panel.field("answer").get_by_label("answer", exact=True).fill("Dear Ana, we are sorry.")
    panel.click("Apply edit").until("done")

    assert "sent: Dear Ana, we are sorry." in notebook.run_source(2, "print(run.result['messages'], calls)")


def test_the_effect_of_an_edit_on_the_route_is_shown_before_it_is_made(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_stopped_at("after:draft")

    panel.click("Edit")
    panel.root.get_by_label("another key").select_option("confidence")
    panel.field("confidence").get_by_label("confidence", exact=True).fill("0.1")
    expect(panel.root.locator(".sg-then strong")).to_have_text("human")
    effect = panel.root.locator(".sg-effect")
    expect(effect).to_contain_text("confidence")
    expect(effect).not_to_contain_text("answer")  # as proposed: it stands beside

    panel.click("Apply edit").until("done")
    assert "a colleague answers" in notebook.run_source(2, "print(run.result['messages'])")


def test_a_value_of_the_wrong_type_is_refused_at_its_field_and_nothing_is_lost(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_stopped_at("after:draft")

    panel.click("Edit")
    panel.root.get_by_label("another key").select_option("confidence")
    panel.field("confidence").get_by_label("confidence", exact=True).fill("very")
    panel.click("Apply edit")
    expect(panel.field("confidence").locator(".sg-problem")).to_contain_text("number")

    panel.field("confidence").get_by_label("confidence", exact=True).fill("0.9")
    panel.click("Apply edit").until("done")
    assert notebook.run_source(2, "print(run.result['confidence'])") == "0.9\n"


def test_a_rejection_carries_its_reason_and_stops_the_run(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_stopped_at("after:draft")

    panel.root.get_by_role("button", name="Reject", exact=True).click()
    panel.root.get_by_label("reason").fill("too vague")
    panel.root.locator(".sg-confirm").get_by_role("button", name="Reject", exact=True).click()
    panel.until("failed")

    assert "too vague" in notebook.run_source(2, "print(repr(run.error), calls)")
