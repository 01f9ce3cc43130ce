"""One JupyterLab and one Chromium for all browser tests; each test gets a page and notebooks of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import services
from tests.browser.lab import ARTEFACTS, Notebook, Opener, end_kernels, launch, start_lab, write_notebook


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser, and comes last: Playwright leaves a running event loop in the main thread."""
    here = Path(__file__).parent
    ours = [item for item in items if item.path.is_relative_to(here)]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.timeout(300))
    items[:] = [item for item in items if not item.path.is_relative_to(here)] + ours


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for the whole session."""
    expect.set_options(timeout=20_000)  # a full test run leaves the browser little of two cores
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(address, notebook folder) of a JupyterLab with the kernel of this environment."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "tmp").mkdir()
    url, server = start_lab(folder, env={"TMPDIR": str(folder / "tmp")})
    with server:
        yield url, folder / "work"


@pytest.fixture(autouse=True)
def kernels_end(lab: tuple[str, Path]) -> Iterator[None]:
    """Kernels that a test leaves would slow the next ones."""
    yield
    end_kernels(lab[0])


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with nothing stored; its picture is kept when the test fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    failed = request.session.testsfailed
    yield found
    if request.session.testsfailed > failed:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        found.screenshot(path=ARTEFACTS / f"failed-{request.node.name}.png")
    context.close()


@pytest.fixture
def open_notebook(lab: tuple[str, Path], page: Page) -> Opener:
    """`open_notebook([source, …])`: a new notebook with these cells, open in the page."""
    url, folder = lab

    def opener(cells: Sequence[str], *, page: Page = page, kernel: str = "python3") -> Notebook:
        name = f"{uuid4().hex}.ipynb"
        write_notebook(folder / name, cells, kernel=kernel)
        return Notebook(page, url, name).open()

    return opener


@pytest.fixture
def open_chapter(lab: tuple[str, Path], page: Page) -> Callable[[str], Notebook]:
    """`open_chapter("01_first_graph")`: that notebook as a reader gets it, with no files of earlier readers."""
    url, folder = lab

    def opener(chapter: str) -> Notebook:
        for left in (folder.parent / "tmp").glob("stepgraph-*"):
            left.unlink()
        name = f"{chapter}-{uuid4().hex}.ipynb"
        shutil.copy(services.ROOT / "notebooks" / f"{chapter}.ipynb", folder / name)
        return Notebook(page, url, name).open()

    return opener
