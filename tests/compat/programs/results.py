"""What a run returns: None where it wrote no key of its output, whatever earlier runs of the thread have left there."""

import asyncio
import operator
from typing import Annotated, Any

from langgraph.channels import EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    q: str
    a: str
    log: Annotated[list, operator.add]


class Question(TypedDict, total=False):
    q: str


class Answer(TypedDict, total=False):
    a: str


class Log(TypedDict, total=False):
    log: list


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "v2": {"version": "v2"},
    "at exit": {"durability": "exit"},
    "stop before": {"interrupt_before": "*"},
    "stop after": {"interrupt_after": "*"},
    "lone key": {"output_keys": "a"},
    "lone key, v2": {"output_keys": "a", "version": "v2"},
    "one key": {"output_keys": ["a"]},
    "reduced key": {"output_keys": ["log"]},
    "other key": {"output_keys": "q"},
}


def each_way(show: Any, graph: Any, inputs: Any, ways: Any = WAYS) -> None:
    """Run all inputs on a thread of each way and each kind of call."""
    for name, options in ways.items():
        for call in (graph.invoke, lambda *args, **more: asyncio.run(graph.ainvoke(*args, **more)), values_of(graph)):
            config = {"configurable": {"thread_id": f"{name} {id(call)}"}}
            show(name, [run(call, each, config, options) for each in inputs])


def values_of(graph: Any) -> Any:
    return lambda given, config, **options: list(graph.stream(given, config, stream_mode="values", **options))


def run(call: Any, given: Any, config: Any, options: Any) -> Any:
    try:
        return call(given, config, **options)
    except Exception as error:
        return type(error).__name__


def graph_of(*nodes: Any, output: Any = None, given: Any = Question, state: Any = State, **options: Any) -> Any:
    builder = StateGraph(state, input_schema=given, output_schema=output or state)
    builder.add_sequence([(f"n{place}", node) for place, node in enumerate(nodes)])
    return builder.add_edge(START, "n0").compile(checkpointer=InMemorySaver(), **options)


def answers(state: Any) -> Any:
    match state.get("q"):
        case "yes":
            return {"a": "1", "log": [1]}
        case "ask":
            return {"a": interrupt("?")}
        case "ask, but say nothing":
            interrupt("?")
    return None


GIVEN = [
    {"q": "yes"}, {"q": "no"}, {}, {"unknown": 1}, {"q": "yes"}, None, Command(goto="n0"), Command(update={"q": "no"}),
    {"q": "no"}, {"q": "ask"}, Command(resume="2"), {"q": "ask, but say nothing"}, Command(resume="3"), {"q": "ask"},
    {"q": "no"},
]  # fmt: skip


def old_values_are_no_result(show: Any) -> None:
    for output in (Answer, Log, State):
        each_way(show, graph_of(answers, output=output), GIVEN)


def what_was_written_before_is_returned_with_what_is_written(show: Any) -> None:
    later = graph_of(lambda state: {"q": "w"}, lambda state: {"log": [len(state["log"])]}, output=State)
    each_way(show, later, [{"q": "a"}, {}, {"q": "b"}])
    same = graph_of(lambda state: {"a": "the same"}, output=Answer)
    each_way(show, same, [{"q": "a"}, {"q": "b"}])


def without_a_checkpointer(show: Any) -> None:
    for output in (Answer, Log, State):
        graph = StateGraph(State, output_schema=output).add_node("n0", answers).add_edge(START, "n0").compile()
        ways = {name: options for name, options in WAYS.items() if name != "at exit"}
        commands = [Command(goto="n0"), Command(update={"q": "yes"}), Command(update={"a": "1"}, goto="n0")]
        each_way(show, graph, [{"q": "yes"}, {"q": "no"}, {}, {"log": []}, None, *commands], ways)


def results_of_sends(show: Any) -> None:
    builder = StateGraph(State, input_schema=Question, output_schema=Answer)
    builder.add_node("one", answers).add_node("two", lambda state: {"log": [1]})
    builder.add_conditional_edges(START, lambda state: [Send("two", {}), Send("one", dict(state))], ["one", "two"])
    graph = builder.compile(checkpointer=InMemorySaver())
    each_way(show, graph, [{"q": "yes"}, {"q": "no"}, {"q": "ask"}, Command(resume="2"), {"q": "no"}])


def results_beside_a_question(show: Any) -> None:
    for output in (Answer, Log, State):
        builder = StateGraph(State, input_schema=Question, output_schema=output)
        builder.add_node("x", answers).add_node("y", lambda state: {"log": [interrupt("and?")]})
        graph = builder.add_edge(START, "x").add_edge(START, "y").compile(checkpointer=InMemorySaver())
        ways = {name: options for name, options in WAYS.items() if "stop" not in name}
        each_way(show, graph, [{"q": "yes"}, Command(resume="!"), {"q": "no"}, Command(resume="!"), {"q": "yes"}], ways)


