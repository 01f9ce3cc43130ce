"""The functional API: what is refused, what is recorded, and what runs at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from stepgraph import Command, RunnableConfig, StateGraph, entrypoint, interrupt, task
from stepgraph.graph.functional import final


def test_generators_and_functions_without_a_parameter_are_refused() -> None:
    def generator(x: int) -> Any:
        yield x

    async def async_generator(x: int) -> Any:
        yield x

    for function in (generator, async_generator):
        with pytest.raises(NotImplementedError, match=r"Generators are not supported in the Functional API\."):
            entrypoint()(function)
    with pytest.raises(ValueError, match="Entrypoint function must have at least one parameter"):
        entrypoint()(lambda: 1)


def test_both_types_of_final_are_needed() -> None:
    def half(x: int) -> Any:
        return x

    half.__annotations__["return"] = final[int, str]
    assert [c.type for c in entrypoint()(half).plan.channels.values()] == [int, str]
    half.__annotations__["return"] = final
    assert [c.type for c in entrypoint()(half).plan.channels.values()] == [Any, Any]


def test_a_task_is_called_in_nodes_only() -> None:
    with pytest.raises(RuntimeError, match="outside of a runnable context"):
        task(lambda x: x)(1)


def test_an_async_task_in_sync_code_says_what_to_do() -> None:
    @task
    async def later(x: int) -> int:
        return x

    with pytest.raises(RuntimeError, match="In an sync context async tasks cannot be called: 'later' is async"):
        entrypoint()(lambda x: later(x).result()).invoke(1)


def test_tasks_run_at_once() -> None:
    @task
    def slow(x: int) -> int:
        time.sleep(0.1)
        return x

    began = time.monotonic()
    flow = entrypoint()(lambda xs: [future.result() for future in [slow(x) for x in xs]])
    assert flow.invoke([1, 2, 3]) == [1, 2, 3]
    assert time.monotonic() - began < 0.29


def test_what_is_not_waited_for_ends_before_the_run_does() -> None:
    done: list[int] = []

    @task
    def slow(x: int) -> None:
        time.sleep(0.05)
        done.append(x)

    @task
    async def slow_too(x: int) -> None:
        await asyncio.sleep(0.05)
        done.append(x)

    async def later(x: int) -> None:
        slow_too(x)

    def node(state: dict[str, int]) -> dict[str, int]:
        slow(3)
        return state

    entrypoint()(lambda x: slow(x) and None).invoke(1)
    assert done == [1]
    asyncio.run(entrypoint()(later).ainvoke(2))
    assert done == [1, 2]
    g = StateGraph(dict)
    g.add_node("node", node)
    g.set_entry_point("node")
    g.compile().invoke({"x": 1})
    assert done == [1, 2, 3]


def test_a_failure_of_what_is_not_waited_for_is_nobodys() -> None:
    @task
    def fails(x: int) -> None:
        raise ValueError(x)

    assert entrypoint()(lambda x: fails(x) and x).invoke(1) == 1


def test_results_outlive_the_process(tmp_path: Path) -> None:
    calls: list[int] = []

    @task
    def count(x: int) -> int:
        calls.append(x)
        return x + 1

    def work(x: int) -> Any:
        made = [count(x).result(), count(10).result()]
        return [*made, interrupt("go on?"), count(100).result()]

    for durability in ("sync", "async", "exit"):
        calls.clear()
        url = f"sqlite:///{tmp_path / durability}.db"
        flow = entrypoint(checkpointer=url)(work)
        first = flow.invoke(1, thread="t", durability=durability)
        flow.checkpointer.close()
        assert [each.value for each in first["__interrupt__"]] == ["go on?"]
        made = entrypoint(checkpointer=url)(work).invoke(Command(resume="yes"), thread="t", durability=durability)
        assert made == [2, 11, "yes", 101]
        assert calls == [1, 10, 100]


def test_a_task_asks_for_what_nodes_ask_for() -> None:
    @task
    def first(runtime: Any, x: int = 0) -> Any:
        return runtime.context, runtime.store, x

    @task
    def named(x: int, *, config: RunnableConfig | None = None) -> Any:
        assert config is not None
        return x, config["metadata"]["langgraph_node"]

    flow = entrypoint(store=("the store",))(lambda x: [first(x=x).result(), named(x).result()])
    assert flow.invoke(1, context="c") == [("c", ("the store",), 1), (1, "named")]


def test_a_task_may_be_a_method() -> None:
    class Shop:
        price = 3

        @task
        def cost(self, amount: int) -> int:
            return self.price * amount

    assert entrypoint()(lambda n: Shop().cost(n).result()).invoke(2) == 6


def test_a_value_is_kept_for_the_next_run() -> None:
    @entrypoint(checkpointer="memory://")
    def total(x: int, *, previous: int | None = None) -> Any:
        return entrypoint.final(value=previous, save=(previous or 0) + x)

    assert [total.invoke(x, thread="t") for x in (3, 4, 5)] == [None, 3, 7]
    assert total.get_state(thread="t").values == 7
    assert total.invoke(1, thread="other") is None


def test_async_entrypoints_run_under_invoke_too() -> None:
    @task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    @entrypoint()
    async def flow(xs: list[int]) -> list[int]:
        return list(await asyncio.gather(*(later(x) for x in xs)))

    assert flow.invoke([1, 2]) == [2, 3]
    assert list(flow.stream([1], stream_mode="updates")) == [{"later": 2}, {"flow": [2]}]
