"""Updates that can't be put together: the card shows who wrote what; a person takes one, edits them, drops some."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Notebook, Opener, Panel

PAIR = """
import operator
from typing import Annotated, TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Ticket(TypedDict, total=False):
    question: str
    answer: str
    sources: Annotated[list[str], operator.add]


def search(state):
    return {"answer": "Your parcel is in Graz and arrives on Thursday.", "sources": ["tracking page"]}


def ask_colleague(state):
    return {"answer": "We have sent it again; it takes two days.", "sources": "Bo, by telephone"}


def reply(state):
    return {"question": f"answered: {state['answer']}"}


graph = StateGraph(Ticket)
for node in (search, ask_colleague, reply):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "search")
graph.add_edge(START, "ask_colleague")
graph.add_edge(["search", "ask_colleague"], "reply")
graph.add_edge("reply", END)
dbg = debug(graph.compile(name="two_writers"))
dbg.stop("error")
"""


def held(open_notebook: Opener) -> tuple[Notebook, Panel]:
    notebook = open_notebook([PAIR, 'run = dbg.start({"question": "Where is it?"})\nrun', ""])
    notebook.run_all()
    return notebook, notebook.panel().until_live().until("held").until_stopped_at("step")


def test_one_update_is_taken_and_the_other_mended(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook)
    expect(panel.root.locator(".sg-cardhead")).to_contain_text("step 1 can't be put together")
    expect(panel.change("answer")).to_contain_text("it keeps one value, and several tasks write to it")
    panel.picture("unfit")
    panel.root.get_by_role("button", name="take what search@1 wrote").first.click()
    expect(panel.field("answer").get_by_label("drop what ask_colleague@1 writes")).to_be_checked()
    sources = panel.field("sources").get_by_label("what ask_colleague@1 writes", exact=True)
    panel.click("Apply edit")
    expect(panel.field("sources")).to_contain_text("the reducer add raised TypeError")
    sources.fill('["Bo, by telephone"]')
    panel.picture("unfit-edit")
    panel.click("Apply edit").until("done")
    told = notebook.run_source(2, "print(run.result['question'], run.result['sources'], run.stats.reruns)")
    assert told == (
        "answered: Your parcel is in Graz and arrives on Thursday. ['Bo, by telephone', 'tracking page'] 0\n"
    )


def test_the_updates_of_one_task_are_dropped(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook)
    panel.click("Skip")
    panel.root.locator(".sg-act").get_by_role("button", name="Skip").click()
    expect(panel.root.locator(".sg-problem:visible").first).to_be_visible()
    panel.root.locator(".sg-act").get_by_label("search@1").check()
    panel.root.locator(".sg-act").get_by_role("button", name="Skip").click()
    expect(panel.root.locator(".sg-act")).to_contain_text("key 'sources' still can't be put together")
    panel.root.locator(".sg-act").get_by_label("search@1").uncheck()
    panel.root.locator(".sg-act").get_by_label("ask_colleague@1").check()
    panel.root.locator(".sg-act").get_by_role("button", name="Skip").click()
    panel.until("done")
    assert notebook.run_source(2, "print(run.result['sources'])") == "['tracking page']\n"
