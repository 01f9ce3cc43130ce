"""The programs that `engine.py` measures, each for both engines and as a plain loop.

A shape's `graph(names, size, node)` builds it with an engine's names; `node` makes a function a sync or async node.
`bare(size)` does the same work without an engine.
"""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel

Node = Callable[[Any], Any]
Made = Callable[[Node], Any]


class Names:
    """What a program imports from an engine."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        if engine == "langgraph":
            from langgraph.graph import END, START, StateGraph
            from langgraph.types import Send
        else:
            from stepgraph import END, START, Send, StateGraph  # type: ignore[assignment]  # twins
        self.StateGraph, self.Send, self.START, self.END = StateGraph, Send, START, END


class Shape:
    """A program: `size` units of work (`unit` says of what) in a run, `repeat` runs a measurement."""

    name = ""
    unit = "superstep"
    size = 1000
    quick = 200
    repeat = 1
    only_async = False
    imports = False
    """Whether it imports LangGraph's names itself: each engine then runs it in a process of its own."""

    def compiled(self, names: Names, size: int, node: Made) -> Any:
        return self.graph(names, size, node).compile()

    def graph(self, names: Names, size: int, node: Made) -> Any:
        raise NotImplementedError

    def given(self, size: int) -> Any:
        return {"n": 0}

    def bare(self, size: int) -> Any:
        raise NotImplementedError

    async def abare(self, size: int) -> Any:
        return self.bare(size)


class Count(TypedDict):
    n: int


def same(state: Any) -> Any:
    return {"n": state["n"]}


def more(state: Any) -> Any:
    return {"n": state["n"] + 1}


class Chain(Shape):
    name = "chain of 1000"

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Count)
        made = node(same)
        previous = names.START
        for position in range(size):
            graph.add_node(f"n{position}", made)
            graph.add_edge(previous, f"n{position}")
            previous = f"n{position}"
        return graph

    def bare(self, size: int) -> Any:
        state = self.given(size)
        for _ in range(size):
            state.update(same(state))
        return state


class ShortChain(Chain):
    name = "chain of 10"
    size = quick = 10
    repeat = 200


class Loop(Shape):
    name = "loop of 1000"

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Count)

        def again(state: Any) -> str:
            return "node" if state["n"] < size else names.END

        graph.add_node("node", node(more))
        graph.add_edge(names.START, "node")
        graph.add_conditional_edges("node", again, {"node": "node", names.END: names.END})
        return graph

    def bare(self, size: int) -> Any:
        state = self.given(size)
        while state["n"] < size:
            state.update(more(state))
        return state


class Gather(TypedDict):
    out: Annotated[list[int], operator.add]


def one(number: int) -> Any:
    return {"out": [number]}


class FanOut(Shape):
    name = "fan-out of 1000"
    unit = "task"

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Gather)
        graph.add_node("node", self.body(node))
        graph.add_conditional_edges(
            names.START, lambda _: [names.Send("node", number) for number in range(size)], ["node"]
        )
        return graph

    def body(self, node: Made) -> Any:
        return node(one)

    def given(self, size: int) -> Any:
        return {"out": []}

    def bare(self, size: int) -> Any:
        out: list[int] = []
        for number in range(size):
            out += one(number)["out"]
        return {"out": out}


async def awaiting(number: int) -> Any:
    await asyncio.sleep(0)
    return {"out": [number]}


class AwaitingFanOut(FanOut):
    name = "awaiting fan-out"
    only_async = True

    def body(self, node: Made) -> Any:
        return awaiting

    async def abare(self, size: int) -> Any:
        out: list[int] = []
        for update in await asyncio.gather(*(awaiting(number) for number in range(size))):
            out += update["out"]
        return {"out": out}


class Total(TypedDict):
    n: Annotated[int, operator.add]


def plus_one(_: Any) -> Any:
    return {"n": 1}


