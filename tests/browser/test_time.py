"""Stops set by clicking nodes, looking back, and forking, with the mouse."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import HELD, NESTED, SUPPORT

START = """
run = dbg.start({"question": "Where is my order?"})
run
"""


def test_a_click_on_a_node_sets_a_stop_at_which_the_next_run_is_held(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, START, START, ""])
    notebook.run_cell(0)
    notebook.run_cell(1)
    panel = notebook.panel().until_live().until("done")

    panel.node("send_email").click()
    panel.root.get_by_role("menuitemcheckbox", name="Stop before it runs").click()
    expect(panel.node("send_email")).to_have_attribute("data-stop", "on")

    notebook.run_cell(2)
    second = notebook.panel(1).until_live().until_stopped_at("before:send_email")
    assert notebook.run_source(3, "print(calls)") == "['classify', 'draft', 'send_email', 'classify', 'draft']\n"
    second.click("Approve").until("done")


def test_a_stop_is_switched_off_and_removed_in_its_list(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, "", START])
    notebook.run_cell(0)
    notebook.run_cell(1)
    panel = notebook.panel().until_live().until_stopped_at("after:draft").tab("Stops")

    panel.root.get_by_label("after:draft on").uncheck()
    expect(panel.node("draft")).to_have_attribute("data-stop", "off")
    assert notebook.run_source(2, "print(dbg.stops[0].enabled)") == "False\n"
    panel.root.get_by_label("remove after:draft").click()
    expect(panel.panel("stops")).to_contain_text("No stops")
    notebook.run_cell(3)
    notebook.panel(1).until("done")


def test_a_stop_with_a_condition_is_added_in_its_list_and_a_bad_one_is_refused(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, "", START])
    notebook.run_cell(0)
    notebook.run_cell(1)
    panel = notebook.panel().until_live().until_stopped_at("after:draft").tab("Stops")

    panel.root.get_by_label("where to stop").fill("after:nobody")
    panel.click("Add stop")
    expect(panel.panel("stops").locator(".sg-problem").last).to_contain_text("nobody")
    panel.root.get_by_label("where to stop").fill("before:send_email")
    panel.root.get_by_label("condition", exact=True).fill("confidence > 0.9")
    panel.click("Add stop")
    expect(panel.panel("stops")).to_contain_text("if confidence > 0.9")
    panel.click("Approve").until("done")


def test_looking_back_changes_nothing_and_shows_the_state_of_that_step(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, HELD, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:draft")
    panel.click("Approve").until("done")

    panel.root.get_by_role("option", name="step 1").click()
    expect(panel.root.locator(".sg-banner")).to_contain_text("viewing step 1 of 3, live at 3")
    expect(panel.panel("state")).to_contain_text("classified")
    expect(panel.panel("state")).not_to_contain_text("refund")
    expect(panel.node("classify")).to_have_attribute("data-state", "done")
    expect(panel.node("send_email")).to_have_attribute("data-state", "")

    panel.root.get_by_role("button", name="step back").click()
    expect(panel.root).to_have_attribute("data-at", "0")
    panel.click("Back to live")
    expect(panel.panel("state")).to_contain_text("refund")
    assert notebook.run_source(2, "print(run.status, len(calls))") == "done 3\n"


def test_a_fork_with_a_changed_key_takes_another_way_and_the_first_run_stays(open_notebook: Opener) -> None:
    notebook = open_notebook([SUPPORT, START, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("done")

    panel.root.get_by_role("option", name="step 1").click()
    panel.root.locator(".sg-banner").get_by_role("button", name="Fork here…").click()
    form = panel.root.locator(".sg-forkform")
    form.get_by_label("note").fill("not so sure")
    form.locator("summary").click()
    form.locator('.sg-keyrow[data-key="confidence"]').get_by_label("confidence", exact=True).fill("0.2")
    form.get_by_role("button", name="Fork", exact=True).click()

    expect(panel.root.locator(".sg-branchname")).to_contain_text("not so sure")
    panel.until("done")
    expect(panel.node("human")).to_have_attribute("data-state", "done")
    expect(panel.node("classify")).to_have_attribute("data-state", "done")
    told = notebook.run_source(2, "print([each.result['messages'][-1] for each in run.tree()], run.tree()[1].note)")
    assert told == "['sent: We can refund your order today.', 'a colleague answers'] not so sure\n"

    panel.tab("Branches")
    panel.panel("branches").get_by_role("button", name="main").click()
    expect(panel.node("human")).to_have_attribute("data-state", "")
    panel.picture("branches")


def test_a_subgraph_is_a_cluster_that_can_be_closed_and_its_stop_is_shown_on_it(open_notebook: Opener) -> None:
    notebook = open_notebook([NESTED])
    notebook.run_all()
    panel = notebook.panel().until_live().until_stopped_at("after:research/search")
    expect(panel.node("research/search")).to_have_attribute("data-state", "held")

    panel.root.locator(".sg-cluster", has_text="research").locator("text").click()
    expect(panel.node("research")).to_have_attribute("data-state", "held")
    expect(panel.node("research/search")).to_have_count(0)

    panel.node("research").click()
    panel.root.get_by_role("menuitem", name="Open the subgraph").click()
    expect(panel.node("research/search")).to_have_attribute("data-state", "held")
    panel.click("Approve").until("done")
    expect(panel.node("write")).to_have_attribute("data-state", "done")
