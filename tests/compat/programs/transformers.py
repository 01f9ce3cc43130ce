"""Transformers of version 3 streams as other packages write them: on LangGraph's base classes, by its inner names."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolCallTransformer, ToolNode, ToolRuntime
from langgraph.stream import StreamChannel
from langgraph.stream.run_stream import AsyncSubgraphRunStream, SubgraphRunStream
from langgraph.stream.transformers import MessagesTransformer, _TasksLifecycleBase


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


class Visits(_TasksLifecycleBase):
    """A handle for each graph one level down, made as LangChain makes those of its subagents."""

    _native = True
    supports_sync = True

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self.found: Any = StreamChannel()
        self.handles: dict[Any, Any] = {}
        self.mux: Any = None

    def init(self) -> dict[str, Any]:
        return {"visits": self.found}

    def _on_register(self, mux: Any) -> None:
        self.mux = mux

    def _should_track(self, ns: tuple[str, ...]) -> bool:
        return len(ns) == len(self.scope) + 1 and ns[: len(self.scope)] == self.scope

    def _on_started(self, ns: tuple[str, ...], graph_name: Any, trigger_call_id: Any) -> None:
        mux = self.mux._make_child(ns)
        kind: Any = AsyncSubgraphRunStream if mux.is_async else SubgraphRunStream
        self.handles[ns] = kind(mux, path=ns, graph_name=graph_name, trigger_call_id=trigger_call_id)
        self.handles[ns].cause, self.handles[ns].agent = self._pending_cause, self._lc_by_ns.get(ns)
        self.found.push(self.handles[ns])

    def _on_terminal(self, ns: tuple[str, ...], status: Any, error: Any) -> None:
        handle = self.handles[ns]
        if not handle._seen_terminal:
            handle.status, handle.error, handle._seen_terminal = status, error, True
            if not handle._mux._events._closed:
                handle._mux.close()

    def handle_of(self, event: Any) -> Any:
        handle = self.handles.get(tuple(event["params"]["namespace"])[: len(self.scope) + 1])
        return None if handle is None or handle._mux._events._closed else handle

    def process(self, event: Any) -> bool:
        keep = super().process(event)
        handle = self.handle_of(event)
        if handle is not None:
            handle._observe_event(event)
            handle._mux.push(event)
        return keep

    async def aprocess(self, event: Any) -> bool:
        keep = event["method"] != "tasks"
        ns, data = tuple(event["params"]["namespace"]), event["params"]["data"]
        if not keep and "result" in data:
            for ended in self._pop_terminal_transitions(ns, data):
                self._on_terminal(*ended)
        elif not keep:
            self._record_identity(ns, data)
            self._record_pending_tool_calls(data)
            self._handle_task_start(ns, data)
        handle = self.handle_of(event)
        if handle is not None:
            handle._observe_event(event)
            await handle._mux.apush(event)
        return keep


def world(failing: bool = False) -> Any:
    def work(state: Log) -> Any:
        if failing:
            raise ValueError("no work today")
        return {"log": ["work"]}

    inner = StateGraph(Log).add_node("work", work).add_edge(START, "work").compile(name="inner")
    builder = StateGraph(Log).add_node("first", inner).add_node("second", lambda s: inner.invoke(s))
    return builder.add_edge(START, "first").add_edge("first", "second").compile(transformers=[Visits])


def handles_made_elsewhere(show: Any) -> None:
    run = world().stream_events({"log": []}, version="v3")
    for visit in run.visits:
        show(visit.graph_name, len(visit.path), visit.cause, visit.agent, list(visit.values), visit.status)
    show(run.output)
    run = world(failing=True).stream_events({"log": []}, version="v3")
    try:
        for visit in run.visits:
            show(visit.graph_name, visit.status)
    except ValueError as error:
        show(str(error))
    show([(each.status, each.error) for each in run._mux.transformer_by_key("visits").handles.values()])


def handles_made_elsewhere_in_async_runs(show: Any) -> None:
    async def main() -> None:
        run = await world().astream_events({"log": []}, version="v3")
        async for visit in run.visits:
            show(visit.graph_name, len(visit.path), [each async for each in visit.values], visit.status)
        show(await run.output())

    asyncio.run(main())


def what_a_run_is_made_of(show: Any) -> None:
    run = world().stream_events({"log": []}, version="v3")
    kinds = [type(each).__name__ for each in run._mux._transformers]
    show(kinds, sum(isinstance(each, MessagesTransformer) for each in run._mux._transformers))
    show(sorted(run._mux.extensions), sorted(run._mux.native_keys), run._mux.is_async, run._mux.scope)
    show(run.output, run._mux._events._closed)


@tool
def count(upto: int, runtime: ToolRuntime) -> str:
    """Count."""
    for number in range(upto):
        runtime.emit_output_delta(str(number))
    return f"counted to {upto}"


def counting() -> Any:
    asked = AIMessage("", tool_calls=[{"name": "count", "args": {"upto": 3}, "id": "c1", "type": "tool_call"}])
    builder = StateGraph(MessagesState).add_node("model", lambda s: {"messages": [asked]})
    builder.add_node("tools", ToolNode([count])).add_edge(START, "model").add_edge("model", "tools")
    return builder.compile(transformers=[ToolCallTransformer])


def a_tool_calls_output_piece_by_piece(show: Any) -> None:
    run = counting().stream_events({"messages": [("user", "go")]}, version="v3")
    for call in run.tool_calls:
        show(call.tool_name, call.tool_call_id, call.input, list(call.output_deltas), call.output, call.completed)

    async def main() -> None:
        run = await counting().astream_events({"messages": [("user", "go")]}, version="v3")
        async for call in run.tool_calls:
            show(call.tool_name, [each async for each in call.output_deltas], call.output, call.error)

    asyncio.run(main())
