"""What the author of a saver sees: the calls of its methods, their configs, metadata, channels and writes."""

import asyncio
import operator
import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")
ENGINES = ("__pregel_runtime", "__pregel_durability", "__pregel_task_id", "__pregel_read", "__pregel_send")
"""The keys of an engine's that are compared; no saver has a use for the others."""


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


class Recorder(InMemorySaver):
    """Writes down its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def account(self) -> Iterator[str]:
        """The calls with short names for ids. LangGraph saves in threads of its own, in whatever order these run."""
        names: dict[str, str] = {}
        for saves, calls in groupby(self.calls, lambda call: call[0] in ("put", "put_writes")):
            lines = [repr(call) for call in calls]
            for line in sorted(lines, key=lambda line: ID.sub("#", line)) if saves else lines:
                yield ID.sub(lambda found: names.setdefault(found.group(), f"#{len(names)}"), line)

    def place(self, config: Any) -> Any:
        if config is None:
            return None
        found: dict[str, Any] = {}
        for key, value in (config.get("configurable") or {}).items():
            if key.startswith("__pregel_") and key not in ENGINES:
                continue
            if key in ("checkpoint_ns", "checkpoint_id") and not value:
                continue
            if isinstance(value, (str, dict)):
                found[key] = str(value)
            elif not key.startswith("__pregel_") or key == "__pregel_durability":
                found[key] = type(value).__name__
            else:
                found[key] = "there"
        told = {key: str(value) for key, value in (config.get("metadata") or {}).items()}
        rest = {key: str(config[key]) for key in ("run_id", "run_name", "tags") if config.get(key)}
        return sorted(found.items()), sorted(told.items()), sorted(rest.items())

    def tell(self, name: str, *what: Any) -> None:
        self.calls.append((name, *what))

    def get_tuple(self, config: Any) -> Any:
        found = super().get_tuple(config)
        self.tell("get_tuple", self.place(config)[0], found is not None)
        return found

    def list(self, config: Any, *, filter: Any = None, before: Any = None, limit: Any = None) -> Iterator[Any]:
        self.tell("list", self.place(config)[0], filter, self.place(before), limit)
        return super().list(config, filter=filter, before=before, limit=limit)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        found = super().put(config, checkpoint, metadata, new_versions)
        values, seen = sorted(checkpoint["channel_values"]), sorted(checkpoint["versions_seen"])
        told = {key: str(value) for key, value in metadata.items()}
        self.tell("put", self.place(config), values, told, sorted(new_versions), seen, checkpoint["updated_channels"])
        return found

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        shown = sorted({(channel, type(value).__name__) for channel, value in writes})
        self.tell("put_writes", self.place(config), shown, task_id, task_path)
        super().put_writes(config, writes, task_id, task_path)

    async def aget_tuple(self, config: Any) -> Any:
        return self.get_tuple(config)

    async def alist(self, config: Any, **options: Any) -> AsyncIterator[Any]:
        for each in self.list(config, **options):
            yield each

    async def aput(self, *args: Any) -> Any:
        return self.put(*args)

    async def aput_writes(self, *args: Any) -> None:
        self.put_writes(*args)


class Lab:
    """One graph with a recorder, called sync or async."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.saver = Recorder()
        self.graph: Any = None

    def compile(self, builder: Any, **options: Any) -> None:
        self.graph = builder.compile(checkpointer=self.saver, **options)

    def run(self, given: Any, config: Any = None, **options: Any) -> None:
        options = {"durability": "sync", **options}
        config = config or CONFIG

        async def awaited() -> None:
            await self.graph.ainvoke(given, config, **options)

        self.saver.tell("run")
        try:
            if self.asynchronous:
                asyncio.run(awaited())
            else:
                self.graph.invoke(given, config, **options)
        except Exception as error:
            self.saver.tell("raised", type(error).__name__)

    def state(self, **options: Any) -> Any:
        self.saver.tell("state")
        if self.asynchronous:
            return asyncio.run(self.graph.aget_state(CONFIG, **options))
        return self.graph.get_state(CONFIG, **options)

    def history(self, **options: Any) -> list[Any]:
        async def awaited() -> list[Any]:
            return [each async for each in self.graph.aget_state_history(CONFIG, **options)]

        self.saver.tell("history")
        if self.asynchronous:
            return asyncio.run(awaited())
        return list(self.graph.get_state_history(CONFIG, **options))

    def edit(self, values: Any, config: Any = None, **options: Any) -> None:
        self.saver.tell("edit")
        if self.asynchronous:
            asyncio.run(self.graph.aupdate_state(config or CONFIG, values, **options))
        else:
            self.graph.update_state(config or CONFIG, values, **options)


