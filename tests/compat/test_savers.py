"""Our engine on LangGraph's savers of every kind: sync, async only, older and simple ones; what a debugger records."""

from __future__ import annotations

import asyncio
import operator
import pickle
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph import types as their_types
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import StateGraph as TheirStateGraph
from langgraph.types import interrupt as their_interrupt
from typing_extensions import TypedDict

from stepgraph import START, Command, Decision, Pause, Send, StateGraph, entrypoint, interrupt, task
from stepgraph.compat import from_langgraph_saver
from stepgraph.compat.langgraph import types as our_types
from stepgraph.compat.twins import theirs
from stepgraph.core.errors import CheckpointError
from stepgraph.core.registry import translated
from stepgraph.run.sync import SyncDriver
from stepgraph.run.threads import pool

T = {"configurable": {"thread_id": "t"}}


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    x: int


def chain(saver: Any, words: Any = StateGraph, ask: Any = interrupt) -> Any:
    """One node, one that asks, one that ends."""
    g = words(Log)
    g.add_node("a", lambda s: {"log": ["a"], "x": 1})
    g.add_node("ask", lambda s: {"log": [ask("why?")]})
    g.add_node("z", lambda s: {"log": ["z"]})
    g.add_edge(START, "a")
    g.add_edge("a", "ask")
    g.add_edge("ask", "z")
    return g.compile(checkpointer=saver)


class AsyncOnly(BaseCheckpointSaver[int]):
    """A user's saver that has async methods only, and knows of no task paths."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = InMemorySaver()

    async def aget_tuple(self, config: Any) -> Any:
        return self.inner.get_tuple(config)

    async def alist(self, config: Any, **options: Any) -> AsyncIterator[Any]:
        for each in self.inner.list(config, **options):
            yield each

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        await asyncio.sleep(0)
        return self.inner.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(self, config: Any, writes: Any, task_id: str) -> None:
        await asyncio.sleep(0)
        self.inner.put_writes(config, writes, task_id)


class Referring(BaseCheckpointSaver[int]):
    """A user's saver that keeps what it is given, as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Any, Any] = {}
        self.writes: dict[Any, list[Any]] = {}

    def get_tuple(self, config: Any) -> Any:
        return next(self.list(config), None)

    def list(self, config: Any, *, filter: Any = None, before: Any = None, limit: Any = None) -> Iterator[Any]:
        from langgraph.checkpoint.base import CheckpointTuple, copy_checkpoint

        place = config["configurable"] if config else {}
        for (thread, ns, made), (checkpoint, metadata, parent) in reversed(self.kept.items()):
            named = (place.get("thread_id", thread), place.get("checkpoint_ns", ns), place.get("checkpoint_id") or made)
            if named == (thread, ns, made):
                where = {"thread_id": thread, "checkpoint_ns": ns}
                yield CheckpointTuple(
                    {"configurable": {**where, "checkpoint_id": made}},
                    copy_checkpoint(checkpoint),  # LangGraph changes it to show a state
                    metadata,
                    {"configurable": {**where, "checkpoint_id": parent}} if parent else None,
                    self.writes.get((thread, ns, made), []),
                )

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        place = config["configurable"]
        key = (place["thread_id"], place["checkpoint_ns"], checkpoint["id"])
        self.kept[key] = (checkpoint, metadata, place.get("checkpoint_id"))
        return {"configurable": {**place, "checkpoint_id": checkpoint["id"]}}

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        place = config["configurable"]
        key = (place["thread_id"], place.get("checkpoint_ns", ""), place["checkpoint_id"])
        self.writes.setdefault(key, []).extend((task_id, channel, value) for channel, value in writes)

    def delete_thread(self, thread_id: str) -> None:
        self.kept = {key: each for key, each in self.kept.items() if key[0] != thread_id}


class Reversed:
    """A user's cipher."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "reversed", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "reversed"
        return ciphertext[::-1]


class Pickling:
    """A user's serializer."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return "pickled", pickle.dumps(value)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return pickle.loads(data[1])


@pytest.fixture(params=["memory", "sqlite", "encrypted", "falling back", "pickling", "referring"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    match request.param:
        case "memory":
            yield InMemorySaver()
        case "sqlite":
            with SqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as opened:
                yield opened
        case "encrypted":
            with closing(sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)) as connection:
                yield SqliteSaver(connection, serde=EncryptedSerializer(Reversed()))
        case "falling back":
            yield InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True))
        case "pickling":
            yield InMemorySaver(serde=Pickling())
        case _:
            yield Referring()


