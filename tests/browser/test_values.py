"""Values are shown as text whatever they hold, and large ones come piece by piece."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Opener
from tests.browser.samples import DATA

EVIL = """
from typing import TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug

BAD = "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script><b>bold</b>"


class Bad(TypedDict, total=False):
    value: str
    nested: dict


def print_bad(state):
    print(BAD)
    return {"value": BAD, "nested": {BAD: [BAD, {"rows": [{BAD: BAD}]}]}}


def raise_bad(state):
    raise ValueError(BAD)


graph = StateGraph(Bad)
graph.add_node("<b>bad<u> & node", print_bad, metadata={"note": BAD})
graph.add_node("fails", raise_bad)
graph.add_edge(START, "<b>bad<u> & node")
graph.add_edge("<b>bad<u> & node", "fails")
graph.add_edge("fails", END)
dbg = debug(graph.compile(name="<i>evil</i>"))
dbg.stop("after:*", when=lambda q: "<img src=x onerror='window.hacked=3'>" != "")
run = dbg.start({"value": BAD})
run
"""


def test_markup_in_values_names_prints_errors_and_notes_is_never_parsed(open_notebook: Opener) -> None:
    notebook = open_notebook([EVIL, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    expect(panel.change("value")).to_contain_text("<img src=x onerror='window.hacked=1'>")
    for part in ("State", "Output", "Events", "Stops", "Branches"):
        panel.tab(part)
    expect(panel.root.locator(".sg-node", has_text="<b>bad<u> & node")).to_have_count(1)
    panel.click("Edit")
    panel.click("Cancel")
    panel.click("Approve").until("failed")
    expect(panel.root.locator(".sg-why")).to_contain_text("ValueError: <img src=x")
    panel.root.get_by_role("option", name="step 1").click()
    notebook.run_source(1, "forked = run.at(1).fork(BAD)")
    expect(panel.panel("branches")).to_contain_text("<img src=x")

    assert notebook.page.evaluate("() => window.hacked === undefined")
    assert panel.root.locator("img, script, b, i").count() == 0
    assert (
        notebook.page.locator(".sg-still").locator("img:not([src^='data:image/svg+xml;base64,']), script").count() == 0
    )


def test_a_long_list_has_few_rows_in_the_page_and_all_of_them_on_scrolling(open_notebook: Opener) -> None:
    notebook = open_notebook([DATA, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    panel.click("Approve").until("done").tab("State")
    many = panel.panel("state").locator("button.sg-line", has_text="many")
    many.click()
    rows = panel.panel("state").locator(".sg-virtual .sg-line")
    expect(rows.first).to_contain_text("0")
    assert rows.count() < 40
    panel.panel("state").locator(".sg-virtual").evaluate("(list) => { list.scrollTop = list.scrollHeight; }")
    expect(rows.last).to_contain_text("4999")
    assert rows.count() < 40


def test_a_text_over_64_kilobytes_comes_in_parts(open_notebook: Opener) -> None:
    cells = [DATA.replace("rows[17]", "state = {**state, 'text': 'fox ' * 50_000}; rows[17]"), ""]
    notebook = open_notebook(cells)
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    panel.click("Approve").until("done").tab("State")
    state = panel.panel("state")
    state.locator("button.sg-line", has_text="text").first.click()
    shown = state.locator("pre").first
    expect(shown).to_contain_text("very quick fox")
    assert len(shown.inner_text()) < 70_000
    state.get_by_role("button", name="65,536 of 200,011 characters: more").click()
    expect(state.get_by_role("button", name="131,072 of 200,011 characters: more")).to_be_visible()


def test_the_state_is_searched_in_the_kernel(open_notebook: Opener) -> None:
    notebook = open_notebook([DATA, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    panel.click("Approve").until("done").tab("State")
    state = panel.panel("state")
    state.get_by_label("search the state").fill("gentoo")
    found = state.locator("button.sg-line")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("rows › 3 › name")
    found.click()
    expect(state.locator(".sg-line", has_text="Gentoo penguin").last).to_be_visible()


def test_a_table_is_shown_and_edited_as_rows(open_notebook: Opener) -> None:
    notebook = open_notebook([DATA, ""])
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    diff = panel.change("rows")
    expect(diff.locator("tbody tr")).to_have_count(2)
    expect(diff.locator("tbody tr").first.locator("ins")).to_have_text("Gentoo penguin (Pygoscelis papua)")
    expect(diff).to_contain_text("2 of 40 rows change")

    panel.click("Edit")
    row = panel.field("rows").locator("tbody tr").nth(3)
    row.get_by_label("rows name").fill("Gentoo")
    panel.click("Apply edit").until("done")
    assert notebook.run_source(1, "print(run.result['rows'][3]['name'], run.result['rows'][17])") == (
        "Gentoo {'id': 17, 'name': 'Adelie 17', 'note': None}\n"
    )
