"""A panel on an entrypoint: its functions are held, answered and edited like nodes, on the node that calls them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Opener
from tests.browser.test_looks import CONTRAST, OVERFLOWING

ORDER = """
from stepgraph import entrypoint, interrupt, task
from stepgraph.debug import debug

NOTE = "Please keep it dry. " * 20 + "x" * 150


@task
def price(item: str, *, count: int = 1) -> float:
    return 9.5 * count


@task
def confirm(what: str) -> str:
    return interrupt({"text": f"Confirm {what}?", "choices": ["yes", "no"]})


@task
def book(items: list[str], note: str = "") -> dict:
    if not items:
        raise ConnectionError("there is nothing to book: " + "https://example.org/" + "0123456789" * 12)
    return {"items": items, "note": note}


@entrypoint()
def order(request: dict) -> dict:
    total = price(request["items"][0], count=2).result()
    asked = [confirm(item) for item in request["items"]]
    answers = [each.result() for each in asked]
    return {"total": total, "answers": answers, "booked": book([], note=NOTE).result()}


dbg = debug(order)
for stop in ("before:order", "before:price", "before:prise", "error", "after:order"):
    dbg.stop(stop)
run = dbg.start({"items": ["tea pot", "cup"], "customer": {"name": "Ana", "note": NOTE}})
run
"""


@pytest.mark.parametrize(("width", "theme"), [(620, "JupyterLab Dark"), (1_400, "JupyterLab Light")])
def test_an_entrypoint_is_driven_from_its_panel(open_notebook: Opener, page: Page, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": 1_400})
    notebook = open_notebook([ORDER, ""])
    notebook.run_all()
    notebook.command("apputils:change-theme", {"theme": theme})
    panel = notebook.panel().until_live()

    def looked_at(name: str) -> None:
        panel.picture(f"function_{width}_{name}")
        assert panel.root.evaluate(OVERFLOWING) == [], name
        assert panel.root.evaluate(CONTRAST) == [], name

    panel.until_stopped_at("before:order")
    expect(panel.root.locator(".sg-title")).to_have_text("order")
    expect(panel.root.locator(".sg-input-view")).to_contain_text("Please keep it dry.")
    looked_at("input")
    panel.click("Approve").until_stopped_at("before:price")
    expect(panel.node("order")).to_have_attribute("data-state", "held")
    expect(panel.button("Redirect")).to_have_count(0)
    panel.tab("Stops")
    expect(panel.panel("stops")).to_contain_text("names neither a node nor a function 'prise' (did you mean 'price'?)")
    panel.click("Edit").field("count").get_by_label("count", exact=True).fill("3")
    looked_at("edit")
    panel.click("Apply edit").until_stopped_at("interrupt:confirm")
    expect(panel.root.locator(".sg-several")).to_contain_text("1 of 2 waiting")
    looked_at("asks")
    for _ in range(2):
        panel.root.get_by_label("answer").fill("yes")
        panel.root.locator(".sg-act").get_by_role("button", name="Respond", exact=True).click()
        expect(panel.root.locator(".sg-several")).to_have_count(0)
    panel.until_stopped_at("error:book")
    panel.root.locator("summary", has_text="input").click()
    expect(panel.root.locator(".sg-input-view")).to_contain_text("Please keep it dry.")
    looked_at("error")
    panel.click("Edit").field("items").get_by_role("button", name="+ item").click()
    panel.field("items").get_by_label("items item 0").fill("cup")
    panel.click("Apply edit").until_stopped_at("after:order")
    expect(panel.change("__end__").locator(".sg-key")).to_have_text("resultnew · and kept for the next run")
    looked_at("result")
    panel.click("Approve").until("done")
    panel.tab("State")
    expect(panel.panel("state")).to_contain_text("kept for the next run")
    looked_at("done")
    printed = notebook.run_source(1, "print(run.result['total'], run.result['answers'], run.result['booked']['items'])")
    assert printed == "28.5 ['yes', 'yes'] ['cup']\n"
    notebook.command("apputils:change-theme", {"theme": "JupyterLab Light"})