def test_a_question_is_asked_here_and_answered_there(saver: Any) -> None:
    ours, theirs = chain(saver), chain(saver, TheirStateGraph, their_interrupt)

    asked = ours.invoke({"log": ["in"]}, T)
    seen = theirs.get_state(T)
    ended = theirs.invoke(_their_command("so"), T)

    assert [each.value for each in asked["__interrupt__"]] == ["why?"]
    assert seen.next == ("ask",)
    assert [each.id for each in seen.interrupts] == [each.id for each in asked["__interrupt__"]]
    assert ended == {"log": ["in", "a", "so", "z"], "x": 1}
    assert ours.get_state(T).values == ended
    assert [shown.metadata for shown in ours.get_state_history(T)] == [
        shown.metadata for shown in theirs.get_state_history(T)
    ]


def test_a_question_is_asked_there_and_answered_here(saver: Any) -> None:
    ours, theirs = chain(saver), chain(saver, TheirStateGraph, their_interrupt)

    theirs.invoke({"log": ["in"]}, T)
    ended = ours.invoke(Command(resume="so"), T)

    assert ended == {"log": ["in", "a", "so", "z"], "x": 1}
    assert theirs.get_state(T).values == ended
    assert theirs.get_state(T).next == ()


def _their_command(answer: Any) -> Any:
    from langgraph.types import Command as TheirCommand

    return TheirCommand(resume=answer)


def test_the_ids_of_short_runs_sort_by_their_making() -> None:
    class Numbers(TypedDict):
        n: int

    g = StateGraph(Numbers).add_node("more", lambda state: {"n": state["n"] + 1}).add_edge(START, "more")
    app = g.compile(checkpointer=InMemorySaver())
    for thread in range(50):
        config: Any = {"configurable": {"thread_id": f"{thread}"}}
        for n in range(3):
            assert app.invoke({"n": n}, config) == {"n": n + 1}
        found = list(app.get_state_history(config))
        assert [each.metadata["step"] for each in found] == list(range(7, -2, -1))


def test_async_only_savers_work_wherever_code_is_async() -> None:
    saver = AsyncOnly()
    ours, theirs = chain(saver), chain(saver, TheirStateGraph, their_interrupt)

    async def use() -> None:
        await ours.ainvoke({"log": ["in"]}, T)
        assert (await theirs.aget_state(T)).next == ("ask",)
        assert (await ours.aget_state(T)).next == ("ask",)
        await ours.aupdate_state(T, {"x": 7})
        assert [shown.metadata["step"] async for shown in ours.aget_state_history(T)] == [2, 1, 0, -1]
        assert (await ours.ainvoke(Command(resume="so"), T))["log"] == ["in", "a", "so", "z"]
        chunks = [chunk async for chunk in ours.astream({"log": []}, T)]
        assert [*chunks[0]] == ["a"]
        assert "__interrupt__" in chunks[-1]

    asyncio.run(use())
    with pytest.raises(NotImplementedError):
        ours.invoke({"log": []}, T)


def test_the_async_file_saver_changes_hands(tmp_path: Path) -> None:
    async def use() -> None:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as saver:
            ours, theirs = chain(saver), chain(saver, TheirStateGraph, their_interrupt)
            await ours.ainvoke({"log": ["in"]}, T)
            assert (await theirs.aget_state(T)).interrupts[0].value == "why?"
            await theirs.ainvoke(_their_command("so"), T)
            shown = await ours.aget_state(T)
            assert shown.values["log"] == ["in", "a", "so", "z"]
            await theirs.ainvoke({"log": ["again"]}, T)
            ended = await ours.ainvoke(Command(resume="then"), T)
            assert ended["log"] == ["in", "a", "so", "z", "again", "a", "then", "z"]
            assert (await theirs.aget_state(T)).next == ()

    asyncio.run(use())


def test_a_sync_entrypoint_inside_an_async_run_keeps_its_tasks_in_the_async_file_saver(tmp_path: Path) -> None:
    """The saver's sync methods wait for its loop: on that loop they would wait for ever."""

    @task
    def add(x: int) -> int:
        return x + 1

    @entrypoint()
    def other(x: int) -> Any:
        return [add(x).result(), interrupt("inner?")]

    @task
    def call(x: int) -> Any:
        return other.invoke(x)

    async def use() -> None:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as saver:
            work = entrypoint(checkpointer=saver)(lambda x: [call(x).result(), add(x).result()])
            assert (await work.ainvoke(1, T))["__interrupt__"][0].value == "inner?"
            assert await work.ainvoke(Command(resume="so"), T) == [[2, "so"], 2]

    pool.submit(asyncio.run, use()).result(30)


