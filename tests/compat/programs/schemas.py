"""What a graph tells of its schemas, and of itself."""

import asyncio
import operator
import warnings
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langgraph import constants
from langgraph.cache.memory import InMemoryCache
from langgraph.channels import EphemeralValue, LastValue, Topic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt, NodeInterrupt
from langgraph.func import entrypoint
from langgraph.graph import START, MessageGraph, MessagesState, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt
from pydantic import BaseModel
from pydantic.v1 import BaseModel as OldModel
from typing_extensions import TypedDict


class In(TypedDict):
    question: str


class Out(TypedDict):
    answer: str


class Whole(In, Out):
    notes: Annotated[list[str], operator.add]


class Model(BaseModel):
    name: str
    size: int = 3


@dataclass
class Data:
    name: str
    items: list[int]


class Context(TypedDict):
    user: str


def json_schemas(show: Any) -> None:
    several = StateGraph(Whole, Context, input_schema=In, output_schema=Out)
    for builder in (several, StateGraph(Whole), StateGraph(Model), StateGraph(Data)):
        graph = builder.add_node("a", lambda s: {}).add_edge(START, "a").compile()
        show(graph.get_input_jsonschema(), graph.get_output_jsonschema(), graph.get_context_jsonschema())
        show(graph.input_schema.model_json_schema(), graph.output_schema.model_json_schema())
        show(graph.InputType, graph.OutputType)


def itself(show: Any) -> None:
    builder = StateGraph(Whole, input_schema=In, output_schema=Out).add_node("a", lambda s: {"answer": "x"})
    graph = builder.add_edge(START, "a").compile(interrupt_before=["a"], name="told")
    show(graph.name, graph.get_name(), sorted(graph.nodes), graph.stream_mode, graph.interrupt_before_nodes)
    show(graph.input_channels, sorted(graph.output_channels), sorted(graph.stream_channels_list))
    show([key for key in graph.channels if not key.startswith(("branch:", "__"))])
    show(graph.validate() is graph)


def old_config_schemas(show: Any) -> None:
    for context in (None, Context, Model, Data):
        graph = StateGraph(Whole, context).add_node("a", lambda s: {}).add_edge(START, "a").compile(name="told")
        show(graph.get_config_jsonschema(), graph.config_schema(include=["tags", "configurable"]).model_json_schema())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            graph.config_schema()
            graph.get_config_jsonschema()
        show([(each.category.__name__, str(each.message)) for each in caught])


def states_of_messages(show: Any) -> None:
    class Chat(MessagesState):
        topic: str

    for schema in (MessagesState, Chat):
        graph = StateGraph(schema).add_node("a", lambda s: {}).add_edge(START, "a").compile()
        show(graph.get_input_jsonschema(), graph.get_output_jsonschema())


def models_of_old_pydantic(show: Any) -> None:
    class Old(OldModel):
        name: str
        notes: Annotated[list, operator.add] = []

    builder = StateGraph(Old).add_node("a", lambda s: {"notes": [s["name"]]}).add_edge(START, "a")
    show(sorted(builder.channels), builder.compile().invoke({"name": "n"}))
    show(builder.compile().get_input_jsonschema()["properties"])


def parts_of_a_builder(show: Any) -> None:
    def choose(state: Whole) -> Literal["b", "__end__"]:
        return "b"

    builder = StateGraph(Whole).add_node("a", lambda s: {}, retry_policy=RetryPolicy(max_attempts=2))
    builder.add_node("b", lambda s: {}).add_node("c", lambda s: {}, cache_policy=CachePolicy(ttl=3))
    builder.add_edge(START, "a").add_conditional_edges("a", choose).add_edge(["a", "b"], "c")
    show(sorted(builder._all_edges), builder.branches["a"]["choose"].ends, builder.nodes["a"].timeout)
    show(builder.nodes["a"].is_error_handler, builder.nodes["a"].retry_policy)
    graph = builder.compile()
    handled = StateGraph(Whole).add_node("a", lambda s: {}, error_handler=lambda s: {}).add_edge(START, "a").compile()
    show({name: node.is_error_handler for name, node in sorted(handled.nodes.items())})
    show(graph.retry_policy, graph.cache_policy, graph.stream_eager, graph.nodes["c"].cache_policy.ttl)
    show([each.max_attempts for each in graph.nodes["a"].retry_policy], graph.nodes["b"].retry_policy)


