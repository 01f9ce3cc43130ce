"""Without the `dot` program the page lays out itself, offline, and every view gets the result."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import NESTED

NO_DOT = "import os\nos.environ['PATH'] = ''"


def test_the_graph_is_laid_out_in_the_page(open_notebook: Opener) -> None:
    notebook = open_notebook([NO_DOT, NESTED, "run"])
    asked: list[str] = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")

    expect(panel.node("research/search")).to_have_attribute("data-state", "held", timeout=30_000)
    expect(notebook.panel(1).node("research/search")).to_have_attribute("data-state", "held")
    expect(panel.root.locator(".sg-cluster")).to_have_count(1)
    assert not [url for url in asked if not url.startswith((notebook.url, "blob:", "data:"))]

    notebook.reload()
    expect(notebook.panel().node("research/search")).to_have_attribute("data-state", "held")
