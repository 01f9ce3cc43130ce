"""Programs with graphs in graphs: as nodes, called from nodes, with their own questions, histories and handoffs."""

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]
    count: int


def child_of(lab: Lab, *names: str, **options: Any) -> Any:
    """A compiled graph whose nodes log their names one after the other."""
    g = lab.graph(Log)
    previous = lab.START
    for name in names:
        g.add_node(name, lambda s, name=name: {"log": [name], "count": s.get("count", 0) + 1})
        g.add_edge(previous, name)
        previous = name
    return g.compile(**options)


@program
def shared_state(lab: Lab) -> None:
    """A subgraph on the parent's keys: its whole list comes back through the reducer."""
    g = lab.graph(Log)
    g.add_node("before", lambda s: {"log": ["before"]})
    g.add_node("child", child_of(lab, "x", "y"))
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "before")
    g.add_edge("before", "child")
    g.add_edge("child", "after")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    lab.run({"log": ["again"]})


@program
def private_state(lab: Lab) -> None:
    """A subgraph with keys of its own and one shared key, and one with an output schema."""

    class Inner(TypedDict):
        count: int
        secret: str

    class Out(TypedDict):
        count: int

    c = lab.graph(Inner, output_schema=Out)
    c.add_node("hide", lambda s: {"secret": "x" * s["count"]})
    c.add_node("use", lambda s: {"count": len(s["secret"]) + 1})
    c.add_edge(lab.START, "hide")
    c.add_edge("hide", "use")
    g = lab.graph(Log)
    g.add_node("child", c.compile())
    g.add_node("after", lambda s: {"log": [s["count"]]})
    g.add_edge(lab.START, "child")
    g.add_edge("child", "after")
    lab.compile(g)
    lab.run({"count": 3})
    lab.run({"count": 1, "log": ["x"]})


@program
def three_levels(lab: Lab) -> None:
    """Graphs in graphs in graphs, two of them side by side."""
    inner = child_of(lab, "deep1", "deep2")
    m = lab.graph(Log)
    m.add_node("inner", inner)
    m.add_node("mid", lambda s: {"log": ["mid"]})
    m.add_edge(lab.START, "inner")
    m.add_edge("inner", "mid")

    class Wide(TypedDict):
        log: Annotated[list, operator.add]

    g = lab.graph(Wide)
    g.add_node("left", m.compile())
    g.add_node("right", child_of(lab, "r"))
    g.add_node("end", lambda s: {"log": ["end"]})
    g.add_edge(lab.START, "left")
    g.add_edge(lab.START, "right")
    g.add_edge(["left", "right"], "end")
    lab.compile(g)
    lab.run({"log": ["in"]})


@program
def sends_to_a_subgraph(lab: Lab) -> None:
    """Several tasks of one subgraph node in one superstep."""
    g = lab.graph(Log)
    g.add_node("child", child_of(lab, "x", "y"))
    g.add_node("sum", lambda s: {"log": [len(s["log"])]})
    g.add_conditional_edges(
        lab.START, lambda s: [lab.Send("child", {"log": [i], "count": i}) for i in range(3)], ["child"]
    )

    class Only(TypedDict):
        log: Annotated[list, operator.add]

    h = lab.graph(Only)
    h.add_node("child", child_of(lab, "x", "y"))
    h.add_node("sum", lambda s: {"log": [len(s["log"])]})
    h.add_conditional_edges(
        lab.START, lambda s: [lab.Send("child", {"log": [i], "count": i}) for i in range(3)], ["child"]
    )
    h.add_edge("child", "sum")
    lab.compile(h)
    lab.run({"log": []})


@program(needs_saver=True)
def question_in_a_subgraph(lab: Lab) -> None:
    """A node of a subgraph asks; the parent shows it, and resuming goes on inside."""
    ran: list[str] = []

    def ask(s: Log) -> dict[str, Any]:
        ran.append("ask")
        return {"log": [("answer", lab.interrupt("inside?"))]}

    c = lab.graph(Log)
    c.add_node("first", lambda s: ran.append("first") or {"log": ["first"]})
    c.add_node("ask", ask)
    c.add_node("last", lambda s: ran.append("last") or {"count": 5})
    c.add_edge(lab.START, "first")
    c.add_edge("first", "ask")
    c.add_edge("ask", "last")

    class Only(TypedDict):
        log: Annotated[list, operator.add]

    g = lab.graph(Only)
    g.add_node("before", lambda s: {"log": ["before"]})
    g.add_node("child", c.compile())
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "before")
    g.add_edge("before", "child")
    g.add_edge("child", "after")
    lab.compile(g)
    lab.run({"log": ["in"]})
    lab.state(subgraphs=True)
    lab.resume("yes")
    lab.state(subgraphs=True)
    lab.run({"log": ["second"]})
    lab.resume("no")
    lab.note("ran", ran)


