"""What every panel carries, and every notebook that saves its widgets."""

from __future__ import annotations

import pytest

from stepgraph.panels.commands import STATIC

BUNDLE = (STATIC / "panel.js").read_text(encoding="utf-8")


def test_the_bundle_is_under_100_kilobytes() -> None:
    assert len(BUNDLE.encode()) < 100_000


@pytest.mark.parametrize(
    "way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"]
)
def test_nothing_in_it_parses_a_text_as_markup_or_code(way: str) -> None:
    assert way not in BUNDLE


def test_nothing_in_it_loads_from_elsewhere() -> None:
    addresses = {"http://www.w3.org/2000/svg"}  # the name of SVG, which nobody fetches
    found = {part.split('"')[0].split("`")[0] for part in BUNDLE.split("http")[1:]}
    assert {f"http{part}" for part in found} <= addresses