class AllNamespaces(InMemorySaver):
    """A user's saver that takes the outermost namespace for any, as langgraph-checkpoint-redis does."""

    def list(self, config: Any, **options: Any) -> Iterator[Any]:
        if config is not None and not config["configurable"].get("checkpoint_ns"):
            config = {"configurable": {"thread_id": config["configurable"]["thread_id"]}}
        return super().list(config, **options)


def test_snapshots_name_the_namespace_that_the_saver_names() -> None:
    inner = StateGraph(Log).add_node("x", lambda s: {"log": ["x"]}).add_edge(START, "x").compile()
    saver = AllNamespaces()
    graph = StateGraph(Log).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)
    graph.invoke({"log": []}, T)
    shown = [each.config["configurable"] for each in graph.get_state_history(T)]
    stored = {each.config["configurable"]["checkpoint_id"]: each.config["configurable"] for each in saver.list(T)}
    assert len(shown) == len(stored) == 6
    assert all(each["checkpoint_ns"] == stored[each["checkpoint_id"]]["checkpoint_ns"] for each in shown)
    assert sum(bool(each["checkpoint_ns"]) for each in shown) == 3


@pytest.mark.parametrize("words", [StateGraph, TheirStateGraph], ids=["stepgraph", "langgraph"])
def test_snapshots_of_such_a_saver_have_the_results_of_the_graphs_inside(words: Any) -> None:
    inner = words(Log).add_node("x", lambda s: {"log": ["x"]}).add_edge(START, "x").compile()
    graph = words(Log).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=AllNamespaces())
    graph.invoke({"log": ["in"]}, T)
    first = [each for each in graph.get_state_history(T) if each.metadata["step"] == -1]
    assert [[task.result for task in each.tasks] for each in first] == [[{"log": ["in"]}]] * 2
    wanted = list(graph.get_state_history(T, filter={"step": -1}))
    assert [[task.result for task in each.tasks] for each in wanted] == [[{"log": ["in"]}]] * 2


class AnyCase(InMemorySaver):
    """A user's saver whose filter is its own: it ignores case, and refuses some keys."""

    def list(self, config: Any, *, filter: Any = None, limit: Any = None, **options: Any) -> Iterator[Any]:
        found = (each for each in super().list(config, **options) if self.has(each, filter or {}))
        yield from islice(found, limit)

    def has(self, found: Any, wanted: dict[str, Any]) -> bool:
        if "refused" in wanted:
            raise ValueError("Unsupported filter key: refused")
        return all(found.metadata.get(key, "").lower() == value.lower() for key, value in wanted.items())