@program(needs_saver=True)
def questions_in_parallel_subgraphs(lab: Lab) -> None:
    """Sends to a subgraph that asks: one question each, answered by id."""

    def ask(s: Log) -> dict[str, Any]:
        return {"log": [(s["count"], lab.interrupt(s["count"]))]}

    c = lab.graph(Log)
    c.add_node("ask", ask)
    c.add_edge(lab.START, "ask")

    class Only(TypedDict):
        log: Annotated[list, operator.add]

    g = lab.graph(Only)
    g.add_node("child", c.compile())
    g.add_conditional_edges(lab.START, lambda s: [lab.Send("child", {"count": i}) for i in (1, 2)], ["child"])
    lab.compile(g)
    lab.run({"log": []})
    lab.answer(lambda value: value * 10)


@program(needs_saver=True)
def breakpoint_in_a_subgraph(lab: Lab) -> None:
    """A subgraph compiled with a breakpoint, and its state edited in its own namespace."""
    g = lab.graph(Log)
    g.add_node("child", child_of(lab, "x", "y", interrupt_before=["y"]))
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "child")
    g.add_edge("child", "after")
    lab.compile(g)
    lab.run({"log": ["in"]})
    shown = lab.state(subgraphs=True)
    inner = shown.tasks[0].state.config
    lab.update({"log": ["by hand"]}, config=inner)
    lab.run(None)


@program
def handoff_to_the_parent(lab: Lab) -> None:
    """Command.PARENT from a subgraph: update and goto apply in the parent, the child's own writes are dropped."""

    def hand_over(s: Log) -> Any:
        return lab.Command(graph=lab.Command.PARENT, update={"log": ["handed over"]}, goto="other")

    c = lab.graph(Log)
    c.add_node("work", lambda s: {"log": ["lost"]})
    c.add_node("hand_over", hand_over, destinations=())
    c.add_edge(lab.START, "work")
    c.add_edge("work", "hand_over")
    g = lab.graph(Log)
    g.add_node("child", c.compile())
    g.add_node("other", lambda s: {"log": ["other"]})
    g.add_node("static", lambda s: {"log": ["static"]})
    g.add_edge(lab.START, "child")
    g.add_edge("child", "static")
    lab.compile(g)
    lab.run({"log": ["in"]})


@program(sync_only=True)
def graph_called_in_a_node(lab: Lab) -> None:
    """Node code calls another graph: its chunks have a namespace, its result is the node's to use."""
    inner = child_of(lab, "x", "y")

    def call(s: Log) -> dict[str, Any]:
        result = inner.invoke({"log": ["to inner"], "count": s["count"]})
        return {"log": [result["log"][-1], result["count"]]}

    g = lab.graph(Log)
    g.add_node("call", call)
    g.add_edge(lab.START, "call")
    lab.compile(g)
    lab.run({"log": [], "count": 1})


@program(needs_saver=True, sync_only=True)
def question_in_a_called_graph(lab: Lab) -> None:
    """A graph called in node code asks: the outer node runs again, the inner one goes on where it was."""
    ran: list[str] = []

    def ask(s: Log) -> dict[str, Any]:
        ran.append("ask")
        return {"log": [lab.interrupt("called?")]}

    c = lab.graph(Log)
    c.add_node("first", lambda s: ran.append("first") or {"log": ["first"]})
    c.add_node("ask", ask)
    c.add_edge(lab.START, "first")
    c.add_edge("first", "ask")
    inner = c.compile()

    def call(s: Log) -> dict[str, Any]:
        ran.append("call")
        return {"log": inner.invoke({"log": ["i"]})["log"]}

    g = lab.graph(Log)
    g.add_node("call", call)
    g.add_edge(lab.START, "call")
    lab.compile(g)
    lab.run({"log": []})
    lab.resume("yes")
    lab.note("ran", ran)


@program(needs_saver=True)
def subgraph_with_its_own_history(lab: Lab) -> None:
    """checkpointer=True: the subgraph remembers from one run of the thread to the next."""
    c = lab.graph(Log)
    c.add_node("x", lambda s: {"log": ["x"], "count": s.get("count", 0) + 1})
    c.add_edge(lab.START, "x")

    class Out(TypedDict):
        log: Annotated[list, operator.add]
        counts: Annotated[list, operator.add]
        count: int

    g = lab.graph(Out)
    g.add_node("child", c.compile(checkpointer=True))
    g.add_node("note", lambda s: {"counts": [s["count"]]})
    g.add_edge(lab.START, "child")
    g.add_edge("child", "note")
    lab.compile(g)
    lab.run({"log": ["1"]})
    lab.run({"log": ["2"]})