class Parallel(Shape):
    """100 chains of 10 nodes side by side: each superstep runs 100 nodes."""

    name = "100 nodes × 10 steps"
    unit = "task"
    size = 1000
    quick = 200

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Total)
        made = node(plus_one)
        for row in range(size // 10):
            graph.add_edge(names.START, f"n{row}s0")
            for step in range(10):
                graph.add_node(f"n{row}s{step}", made)
                if step:
                    graph.add_edge(f"n{row}s{step - 1}", f"n{row}s{step}")
        return graph

    def bare(self, size: int) -> Any:
        state = {"n": 0}
        for _ in range(size):
            state["n"] = operator.add(state["n"], plus_one(state)["n"])
        return state


class Inner(TypedDict):
    number: int
    out: Annotated[list[int], operator.add]


def doubled(state: Any) -> Any:
    return {"number": 2 * state["number"]}


def told(state: Any) -> Any:
    return {"out": [state["number"]]}


class Subgraphs(Shape):
    """A Send for each of 100 subgraphs of two nodes."""

    name = "subgraphs by Send"
    unit = "subgraph"
    size = 100
    quick = 50

    def graph(self, names: Names, size: int, node: Made) -> Any:
        inner = names.StateGraph(Inner)
        inner.add_node("doubled", node(doubled))
        inner.add_node("told", node(told))
        inner.add_edge(names.START, "doubled")
        inner.add_edge("doubled", "told")
        graph = names.StateGraph(Gather)
        graph.add_node("inner", inner.compile())
        graph.add_conditional_edges(
            names.START,
            lambda _: [names.Send("inner", {"number": number, "out": []}) for number in range(size)],
            ["inner"],
        )
        return graph

    def given(self, size: int) -> Any:
        return {"out": []}

    def bare(self, size: int) -> Any:
        out: list[int] = []
        for number in range(size):
            state: dict[str, Any] = {"number": number}
            state.update(doubled(state))
            out += told(state)["out"]
        return {"out": out}


class Talk(TypedDict):
    messages: Annotated[list[dict[str, Any]], operator.add]


TOOLS: dict[str, Callable[..., Any]] = {"add": lambda a, b: a + b, "times": lambda a, b: a * b}


def model(state: Any) -> Any:
    """Reads the talk as a model's client does (the whole prompt is put together each turn), and asks for a tool."""
    prompt = "\n".join([message["content"] for message in state["messages"]])
    turn = len(state["messages"]) // 2
    call = {
        "id": f"call_{turn}",
        "name": "add" if turn % 2 else "times",
        "arguments": json.dumps({"a": turn, "b": len(prompt)}),
    }
    return {"messages": [{"role": "assistant", "content": f"Turn {turn}: a tool knows that.", "tool_calls": [call]}]}


def tools(state: Any) -> Any:
    """Runs what the last message asks for."""
    found = []
    for call in state["messages"][-1]["tool_calls"]:
        result = TOOLS[call["name"]](**json.loads(call["arguments"]))
        found.append({"role": "tool", "tool_call_id": call["id"], "content": str(result)})
    return {"messages": found}


class Agent(Shape):
    """Model and tools in turn; messages are dicts."""

    name = "agent of 100 turns"
    unit = "turn"
    size = 100
    quick = 40

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Talk)

        def more_to_do(state: Any) -> str:
            return "tools" if len(state["messages"]) < 2 * size else names.END

        graph.add_node("model", node(model))
        graph.add_node("tools", node(tools))
        graph.add_edge(names.START, "model")
        graph.add_conditional_edges("model", more_to_do, ["tools", names.END])
        graph.add_edge("tools", "model")
        return graph

    def given(self, size: int) -> Any:
        return {"messages": [{"role": "user", "content": "Count for me, please."}]}

    def bare(self, size: int) -> Any:
        state = self.given(size)
        while True:
            state["messages"] = state["messages"] + model(state)["messages"]
            if len(state["messages"]) >= 2 * size:
                return state
            state["messages"] = state["messages"] + tools(state)["messages"]


class PrebuiltAgent(Shape):
    """The same talk with langchain's objects, through `create_react_agent` of each engine's own."""

    name = "prebuilt agent of 100"
    unit = "turn"
    size = 100
    quick = 40
    imports = True
    own_prebuilt = True
    """Whether it is `stepgraph.prebuilt`'s here; else both engines run langgraph-prebuilt's."""

    def compiled(self, names: Names, size: int, node: Made) -> Any:
        return prebuilt().agent(size)

    def given(self, size: int) -> Any:
        return prebuilt().asked()

    def bare(self, size: int) -> Any:
        return prebuilt().bare(size)

    async def abare(self, size: int) -> Any:
        return await prebuilt().abare(size)


class TheirPrebuiltAgent(PrebuiltAgent):
    """LangGraph's prebuilt package on both engines."""

    name = "prebuilt agent, theirs"
    own_prebuilt = False


def prebuilt() -> Any:
    """Loaded on use, because it loads langchain-core."""
    from tests.benchmarks import prebuilt as found

    return found


def said(state: Any) -> Any:
    number = len(state["messages"])
    return {"messages": [{"role": "user", "content": f"This is message number {number}, of some length as they have."}]}


