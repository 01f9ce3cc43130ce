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
