"""Runs notebooks as `make notebooks` does and writes their outputs: `python tools/notebooks.py [NAME ...]`.

Each runs from its own folder, in a fresh kernel, with no front end. What would differ the next time is not kept: ids of
widgets, times, the version of Python. Names are files; without any, all of notebooks/ are run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS_A_CELL = 60
LAST_PICTURES = nbformat.v4.new_code_cell(
    "import time\n"
    "from stepgraph.panels.run_panel import redraw_stills\n"
    "time.sleep(1)  # a panel draws its graph a moment after its cell\n"
    "redraw_stills()"
)
"""Not part of any notebook: gives each panel's output the picture of the end."""


def main(names: list[str]) -> None:
    """Runs and rewrites the named notebooks, and ends with the error of the first cell that fails."""
    for file in map(Path, names) if names else sorted(FOLDER.glob("*.ipynb")):
        began = time.monotonic()
        notebook = nbformat.read(file, as_version=4)
        run(notebook, file.parent)
        nbformat.write(stable(notebook), file)
        print(f"{file.name}: {len(notebook.cells)} cells in {time.monotonic() - began:.1f} s")


def run(notebook: Any, folder: Path) -> None:
    """Fills in the outputs. Files that a chapter keeps for the next time are not there the first time."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    notebook.cells.append(LAST_PICTURES)
    with TemporaryDirectory() as temporary:
        client.execute(env={**os.environ, "TMPDIR": temporary})
    notebook.cells.pop()


def stable(notebook: Any) -> Any:
    """The notebook with nothing that differs from run to run; changes it in place."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := without_widget(output)) is not None]
    return notebook


def without_widget(output: Any) -> Any | None:
    """The output; None for a live panel: its text depends on when it was shown, and its still picture is kept."""
    return None if WIDGET in output.get("data", {}) else output


if __name__ == "__main__":
    main(sys.argv[1:])
