"""The programs in README.md and docs/ run as they stand, and the tables and links in them are true."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from stepgraph.approve.verbs import TABLE, VERBS
from tests import services

PAGES = [services.ROOT / "README.md", *sorted((services.ROOT / "docs").glob("*.md"))]
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def name(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", [page for page in PAGES if PROGRAM.search(page.read_text())], ids=name)
def test_the_programs_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n".join(PROGRAM.findall(page.read_text())))
    services.run([sys.executable, "-W", "error", program], cwd=tmp_path, env=dict(os.environ))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_table_of_verbs_is_that_of_the_code() -> None:
    text = (services.ROOT / "docs" / "stops_and_verbs.md").read_text()
    table = text[text.index("| verb |") :].split("\n\n")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    told = {place: set() for place in head[1:]}
    for verb, *cells in rows:
        for place, cell in zip(head[1:], cells, strict=True):
            if cell != "–":
                told[place].add(verb.strip("`").partition("(")[0])
    assert told == {place: set(verbs) - {"suspend"} for place, verbs in TABLE.items()}
    assert all(f"`{verb}(" in text for verb in VERBS)
