"""Programs that look at every chunk of a stream, exactly: modes, shapes, versions, tokens, tools."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program

MODES = ("values", "updates", "tasks", "checkpoints", "debug", "custom")
SHAPES: tuple[Any, ...] = (*MODES, ["values", "updates"], ["tasks", "checkpoints", "debug"], ("values", "updates"))


class Log(TypedDict, total=False):
    log: Annotated[list, operator.add]
    x: int


class OnlyX(TypedDict, total=False):
    x: int


class Chat(TypedDict, total=False):
    messages: Annotated[list, operator.add]
    x: int


def chain(lab: Lab, *nodes: Any, schema: Any = Log, **options: Any) -> Any:
    """Nodes n0, n1 ... one after the other."""
    g = lab.graph(schema, **options)
    previous = lab.START
    for position, node in enumerate(nodes):
        g.add_node(f"n{position}", node)
        g.add_edge(previous, f"n{position}")
        previous = f"n{position}"
    return g


def asking(lab: Lab) -> Any:
    """A node, then a subgraph that asks, then a node."""
    inner = chain(lab, lambda s: {"log": ["in"]}, lambda s: {"log": [lab.interrupt("which?")]})
    return chain(lab, lambda s: {"log": ["a"]}, inner.compile(), lambda s: {"x": 1})


@program
def each_mode_shape_and_version(lab: Lab) -> None:
    """The same run in every mode, with and without subgraphs, in both versions."""
    lab.compile(asking(lab))
    for position, modes in enumerate(SHAPES):
        for subgraphs in (False, True):
            for version in ("v1", "v2"):
                lab.thread = f"{position} {subgraphs} {version}"
                lab.chunks({"log": ["0"]}, stream_mode=modes, subgraphs=subgraphs, version=version)
                if lab.saved:
                    lab.chunks(lab.Command(resume="this"), stream_mode=modes, subgraphs=subgraphs, version=version)


@program
def chunks_of_some_keys(lab: Lab) -> None:
    """output_keys as one name and as a list, for keys that a superstep writes or does not."""
    lab.compile(chain(lab, lambda s: {"log": ["a"]}, lambda s: {"x": 1}, lambda s: None))
    for keys in ("log", "x", ["x"], ["log", "x"]):
        for mode in ("values", "updates", "tasks"):
            lab.thread = f"{keys} {mode}"
            lab.chunks({"log": ["0"]}, stream_mode=mode, output_keys=keys)


@program
def several_writes_of_one_key(lab: Lab) -> None:
    """Lists of updates, an empty one, and None."""
    lab.compile(
        chain(
            lab,
            lambda s: [{"log": ["a"]}, lab.Command(update={"log": ["b"], "x": 1})],
            lambda s: lab.Command(update=[("log", ["c"]), ("log", ["d"])]),
            lambda s: {},
            lambda s: None,
        )
    )
    for mode in ("updates", "tasks", "debug"):
        lab.thread = mode
        lab.chunks({"log": []}, stream_mode=mode)


@program
def chunks_until_a_failure(lab: Lab) -> None:
    """What came before a node raises, and what a resume adds."""
    fails = [True]

    def failing(s: Any) -> Any:
        if fails.pop() if fails else False:
            raise KeyError("not yet")
        return {"log": ["b"]}

    lab.compile(chain(lab, lambda s: {"log": ["a"]}, failing))
    for mode in ("values", "updates", "checkpoints"):
        fails[:] = [True]
        lab.thread = mode
        lab.chunks({"log": []}, stream_mode=mode)
        if lab.saved:
            lab.chunks(None, stream_mode=mode)


@program
def chunks_at_breakpoints(lab: Lab) -> None:
    """Static breakpoints in every mode."""
    lab.compile(chain(lab, lambda s: {"log": ["a"]}, lambda s: {"log": ["b"]}), interrupt_before=["n1"])
    for mode in MODES:
        lab.thread = mode
        lab.chunks({"log": []}, stream_mode=mode)
        if lab.saved:
            lab.chunks(None, stream_mode=mode)
    for mode in MODES:
        lab.thread = f"after {mode}"
        lab.chunks({"log": []}, stream_mode=mode, interrupt_after=["n0"])


@program
def custom_chunks_of_subgraphs(lab: Lab) -> None:
    """Writers in a graph and in the one inside, alone and beside updates."""

    def say(word: str) -> Any:
        def node(s: Any) -> Any:
            lab.get_stream_writer()({"word": word})
            return {"log": [word]}

        return node

    lab.compile(chain(lab, say("outer"), chain(lab, say("inner")).compile()))
    for subgraphs in (False, True):
        for mode in ("custom", ["custom", "updates"], "updates"):
            lab.chunks({"log": []}, stream_mode=mode, subgraphs=subgraphs)


@program(needs_saver=True)
def chunks_of_a_replay(lab: Lab) -> None:
    """Time travel in every mode."""
    lab.compile(chain(lab, lambda s: {"log": ["a"]}, lambda s: {"log": ["b"]}))
    lab.invoke({"log": []})
    for mode in MODES:
        lab.chunks(None, lab.at(1, "loop"), stream_mode=mode)


def model(*answers: str, **config: Any) -> Any:
    """A chat model that answers word by word."""
    made = GenericFakeChatModel(messages=iter([AIMessage(answer) for answer in answers]))
    return made.with_config(**config) if config else made


@program(sync_only=True)
def tokens_of_models(lab: Lab) -> None:
    """Tokens, whole messages, known messages, and models that are not heard."""
    lab.compile(_chat(lab))
    lab.chunks({"messages": [HumanMessage("hi", id="h")]}, stream_mode="messages")
    lab.compile(_chat(lab))
    lab.chunks({"messages": []}, stream_mode=["messages", "updates"])
    lab.compile(_chat(lab))
    lab.chunks({"messages": []}, stream_mode="messages", version="v2")


def _chat(lab: Lab) -> Any:
    loud, quiet = model("hello big world"), model("not a word", tags=["nostream"])

    async def later(s: Any) -> Any:
        return {"messages": [await model("a b").ainvoke("?")]}

    def now(s: Any) -> Any:
        return {"messages": [model("a b").invoke("?")]}

    return chain(
        lab,
        lambda s: {"messages": [loud.invoke("hi")]},
        lambda s: {"messages": [*s["messages"], AIMessage("whole", id="w")], "x": 1},
        lambda s: {"x": len(quiet.invoke("hush").content)},
        now if lab.calls == "sync" else later,
        lambda s: lab.Command(update={"messages": [AIMessage("commanded", id="c")]}),
        schema=Chat,
    )


@program(sync_only=True)
def tokens_of_subgraphs(lab: Lab) -> None:
    """A graph with a model as a node, with and without subgraphs; called by a node; streamed by a node."""
    for subgraphs in (False, True):
        lab.compile(chain(lab, _chat(lab).compile(), schema=Chat))
        lab.chunks({"messages": []}, stream_mode=["messages", "updates"], subgraphs=subgraphs)
        called = _chat(lab).compile()
        lab.compile(chain(lab, lambda s, called=called: {"x": len(called.invoke(s)["messages"])}, schema=Chat))
        if lab.calls == "sync":
            lab.chunks({"messages": []}, stream_mode="messages", subgraphs=subgraphs)


@program(sync_only=True)
def tool_calls(lab: Lab) -> None:
    """Tools that end, fail, and are called by name."""

    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        if a < 0:
            raise ValueError("negative")
        return a + b

    def node(s: Any) -> Any:
        add.invoke({"a": 1, "b": 2})
        add.invoke({"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1, "b": 2}})
        try:
            add.invoke({"a": -1, "b": 2})
        except ValueError:
            return {"x": 1}
        return None

    lab.compile(chain(lab, node))
    lab.chunks({"log": []}, stream_mode="tools")
    lab.chunks({"log": []}, stream_mode=["tools", "updates"])


@program
def chunks_of_the_output_keys(lab: Lab) -> None:
    """`invoke` with another mode than values shows the keys of the output; `stream` shows all of them."""
    inner = chain(lab, lambda s: {"log": ["in"], "x": 5}, output_schema=OnlyX)
    g = chain(lab, lambda s: {"log": ["a"]}, lambda s: {"x": 7}, inner.compile(), output_schema=OnlyX)
    lab.compile(g)
    for position, mode in enumerate(SHAPES):
        for version in ("v1", "v2"):
            lab.thread = f"{position} {version}"
            lab.chunks({"log": ["0"]}, stream_mode=mode, version=version)
            if mode in ("values", "updates", ["values", "updates"]):
                lab.invoke({"log": ["0"]}, stream_mode=mode, version=version)
                lab.invoke({"log": ["0"]}, stream_mode=mode, version=version, output_keys=["log"])
                lab.invoke({"log": ["0"]}, stream_mode=mode, version=version, output_keys="log")


@program
def what_passes_is_in_the_result(lab: Lab) -> None:
    """The result is the state as it was when a key of the output was last written; supersteps without one show none."""

    channels = {"topic": lab.Topic(str), "once": lab.EphemeralValue(int), "any": lab.AnyValue(int)}
    hints: Any = {key: Annotated[Any, channel] for key, channel in channels.items()}
    Passing = TypedDict("Passing", {"log": Annotated[list, operator.add], **hints}, total=False)
    for position, writes in enumerate(("tn", "tan", "ea", "van", "nn", "tnen")):
        g = lab.graph(Passing)
        previous = lab.START
        for place, key in enumerate(writes):
            update = {"t": {"topic": ["q", "r"]}, "e": {"once": 4}, "v": {"any": 3}, "a": {"log": ["x"]}}.get(key)
            g.add_node(f"{key}{place}", lambda s, update=update: update)
            g.add_edge(previous, f"{key}{place}")
            previous = f"{key}{place}"
        lab.compile(g)
        lab.thread = str(position)
        for given in ({"log": ["0"]}, {"log": [], "topic": "in"}, {"log": [], "any": 9, "once": 8}):
            lab.invoke(given)
            lab.chunks(given, stream_mode=["values", "updates"])
            lab.state()


@program
def output_keys_that_nobody_writes(lab: Lab) -> None:
    """The result is None."""
    lab.compile(chain(lab, lambda s: {"log": ["a"]}, lambda s: None, output_schema=OnlyX))
    lab.invoke({"log": ["0"]})
    lab.invoke({"log": ["0"]}, version="v2")
    lab.invoke({"log": [], "x": 1})
    g = chain(lab, lambda s: {"log": [lab.interrupt("which?")]}, output_schema=OnlyX)
    lab.compile(g)
    lab.thread = "asked"
    lab.invoke({"log": ["0"]})
    if lab.saved:
        lab.invoke(lab.Command(resume="this"))
        lab.invoke(None)


@program(needs_saver=True)
def messages_of_a_lasting_subgraph(lab: Lab) -> None:
    """Their metadata name the task that the subgraph is."""
    inner = chain(lab, lambda s: {"log": [AIMessage("said", id="one")]}).compile(checkpointer=True)
    lab.compile(chain(lab, lambda s: {}, inner))
    lab.chunks({"log": []}, stream_mode="messages", subgraphs=True)
