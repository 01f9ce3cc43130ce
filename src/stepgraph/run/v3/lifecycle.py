"""Subgraphs as a run goes on: when each begins and how it ends, and a handle to read it like the run itself."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from stepgraph.core.errors import GraphInterrupt
from stepgraph.core.types import Namespace
from stepgraph.run.v3.channel import StreamChannel
from stepgraph.run.v3.mux import StreamMux
from stepgraph.run.v3.runs import AsyncSubgraphRunStream, SubgraphRunStream
from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer

SubgraphStatus = Literal["started", "completed", "failed", "interrupted", "drained"]
Ending = tuple[Namespace, SubgraphStatus, str | None]


class LifecyclePayload(TypedDict, total=False):
    """An item of `run.lifecycle`: a subgraph has begun, or ended. `cause` is the tool call that it was begun for."""

    event: SubgraphStatus
    namespace: list[str]
    graph_name: NotRequired[str]
    trigger_call_id: NotRequired[str]
    cause: NotRequired[Any]
    error: NotRequired[str]


class TasksLifecycle(StreamTransformer):
    """Learns of subgraphs from the starts and results of tasks, which it keeps out of the list of events."""

    _native = True
    required_stream_modes = ("tasks",)

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._seen: set[Namespace] = set()
        self._open: dict[Namespace, str] = {}
        """The subgraphs that run, with the id of the task that runs each."""
        self._pending_tool_calls: dict[str, str] = {}
        """The tool call that a task is about, by the task's id."""
        self._pending_cause: Any = None
        """Why the subgraph has begun that `_on_started` is told of."""
        self._lc_by_ns: dict[Namespace, str | None] = {}
        """The agent that a namespace runs, by LangChain's name for it."""

    def _should_track(self, ns: Namespace) -> bool:
        """Whether that subgraph is one of those to tell of."""
        raise NotImplementedError

    def _on_started(self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None) -> None:
        """A subgraph has begun."""
        raise NotImplementedError

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        """A subgraph has ended."""
        raise NotImplementedError

    # `learn` in four parts, whose names are LangGraph's: subclasses in other packages call them one by one.

    def learn(self, event: ProtocolEvent) -> list[Ending]:
        """Take in the start or result of a task; returns the subgraphs that have ended with it."""
        ns, data = tuple(event["params"]["namespace"]), event["params"]["data"]
        if "result" in data:
            return self._pop_terminal_transitions(ns, data)
        self._record_identity(ns, data)
        self._record_pending_tool_calls(data)
        self._handle_task_start(ns, data)
        return []

    def _record_identity(self, ns: Namespace, data: dict[str, Any]) -> None:
        """The first task of a namespace says which agent runs there."""
        self._lc_by_ns.setdefault(ns, (data.get("metadata") or {}).get("lc_agent_name"))

    def _record_pending_tool_calls(self, data: dict[str, Any]) -> None:
        """A task may be about a tool call, which is then the cause of the subgraph that it runs."""
        call = _tool_call(data.get("input"))
        if call is not None:
            self._pending_tool_calls[data["id"]] = call

    def _handle_task_start(self, ns: Namespace, data: dict[str, Any]) -> None:
        """The first task of a subgraph: it has begun."""
        if not self._should_track(ns) or ns in self._seen:
            return
        self._seen.add(ns)
        agent = (data.get("metadata") or {}).get("lc_agent_name")
        name, _, task = ns[-1].partition(":")
        call = self._pending_tool_calls.get(task) if agent is not None else None
        self._pending_cause = None if call is None else {"type": "toolCall", "tool_call_id": call}
        self._on_started(ns, agent if agent is not None else name or None, task or None)
        if task:
            self._open[ns] = task

    def _pop_terminal_transitions(self, ns: Namespace, data: dict[str, Any]) -> list[Ending]:
        """The subgraphs that end with a task's result, and how."""
        ended = [child for child, task in self._open.items() if child[:-1] == ns and task == data.get("id")]
        for child in ended:
            del self._open[child]
        if data.get("interrupts"):
            return [(child, "interrupted", None) for child in ended]
        if data.get("error"):
            return [(child, "failed", str(data["error"])) for child in ended]
        return [(child, "completed", None) for child in ended]

    def process(self, event: ProtocolEvent) -> bool:
        if event["method"] != "tasks":
            return True
        for ending in self.learn(event):
            self._on_terminal(*ending)
        return False

    def finalize(self) -> None:
        for ns in list(self._open):
            self._on_terminal(ns, "completed", None)
        self._open.clear()

    def fail(self, err: BaseException) -> None:
        for ns in list(self._open):
            self._on_terminal(ns, *_ending_of(err))
        self._open.clear()


