"""Each place has its card and its verbs: what is shown, and that every verb does what it says, with the mouse."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Notebook, Opener, Panel
from tests.browser.samples import SUPPORT

ASKING = """
import operator
from typing import Annotated, TypedDict

from pydantic import BaseModel
from stepgraph import END, START, StateGraph, interrupt
from stepgraph.debug import debug


class Answer(BaseModel):
    name: str
    age: int | None = None
    vip: bool = False


class Form(TypedDict, total=False):
    person: dict
    n: int
    log: Annotated[list[str], operator.add]


tries = []


def ask(state):
    found = interrupt("Who is it?", response_schema=Answer)
    return {"person": dict(found) if isinstance(found, dict) else found.model_dump(), "log": ["asked"]}


def shaky(state):
    tries.append(dict(state))
    if state.get("n", 0) < 1:
        raise ValueError(f"n must be at least 1, not {state.get('n', 0)}")
    return {"log": ["worked"]}


graph = StateGraph(Form)
graph.add_node("ask", ask)
graph.add_node("shaky", shaky)
graph.add_edge(START, "ask")
graph.add_edge("ask", "shaky")
graph.add_edge("shaky", END)
dbg = debug(graph.compile(name="form"))
"""


def held(
    open_notebook: Opener, setup: str, stop: str, given: str = '{"question": "Where is it?"}'
) -> tuple[Notebook, Panel]:
    notebook = open_notebook([setup, f"{stop}\nrun = dbg.start({given})\nrun", ""])
    notebook.run_all()
    return notebook, notebook.panel().until_live().until("held")


def test_before_shows_the_input_and_an_edit_changes_it_for_this_task_only(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, SUPPORT, 'dbg.stop("before:send_email")')
    panel.until_stopped_at("before:send_email")
    expect(panel.root.locator(".sg-cardhead")).to_contain_text("input of send_email")
    expect(panel.root.locator(".sg-changes")).to_contain_text("We can refund your order today.")

    panel.click("Edit")
    panel.field("answer").get_by_label("answer", exact=True).fill("another text")
    panel.click("Apply edit").until("done")
    told = notebook.run_source(2, "print(run.result['messages'][-1], '|', run.result['answer'])")
    assert told == "sent: another text | We can refund your order today.\n"


def test_before_can_be_answered_instead_of_run(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, SUPPORT, 'dbg.stop("before:draft")')
    panel.until_stopped_at("before:draft")
    panel.click("Respond")
    panel.root.locator(".sg-act").get_by_label("another key").select_option("answer")
    panel.field("answer").get_by_label("answer", exact=True).fill("by hand")
    panel.root.locator(".sg-confirm").get_by_role("button", name="Respond", exact=True).click()
    panel.until("done")
    assert notebook.run_source(2, "print(run.result['answer'], calls)") == "by hand ['classify', 'send_email']\n"


def test_edge_shows_what_the_router_read_and_redirect_takes_another_way(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, SUPPORT, 'dbg.stop("edge:draft")')
    panel.until_stopped_at("edge:draft")
    then = panel.root.locator(".sg-then")
    expect(then).to_contain_text("next: send_email")
    expect(then).to_contain_text("not: human")
    expect(then).to_contain_text("reads confidence = 0.82")

    panel.click("Redirect")
    panel.root.get_by_role("checkbox", name="send_email", exact=True).uncheck()
    panel.root.get_by_role("checkbox", name="human", exact=True).check()
    panel.root.locator(".sg-confirm").get_by_role("button", name="Redirect", exact=True).click()
    panel.until("done")
    assert "a colleague answers" in notebook.run_source(2, "print(run.result['messages'])")


def test_step_shows_the_combined_update_and_is_committed(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, SUPPORT, 'dbg.stop("step", when=lambda q: "answer" in q.keys)')
    panel.until_stopped_at("step")
    expect(panel.change("answer")).to_be_visible()
    expect(panel.change("messages")).to_contain_text("through add")
    panel.click("Approve").until("done")
    assert notebook.run_source(2, "print(run.stats.reruns)") == "0\n"


def test_plan_and_committed_hold_the_whole_superstep(open_notebook: Opener) -> None:
    _, panel = held(open_notebook, SUPPORT, 'dbg.stop("plan", once=True)\ndbg.stop("committed", once=True)')
    panel.until_stopped_at("plan").click("Approve")
    panel.until_stopped_at("committed").click("Approve").until("done")


def test_skip_drops_the_update_and_goes_on(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, SUPPORT, 'dbg.stop("after:classify")')
    panel.until_stopped_at("after:classify").click("Skip")
    panel.until("failed")
    expect(panel.root.locator(".sg-why")).to_contain_text("KeyError")
    expect(panel.node("classify")).to_have_attribute("data-state", "skipped")
    assert notebook.run_source(2, "print(calls)") == "['classify', 'draft']\n"


def test_next_steps_superstep_by_superstep_and_continue_runs_on(open_notebook: Opener) -> None:
    _, panel = held(open_notebook, SUPPORT, 'dbg.stop("after:classify")')
    panel.until_stopped_at("after:classify").click("Next")
    panel.until_stopped_at("committed").click("Next")
    expect(panel.root.locator(".sg-status")).to_contain_text("step 2")
    panel.click("Continue").until("done")


def test_stopping_the_run_asks_first(open_notebook: Opener) -> None:
    _, panel = held(open_notebook, SUPPORT, 'dbg.stop("after:classify")')
    panel.until_stopped_at("after:classify").click("Stop run").until("held")
    expect(panel.root.locator('[data-verb="cancel"]')).to_have_text("qReally stop?")
    panel.click("Stop run").until("cancelled")


def test_a_gate_allows_only_its_verbs(open_notebook: Opener) -> None:
    _, panel = held(open_notebook, SUPPORT, 'dbg.gate("after:draft", allow="approve reject", reason=True)')
    panel.until_stopped_at("after:draft")
    verbs = panel.root.locator(".sg-card .sg-verbs [data-verb]")
    assert verbs.evaluate_all("(all) => all.map((each) => each.dataset.verb)") == ["approve", "reject", "suspend"]


def test_a_question_of_node_code_is_answered_in_a_typed_form(open_notebook: Opener) -> None:
    notebook, panel = held(open_notebook, ASKING, "", '{"n": 1}')
    panel.until_stopped_at("interrupt:ask")
    expect(panel.root.locator(".sg-question")).to_have_text("Who is it?")
    answer = panel.root.locator(".sg-confirm").get_by_role("button", name="Respond", exact=True)
    answer.click()
    expect(panel.root.locator(".sg-act .sg-problem").first).to_contain_text("required")
    panel.root.get_by_label("name", exact=True).fill("Ana")
    panel.root.get_by_label("vip", exact=True).check()
    answer.click()
    panel.until("done")
    assert notebook.run_source(2, "print(run.result['person'])") == "{'name': 'Ana', 'age': None, 'vip': True}\n"


def test_a_failure_is_repaired_and_run_again(open_notebook: Opener) -> None:
    setup = ASKING.replace('add_edge(START, "ask")', 'add_edge(START, "shaky")')
    notebook, panel = held(open_notebook, setup, 'dbg.stop("error")', '{"n": 0}')
    panel.until_stopped_at("error:shaky")
    expect(panel.root.locator(".sg-error")).to_contain_text("ValueError n must be at least 1, not 0")
    panel.root.locator(".sg-card summary", has_text="traceback").click()
    expect(panel.root.locator(".sg-card pre")).to_contain_text("in shaky")
    panel.picture("error")

    panel.click("Edit")
    panel.field("n").get_by_label("n", exact=True).fill("3")
    panel.click("Apply edit").until("done")
    assert notebook.run_source(2, "print(run.result['log'], len(tries))") == "['worked'] 2\n"


def test_several_requests_of_one_superstep_are_answered_one_by_one(open_notebook: Opener) -> None:
    setup = SUPPORT.replace(
        'graph.add_edge("classify", "draft")',
        'graph.add_edge("classify", "draft")\ngraph.add_edge("classify", "human")',
    )
    notebook, panel = held(open_notebook, setup, 'dbg.stop("after:draft")\ndbg.stop("after:human")')
    expect(panel.root.locator(".sg-several")).to_contain_text("1 of 2 waiting")
    panel.click("next request")
    expect(panel.root.locator(".sg-several")).to_contain_text("2 of 2 waiting")
    panel.click("Approve")
    expect(panel.root.locator(".sg-bell")).to_have_text("☺ 1 waiting")
    panel.click("Approve").until("done")
    assert notebook.run_source(2, "print(run.stats.reruns)") == "0\n"
