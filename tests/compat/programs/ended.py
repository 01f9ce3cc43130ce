"""What handlers are told that a run gave, of graphs that return less than they keep."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class Asked(TypedDict):
    a: int


class Returned(TypedDict):
    b: int


class Kept(TypedDict):
    a: int
    b: int
    c: int
    log: Annotated[list, operator.add]


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.names: dict[Any, Any] = {}
        self.told: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **more: Any) -> None:
        self.names[run_id] = more.get("name")

    def on_chain_end(self, outputs: Any, *, run_id: Any, **more: Any) -> None:
        self.told.append((self.names[run_id], outputs))


def graph(asks: bool) -> Any:
    def work(state: Kept) -> Any:
        return {"b": interrupt("b?") if asks else 1, "c": 2, "log": ["work"]}

    builder = StateGraph(Kept, input_schema=Asked, output_schema=Returned)
    return builder.add_node("work", work).add_edge(START, "work").compile()


def streams_end_with_all_that_they_show(show: Any) -> None:
    async def read(app: Any, config: Any, **options: Any) -> Any:
        return [each async for each in app.astream({"a": 1}, config, **options)]

    wishes: list[dict[str, Any]] = [{}, {"stream_mode": "values"}, {"output_keys": ["a", "c"]}, {"output_keys": "c"}]
    for asks in (False, True):
        for options in wishes:
            app = graph(asks)
            called, streamed, awaited, read_out = (Ends() for _ in range(4))
            app.invoke({"a": 1}, {"callbacks": [called]}, **options)
            list(app.stream({"a": 1}, {"callbacks": [streamed]}, **options))
            asyncio.run(app.ainvoke({"a": 1}, {"callbacks": [awaited]}, **options))
            asyncio.run(read(app, {"callbacks": [read_out]}, **options))
            show(called.told, streamed.told, awaited.told, read_out.told)


def events_end_with_all_values(show: Any) -> None:
    async def last() -> Any:
        found = [each async for each in graph(False).astream_events({"a": 1}, version="v2")]
        return found[-1]["event"], found[-1]["data"]

    show(asyncio.run(last()))
