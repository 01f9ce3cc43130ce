"""Retries, timeouts, handlers, caches, durability, limits, draining and cancelling: what each does at its edges."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
import time
from datetime import timedelta
from typing import Annotated, Any

from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError, NodeCancelledError, NodeTimeoutError
from langgraph.graph import START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import CachePolicy, Command, RetryPolicy, TimeoutPolicy, interrupt
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def lone(node: Any, options: Any = None, **compiled: Any) -> Any:
    return StateGraph(Log).add_node("a", node, **(options or {})).add_edge(START, "a").compile(**compiled)


QUICK = {"initial_interval": 0.001, "jitter": False}


def several_policies(show: Any) -> None:
    for errors, policies in (
        (
            [ValueError, KeyError, None],
            [RetryPolicy(retry_on=ValueError, **QUICK), RetryPolicy(retry_on=KeyError, **QUICK)],
        ),
        (
            [ValueError, KeyError, ValueError, None],
            [RetryPolicy(retry_on=ValueError, **QUICK), RetryPolicy(retry_on=KeyError, **QUICK)],
        ),
        (
            [ValueError] * 3,
            [
                RetryPolicy(retry_on=ValueError, max_attempts=2, **QUICK),
                RetryPolicy(max_attempts=9, retry_on=Exception, **QUICK),
            ],
        ),
        ([ValueError, None], [RetryPolicy(retry_on=[KeyError, ValueError], **QUICK)]),
        ([ValueError, None], [RetryPolicy(retry_on=(KeyError, ValueError), **QUICK)]),
        ([ValueError, None], [RetryPolicy(retry_on=lambda e: isinstance(e, ValueError), **QUICK)]),
        ([ValueError, None], [RetryPolicy(max_attempts=1, retry_on=ValueError)]),
        ([ValueError, None], []),
    ):
        left = list(errors)

        def node(s: Log) -> dict:
            error = left.pop(0)
            if error is not None:
                raise error("x")
            return {"log": ["done"]}

        show((kind(lambda: lone(node, {"retry_policy": policies}).invoke({"log": []})), len(left)))


def a_retry_begins_anew(show: Any) -> None:
    """Writes of a failed attempt are forgotten, answers given before it are used again."""
    calls: list[Any] = []

    def node(s: Log, runtime: Any) -> dict:
        info = runtime.execution_info
        calls.append((info.node_attempt, info.node_first_attempt_time is not None))
        answer = interrupt("q")
        if len(calls) < 4:
            raise ConnectionError("x")
        return {"log": [answer, len(calls)]}

    app = lone(node, {"retry_policy": RetryPolicy(**QUICK)}, checkpointer=InMemorySaver())
    app.invoke({"log": []}, thread())
    show(app.invoke(Command(resume="yes"), thread()), calls)


def what_a_timeout_is(show: Any) -> None:
    async def slow(s: Log) -> dict:
        await asyncio.sleep(1)
        return {"log": ["slow"]}

    for timeout in (
        0.02,
        timedelta(milliseconds=20),
        TimeoutPolicy(run_timeout=0.02),
        TimeoutPolicy(idle_timeout=0.02),
        TimeoutPolicy(run_timeout=0.02, idle_timeout=5),
    ):
        app = lone(slow, {"timeout": timeout})
        try:
            asyncio.run(app.ainvoke({"log": []}))
        except NodeTimeoutError as error:
            show(
                (
                    error.kind,
                    error.node,
                    isinstance(error, TimeoutError),
                    error.run_timeout,
                    error.idle_timeout,
                    error.timeout,
                )
            )
    for wrong in (0, -1, TimeoutPolicy(run_timeout=-1), TimeoutPolicy(), "x"):
        show(kind(lambda: lone(slow, {"timeout": wrong}) and "fine"))
    show(kind(lambda: lone(lambda s: {}, {"timeout": 1})))


def handlers(show: Any) -> None:
    def bad(s: Log) -> dict:
        raise ValueError("bad")

    def handler(s: Log, error: Any) -> Any:
        return {"log": [("handled", error)]}

    from langgraph.errors import NodeError

    def typed(s: Log, error: NodeError) -> Any:
        return Command(
            update={"log": [(error.node, str(error.error), type(error.error).__name__, list(s["log"]))]}, goto="end"
        )

    def failing(s: Log, error: NodeError) -> Any:
        raise KeyError("handler")

    for made in (typed, failing, lambda s: {"log": ["plain"]}, lambda s: None):
        g = (
            StateGraph(Log)
            .add_node("a", bad, error_handler=made, destinations=("end",))
            .add_node("end", lambda s: {"log": ["end"]})
        )
        g.add_node("next", lambda s: {"log": ["next"]}).add_edge(START, "a").add_edge("a", "next")
        app = g.compile(checkpointer=InMemorySaver())
        show(kind(lambda: app.invoke({"log": ["in"]}, thread())))
        show(kind(lambda: list(app.stream({"log": ["in"]}, thread("u"), stream_mode="updates"))))
        show(
            [
                (each.next, [(task.name, task.error, task.result) for task in each.tasks])
                for each in app.get_state_history(thread())
            ]
        )


def caches(show: Any) -> None:
    calls: list[Any] = []

    def node(s: Log) -> dict:
        calls.append(list(s["log"]))
        return {"log": [len(calls)]}

    cache = InMemoryCache()
    app = lone(node, {"cache_policy": CachePolicy()}, cache=cache)
    show(app.invoke({"log": ["x"]}), app.invoke({"log": ["x"]}), app.invoke({"log": ["y"]}), calls)
    show(list(app.stream({"log": ["x"]})), list(app.stream({"log": ["x"]}, stream_mode="values")))
    show(
        [
            {key: each.get(key) for key in ("name", "result", "input")}
            for each in app.stream({"log": ["x"]}, stream_mode="tasks")
        ]
    )
    app.clear_cache(["a"])
    show(app.invoke({"log": ["x"]}), calls)
    app.clear_cache()
    show(app.invoke({"log": ["x"]}), calls)
    asyncio.run(app.aclear_cache())
    show(asyncio.run(app.ainvoke({"log": ["x"]})), len(calls))
    keyed = lone(node, {"cache_policy": CachePolicy(key_func=lambda s: "same", ttl=60)}, cache=InMemoryCache())
    show(keyed.invoke({"log": ["p"]}), keyed.invoke({"log": ["q"]}))
    two = (
        StateGraph(Log).add_node("a", node, cache_policy=CachePolicy()).add_node("b", node, cache_policy=CachePolicy())
    )
    show(
        two.add_edge(START, "a").add_edge(START, "b").compile(cache=InMemoryCache()).invoke({"log": ["z"]}), len(calls)
    )
    saved = lone(node, {"cache_policy": CachePolicy()}, cache=cache, checkpointer=InMemorySaver())
    show(saved.invoke({"log": ["x"]}, thread()))
    show([(each.next, [(task.name, task.result) for task in each.tasks]) for each in saved.get_state_history(thread())])


def limits(show: Any) -> None:
    seen: list[int] = []

    class State(TypedDict):
        log: Annotated[list, operator.add]

    def circle(s: Log) -> Any:
        seen.append(1)
        return Command(goto="a", update={"log": [1]})

    for limit in (1, 2, 5):
        seen.clear()
        app = StateGraph(Log).add_node("a", circle).add_edge(START, "a").compile(checkpointer=InMemorySaver())
        show((limit, kind(lambda: app.invoke({"log": []}, {**thread(), "recursion_limit": limit})), len(seen)))
        state = app.get_state(thread())
        show(state.next, state.metadata["step"], len(state.values["log"]))
        modes = kind(
            lambda: list(app.stream({"log": []}, {**thread("u"), "recursion_limit": limit}, stream_mode="checkpoints"))
        )
        show(modes)
    chain = (
        StateGraph(Log).add_sequence([(name, lambda s: {"log": [1]}) for name in "abc"]).add_edge(START, "a").compile()
    )
    for limit in (0, -1, 1, 2, 3, 4, None):
        show((limit, kind(lambda: chain.invoke({"log": []}, {"recursion_limit": limit}))))
    show(isinstance(GraphRecursionError("x"), RecursionError))
    show(
        chain.with_config(recursion_limit=2).config["recursion_limit"],
        kind(lambda: chain.with_config(recursion_limit=2).invoke({"log": []})),
    )


def durabilities(show: Any) -> None:
    class Noting(InMemorySaver):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[Any] = []

        def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            self.calls.append(("put", metadata["source"], metadata["step"]))
            return super().put(config, checkpoint, metadata, new_versions)

        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            self.calls.append(("writes", sorted(key for key, _ in writes)))
            return super().put_writes(config, writes, task_id, task_path)

    def ask(s: Log) -> dict:
        return {"log": [interrupt("q")]}

    def bad(s: Log) -> dict:
        raise ValueError("bad")

    for last in (lambda s: {"log": ["c"]}, ask, bad):
        for durability in ("sync", "exit"):
            g = (
                StateGraph(Log)
                .add_node("a", lambda s: {"log": ["a"]})
                .add_node("b", lambda s: {"log": ["b"]})
                .add_node("c", last)
            )
            saver = Noting()
            app = g.add_edge(START, "a").add_edge("a", "b").add_edge("a", "c").compile(checkpointer=saver)
            show((durability, kind(lambda: app.invoke({"log": []}, thread(), durability=durability))))
            show(
                [call for call in saver.calls if call[0] == "put"],
                sorted(call for call in saver.calls if call[0] != "put"),
            )
            show([(each.metadata["step"], each.next, each.values) for each in app.get_state_history(thread())])


def cancelled_in_the_body(show: Any) -> None:
    def sync(s: Log) -> dict:
        raise asyncio.CancelledError("own")

    async def late(s: Log) -> dict:
        raise asyncio.CancelledError("own")

    show(kind(lambda: lone(sync).invoke({"log": []})), kind(lambda: asyncio.run(lone(late).ainvoke({"log": []}))))
    show(issubclass(NodeCancelledError, Exception), issubclass(NodeCancelledError, asyncio.CancelledError))


def siblings_of_a_failure(show: Any) -> None:
    """What finished before a failure is kept; sync siblings are waited for, async ones cancelled."""
    seen: list[str] = []

    def slow(s: Log) -> dict:
        time.sleep(0.15)
        seen.append("slow")
        return {"log": ["slow"]}

    async def aslow(s: Log) -> dict:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return {"log": ["aslow"]}

    def quick(s: Log) -> dict:
        return {"log": ["quick"]}

    def bad(s: Log) -> dict:
        time.sleep(0.05)
        raise ValueError("bad")

    async def abad(s: Log) -> dict:
        await asyncio.sleep(0.05)
        raise ValueError("bad")

    for nodes, run in (((slow, quick, bad), "sync"), ((aslow, quick, abad), "async")):
        g = StateGraph(Log)
        for node in nodes:
            g.add_node(node).add_edge(START, node.__name__)
        app = g.compile(checkpointer=InMemorySaver())
        show(
            kind(
                lambda: (
                    app.invoke({"log": []}, thread())
                    if run == "sync"
                    else asyncio.run(app.ainvoke({"log": []}, thread()))
                )
            )
        )
        show(
            seen,
            sorted(
                (task.name, task.error is not None, task.result)
                for task in app.get_state(thread()).tasks
                if task.name != "slow"
            ),
        )


def the_default_limit(show: Any) -> None:
    class State(TypedDict):
        left: RemainingSteps
        n: int

    def node(s: State, config: Any = None) -> dict:
        return {"n": s["left"]}

    inner = StateGraph(State).add_node("i", node).add_edge(START, "i").compile()
    app = StateGraph(State).add_node("a", node).add_edge(START, "a").compile()
    show(
        app.invoke({"n": 0}),
        app.invoke({"n": 0}, {"recursion_limit": 50}),
        app.with_config(recursion_limit=30).invoke({"n": 0}),
    )
    show(
        app.with_config(recursion_limit=30).invoke({"n": 0}, {"recursion_limit": 10007}),
        app.with_config(recursion_limit=30).invoke({"n": 0}, {"recursion_limit": 40}),
    )
    outer = (
        StateGraph(State)
        .add_node("call", lambda s: {"n": inner.invoke({"n": 0})["n"]})
        .add_node("sub", inner)
        .add_edge(START, "call")
        .add_conditional_edges(START, lambda s: "sub" if s["n"] else "call")
        .compile()
    )
    show(outer.invoke({"n": 0}, {"recursion_limit": 60}), outer.invoke({"n": 0}))