def functions_and_channels(show: Any) -> None:
    """What graphs tell of themselves that are made of functions or of channels, and of their config."""

    @entrypoint(context_schema=Context)
    def plain(given: dict[str, int]) -> list[str]:
        return list(given)

    @entrypoint()
    def kept(given: Model) -> entrypoint.final[Data, int]:
        return entrypoint.final(value=Data(1), save=2)

    node = NodeBuilder().subscribe_only("a").do(len).write_to("b")
    rules: Any = {"a": EphemeralValue(str), "b": LastValue(int), "c": Topic(str, accumulate=True)}
    one = Pregel(nodes={"n": node}, channels=rules, input_channels="a", output_channels="b")
    more = Pregel(nodes={"n": node}, channels=rules, input_channels=["a", "c"], output_channels=["b", "c"])
    states = [StateGraph(each, Context).add_node("a", print).add_edge(START, "a").compile() for each in (Whole, Model)]
    talk = StateGraph(MessagesState).add_node("a", print).add_edge(START, "a").compile()
    for graph in (plain, kept, one, more, *states, talk):
        show(graph.get_input_jsonschema(), graph.get_output_jsonschema(), graph.get_context_jsonschema())
        show(graph.get_input_schema().model_json_schema(), graph.get_output_schema().model_json_schema())
        show(graph.config_schema(include=["tags", "configurable"]).model_json_schema(), graph.get_config_jsonschema())
        show(graph.stream_eager, tuple(graph.retry_policy), graph.cache_policy)
    show(one.InputType, one.OutputType, more.InputType, more.OutputType, plain.stream_channels_list)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plain.get_config_jsonschema()
    show([(each.category.__name__, str(each.message)) for each in caught])


def what_is_no_schema(show: Any) -> None:
    for schema in (5, None, "text", Annotated[list, operator.add], Whole, int | None):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            StateGraph(schema)
        show([(each.category.__name__, str(each.message).split("Annotated")[0]) for each in caught])
    for reducer in (lambda a: a, lambda a, b, c: a, lambda a, b, c=1: a, lambda *a: a):
        try:
            StateGraph(Annotated[list, reducer])
        except ValueError as error:
            show(str(error).partition(" of <")[0])


def old_names(show: Any) -> None:
    lone = {"n": NodeBuilder().subscribe_only("a").do(len).write_to("b")}
    channels = {"a": LastValue(str), "b": LastValue(int)}
    for make in (
        MessageGraph,
        lambda: Pregel(nodes=lone, channels=channels, input_channels="a", output_channels="b", config_type=Context),
        lambda: NodeInterrupt("why"),
        lambda: constants.PREVIOUS,
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = make()
        show([(each.category.__name__, str(each.message).split(". Please let")[0][:90]) for each in caught])
        show(getattr(made, "context_schema", None))


def what_an_interrupt_raises(show: Any) -> None:
    def asks(state: Whole) -> dict:
        try:
            interrupt("what?")
        except GraphInterrupt as asked:
            show(asked.args)
            raise
        return {}

    graph = StateGraph(Whole).add_node("a", asks).add_edge(START, "a").compile()
    show(graph.invoke({"question": "q"}))


def forgetting_what_is_unknown(show: Any) -> None:
    calls: list[int] = []
    builder = StateGraph(Whole).add_node("a", lambda s: calls.append(1), cache_policy=CachePolicy())
    graph = builder.add_edge(START, "a").compile(cache=InMemoryCache())
    for names in (["nobody"], ["nobody", "a"]):
        graph.invoke({"question": "q"})
        show(graph.clear_cache(names), asyncio.run(graph.aclear_cache(names)))
        graph.invoke({"question": "q"})
        show(len(calls))


def starts_of_handlers(show: Any) -> None:
    def fails(state: Whole) -> dict:
        raise ValueError("no")

    def asks(state: Whole) -> dict:
        return {"answer": interrupt("what now?")}

    for handler in (lambda s: {"answer": "mended"}, asks):
        builder = StateGraph(Whole).add_node("a", fails, error_handler=handler).add_edge(START, "a")
        graph = builder.compile(checkpointer=InMemorySaver())
        for given in ({"question": "q"}, Command(resume="this")):
            for mode in ("tasks", "debug"):
                config = {"configurable": {"thread_id": mode}}
                for chunk in graph.stream(given, config, stream_mode=mode):
                    payload = chunk.get("payload", chunk)
                    if "triggers" in payload or "result" in payload:
                        show((mode, payload["name"], "triggers" in payload, payload.get("interrupts")))
            if handler is not asks:
                break
