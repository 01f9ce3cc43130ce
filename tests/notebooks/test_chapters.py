"""What a chapter is: a question, claims, small cells, outputs that say nothing of this machine; and cells run again."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.services import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELLS, LINES = 22, 15
LOCAL = re.compile(r"/(home|root|tmp|work|Users|var)/|[A-Z]:\\\\|0x[0-9a-f]{6,}|\b\d\d:\d\d:\d\d\.\d")
"""Paths, addresses of objects and clock times."""
chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)


def read(chapter: Path) -> Any:
    return nbformat.read(chapter, as_version=4)


def code(chapter: Path) -> list[Any]:
    return [cell for cell in read(chapter).cells if cell.cell_type == "code"]


def test_there_are_five_chapters_that_lead_from_one_to_the_next() -> None:
    assert [chapter.stem[:2] for chapter in CHAPTERS] == ["01", "02", "03", "04", "05"]
    for chapter, following in pairwise(CHAPTERS):
        last = [cell for cell in read(chapter).cells if cell.cell_type == "markdown"][-1]
        assert f"]({following.name})" in last.source


@chapters
def test_the_title_is_a_question_and_says_what_you_will_see(chapter: Path) -> None:
    first = read(chapter).cells[0].source
    assert re.match(r"# [^\n]+\?\n", first)
    assert "You will see: " in first


@chapters
def test_cells_are_few_and_small_and_every_idea_is_said_before_it_is_shown(chapter: Path) -> None:
    cells = read(chapter).cells
    assert len(cells) <= CELLS
    assert [cell.source for cell in code(chapter) if len(cell.source.splitlines()) > LINES] == []
    said = sum(cell.cell_type == "markdown" for cell in cells)
    assert said >= len(cells) * 0.4


@chapters
def test_outputs_are_those_of_a_clean_run_and_of_no_machine(chapter: Path) -> None:
    cells = code(chapter)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [found for output in outputs if (found := LOCAL.search(str(output)))] == []
    assert "widgets" not in read(chapter).metadata


@chapters
def test_a_panel_leaves_a_picture_of_how_its_run_ended(chapter: Path) -> None:
    runs = ("run", "strict", "branch", "repaired", "told")
    shown = [cell for cell in code(chapter) if cell.source.splitlines()[-1] in runs]
    assert shown
    for cell in shown:
        (picture,) = (output.data["text/html"] for output in cell.outputs)
        found = re.search(r'<img alt="([^"]+)" .*?src="data:image/svg\+xml;base64,([^"]+)"', picture)
        assert found is not None
        told, drawn = found[1], b64decode(found[2]).decode()
        assert drawn.startswith("<svg")
        assert " running" not in told


@chapters
@pytest.mark.slow
@pytest.mark.kernels
def test_all_cells_run_a_second_time_in_the_same_kernel(chapter: Path, tmp_path: Path) -> None:
    notebook = read(chapter)
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel(env={**os.environ, "TMPDIR": str(tmp_path)}):
        for _ in range(2):
            for index, cell in enumerate(notebook.cells):
                client.clear_display_id_mapping(index)  # the client keeps displays of the first time, which are gone
                client.execute_cell(cell, index)
    errors = [output for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"]
    assert errors == []