def results_of_subgraphs(show: Any) -> None:
    for checkpointer in (None, True, False):
        for stops in ({}, {"interrupt_before": ["n0"]}, {"interrupt_after": ["n0"]}):
            inner = StateGraph(State, input_schema=Question, output_schema=Answer).add_node("n0", answers)
            child = inner.add_edge(START, "n0").compile(checkpointer=checkpointer, **stops)
            outer = graph_of(child, lambda state: {"log": [2]}, output=Answer)
            # When a run goes on, LangGraph does not run a lasting graph that an earlier run has ended.
            ways = {name: options for name, options in WAYS.items() if not (checkpointer and "stop" in name)}
            each_way(show, outer, [{"q": "no"}, {"q": "yes"}, {"q": "no"}, None, {"q": "yes"}, None], ways)
    asking = graph_of(inner.compile(), output=Answer)
    each_way(show, asking, [{"q": "ask"}, Command(resume="2"), {"q": "ask"}, {"q": "no"}])


def results_of_functions(show: Any) -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def function(given: Any, *, previous: Any = None) -> Any:
        if given in ("ask", "ask for a dict"):
            return interrupt("?") if given == "ask" else {"k": interrupt("?")}
        return [given, previous] if given else None

    ways = {name: options for name, options in WAYS.items() if "key" not in name}
    asked = ["ask", None, Command(resume="b"), "a", "", None, "ask for a dict", Command(resume=1), "ask", "a"]
    each_way(show, function, ["a", None, *asked], ways)


def results_of_channels(show: Any) -> None:
    def last(given: Any) -> Any:
        return interrupt("?") if given["b"] == "qq" else given["b"]

    keys: Any = {"a": EphemeralValue(str), "b": LastValue(str), "c": EphemeralValue(str), "t": Topic(str)}
    ways = {name: options for name, options in WAYS.items() if "key" not in name}
    asked: Any = ("b", "c", ["b", "c"], ["a"], ["t"])
    ways |= {
        f"{version} {each}": {"output_keys": each, "version": version} for each in asked for version in ("v1", "v2")
    }
    for output in (["c"], "c", "b", ["b", "c"]):
        first = NodeBuilder().subscribe_only("a").do(lambda given: given + given if given != "n" else None)
        nodes = {"one": first.write_to("b"), "two": NodeBuilder().subscribe_to("b").do(last).write_to("c")}
        graph = Pregel(
            nodes=nodes, channels=keys, input_channels=["a"], output_channels=output, checkpointer=InMemorySaver()
        )
        inputs = [{"a": "x"}, {"a": "n"}, {"a": "q"}, Command(resume="r"), None, {"a": "y"}]
        each_way(show, graph, inputs, ways)


def results_that_pass(show: Any) -> None:
    class Passing(TypedDict, total=False):
        q: str
        once: Annotated[str, EphemeralValue(str)]
        kept: Annotated[str, UntrackedValue(str)]

    class Once(TypedDict, total=False):
        once: str

    class Kept(TypedDict, total=False):
        kept: str

    def says(state: Any) -> Any:
        return {"once": "1", "kept": "2"} if state["q"] == "yes" else None

    ways = {name: options for name, options in WAYS.items() if "key" not in name}
    ways |= {"once": {"output_keys": "once"}, "kept": {"output_keys": ["kept"]}, "q": {"output_keys": ["q", "once"]}}
    for output in (Once, Kept, Passing):
        graph = graph_of(says, lambda state: {"q": "m"}, output=output, state=Passing)
        each_way(show, graph, [{"q": "no"}, {"q": "yes"}, {"q": "no"}, None], ways)


def results_of_models(show: Any) -> None:
    class Whole(BaseModel):
        q: str = ""
        a: str = ""

    class Given(BaseModel):
        q: str = ""

    class Said(BaseModel):
        a: str = "default"

    ways = {name: options for name, options in WAYS.items() if name != "reduced key"}
    inputs = [{"q": "no"}, {"q": "yes"}, {"q": "no"}, {}, Given(q="yes"), Given(), None, {"q": "ask"}]
    for output in (Said, Whole):
        graph = graph_of(lambda s: {"a": "1"} if s.q == "yes" else None, state=Whole, given=Given, output=output)
        each_way(show, graph, inputs, ways)


def results_of_one_value(show: Any) -> None:
    builder = StateGraph(Annotated[list, operator.add])
    builder.add_node("n", lambda state: [1] if len(state) < 3 else None).add_edge(START, "n")
    ways = {name: options for name, options in WAYS.items() if "key" not in name}
    each_way(show, builder.compile(checkpointer=InMemorySaver()), [[0], [0], [], None, [5]], ways)


def results_for_callbacks(show: Any) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Heard(BaseCallbackHandler):
        def on_chain_end(self, outputs: Any, *, parent_run_id: Any = None, **_: Any) -> None:
            show("heard", parent_run_id is None, outputs)

    graph = graph_of(answers, output=Answer)
    config: Any = {"configurable": {"thread_id": "1"}, "callbacks": [Heard()]}
    for given in GIVEN:
        run(lambda *args: show(graph.invoke(*args)), given, config, {})