CONFIG: Any = {"configurable": {"thread_id": "t"}}
FULL: Any = {
    "configurable": {"thread_id": "t", "user": "u", "number": 3, "thing": object(), "__own": 1},
    "metadata": {"told": "yes", "number": 2},
    "tags": ["tag"],
    "run_name": "named",
    "run_id": UUID(int=5),
}
PLAYS: list[Callable[[Lab], None]] = []


def play(call: Callable[[Lab], None]) -> Callable[[Lab], None]:
    PLAYS.append(call)
    return call


def logs(text: str) -> Any:
    return lambda state: {"log": [text]}


def chain() -> Any:
    builder = StateGraph(State)
    builder.add_node("a", logs("a"))
    builder.add_node("b", logs("b"))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    return builder


def fan() -> Any:
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, logs(name))
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: ["b", "c", Send("b", {})], ["b", "c"])
    return builder


def asking() -> Any:
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"log": [interrupt("one"), interrupt("two")]})
    builder.add_node("b", logs("b"))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    return builder


def around(inner: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("inside", inner)
    builder.add_node("end", logs("end"))
    builder.add_edge(START, "inside")
    builder.add_edge("inside", "end")
    return builder


@play
def a_chain(lab: Lab) -> None:
    lab.compile(chain())
    lab.run({"log": []})
    lab.run({"log": ["again"]})


@play
def a_full_config(lab: Lab) -> None:
    lab.compile(chain())
    lab.run({"log": []}, FULL)


@play
def a_bound_config(lab: Lab) -> None:
    lab.compile(chain())
    lab.graph = lab.graph.with_config({"configurable": {"user": "bound"}, "metadata": {"told": "bound"}})
    lab.run({"log": []})


@play
def a_fan(lab: Lab) -> None:
    lab.compile(fan())
    lab.run({"log": []}, {**CONFIG, "max_concurrency": 1})


@play
def questions(lab: Lab) -> None:
    lab.compile(asking())
    lab.run({"log": []})
    lab.run(Command(resume="first"))
    lab.run(Command(resume="second"))


@play
def a_failure(lab: Lab) -> None:
    def fail(state: State) -> State:
        raise ValueError("no")

    builder = StateGraph(State)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    lab.compile(builder)
    lab.run({"log": []})
    lab.run(None)


@play
def a_failure_after_an_answer(lab: Lab) -> None:
    def fail(state: State) -> State:
        raise ValueError(interrupt("why"))

    builder = StateGraph(State)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    lab.compile(builder)
    lab.run({"log": []})
    lab.run(Command(resume="because"))


@play
def a_subgraph(lab: Lab) -> None:
    lab.compile(around(chain().compile()))
    lab.run({"log": []}, FULL)


@play
def a_subgraph_that_asks(lab: Lab) -> None:
    lab.compile(around(asking().compile()))
    lab.run({"log": []})
    lab.run(Command(resume="first"))
    lab.run(Command(resume="second"))


@play
def breakpoints(lab: Lab) -> None:
    lab.compile(chain(), interrupt_before=["b"])
    lab.run({"log": []})
    lab.run(None)


@play
def at_exit(lab: Lab) -> None:
    lab.compile(asking())
    lab.run({"log": []}, durability="exit")
    lab.run(Command(resume="first"), durability="exit")


@play
def edits(lab: Lab) -> None:
    lab.compile(chain())
    lab.edit({"log": ["early"]}, as_node="a")
    lab.run(None)
    lab.edit({"log": ["late"]}, FULL, as_node="a")
    lab.run(None)
    lab.edit(None, as_node=END)


@play
def looking(lab: Lab) -> None:
    lab.compile(chain())
    lab.run({"log": []})
    lab.state()
    lab.history()
    lab.history(limit=1)
    lab.history(filter={"source": "loop"})


@play
def travel(lab: Lab) -> None:
    lab.compile(chain())
    lab.run({"log": []})
    known = lab.history()
    lab.run(None, known[1].config)
    lab.edit({"log": ["other"]}, known[2].config)


@play
def functions(lab: Lab) -> None:
    @task
    def one_more(value: int) -> int:
        return value + 1

    @task
    async def one_more_later(value: int) -> int:
        return value + 1

    @entrypoint(checkpointer=lab.saver)
    def main(value: int, previous: Any = None) -> int:
        return one_more(value).result() + (previous or 0)

    @entrypoint(checkpointer=lab.saver)
    async def later(value: int, previous: Any = None) -> int:
        return await one_more_later(value) + (previous or 0)

    lab.graph = later if lab.asynchronous else main
    lab.run(1)
    lab.run(1)


def calls_of_a_saver(show: Any) -> None:
    for each in PLAYS:
        for asynchronous in (False, True):
            lab = Lab(asynchronous)
            each(lab)
            show(each.__name__, asynchronous)
            for line in lab.saver.account():
                show(line)
