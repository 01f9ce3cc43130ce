"""What the benchmarks of the panel share: one notebook in a real JupyterLab, on this environment's kernel."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from playwright.sync_api import sync_playwright

from tests.browser.lab import Notebook, launch, start_lab, write_notebook


@contextmanager
def notebook(cells: Sequence[str]) -> Iterator[Notebook]:
    """An open notebook whose cells have not run yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # compiled modules are on the disk of whoever uses the library, wherever this runs
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        url, server = start_lab(folder, env=compiled)
        with server, sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            write_notebook(folder / "work" / "bench.ipynb", cells)
            yield Notebook(page, url, "bench.ipynb").open()
            browser.close()


def verdict(name: str, value: float, bound: float, unit: str, *, at_least: bool = False) -> bool:
    """Print a figure beside its bound; whether it holds."""
    good = value >= bound if at_least else value <= bound
    wanted = f"{'at least' if at_least else 'at most'} {bound:g}"
    print(f"  {name:<58} {value:>9.1f} {unit:<10} {wanted}  {'' if good else 'MISSED'}")
    return good