@program(needs_saver=True)
def failure_in_a_subgraph(lab: Lab) -> None:
    """A node of a subgraph fails once; resuming goes on inside the subgraph."""
    ran: list[str] = []

    def flaky(s: Log) -> dict[str, Any]:
        ran.append("flaky")
        if ran.count("flaky") == 1:
            raise ConnectionError("down")
        return {"log": ["flaky"]}

    c = lab.graph(Log)
    c.add_node("first", lambda s: ran.append("first") or {"log": ["first"]})
    c.add_node("flaky", flaky)
    c.add_edge(lab.START, "first")
    c.add_edge("first", "flaky")
    g = lab.graph(Log)
    g.add_node("child", c.compile())
    g.add_edge(lab.START, "child")
    lab.compile(g)
    lab.run({"log": []})
    lab.run(None)
    lab.note("ran", ran)


@program(needs_saver=True)
def loop_through_a_subgraph(lab: Lab) -> None:
    """A subgraph node that runs several times in a run, asking each time."""

    def ask(s: Log) -> dict[str, Any]:
        return {"count": s["count"] + lab.interrupt(f"round {s['count']}")}

    c = lab.graph(Log)
    c.add_node("ask", ask)
    c.add_edge(lab.START, "ask")
    g = lab.graph(Log)
    g.add_node("child", c.compile())
    g.add_edge(lab.START, "child")
    g.add_conditional_edges("child", lambda s: "child" if s["count"] < 3 else lab.END)
    lab.compile(g)
    lab.run({"count": 0})
    for answer in (1, 1, 1):
        lab.resume(answer)


@program(sync_only=True)
def handoff_from_called_graphs(lab: Lab) -> None:
    """A graph that a node calls, as its first or second one, hands over to the graph of that node."""
    low = lab.graph(Log)
    low.add_node("x", lambda s: lab.Command(graph=lab.Command.PARENT, update={"log": ["up"]}, goto="end"))
    low.add_edge(lab.START, "x")
    inner, plain = low.compile(), child_of(lab, "p")

    def once(s: Log) -> Any:
        inner.invoke(s)

    def second(s: Log) -> Any:
        plain.invoke(s)
        inner.invoke(s)

    g = lab.graph(Log)
    g.add_node("once", once, destinations=("end",))
    g.add_node("second", second, destinations=("end",))
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_node("end", lambda s: {"log": ["end"]})
    g.add_conditional_edges(lab.START, lambda s: s["log"][-1], ["once", "second"])
    g.add_edge("once", "after")
    lab.compile(g)
    lab.run({"log": ["once"], "count": 0})
    lab.run({"log": ["second"], "count": 0})
    outer = lab.graph(Log)
    outer.add_node("deep", g.compile())
    outer.add_node("beside", lambda s: {"log": ["beside"]})
    outer.add_edge(lab.START, "deep")
    outer.add_edge(lab.START, "beside")
    lab.compile(outer)
    lab.run({"log": ["second"], "count": 0})


@program
def commands_that_name_a_graph(lab: Lab) -> None:
    """Only PARENT goes up: a Command that names another graph is for the graph of its node."""
    inner = lab.graph(Log)
    for name in ("sub", "x"):
        command = lab.Command(graph=name, update={"log": [name]}, goto="then")
        inner.add_node(f"for_{name}", lambda s, command=command: command, destinations=("then",))
        inner.add_edge(lab.START, f"for_{name}")
    inner.add_node("then", lambda s: {"log": ["then"]})
    g = lab.graph(Log)
    g.add_node("sub", inner.compile())
    g.add_node("then", lambda s: {"log": ["outer"]})
    g.add_edge(lab.START, "sub")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})


@program(needs_saver=True, sync_only=True)
def functions_ask_in_an_inner_graph(lab: Lab) -> None:
    """Two functions, called at once in a graph two levels down: both questions are listed, and answered together."""

    @lab.task
    def ask(name: str) -> Any:
        return lab.interrupt(name)

    inner = lab.graph(Log)
    inner.add_node("both", lambda s: {"log": [each.result() for each in [ask("one?"), ask("two?")]]})
    inner.add_edge(lab.START, "both")
    middle = lab.graph(Log)
    middle.add_node("inner", inner.compile())
    middle.add_edge(lab.START, "inner")
    g = lab.graph(Log)
    g.add_node("middle", middle.compile())
    g.add_edge(lab.START, "middle")
    lab.compile(g)
    lab.run({"log": []})
    lab.resume("to which of them?")
    lab.answer(str.upper)
