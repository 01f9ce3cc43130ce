"""A real run with its panel, and a page that only counts and answers: no browser, no kernel."""

from __future__ import annotations

import operator
import queue
from collections.abc import Callable, Iterator
from itertools import count
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, StateGraph
from stepgraph.debug import debug
from stepgraph.debug.run import Run
from stepgraph.debug.session import Session
from stepgraph.panels.run_panel import RunPanel
from tests.debug.support import end_runs

NAMES = count()


class Ticket(TypedDict, total=False):
    question: str
    answer: str
    confidence: float
    messages: Annotated[list[str], operator.add]


def classify(state: Ticket) -> Ticket:
    print("classifying", state["question"])
    return {"confidence": 0.8, "messages": ["classified"]}


def draft(state: Ticket) -> Ticket:
    return {"answer": "We can refund it.", "messages": ["drafted"]}


def send(state: Ticket) -> Ticket:
    return {"messages": ["sent: " + state["answer"]]}


def human(state: Ticket) -> Ticket:
    return {"messages": ["a colleague answers"]}


def support() -> StateGraph:
    """classify → draft → send or human, by confidence."""
    graph = StateGraph(Ticket)
    for node in (classify, draft, send, human):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "classify")
    graph.add_edge("classify", "draft")
    graph.add_conditional_edges(
        "draft", lambda state: "send" if state["confidence"] > 0.5 else "human", ["send", "human"]
    )
    return graph


@pytest.fixture(autouse=True)
def _no_runs_left() -> Iterator[None]:
    yield
    end_runs()


@pytest.fixture
def session() -> Session:
    """A session of its own for each test."""
    return debug(support().compile(), name=f"support-{next(NAMES)}")


@pytest.fixture
def held(session: Session) -> Iterator[Run]:
    """A run held at `after:draft`."""
    session.stop("after:draft")
    run = session.start({"question": "Where is it?"})
    next(iter(run.requests()))
    yield run
    run.cancel()


class FakePage:
    """A page that answers nothing: it sends commands and takes what the panel says."""

    def __init__(self, panel: RunPanel) -> None:
        self.panel = panel
        self.inbox: queue.Queue[tuple[dict[str, Any], list[bytes]]] = queue.Queue()
        self.batches: list[dict[str, Any]] = []
        self.seqs: list[int] = []
        self._ids = count()

    def take(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """What stands in for the comm's `send`."""
        self.inbox.put((content, buffers or []))

    def ask(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return the reply; batches that come first are kept."""
        name = f"page:{next(self._ids)}"
        self.panel._hand_over(None, {"cmd": cmd, "id": name, "seq": 0, **arguments}, [])
        return self.until(lambda content: content.get("re") == name)

    def value(self, cmd: str, **arguments: Any) -> Any:
        """The value of a reply that must be a success."""
        reply = self.ask(cmd, **arguments)
        assert reply["ok"], reply
        return reply["value"]

    def refusal(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """The error of a reply that must be a refusal."""
        reply = self.ask(cmd, **arguments)
        assert not reply["ok"], reply
        error: dict[str, Any] = reply["error"]
        return error

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that is wanted."""
        while True:
            content, buffers = self.inbox.get(timeout=10)
            self.seqs.append(content["seq"])
            if content["kind"] == "batch":
                self.batches.append(content)
            if wanted(content):
                return {**content, "buffers": buffers}

    def patches(self, name: str) -> list[Any]:
        """What the batches so far said of one section."""
        return [patch[name] for batch in self.batches for patch in batch["patches"] if name in patch]


@pytest.fixture
def page(held: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePage]:
    """A page on the panel of the held run."""
    panel = RunPanel(held)
    found = FakePage(panel)
    monkeypatch.setattr(panel, "send", found.take)
    yield found
    panel.close()
