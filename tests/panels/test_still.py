"""The picture that stays in a saved notebook: whole without scripts, and text is text."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

from stepgraph import entrypoint, task
from stepgraph.debug import debug
from stepgraph.debug.run import Run
from stepgraph.debug.session import Session
from stepgraph.panels.layout import dot_source, run_dot
from stepgraph.panels.run_panel import RunPanel
from stepgraph.panels.still import still
from tests.debug.support import held as wait_for
from tests.panels.conftest import FakePage

ALLOWED = {"b", "br", "code", "del", "div", "img", "ins", "span", "table", "td", "th", "tr"}
DRAWN = {"defs", "marker", "path", "rect", "style", "svg", "text"}
SOURCE = "data:image/svg+xml;base64,"


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
        if tag not in ("br", "img"):
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


def drawing(html: str) -> ElementTree.Element:
    """The graph in the image; raises if it is no XML."""
    found = re.findall(r'src="([^"]*)"', html)
    assert len(found) == 1
    assert found[0].startswith(SOURCE)
    return ElementTree.fromstring(b64decode(found[0].removeprefix(SOURCE)))


def words(html: str) -> list[str]:
    """What is written in the graph."""
    return ["".join(each.itertext()) for each in drawing(html).iter("{http://www.w3.org/2000/svg}text")]


def test_it_shows_why_the_run_stopped_and_what_would_change(held: Run) -> None:
    html = picture(held)
    for part in ("held", "after:draft", "We can refund it.", "approve edit", "1 classify"):
        assert part in html


def test_the_graph_is_an_image_with_marks_and_says_the_same_in_words(held: Run) -> None:
    html = picture(held)
    found = words(html)
    assert found[found.index("classify") - 1] == "✓"
    assert found[found.index("draft") - 1] == "◆"
    assert re.search(r'alt="graph of support-\d+: classify done, draft stopped"', html)


def test_a_function_that_stopped_is_marked_on_the_node_that_called_it_and_a_result_is_called_so() -> None:
    @task
    def price(item: str) -> int:
        return len(item)

    @entrypoint()
    def order(item: str) -> int:
        return price(item).result()

    dbg = debug(order)
    dbg.stop("before:price")
    dbg.stop("after:order")
    run = dbg.start("cup")
    (request,) = wait_for(run)
    found = words(picture(run))
    assert found[found.index("order") - 1] == "◆"
    request.approve()
    wait_for(run)
    assert "<code>result</code>" in picture(run)


def test_the_number_of_visits_stands_beside_no_name(session: Session) -> None:
    """It is above the box: inside there is only room for mark and name."""
    run = session.start({"question": "Where is it?"})
    assert run.wait(10)
    panel = RunPanel(run)
    shown = panel.picture(run)
    panel.close()
    shown["nodes"]["draft"] = ["done", 12_345, 0]
    layout = run_dot(session.shape, dot_source(session.shape))
    html = still(shown, panel.chart.drawing, layout)
    places = {"".join(each.itertext()): each for each in drawing(html).iter("{http://www.w3.org/2000/svg}text")}
    assert float(places["draft"].attrib["y"]) - float(places["×12345"].attrib["y"]) > 15


def test_it_is_well_formed_and_has_no_scripts_links_or_handlers(held: Run) -> None:
    tags = Tags()
    tags.feed(picture(held))
    assert tags.open == []
    assert tags.names <= ALLOWED
    assert not [name for name in tags.attributes if name.startswith("on") or name == "href"]


def test_the_image_has_no_scripts_links_or_handlers_either(held: Run) -> None:
    for element in drawing(picture(held)).iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in DRAWN
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]


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
    assert "<img" not in html
    assert "after:draft" in html