def _ending_of(err: BaseException) -> tuple[SubgraphStatus, str | None]:
    """How a run's error ends the subgraphs that were running."""
    if isinstance(err, GraphInterrupt):
        return "interrupted", None
    if type(err).__name__ == "GraphDrained":
        return "drained", None
    return "failed", str(err)


def _tool_call(given: Any) -> str | None:
    """The id of the tool call that a task's input is, or of the first of several."""
    if isinstance(given, dict):
        given = [given.get("tool_call")]
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            return str(each["id"])
    return None


class LifecycleTransformer(TasksLifecycle):
    """Beginnings and ends of subgraphs at any depth, as `run.lifecycle` and as events."""

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._stream: StreamChannel[LifecyclePayload] = StreamChannel("lifecycle")

    def init(self) -> dict[str, Any]:
        return {"lifecycle": self._stream}

    def _should_track(self, ns: Namespace) -> bool:
        return len(ns) > len(self.scope) and ns[: len(self.scope)] == self.scope

    def _on_started(self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None) -> None:
        if trigger_call_id is None:
            return
        payload: LifecyclePayload = {"event": "started", "namespace": list(ns)}
        if graph_name:
            payload["graph_name"] = graph_name
        payload["trigger_call_id"] = trigger_call_id
        if self._pending_cause is not None:
            payload["cause"] = self._pending_cause
        self._stream.push(payload)

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        payload: LifecyclePayload = {"event": status, "namespace": list(ns)}
        if error is not None:
            payload["error"] = error
        self._stream.push(payload)


class SubgraphTransformer(TasksLifecycle):
    """A handle for each subgraph one level down, as `run.subgraphs`; those deeper inside are on its own handles."""

    supports_sync = True

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._stream: StreamChannel[Any] = StreamChannel()
        self._handles: dict[Namespace, Any] = {}
        self._mux: StreamMux | None = None

    def init(self) -> dict[str, Any]:
        return {"subgraphs": self._stream}

    def _on_register(self, mux: Any) -> None:
        self._mux = mux

    def _should_track(self, ns: Namespace) -> bool:
        return len(ns) == len(self.scope) + 1 and ns[: len(self.scope)] == self.scope

    def _on_started(self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None) -> None:
        inside = None if self._mux is None else self._mux.child(ns)
        if inside is None:
            return
        kind: Any = AsyncSubgraphRunStream if inside.is_async else SubgraphRunStream
        self._handles[ns] = handle = kind(inside, path=ns, graph_name=graph_name, trigger_call_id=trigger_call_id)
        self._stream.push(handle)

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        handle = self._marked(ns, status, error)
        if handle is None:
            return
        if status == "failed":
            handle.mux.fail(RuntimeError(error or "Subgraph failed"))
        else:
            handle.mux.close()

    async def _aended(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        handle = self._marked(ns, status, error)
        if handle is None:
            return
        if status == "failed":
            await handle.mux.afail(RuntimeError(error or "Subgraph failed"))
        else:
            await handle.mux.aclose()

    def _marked(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> Any:
        """The handle with its last status; None if it had one already."""
        handle = self._handles.get(ns)
        if handle is None or handle._seen_terminal:
            return None
        handle.status, handle._seen_terminal = status, True
        handle.error = handle.error or error
        return None if handle.mux.events.closed else handle

    def _handle(self, event: ProtocolEvent) -> Any:
        """The handle of the subgraph that the event comes from."""
        handle = self._handles.get(tuple(event["params"]["namespace"])[: len(self.scope) + 1])
        return None if handle is None or handle.mux.events.closed else handle

    def process(self, event: ProtocolEvent) -> bool:
        keep = super().process(event)
        handle = self._handle(event)
        if handle is not None:
            handle.observe(event)
            handle.mux.push(event)
        return keep

    async def aprocess(self, event: ProtocolEvent) -> bool:
        keep = event["method"] != "tasks"
        if not keep:
            for ending in self.learn(event):
                await self._aended(*ending)
        handle = self._handle(event)
        if handle is not None:
            handle.observe(event)
            await handle.mux.apush(event)
        return keep

    def finalize(self) -> None:
        for ns in list(self._handles):
            self._on_terminal(ns, "completed", None)

    async def afinalize(self) -> None:
        for ns in list(self._handles):
            await self._aended(ns, "completed", None)

    def fail(self, err: BaseException) -> None:
        for ns, handle in self._handles.items():
            status, error = _ending_of(err) if ns in self._open else ("completed", None)
            if self._marked(ns, status, error) is not None:
                handle.mux.fail(err)
        self._open.clear()

    async def afail(self, err: BaseException) -> None:
        for ns, handle in self._handles.items():
            status, error = _ending_of(err) if ns in self._open else ("completed", None)
            if self._marked(ns, status, error) is not None:
                await handle.mux.afail(err)
        self._open.clear()
