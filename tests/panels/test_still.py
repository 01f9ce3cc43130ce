"""The picture that stays in a saved notebook: whole without scripts, and text is text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from stepgraph.debug.run import Run
from stepgraph.debug.session import Session
from stepgraph.panels.layout import dot_source, run_dot
from stepgraph.panels.run_panel import RunPanel
from stepgraph.panels.still import still
from tests.panels.conftest import FakePage

ALLOWED = {
    "b", "br", "code", "del", "div", "ins", "path", "rect", "span", "svg", "table", "td", "text", "th", "tr",
}  # fmt: skip


class Tags(HTMLParser):
    """Collects tags and attributes, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def picture(run: Run) -> str:
    panel = RunPanel(run)
    try:
        return still(panel.picture(run), panel.chart.drawing, run_dot(run.session.shape, dot_source(run.session.shape)))
    finally:
        panel.close()


def test_it_shows_why_the_run_stopped_and_what_would_change(held: Run) -> None:
    html = picture(held)
    for part in ("held", "after:draft", "We can refund it.", "approve edit", "✓ classify", "◆ draft", "1 classify"):
        assert part in html


def test_it_is_well_formed_and_has_no_scripts_links_or_handlers(held: Run) -> None:
    tags = Tags()
    tags.feed(picture(held))
    assert tags.open == []
    assert tags.names <= ALLOWED
    assert not [name for name in tags.attributes if name.startswith("on") or name in ("href", "src")]


def test_markup_in_values_is_escaped(session: Session) -> None:
    session.stop("before:send")
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    run = session.start({"question": evil})
    next(iter(run.requests()))
    run.pending()[0].reject(evil)
    run.wait(10)
    tags = Tags()
    html = picture(run)
    tags.feed(html)
    assert tags.names <= ALLOWED
    assert "&lt;img src=x" in html


def test_it_holds_no_times_and_no_addresses(held: Run) -> None:
    html = picture(held)
    assert not re.search(r"0x[0-9a-f]{6}|\d\d:\d\d|17\d{8}", html)


def test_it_is_drawn_without_a_layout_too(held: Run, page: FakePage) -> None:
    panel = page.panel
    html = still(panel.picture(held), panel.chart.drawing, None)
    assert "<svg" not in html
    assert "after:draft" in html
