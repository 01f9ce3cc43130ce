"""Programs about what runs next: chains, loops, joins, routers, Sends, Commands, deferred nodes, limits."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]
    count: int


@dataclass
class Order:
    items: Annotated[list[str], operator.add] = field(default_factory=list)
    total: int = 0
    note: str | None = None


@program
def chain_of_editors(lab: Lab) -> None:
    """Draft, edit, publish; then new input on the same thread."""

    class Text(TypedDict):
        text: str
        log: Annotated[list[str], operator.add]

    g = lab.graph(Text)
    g.add_node("draft", lambda s: {"text": s["text"] + "!", "log": ["draft"]})
    g.add_node("edit", lambda s: {"text": s["text"].upper(), "log": ["edit"]})
    g.add_node("publish", lambda s: {"log": ["publish"]})
    g.add_edge(lab.START, "draft")
    g.add_edge("draft", "edit")
    g.add_edge("edit", "publish")
    g.add_edge("publish", lab.END)
    lab.compile(g)
    lab.run({"text": "hello"})
    lab.run({"text": "again", "log": ["me"]})
    lab.invoke({"text": "third"})


@program
def sequence_sugar(lab: Lab) -> None:
    """add_sequence, set_entry_point, set_finish_point, nodes that return None, unknown keys that are dropped."""

    def one(s: Log) -> dict[str, Any]:
        return {"log": ["one"], "nonsense": 1}

    def two(s: Log) -> None:
        return None

    g = lab.graph(Log)
    g.add_sequence([one, two, ("three", lambda s: {"count": len(s["log"])})])
    g.set_entry_point("one")
    g.set_finish_point("three")
    lab.compile(g)
    lab.run({"log": ["start"]})


@program
def loop_until_good(lab: Lab) -> None:
    """A loop with a conditional edge without a path map, and its annotated twin."""

    def route(s: Log) -> Literal["improve", "__end__"]:
        return "improve" if s["count"] < 4 else "__end__"

    g = lab.graph(Log)
    g.add_node("improve", lambda s: {"count": s.get("count", 0) + 1, "log": [s.get("count", 0)]})
    g.add_edge(lab.START, "improve")
    g.add_conditional_edges("improve", route)
    lab.compile(g)
    lab.run({"count": 0})
    lab.run({"count": 2, "log": []})


@program
def router_with_path_map(lab: Lab) -> None:
    """A path map with answers that are no names, several routers on one node, a router that returns a list."""

    g = lab.graph(Log)
    for name in ("triage", "cheap", "dear", "audit"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_conditional_edges(lab.START, lambda s: "in", {"in": "triage"})
    g.add_conditional_edges("triage", lambda s: s["count"] > 10, {True: "dear", False: "cheap"})

    def also(s: Log) -> list[str]:
        return ["audit", "cheap"] if s["count"] == 11 else []

    g.add_conditional_edges("triage", also, ["audit", "cheap"])
    lab.compile(g)
    lab.run({"count": 1})
    lab.run({"count": 11})


@program
def router_sees_own_writes(lab: Lab) -> None:
    """A router reads the state with its own node's writes and not its siblings'."""
    seen: list[Any] = []

    def look(s: Log) -> str:
        seen.append((s["count"], list(s["log"])))
        return "end"

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"count": 5, "log": ["a"]})
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_node("end", lambda s: {"log": ["end"]})
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_conditional_edges("a", look)
    g.add_conditional_edges("b", look)
    lab.compile(g)
    lab.run({"count": 0, "log": ["in"]})
    lab.note("seen", sorted(seen))


@program
def diamond_order(lab: Lab) -> None:
    """Parallel writers are reduced in task order: nodes by name, then Sends by position."""

    g = lab.graph(Log)
    for name in ("zebra", "ant", "mouse", "worker"):
        g.add_node(name, lambda s, name=name: {"log": [name if isinstance(s, dict) and "log" in s else f"{name}:{s}"]})
    g.add_node("split", lambda s: None)
    g.add_edge(lab.START, "split")
    for name in ("zebra", "ant", "mouse"):
        g.add_edge("split", name)
    g.add_conditional_edges("split", lambda s: [lab.Send("worker", 2), lab.Send("worker", 1), "mouse"])
    lab.compile(g)
    lab.run({"log": []})


@program
def and_join(lab: Lab) -> None:
    """Two branches of different length meet."""

    g = lab.graph(Log)
    for name in ("a", "b", "b2", "join"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge("b", "b2")
    g.add_edge(["a", "b2"], "join")
    g.add_edge("join", lab.END)
    lab.compile(g)
    lab.run({"log": []})
    lab.run({"log": ["more"]})


@program
def partial_join_across_runs(lab: Lab) -> None:
    """One half of a join in the first run, the other half in the second."""

    g = lab.graph(Log)
    for name in ("left", "right", "both"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_conditional_edges(lab.START, lambda s: ["left", "right"][s["count"] : s["count"] + 1] or ["left", "right"])
    g.add_edge(["left", "right"], "both")
    lab.compile(g)
    for count in (0, 0, 1, 1, 2, 0):
        lab.run({"count": count})


@program
def join_in_a_loop(lab: Lab) -> None:
    """A join that fires several times in one run."""

    g = lab.graph(Log)
    g.add_node("fan", lambda s: {"count": s["count"] + 1})
    for name in ("x", "y"):
        g.add_node(name, lambda s, name=name: {"log": [f"{name}{s['count']}"]})
    g.add_node("meet", lambda s: {"log": ["meet"]})
    g.add_edge(lab.START, "fan")
    g.add_edge("fan", "x")
    g.add_edge("fan", "y")
    g.add_edge(["x", "y"], "meet")
    g.add_conditional_edges("meet", lambda s: "fan" if s["count"] < 3 else lab.END)
    lab.compile(g)
    lab.run({"count": 0})


@program
def map_reduce(lab: Lab) -> None:
    """Sends with arguments of their own, then a join node that runs once."""

    class Topics(TypedDict):
        topics: list[str]
        jokes: Annotated[list[str], operator.add]
        best: str

    class One(TypedDict):
        topic: str

    def write(s: One) -> dict[str, Any]:
        return {"jokes": [f"joke about {s['topic']}"]}

    g = lab.graph(Topics)
    g.add_node("plan", lambda s: {"topics": [*s["topics"], "cats"]})
    g.add_node("write", write)
    g.add_node("pick", lambda s: {"best": max(s["jokes"], key=len)})
    g.add_edge(lab.START, "plan")
    g.add_conditional_edges("plan", lambda s: [lab.Send("write", {"topic": each}) for each in s["topics"]], ["write"])
    g.add_edge("write", "pick")
    lab.compile(g)
    lab.run({"topics": ["dogs", "parrots"]})
    lab.run({"topics": []})


@program
def sends_from_start_and_to_unknown(lab: Lab) -> None:
    """Sends at the entry, with arguments that are no dicts, and one to a node that does not exist."""

    g = lab.graph(Log)
    g.add_node("work", lambda x: {"log": [x * 2]})
    g.add_conditional_edges(lab.START, lambda s: [lab.Send("work", i) for i in range(s["count"])], ["work"])
    lab.compile(g)
    lab.run({"count": 3})
    lab.run({"count": 0})


@program
def command_goto(lab: Lab) -> None:
    """Commands add to static edges; goto of names, Sends, lists and END."""

    class Handoff(TypedDict):
        log: Annotated[list[Any], operator.add]
        stage: int

    def boss(s: Handoff) -> Any:
        stage = s.get("stage", 0)
        if stage == 0:
            return lab.Command(update={"stage": 1, "log": ["boss0"]}, goto="clerk")
        if stage == 1:
            return lab.Command(
                update=[("stage", 2), ("log", ["p"]), ("log", ["q"])],
                goto=[lab.Send("clerk", {"log": ["sent"], "stage": 7}), "clerk", lab.END],
            )
        return lab.Command(goto=lab.END)

    def clerk(s: Handoff) -> Any:
        if s["stage"] == 7:
            return [lab.Command(update={"log": ["from send"]}), {"log": ["and more"]}]
        return lab.Command(update={"log": [f"clerk{s['stage']}"]}, goto="boss")

    g = lab.graph(Handoff)
    g.add_node("boss", boss, destinations=("clerk",))
    g.add_node("clerk", clerk, destinations=("boss",))
    g.add_node("always", lambda s: {"log": ["always"]})
    g.add_edge(lab.START, "boss")
    g.add_edge("boss", "always")
    lab.compile(g)
    lab.run({"log": []})


@program
def dataclass_state(lab: Lab) -> None:
    """Nodes get and return dataclass objects."""

    def price(order: Order) -> Order:
        return Order(total=len(order.items) * 10)

    def mark(order: Order) -> dict[str, Any]:
        return {"note": type(order).__name__ + str(order.total)}

    g = lab.graph(Order)
    g.add_node(price)
    g.add_node(mark)
    g.add_edge(lab.START, "price")
    g.add_edge("price", "mark")
    g.add_conditional_edges("mark", lambda order: lab.END if order.note else "price")
    lab.compile(g)
    lab.run({"items": ["a", "b"]})
    lab.run(Order(items=["c"], note="x"))


@program
def pydantic_state(lab: Lab) -> None:
    """Input is coerced when a node reads it; objects returned write what was set."""

    class Order(BaseModel):
        n: int
        log: Annotated[list[str], operator.add] = []
        maybe: str | None = None

    def double(order: Order) -> Order:
        return Order(n=order.n * 2, log=[f"double {order.n!r}"])

    def say(order: Order) -> dict[str, Any]:
        return {"maybe": f"{order.n!r}"}

    g = lab.graph(Order)
    g.add_node(double)
    g.add_node(say)
    g.add_edge(lab.START, "double")
    g.add_edge("double", "say")
    lab.compile(g)
    lab.run({"n": "4"})
    lab.run({"n": "no number"}, deviates="refused input")
    lab.without_history = "refused input"


@program
def root_state(lab: Lab) -> None:
    """A state that is one list, not a mapping."""

    g = lab.graph(Annotated[list, operator.add])
    g.add_node("a", lambda s: [len(s)])
    g.add_node("b", lambda s: ["b"])
    g.add_node("none", lambda s: None)
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("a", "none")
    lab.compile(g)
    lab.run(["in"])
    lab.run(["more"])
    lab.invoke(["third"])


@program
def private_keys(lab: Lab) -> None:
    """Input, output and node schemas that differ: keys that no caller sees."""

    class In(TypedDict):
        question: str

    class Out(TypedDict):
        answer: str

    class Private(TypedDict):
        facts: list[str]

    class All(In, Out):
        pass

    def search(s: In) -> dict[str, Any]:
        return {"facts": [s["question"], ",".join(sorted(s))]}

    def write(s: Private) -> dict[str, Any]:
        return {"answer": "|".join(s["facts"]) + ",".join(sorted(s))}

    g = lab.graph(All, input_schema=In, output_schema=Out)
    g.add_node(search)
    g.add_node(write)
    g.add_node("quiet", lambda s: None)
    g.add_edge(lab.START, "search")
    g.add_edge("search", "write")
    g.add_edge("write", "quiet")
    lab.compile(g)
    lab.run({"question": "why", "answer": "ignored"})
    lab.invoke({"question": "how"})


@program
def deferred_summary(lab: Lab) -> None:
    """A deferred node waits for branches of different length."""

    g = lab.graph(Log)
    for name in ("split", "short", "long1", "long2", "long3", "after"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("summary", lambda s: {"log": ["summary"], "count": len(s["log"])}, defer=True)
    g.add_edge(lab.START, "split")
    for start, end in (("split", "short"), ("split", "long1"), ("long1", "long2"), ("long2", "long3")):
        g.add_edge(start, end)
    g.add_edge("short", "summary")
    g.add_edge("long3", "summary")
    g.add_edge("summary", "after")
    lab.compile(g)
    lab.run({"log": []})
    lab.run({"log": ["x"]})


@program
def deferred_join_and_two_deferred(lab: Lab) -> None:
    """A deferred node behind an AND-join, and two deferred nodes of which one triggers the other."""

    g = lab.graph(Log)
    for name in ("a", "b", "tail"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("meet", lambda s: {"log": ["meet"]}, defer=True)
    g.add_node("last", lambda s: {"log": ["last"]}, defer=True)
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge("b", "tail")
    g.add_edge(["a", "b"], "meet")
    g.add_edge("tail", "last")
    g.add_edge("meet", "last")
    lab.compile(g)
    lab.run({"log": []})
    lab.run({"log": []})


@program
def last_step_known(lab: Lab) -> None:
    """IsLastStep and RemainingSteps, and the recursion limit when nobody heeds them."""

    class Steps(TypedDict):
        log: Annotated[list, operator.add]
        last: lab.IsLastStep  # type: ignore[name-defined]  # the engine's  # an annotation made by the engine under test
        left: lab.RemainingSteps  # type: ignore[name-defined]  # either engine's

    g = lab.graph(Steps)
    g.add_node("spin", lambda s: {"log": [(s["last"], s["left"])]})
    g.add_edge(lab.START, "spin")
    g.add_conditional_edges("spin", lambda s: lab.END if s["log"][-1][1] <= 2 else "spin")
    lab.compile(g)
    lab.run({"log": []}, {"recursion_limit": 6})
    lab.run({"log": []}, {"recursion_limit": 3})


@program
def recursion_limit(lab: Lab) -> None:
    """Out of steps, then going on with a new run."""

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"], "count": s["count"] + 1})
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_conditional_edges("b", lambda s: "a" if s["count"] < 6 else lab.END)
    lab.compile(g)
    lab.run({"count": 0}, {"recursion_limit": 4})
    if lab.saved:
        lab.run(None, {"recursion_limit": 4})
        lab.run(None)
    lab.run({"count": 5}, {"recursion_limit": 2})
    lab.run({"count": 5}, {"recursion_limit": 0})


@program
def custom_stream(lab: Lab) -> None:
    """Nodes say things while they run: by parameter and by function."""

    def loud(s: Log, writer: Any) -> dict[str, Any]:
        writer({"n": 1})
        writer("two")
        return {"log": ["loud"]}

    def get(s: Log) -> dict[str, Any]:
        lab.get_stream_writer()(("from", "get"))
        return {"count": 1}

    loud.__annotations__.pop("writer")
    g = lab.graph(Log)
    g.add_node(loud)
    g.add_node(get)
    g.add_edge(lab.START, "loud")
    g.add_edge("loud", "get")
    lab.compile(g)
    lab.run({"log": []})


@program
def unreachable_and_empty_updates(lab: Lab) -> None:
    """A node that nobody reaches; nodes that return {} still end their superstep."""

    g = lab.graph(Log)
    g.add_node("a", lambda s: {})
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_node("island", lambda s: {"log": ["island"]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    lab.compile(g)
    lab.run({"log": []})
    lab.run({"count": 3})


@program
def goto_from_input(lab: Lab) -> None:
    """A Command with goto and update as input."""
    lab.without_history = "goto from input"

    g = lab.graph(Log)
    for name in ("a", "b", "c"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "a")
    g.add_edge("b", "c")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 1})
    if lab.saved:
        lab.run(lab.Command(goto="b"))
        lab.run(lab.Command(update={"count": 9}))
        lab.run(lab.Command(update={"log": ["u"]}, goto=["c", lab.Send("b", {"log": []})]))


@program
def commands_on_a_new_thread(lab: Lab) -> None:
    """A thread that has nothing yet takes a Command as input of START, whose edges are followed beside its goto."""

    g = lab.graph(Log)
    for name in ("a", "b", "c"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "a")
    g.add_edge("b", "c")
    lab.compile(g)
    commands = {
        "goto": lab.Command(goto="b"),
        "update": lab.Command(update={"log": ["u"]}),
        "both": lab.Command(update={"count": 9}, goto=["b", "c"]),
    }
    for lab.thread, command in commands.items():
        lab.run(command)
    if lab.saved:
        lab.thread = "answer"
        lab.run(lab.Command(resume="nobody asked"))


@program
def chosen_output_keys(lab: Lab) -> None:
    """A stream that shows some keys only, as a list and as one name."""

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"count": 1})
    g.add_node("c", lambda s: {"log": ["c"], "count": 2})
    g.add_sequence([("d", lambda s: {"log": ["d"]})])
    g.add_edge(lab.START, "a")
    for start, end in (("a", "b"), ("b", "c"), ("c", "d")):
        g.add_edge(start, end)
    lab.compile(g)
    lab.run({"log": ["in"]}, output_keys=["count"])
    lab.run({"log": ["in"]}, output_keys="log")


@program
def node_and_router_schemas(lab: Lab) -> None:
    """A router with a schema of its own, which sees a key that its node's schema does not have."""

    class Narrow(TypedDict):
        count: int

    def wide(s: Log) -> str:
        return "b" if "log" in s and s["count"] == 2 else lab.END

    def narrow(s: Narrow) -> dict[str, Any]:
        return {"count": s["count"] + 1, "log": [sorted(s)]}

    g = lab.graph(Log)
    g.add_node("a", narrow)
    g.add_node("b", narrow, input_schema=Log)
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", wide)
    lab.compile(g)
    lab.run({"log": ["in"], "count": 1})
    lab.run({"log": ["in"], "count": 5})


@program
def routers_that_see_managed_values(lab: Lab) -> None:
    """A conditional edge's state has the managed values of its schema, also at the entry."""

    class Limited(TypedDict):
        log: Annotated[list[str], operator.add]
        left: lab.RemainingSteps  # type: ignore[name-defined]  # the engine's
        last: lab.IsLastStep  # type: ignore[name-defined]  # the engine's

    class Small(TypedDict):
        log: Annotated[list[str], operator.add]

    seen: list[Any] = []

    def again(state: Any) -> str:
        seen.append(dict(state))
        return "a" if state["left"] > 3 else "b"

    def small(state: Small) -> str:
        seen.append(dict(state))
        return lab.END  # type: ignore[no-any-return]  # a str

    g = lab.graph(Limited)
    for name in ("a", "b"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_conditional_edges(lab.START, again, ["a", "b"])
    g.add_conditional_edges("a", again, ["a", "b"])
    g.add_conditional_edges("b", small, [lab.END])
    lab.compile(g)
    lab.run({"log": ["in"]}, {"recursion_limit": 7})
    lab.note("seen", seen)
