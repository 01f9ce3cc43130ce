"""What is left of a run in a notebook that the reader's JupyterLab does not trust, and in one turned into HTML."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests import services
from tests.browser.lab import Notebook, Opener, end_kernels
from tests.browser.samples import HELD, SUPPORT

EVIL = HELD.replace("Where is my order?", "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script>")
LOADED = "(image) => image.complete && image.naturalWidth > 100"


@pytest.fixture
def saved(lab: tuple[str, Path], open_notebook: Opener) -> tuple[Notebook, Path]:
    """A notebook that was saved while its run was held; its kernel is gone."""
    notebook = open_notebook([SUPPORT, EVIL])
    notebook.run_all()
    notebook.panel().until_live().until_stopped_at("after:draft")
    expect(notebook.page.locator(".sg-still img[alt*='draft stopped']")).to_have_count(1)
    notebook.command("docmanager:save")
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    end_kernels(notebook.url)
    return notebook, lab[1] / notebook.path


def from_elsewhere(file: Path) -> str:
    """The same notebook as somebody sends it: Jupyter trusts only what it has signed, and this differs. Its name."""
    content = json.loads(file.read_text())
    content["cells"][0]["source"] = "# from elsewhere"
    sent = file.with_name(f"sent-{file.name}")
    sent.write_text(json.dumps(content))
    return sent.name


def check(still: Locator) -> None:
    """Everything of the last view is there, the picture of the graph included."""
    still.scroll_into_view_if_needed()
    expect(still).to_be_visible()
    expect(still).to_contain_text("stopped after:draft")
    expect(still).to_contain_text("We can refund your order today.")
    graph = still.get_by_role("img", name="draft stopped")
    expect(graph).to_be_visible()
    assert graph.evaluate(LOADED)
    assert still.evaluate("() => window.hacked === undefined")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_an_untrusted_notebook_shows_the_graph_as_a_picture(saved: tuple[Notebook, Path], theme: str) -> None:
    notebook, file = saved
    other = Notebook(notebook.page, notebook.url, from_elsewhere(file)).open()
    other.command("apputils:change-theme", {"theme": theme})
    expect(other.page.locator("body")).to_have_attribute("data-jp-theme-light", str("Light" in theme).lower())

    trusted = other.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.some((cell) => cell.model.trusted)"
    )
    assert not trusted
    check(other.page.locator(".sg-still"))
    other.picture(f"untrusted_{theme.split()[1].lower()}")
    other.command("apputils:change-theme", {"theme": "JupyterLab Light"})


def test_a_notebook_turned_into_html_shows_it_too(saved: tuple[Notebook, Path], tmp_path: Path) -> None:
    notebook, file = saved
    page = tmp_path / "page.html"
    services.run([sys.executable, "-m", "nbconvert", "--to", "html", file, "--output", page])
    notebook.page.goto(page.as_uri())
    check(notebook.page.locator(".sg-still"))
    notebook.picture("nbconvert")
