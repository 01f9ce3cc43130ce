"""Runs that their readers drive: the same items in the same order as LangGraph's v3 streams, sync and async."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph import config as langgraph_config
from langgraph import graph as langgraph_words
from langgraph import stream as langgraph_stream
from langgraph import types as langgraph_types
from langgraph.checkpoint.memory import InMemorySaver
from typing_extensions import TypedDict

import stepgraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer
from stepgraph.run import v3
from tests.differential.engines import Words
from tests.differential.plain import ANSWER_ID, plain

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
THEIRS = Words(langgraph_words, langgraph_types, langgraph_stream, langgraph_config)
THEIRS.saver = InMemorySaver  # type: ignore[attr-defined]  # a bag of names
OURS = Words(stepgraph, v3)
OURS.saver = MemoryCheckpointer  # type: ignore[attr-defined]  # a bag of names


class State(TypedDict, total=False):
    messages: Annotated[list, operator.add]
    x: int


def chain(words: Any, **nodes: Any) -> Any:
    """Nodes one after the other."""
    g = words.StateGraph(State)
    previous = words.START
    for name, node in nodes.items():
        g.add_node(name, node)
        g.add_edge(previous, name)
        previous = name
    return g


def speaking(text: str) -> Callable[[Any], Any]:
    """A node whose model says `text`, word by word."""
    model = GenericFakeChatModel(messages=iter([AIMessage(text)] * 10))
    return lambda state: {"messages": [model.invoke("?")]}


def app(words: Any, **options: Any) -> Any:
    """A model, a subgraph with another one, and a whole message."""
    inner = chain(words, i1=speaking("in side"), i2=lambda state: {"x": 2}).compile()
    whole = AIMessage("whole", id="w")
    return chain(words, a=speaking("hello big world"), child=inner, w=lambda state: {"messages": [whole]}).compile(
        **options
    )


def asking(words: Any) -> Any:
    return chain(words, ask=lambda state: {"x": words.interrupt("which?")}).compile(checkpointer=words.saver())


def failing(words: Any) -> Any:
    def bad(state: Any) -> Any:
        raise ValueError("no")

    return chain(words, a=lambda state: {"x": 1}, child=chain(words, bad=bad).compile()).compile()


def nested(words: Any) -> Any:
    def custom(state: Any) -> Any:
        words.get_stream_writer()("said")
        return {"x": 1}

    deep = chain(words, deep=custom).compile()
    return chain(words, middle=chain(words, inner=deep).compile()).compile()


def seen(value: Any) -> Any:
    """A value without ids and times."""
    found = plain(value)
    if isinstance(found, dict):
        return {plain(key): seen(each) for key, each in found.items() if key != "timestamp"}
    if isinstance(found, list):
        return [seen(each) for each in found]
    return "<id>" if isinstance(found, str) and ANSWER_ID.fullmatch(found) else found


Account = Callable[[Any, Callable[[Any], None]], None]
INPUT: dict[str, Any] = {"messages": []}
THREAD: dict[str, Any] = {"configurable": {"thread_id": "t"}}


def values(words: Any, note: Callable[[Any], None]) -> None:
    run = app(words).stream_events(INPUT, version="v3")
    for each in run.values:
        note(each)
    note([run.output, run.interrupted, run.interrupts])


def messages(words: Any, note: Callable[[Any], None]) -> None:
    run = app(words).stream_events(INPUT, version="v3")
    for message in run.messages:
        note([list(message.text), message.output.content, message.node])


def events(words: Any, note: Callable[[Any], None]) -> None:
    for event in app(words).stream_events(INPUT, version="v3"):
        note(event)


def interleaved(words: Any, note: Callable[[Any], None]) -> None:
    run = app(words).stream_events(INPUT, version="v3")
    for name, item in run.interleave("values", "lifecycle", "messages"):
        note([name, item.node if name == "messages" else item])


def subgraphs(words: Any, note: Callable[[Any], None]) -> None:
    run = app(words).stream_events(INPUT, version="v3")
    for handle in run.subgraphs:
        note([handle.path, handle.graph_name, handle.status])
        note(list(handle.values))
        note([handle.status, handle.error, handle.output])
    note(run.output)


def two_levels(words: Any, note: Callable[[Any], None]) -> None:
    run = nested(words).stream_events(INPUT, version="v3", transformers=[words.CustomTransformer])
    for handle in run.subgraphs:
        for inner in handle.subgraphs:
            note([inner.graph_name, list(inner.custom)])
    note(list(run.custom))
    note([each["event"] for each in nested(words).stream_events(INPUT, version="v3").lifecycle])


def opted_in(words: Any, note: Callable[[Any], None]) -> None:
    names = ("UpdatesTransformer", "TasksTransformer", "CheckpointsTransformer", "DebugTransformer")
    made = [getattr(words, name) for name in names]
    graph = chain(words, a=lambda state: {"x": 1}).compile(checkpointer=words.saver())
    for name in ("updates", "tasks", "checkpoints", "debug"):
        run = graph.stream_events(INPUT, {"configurable": {"thread_id": name}}, version="v3", transformers=made)
        note([name, list(getattr(run, name))])


def questions(words: Any, note: Callable[[Any], None]) -> None:
    graph = asking(words)
    run = graph.stream_events(INPUT, THREAD, version="v3")
    note([run.interrupted, run.interrupts, run.output])
    run = graph.stream_events(words.Command(resume=5), THREAD, version="v3")
    note([run.interrupted, run.output])


def failures(words: Any, note: Callable[[Any], None]) -> None:
    run = failing(words).stream_events(INPUT, version="v3")
    try:
        for item in run.interleave("lifecycle", "values"):
            note(item)
    except ValueError as error:
        note(str(error))
    for way in ("output", "interrupted", "interrupts"):
        with pytest.raises(ValueError, match="no"):
            getattr(failing(words).stream_events(INPUT, version="v3"), way)


def aborted(words: Any, note: Callable[[Any], None]) -> None:
    with app(words).stream_events(INPUT, version="v3") as run:
        note(next(iter(run.values)))
    note(list(run.lifecycle))
    run.abort()


def refusals(words: Any, note: Callable[[Any], None]) -> None:
    for bad in ({"stream_mode": "values"}, {"subgraphs": True}, {"transformers": [words.CustomTransformer()]}):
        with pytest.raises(TypeError):
            app(words).stream_events(INPUT, version="v3", **bad)
    run = app(words).stream_events(INPUT, version="v3")
    with pytest.raises(AttributeError, match="registered projections: lifecycle, messages, subgraphs, values"):
        run.nothing  # noqa: B018  reading it is the test
    with pytest.raises(TypeError, match="bound to sync mode"):
        aiter(run.values)
    list(run.values)
    with pytest.raises(RuntimeError, match="already has a subscriber"):
        iter(run.values)
    with pytest.raises(KeyError):
        next(run.interleave("nothing"))
    note(sorted(run.extensions))


def teed(words: Any, note: Callable[[Any], None]) -> None:
    run = app(words).stream_events(INPUT, version="v3")
    one, two = run.values.tee(2)
    note([next(one), list(two), list(one)])


def asynchronous(words: Any, note: Callable[[Any], None]) -> None:
    async def go() -> None:
        run = await app(words).astream_events(INPUT, version="v3")

        async def spoken() -> list[Any]:
            return [[[text async for text in each.text], (await each.output).content] async for each in run.messages]

        async def listed(stream: Any) -> list[Any]:
            return [each async for each in stream]

        one, two = run.values.atee(2)
        for found in await asyncio.gather(listed(one), listed(two), spoken(), listed(run.lifecycle), listed(run)):
            note(found)
        note([await run.output(), await run.interrupted(), await run.interrupts()])

    asyncio.run(go())


def asynchronous_subgraphs(words: Any, note: Callable[[Any], None]) -> None:
    async def go() -> None:
        run = await app(words).astream_events(INPUT, version="v3")
        async for handle in run.subgraphs:
            note([handle.graph_name, [each async for each in handle.values], handle.status, await handle.output()])
        run = await failing(words).astream_events(INPUT, version="v3")
        with pytest.raises(ValueError, match="no"):
            await run.output()

    asyncio.run(go())


def asynchronous_abort(words: Any, note: Callable[[Any], None]) -> None:
    ended: list[str] = []

    async def waiting(state: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def go() -> None:
        graph = chain(words, a=lambda state: {"x": 1}, wait=waiting).compile()
        run = await graph.astream_events(INPUT, version="v3")
        async with run:
            async for each in run.values:
                note(each)
                if each.get("x"):
                    reader = asyncio.ensure_future(run.output())
                    for _ in range(20):
                        await asyncio.sleep(0)
                    await run.abort()
                    await reader
                    break
        note(ended)

    asyncio.run(go())


ACCOUNTS = (
    values, messages, events, interleaved, subgraphs, two_levels, opted_in, questions, failures, aborted, refusals,
    teed, asynchronous, asynchronous_subgraphs, asynchronous_abort,
)  # fmt: skip


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.__name__)
def test_a_v3_run_reads_the_same_on_both_engines(account: Account) -> None:
    theirs: list[Any] = []
    ours: list[Any] = []
    account(THEIRS, lambda item: theirs.append(seen(item)))
    account(OURS, lambda item: ours.append(seen(item)))
    assert ours == theirs


# Transformers


def words_of(both: Callable[[Any, Callable[[Any], None]], None]) -> Any:
    return pytest.mark.parametrize("words", [pytest.param(THEIRS, id="langgraph"), pytest.param(OURS, id="stepgraph")])(
        both
    )


def counting(words: Any, **attributes: Any) -> Any:
    """A class of transformers that count events by method."""

    class Counting(words.StreamTransformer):  # type: ignore[misc]  # a class of either engine
        required_stream_modes = ("updates",)

        def __init__(self, scope: Any = ()) -> None:
            super().__init__(scope)
            self.counts = words.StreamChannel("counts")
            self.finished: list[Any] = []

        def init(self) -> Any:
            return {"counts": self.counts, "finished": self.finished}

        def process(self, event: Any) -> bool:
            if event["method"] == "updates" and tuple(event["params"]["namespace"]) == self.scope:
                self.counts.push(list(event["params"]["data"]))
            return event["method"] != "values"

        def finalize(self) -> None:
            self.finished.append("done")

        def fail(self, err: BaseException) -> None:
            self.finished.append(str(err))

    for name, value in attributes.items():
        setattr(Counting, name, value)
    return Counting


@words_of
def test_a_transformer_has_streams_of_its_own_in_every_scope(words: Any) -> None:
    run = app(words, transformers=[counting(words)]).stream_events(INPUT, version="v3")
    inside = []
    for handle in run.subgraphs:
        inside.extend(handle.extensions["counts"])
    assert inside == [["i1"], ["i2"]]
    assert run.output["x"] == 2
    assert run.extensions["finished"] == ["done"]


@words_of
def test_a_named_stream_is_an_event_and_a_refused_event_is_none(words: Any) -> None:
    methods = [
        event["method"] for event in app(words, transformers=[counting(words)]).stream_events(INPUT, version="v3")
    ]
    assert "custom:counts" in methods
    assert "values" not in methods


@words_of
def test_a_transformer_hears_of_the_failure(words: Any) -> None:
    run = failing(words).stream_events(INPUT, version="v3", transformers=[counting(words)])
    with pytest.raises(ValueError, match="no"):
        list(run.extensions["counts"])
    assert run.extensions["finished"] == ["no"]


@words_of
def test_names_that_two_transformers_use_are_refused(words: Any) -> None:
    with pytest.raises(ValueError, match=r"conflict.*'counts' \(owned by Counting\)"):
        app(words).stream_events(INPUT, version="v3", transformers=[counting(words), counting(words)])


@words_of
def test_a_transformer_that_needs_a_loop_is_refused_in_a_sync_run(words: Any) -> None:
    with pytest.raises(RuntimeError, match="requires an async run"):
        app(words).stream_events(INPUT, version="v3", transformers=[counting(words, requires_async=True)])


@words_of
def test_scheduled_work_ends_before_the_run_does(words: Any) -> None:
    base = counting(words, requires_async=True)

    class Scoring(base):  # type: ignore[misc]  # a class of either engine
        def process(self, event: Any) -> bool:
            if event["method"] == "updates":
                self.schedule(self.score())
                self.schedule(self.broken())
            return True

        async def score(self) -> None:
            await asyncio.sleep(0)
            self.finished.append("scored")

        async def broken(self) -> None:
            raise KeyError("logged")

    async def go() -> Any:
        run = (
            await chain(words, a=lambda state: {"x": 1})
            .compile()
            .astream_events(INPUT, version="v3", transformers=[Scoring])
        )
        await run.output()
        return run.extensions["finished"]

    assert asyncio.run(go()) == ["scored", "done"]


@words_of
def test_a_transformer_may_change_events_before_the_built_in_ones_see_them(words: Any) -> None:
    class Hiding(words.StreamTransformer):  # type: ignore[misc]  # a class of either engine
        before_builtins = True

        def init(self) -> Any:
            return {}

        def process(self, event: Any) -> bool:
            if event["method"] == "values":
                event["params"]["data"] = "hidden"
            return True

    run = app(words).stream_events(INPUT, version="v3", transformers=[Hiding])
    assert set(run.values) == {"hidden"}


def test_other_versions_are_said_to_be_elsewhere() -> None:
    graph = object.__new__(CompiledStateGraph)  # as where langchain-core is not loaded
    graph.__init__(*(getattr(app(OURS), name) for name in ("builder", "plan")))  # type: ignore[misc]  # made by hand
    with pytest.raises(NotImplementedError, match='version="v3"'):
        graph.stream_events(INPUT)
    with pytest.raises(NotImplementedError, match='version="v3"'):
        graph.astream_events(INPUT)