class Append(Shape):
    name = "append 1000 steps"

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(Talk)

        def again(state: Any) -> str:
            return "said" if len(state["messages"]) < size else names.END

        graph.add_node("said", node(said))
        graph.add_edge(names.START, "said")
        graph.add_conditional_edges("said", again, ["said", names.END])
        return graph

    def given(self, size: int) -> Any:
        return {"messages": []}

    def bare(self, size: int) -> Any:
        state = self.given(size)
        while len(state["messages"]) < size:
            state["messages"] = state["messages"] + said(state)["messages"]
        return state


class ManyKeys(Shape):
    """A chain of nodes, each of which writes one of 1,000 keys."""

    name = "1000 keys"
    size = 100
    quick = 40

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(TypedDict("Keys", {f"k{n}": int for n in range(1000)}))  # type: ignore[operator]  # made
        previous = names.START
        for position in range(size):
            graph.add_node(f"n{position}", node(partial(_counted, f"k{7 * position}")))
            graph.add_edge(previous, f"n{position}")
            previous = f"n{position}"
        return graph

    def given(self, size: int) -> Any:
        return {f"k{n}": n for n in range(1000)}

    def bare(self, size: int) -> Any:
        state = self.given(size)
        for position in range(size):
            state.update(_counted(f"k{7 * position}", state))
        return state


def _counted(key: str, state: Any) -> Any:
    return {key: state[key] + 1}


def letter(number: int) -> dict[str, Any]:
    """A message of about 6 KB, nested as payloads of web services are."""
    part = {f"part{n}": [f"text {number}.{n}", True, n, 6_327_816_386_138, None] * 5 for n in range(5)}
    return {f"section{n}": {**{key: list(value) for key, value in part.items()}} for n in range(5)}


@dataclass
class Desk:
    """A dozen keys: a list of letters that grows, lists and single values that are made of it."""

    letters: Annotated[list[Any], operator.add] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    rules: list[Any] = field(default_factory=list)
    drafts: list[Any] = field(default_factory=list)
    issue: Any = None
    person: Any = None
    summary: Any = None
    medium: str = "post"
    language: str = "en"
    priority: int = 0
    round: int = 0


class DeskModel(BaseModel):
    """The same, validated for each node."""

    letters: Annotated[list[Any], operator.add] = []
    events: list[Any] = []
    rules: list[Any] = []
    drafts: list[Any] = []
    issue: Any = None
    person: Any = None
    summary: Any = None
    medium: str = "post"
    language: str = "en"
    priority: int = 0
    round: int = 0


def arrive(state: Any) -> Any:
    return {"events": list(state.letters), "round": state.round + 1}


def look(state: Any) -> Any:
    return {"issue": state.events[-1], "person": state.events[0]}


def check(state: Any) -> Any:
    return {"rules": state.events, "priority": len(state.events)}


def draft(state: Any) -> Any:
    return {"drafts": state.rules[::-1]}


def answer(state: Any) -> Any:
    return {"letters": [letter(len(state.letters) + n) for n in range(25)], "summary": state.drafts[0]}


DESK: list[Node] = [arrive, look, check, draft, answer]


class Wide(Shape):
    """25 letters more in each round of five nodes, until there are 300; whole lists of them are written each round."""

    name = "wide state 25×300"
    size = 300
    quick = 100
    unit = "superstep"
    schema: type = Desk

    def graph(self, names: Names, size: int, node: Made) -> Any:
        graph = names.StateGraph(self.schema)
        previous = names.START
        for function in DESK:
            graph.add_node(function.__name__, node(function))
            graph.add_edge(previous, function.__name__)
            previous = function.__name__
        graph.add_conditional_edges(
            "answer", lambda state: "arrive" if len(state.letters) < size else names.END, ["arrive", names.END]
        )
        return graph

    def given(self, size: int) -> Any:
        return {"letters": [letter(number) for number in range(25)]}

    def supersteps(self, size: int) -> int:
        return size // 25 * 5

    def bare(self, size: int) -> Any:
        state = self.schema(**self.given(size))
        while len(state.letters) < size:
            for function in DESK:
                update = function(state)
                if "letters" in update:
                    update["letters"] = state.letters + update["letters"]
                state = self.schema(**{**self._values(state), **update})
        return state

    def _values(self, state: Any) -> dict[str, Any]:
        return {each.name: getattr(state, each.name) for each in fields(state)}


class Pydantic(Wide):
    name = "Pydantic 25×300"
    schema = DeskModel

    def _values(self, state: Any) -> dict[str, Any]:
        return dict(state.__dict__)


SHAPES: tuple[Shape, ...] = (
    ShortChain(),
    Chain(),
    Loop(),
    FanOut(),
    AwaitingFanOut(),
    Parallel(),
    Subgraphs(),
    Agent(),
    PrebuiltAgent(),
    TheirPrebuiltAgent(),
    Append(),
    ManyKeys(),
    Wide(),
    Pydantic(),
)
