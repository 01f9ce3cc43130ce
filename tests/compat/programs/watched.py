"""Threads that are read while they run."""

import asyncio
import operator
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Log(TypedDict):
    log: Annotated[list, operator.add]


class Own(InMemorySaver):
    """One that reads in its own way."""

    async def aget_tuple(self, config: Any) -> Any:
        await asyncio.sleep(0)
        return await super().aget_tuple(config)


def graph(saver: Any) -> Any:
    builder = StateGraph(Log)
    for name, after in (("first", "second"), ("second", "third"), ("third", END)):
        builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_edge(name, after)
    return builder.add_edge(START, "first").compile(checkpointer=saver)


def a_reader_of_events_sees_how_far_they_came(show: Any) -> None:
    async def read() -> list[Any]:
        app, seen = graph(InMemorySaver()), []
        async for event in app.astream_events({"log": ["in"]}, CONFIG, version="v2"):
            state = await app.aget_state(CONFIG)
            past = [each.next async for each in app.aget_state_history(CONFIG)]
            seen.append((event["event"], event["name"], state.values, state.next, past))
        return seen

    for _ in range(20):
        show(asyncio.run(read()))


def a_saver_of_ones_own_is_asked_its_own_way(show: Any) -> None:
    async def read() -> list[Any]:
        app = graph(Own())
        await app.ainvoke({"log": ["in"]}, CONFIG)
        return [(await app.aget_state(CONFIG)).values, [each.next async for each in app.aget_state_history(CONFIG)]]

    show(asyncio.run(read()))
