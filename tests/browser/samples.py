"""Sources of small notebook cells that the browser tests share."""

SUPPORT = """
import operator
from typing import Annotated, Literal, TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Ticket(TypedDict, total=False):
    question: str
    answer: str
    tone: Literal["plain", "warm", "formal"]
    confidence: float
    urgent: bool
    messages: Annotated[list[str], operator.add]


calls = []


def classify(state):
    calls.append("classify")
    print("classifying:", state["question"])
    return {"confidence": 0.82, "tone": "plain", "messages": ["classified"]}


def draft(state):
    calls.append("draft")
    return {"answer": "We can refund your order today.", "messages": ["drafted"]}


def send_email(state):
    calls.append("send_email")
    return {"messages": ["sent: " + state["answer"]]}


def human(state):
    calls.append("human")
    return {"messages": ["a colleague answers"]}


def by_confidence(state):
    return "send_email" if state["confidence"] > 0.5 else "human"


graph = StateGraph(Ticket)
for node in (classify, draft, send_email, human):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "classify")
graph.add_edge("classify", "draft")
graph.add_conditional_edges("draft", by_confidence, ["send_email", "human"])
graph.add_edge("send_email", END)
graph.add_edge("human", END)
app = graph.compile(name="support_agent")
dbg = debug(app)
"""

HELD = """
dbg.stop("after:draft")
run = dbg.start({"question": "Where is my order?", "urgent": False})
run
"""

DATA = """
from typing import Any, TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Sheet(TypedDict, total=False):
    text: str
    rows: list[dict[str, Any]]
    config: dict[str, Any]
    many: list[int]
    markup: str


BEFORE = {
    "text": "The fox jumps over the lazy dog. " * 6,
    "rows": [{"id": i, "name": f"Adelie {i}", "note": "not enough blood for isotopes " * (i % 4)} for i in range(40)],
    "config": {"model": {"name": "a", "temperature": 0.7}, "tags": ["a", "b", "c"]},
}


def write(state):
    rows = [dict(row) for row in state["rows"]]
    rows[3]["name"] = "Gentoo penguin (Pygoscelis papua)"
    rows[17]["note"] = None
    return {
        "text": state["text"].replace("fox", "very quick fox", 1).replace("dog", "dog" + "x" * 200, 1),
        "rows": rows,
        "config": {"model": {"name": "b", "temperature": 0.7}, "tags": ["a", "c", "d"]},
        "many": list(range(5_000)),
        "markup": "<img src=x onerror='window.hacked=1'><b>bold</b>",
    }


graph = StateGraph(Sheet)
graph.add_node("write_a_name_that_is_rather_long_for_a_node", write)
graph.add_edge(START, "write_a_name_that_is_rather_long_for_a_node")
graph.add_edge("write_a_name_that_is_rather_long_for_a_node", END)
dbg = debug(graph.compile(name="a_long_graph_name_for_a_sheet"))
dbg.stop("after:*")
run = dbg.start(BEFORE)
run
"""

NESTED = """
from typing import TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Work(TypedDict, total=False):
    topic: str
    plan: str
    found: str
    report: str


def node(key):
    def run(state):
        return {key: f"{key} of {state['topic']}"}
    return run


inner = StateGraph(Work)
inner.add_node("outline", node("plan"))
inner.add_node("search", node("found"))
inner.add_edge(START, "outline")
inner.add_edge("outline", "search")
inner.add_edge("search", END)
graph = StateGraph(Work)
graph.add_node("research", inner.compile(name="research"))
graph.add_node("write", node("report"))
graph.add_edge(START, "research")
graph.add_edge("research", "write")
graph.add_edge("write", END)
dbg = debug(graph.compile(name="writer"))
dbg.stop("after:research/search")
run = dbg.start({"topic": "penguins"})
run
"""

BIG = """
from typing import TypedDict

from stepgraph import END, START, StateGraph
from stepgraph.debug import debug


class Count(TypedDict, total=False):
    n: int


graph = StateGraph(Count)
layers = [[f"n{row}_{column}" for column in range(15)] for row in range(20)]
for layer in layers:
    for name in layer:
        graph.add_node(name, lambda state: None)
for name in layers[0]:
    graph.add_edge(START, name)
for above, below in zip(layers, layers[1:]):
    for i, name in enumerate(above):
        graph.add_edge(name, below[i])
        if i % 4 == 0:
            graph.add_edge(name, below[(i + 1) % 15])
for name in layers[-1]:
    graph.add_edge(name, END)
dbg = debug(graph.compile(name="three_hundred"))
dbg.stop("after:n10_3")
run = dbg.start({"n": 0})
run
"""

PLACES = """
import operator
from typing import Annotated, TypedDict

from stepgraph import END, START, StateGraph, interrupt
from stepgraph.debug import debug


class Case(TypedDict, total=False):
    question: str
    answer: str
    sources: Annotated[list[str], operator.add]


LONG = "Your parcel " + "https://example.org/tracking/" + "0123456789" * 9 + " arrives on Thursday. " * 6


def search_the_knowledge_base(state):
    return {"answer": LONG, "sources": ["tracking page"]}


def ask_a_colleague(state):
    if state["question"] == "ask":
        return {"sources": [interrupt({"text": "How long does it take?", "choices": ["a day", "a week"]})]}
    if state["question"] == "fail":
        raise ConnectionError("the colleague can't be reached: " + LONG)
    return {"sources": ["Bo"], **({"answer": "We have sent it again."} if state["question"] == "both" else {})}


def reply(state):
    return {"answer": f"Dear customer, {state['answer']}"}


graph = StateGraph(Case)
for node in (search_the_knowledge_base, ask_a_colleague, reply):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "search_the_knowledge_base")
graph.add_edge(START, "ask_a_colleague")
graph.add_edge(["search_the_knowledge_base", "ask_a_colleague"], "reply")
graph.add_conditional_edges("reply", lambda state: END if len(state["answer"]) else "reply", ["reply", END])


def held(question, *stops):
    dbg = debug(graph.compile(name=f"{question} {' '.join(stops)}"))
    for stop in stops:
        dbg.stop(stop)
    run = dbg.start({"question": question})
    if stops or question == "ask":
        next(iter(run.requests()))
    else:
        run.wait()
    return run


runs = [held("plain", stop) for stop in ("plan", "before:reply", "after:reply", "edge:reply", "step", "committed")]
runs += [held("fail", "error"), held("ask"), held("both", "error"), held("fail")]
runs.append(runs[2].at(1).fork("a shorter answer", answer="On Thursday."))
runs[-1].next()
"""