@pytest.mark.parametrize("words", [StateGraph, TheirStateGraph], ids=["stepgraph", "langgraph"])
def test_the_saver_says_which_metadata_is_wanted(words: Any) -> None:
    graph = words(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a")
    graph = graph.compile(checkpointer=AnyCase())
    for name in ("ana", "bo", "ana"):
        graph.invoke({"log": [name]}, {**T, "metadata": {"user": name}})
    shown = list(graph.get_state_history(T, filter={"user": "Ana"}, limit=5))
    assert [each.metadata["step"] for each in shown] == [7, 6, 5, 1, 0]
    assert [each.tasks[0].result for each in shown if each.next == ("a",)] == [{"log": ["a"]}] * 2
    before = shown[2].config
    assert len(list(graph.get_state_history(T, filter={"user": "Bo"}, before=before))) == 3
    with pytest.raises(ValueError, match="Unsupported filter key"):
        list(graph.get_state_history(T, filter={"refused": 1}))


class ListsWithoutTimes(InMemorySaver):
    """A user's saver that lists little of its checkpoints, as AsyncShallowRedisSaver does."""

    def list(self, config: Any, **options: Any) -> Iterator[Any]:
        for each in super().list(config, **options):
            bare = {"v": 1, "ts": "", "channel_values": {}, "channel_versions": {}, "versions_seen": {}}
            yield each._replace(checkpoint={**bare, "id": each.checkpoint["id"]}, pending_writes=None)


def test_checkpoints_without_a_time_are_listed() -> None:
    graph = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a")
    made = graph.compile(checkpointer=ListsWithoutTimes())
    made.invoke({"log": []}, T)
    assert [each.values for each in made.get_state_history(T)] == [{"log": []}] * 3


class SetsAsMappings(InMemorySaver):
    """A user's saver that gives what it stored of sets, as langgraph-checkpoint-redis does."""

    def get_tuple(self, config: Any) -> Any:
        found = super().get_tuple(config)
        values = found and found.checkpoint["channel_values"]
        for key, value in (values or {}).items():
            if isinstance(value, set):
                values[key] = {"lc": 2, "type": "constructor", "id": ["builtins", "set"], "args": [list(value)]}
        return found


def test_joins_go_on_where_a_saver_gives_no_sets() -> None:
    g = StateGraph(Log)
    for name in "abcd":
        g.add_node(name, lambda s, name=name: {"log": [name]})
        g.add_edge(START, name)
    g.add_node("z", lambda s: {"log": ["z"]})
    g.add_edge(list("abcd"), "z")
    graph = g.compile(checkpointer=SetsAsMappings(), interrupt_before=["z"])
    assert graph.invoke({"log": []}, T)["log"] == list("abcd")
    assert graph.get_state(T).next == ("z",)
    assert graph.invoke(None, T)["log"] == [*"abcd", "z"]
    assert graph.get_state(T).next == ()
    assert graph.invoke(None, T)["log"] == [*"abcd", "z"]


def test_graphs_in_helper_threads_use_the_sync_methods(saver: Any) -> None:
    inner = chain(None)
    g = StateGraph(Log)
    g.add_node("call", lambda s: inner.invoke({"log": ["inner"]}))
    g.add_edge(START, "call")
    graph = g.compile(checkpointer=InMemorySaver())

    async def use() -> None:
        asked = await graph.ainvoke({"log": []}, T)
        assert asked["__interrupt__"][0].value == "why?"
        assert (await graph.ainvoke(Command(resume="so"), T))["log"] == ["inner", "a", "so", "z"]

    asyncio.run(use())


def test_values_that_langgraph_can_store_change_hands(saver: Any) -> None:
    class Chat(TypedDict):
        messages: Annotated[list[Any], operator.add]

    made = AIMessage("sum?", id="2", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c"}])

    def build(words: Any) -> Any:
        g = words(Chat)
        g.add_node("talk", lambda s: {"messages": [made]})
        g.add_edge(START, "talk")
        return g.compile(checkpointer=saver)

    ours, theirs = build(StateGraph), build(TheirStateGraph)
    ours.invoke({"messages": [HumanMessage("hi", id="1")]}, T)

    assert theirs.get_state(T).values == {"messages": [HumanMessage("hi", id="1"), made]}
    theirs.invoke({"messages": [HumanMessage("more", id="3")]}, T)
    assert [message.id for message in ours.get_state(T).values["messages"]] == ["1", "2", "3", "2"]


def test_what_finished_before_a_crash_is_not_run_again_by_the_other_engine(saver: Any) -> None:
    ran: list[str] = []
    down = [True]

    def build(words: Any, send: Any) -> Any:
        def work(s: Any) -> Any:
            ran.append(str(s["x"]))
            if s["x"] == 2 and down.pop():
                raise ConnectionError("down")
            return {"log": [s["x"]]}

        g = words(Log)
        g.add_node("work", work)
        g.add_node("end", lambda s: {"log": ["end"]})
        g.add_conditional_edges(START, lambda s: [send("work", {"x": n}) for n in range(3)], ["work"])
        g.add_edge("work", "end")
        return g.compile(checkpointer=saver)

    from langgraph.types import Send as TheirSend

    ours, theirs = build(StateGraph, Send), build(TheirStateGraph, TheirSend)
    with pytest.raises(ConnectionError):
        ours.invoke({"log": []}, T)
    down.append(False)
    shown = theirs.get_state(T)
    ended = theirs.invoke(None, T)

    assert [(task.name, task.result) for task in shown.tasks] == [
        ("work", {"log": [0]}), ("work", {"log": [1]}), ("work", None),
    ]  # fmt: skip
    error: Any = shown.tasks[2].error  # what pickles is an exception again
    assert (error if isinstance(error, str) else repr(error)) == "ConnectionError('down')"
    assert ended["log"] == [0, 1, 2, "end"]
    assert sorted(ran) == ["0", "1", "2", "2"]


class Holding:
    """A gate that suspends at [after] until it is told to approve."""

    def __init__(self, verb: str) -> None:
        self.verb = verb

    def wants(self, place: str, node: str | None, ns: Any) -> bool:
        return place == "after" and node == "a"

    def __call__(self, pause: Pause) -> Decision | Future[Decision]:
        return Decision(self.verb, value={"log": ["edited"]} if self.verb == "edit" else None)  # type: ignore[arg-type]  # a plain word


def test_a_proposal_is_kept_beside_and_decided_in_another_process(saver: Any) -> None:
    ran: list[int] = []

    def build(words: Any) -> Any:
        g = words(Log)
        g.add_node("a", lambda s: ran.append(1) or {"log": ["proposed"]})
        g.add_node("z", lambda s: {"log": ["z"]})
        g.add_edge(START, "a")
        g.add_edge("a", "z")
        return g.compile(checkpointer=saver)

    def run(graph: Any, input: Any, verb: str) -> Any:
        engine = graph.engine(input, {"configurable": {"thread_id": "t"}}, gate=Holding(verb))
        return SyncDriver().run(engine.run())

    graph = build(StateGraph)
    suspended = run(graph, {"log": []}, "suspend")
    theirs = build(TheirStateGraph).get_state(T)
    ended = run(build(StateGraph), None, "edit")

    assert suspended.status == "interrupted"
    assert theirs.next == ("a",)
    assert ended.values["log"] == ["edited", "z"]
    assert len(ran) == 1


def test_threads_can_be_listed_and_deleted_without_a_graph(saver: Any) -> None:
    chain(saver).invoke({"log": []}, T)
    checkpointer = from_langgraph_saver(saver)

    assert [(info.thread, info.next) for info in checkpointer.threads()] == [("t", ("ask",))]
    assert checkpointer.namespaces("t") == [""]
    with pytest.raises(CheckpointError, match="compile the graph with it"):
        checkpointer.load("t", "")
    checkpointer.delete("t")
    assert checkpointer.threads() == []


def test_the_saver_stays_what_it_was_for_the_graphs_user() -> None:
    saver = InMemorySaver()
    graph = chain(saver)

    assert graph.checkpointer is saver
    assert translated(graph.checkpointer).saver is saver
    assert translated(None) is None


def test_a_branch_lost_by_a_routers_failure_under_langgraph_is_found_here() -> None:
    saver = InMemorySaver()
    down = [True]

    def build(words: Any) -> Any:
        def route(s: Any) -> str:
            if down:
                raise ConnectionError("down")
            return "z"

        g = words(Log)
        g.add_node("a", lambda s: {"log": ["a"]})
        g.add_node("z", lambda s: {"log": ["z"]})
        g.add_edge(START, "a")
        g.add_conditional_edges("a", route, ["z"])
        return g.compile(checkpointer=saver)

    with pytest.raises(ConnectionError):
        build(TheirStateGraph).invoke({"log": []}, T)
    down.clear()

    assert build(StateGraph).invoke(None, T)["log"] == ["a", "z"]


def test_a_task_that_failed_once_is_over_when_its_routers_then_choose_nothing(saver: Any) -> None:
    asked: list[str] = []

    def flaky(s: Log) -> dict[str, Any]:
        asked.append("body")
        if len(asked) == 1:
            raise ConnectionError("down")
        return {"log": ["flaky"]}

    def nowhere(s: Log) -> list[str]:
        asked.append("router")
        return []

    g = StateGraph(Log).add_node(flaky).add_node("ask", lambda s: {"log": [interrupt("why?")]})
    g.add_edge(START, "flaky").add_edge(START, "ask").add_conditional_edges("flaky", nowhere)
    app = g.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        app.invoke({"log": []}, T)
    app.invoke(None, T)
    shown = app.get_state(T)
    assert (shown.next, shown.values["log"]) == (("ask",), ["flaky"])
    assert app.invoke(Command(resume="so"), T)["log"] == ["so", "flaky"]
    assert asked == ["body", "body", "router"]


class Words(TypedDict, total=False):
    one: Any
    many: list[Any]
    named: dict[str, Any]


def test_words_of_a_graph_in_its_state_are_those_of_the_engine_that_reads_them(saver: Any) -> None:
    from langgraph import types as their_types

    from stepgraph.core import types as our_types

    def held(words: Any) -> dict[str, Any]:
        command = words.Command(goto=[words.Send("a", 1)], update={"one": words.Overwrite(2)})
        return {
            "one": command,
            "many": [command, words.Interrupt("who?", id="x"), 3],
            "named": {"sent": words.Send("a", {"x": 1}), "over": words.Overwrite([1])},
        }

    for builder, words, other_builder, other in (
        (StateGraph, our_types, TheirStateGraph, their_types),
        (TheirStateGraph, their_types, StateGraph, our_types),
    ):
        thread = {"configurable": {"thread_id": words.__name__}}

        def graph(builder: Any, words: Any, given: Any = None) -> Any:
            g = builder(Words)
            g.add_node("a", lambda s, config: held(words))
            g.add_node("b", lambda s: {})
            return g.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)

        graph(builder, words).invoke({"one": words.Command(goto="b")}, thread)
        reader = graph(other_builder, other)
        assert reader.get_state(thread).values == held(other)
        before = [each for each in reader.get_state_history(thread) if each.next == ("a",)]
        assert [each.values["one"] for each in before] == [other.Command(goto="b")]
        assert before[0].tasks[0].result == held(other)
        assert graph(builder, words).get_state(thread).values == held(words)


class Loose(TypedDict, total=False):
    kept: Any
    answer: str


def objects(of: Any) -> Any:
    """One of each class that an engine has a twin of, in all that may hold them."""
    send = of.Send("n", {"again": [of.Send("n", 1, timeout=2)]})
    command = of.Command(goto=[send], update={"x": [of.Overwrite([1])]})
    question = of.Interrupt("why?", id="1", response_schema={"type": "string"})
    task = of.PregelTask("1", "n", ["~", "n"], interrupts=[question])
    shown = of.StateSnapshot({"x": [[send]]}, ["n"], {}, None, None, None, [task], [])
    return [
        {"y": [[send, [command]]]},
        {1: {2: question}},
        {of.Send("n", 2)},
        [of.TimeoutPolicy(run_timeout=3.0)],
        shown,
    ]


def keeping(engine: Any, saver: Any) -> Any:
    """A graph of one engine that has such objects among its pending writes first, then in its state."""
    StateGraph, types = engine  # noqa: N806  a class
    builder = StateGraph(Loose).add_node("keep", lambda _: {"kept": objects(types)})
    builder.add_node("ask", lambda _: {"answer": types.interrupt("so?")})
    return builder.add_edge(START, "keep").add_edge(START, "ask").compile(checkpointer=saver)


OURS, THEIRS = (StateGraph, our_types), (TheirStateGraph, their_types)


@pytest.mark.parametrize(("first", "then"), [(OURS, THEIRS), (THEIRS, OURS), (OURS, OURS)], ids=["->", "<-", "="])
def test_objects_of_one_engine_deep_in_the_state_are_the_others_when_it_reads_them(
    saver: Any, first: Any, then: Any
) -> None:
    keeping(first, saver).invoke({}, T)
    reading = keeping(then, saver)

    pending = {task.name: task.result for task in reading.get_state(T).tasks}["keep"]
    ended = reading.invoke(then[1].Command(resume="yes"), T)

    assert pending == {"kept": objects(then[1])}
    assert ended == {"kept": objects(then[1]), "answer": "yes"}
    assert keeping(then, saver).get_state(T).values == ended


def test_a_state_is_not_searched_for_them_where_the_serializer_meets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[Any] = []
    monkeypatch.setattr("stepgraph.compat.savers.translated", lambda given: searched.append(given) or theirs(given))

    keeping(OURS, InMemorySaver()).invoke({}, T)
    assert not searched
    keeping(OURS, InMemorySaver(serde=Pickling())).invoke({}, T)
    assert searched


def test_values_without_such_objects_stay_what_they_are() -> None:
    held: list[Any] = [{"a": (1, [2])}, deque([3], maxlen=4), {5}, objects]
    cycle: list[Any] = [Send("n", 1)]
    cycle.append(cycle)

    assert theirs(held) is held
    assert theirs(cycle) is cycle
    assert theirs(deque([Send("n", 1)], maxlen=4)) == deque([their_types.Send("n", 1)], maxlen=4)
    assert theirs((1, Send("n", (Send("m", 2),)))) == (1, their_types.Send("n", (their_types.Send("m", 2),)))
