"""A graph that a LangGraph server runs, called as one that runs here. Needs langchain-core and `langgraph-sdk`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, Self
from uuid import UUID

from langchain_core.runnables import Runnable
from langchain_core.runnables.graph import Edge, Graph, Node

from stepgraph.core.errors import GraphInterrupt, ParentCommand
from stepgraph.core.types import INTERRUPT, PARENT, Command, GraphOutput, Interrupt, PregelTask, StateSnapshot
from stepgraph.integrations.configs import merge_configs
from stepgraph.run.context import current_task
from stepgraph.run.tokens import relayed_modes, say

logger = logging.getLogger("stepgraph")
COORDINATES = ("thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map")
LOCAL = frozenset((*COORDINATES[1:], "__pregel_task_id", "__pregel_strict_resume"))
"""Configurable keys that mean something only in this process."""


class RemoteException(Exception):  # noqa: N818  LangGraph's name
    """Something that went wrong in a graph on a server."""


class RemoteGraph(Runnable[Any, Any]):
    """A graph on a server that speaks LangGraph's API: `RemoteGraph("agent", url="http://localhost:2024")`.

    It may be a node of a graph here; questions that it asks then pause the graph around it. `client` and `sync_client`
    are langgraph-sdk's; with `url` they are made.
    """

    def __init__(
        self,
        assistant_id: str,
        /,
        *,
        url: str | None = None,
        api_key: str | None = None,
        headers: dict[str, str] | None = None,
        client: Any = None,
        sync_client: Any = None,
        config: Any = None,
        name: str | None = None,
        distributed_tracing: bool = False,
    ) -> None:
        self.assistant_id = assistant_id
        self.name = assistant_id if name is None else name
        self.config = config
        self.distributed_tracing = distributed_tracing
        self.client = client
        self.sync_client = sync_client
        if url is not None:
            sdk = _sdk()
            self.client = client or sdk.get_client(url=url, api_key=api_key, headers=headers)
            self.sync_client = sync_client or sdk.get_sync_client(url=url, api_key=api_key, headers=headers)

    def copy(self, update: Mapping[str, Any]) -> Self:
        """The same graph with some attributes replaced."""
        known = {**vars(self), **update}
        return type(self)(known.pop("assistant_id"), **known)

    def with_config(self, config: Any = None, **more: Any) -> Self:
        """The same graph with a config that every call starts from."""
        return self.copy({"config": self._merged(config, more)})

    def _merged(self, *configs: Any) -> dict[str, Any]:
        return merge_configs(self.config, *configs)

    def _async(self) -> Any:
        return _given(self.client, "Async client", "client")

    def _sync(self) -> Any:
        return _given(self.sync_client, "Sync client", "sync_client")

    # Shape

    def get_graph(
        self, config: Any = None, *, xray: int | bool = False, headers: Any = None, params: Any = None
    ) -> Graph:
        """The graph as nodes and edges, as the server tells it."""
        return _drawable(
            self._sync().assistants.get_graph(assistant_id=self.assistant_id, xray=xray, headers=headers, params=params)
        )

    async def aget_graph(
        self, config: Any = None, *, xray: int | bool = False, headers: Any = None, params: Any = None
    ) -> Graph:
        """As `get_graph`."""
        return _drawable(
            await self._async().assistants.get_graph(
                assistant_id=self.assistant_id, xray=xray, headers=headers, params=params
            )
        )

    # State

    def get_state(
        self, config: Any, *, subgraphs: bool = False, headers: Any = None, params: Any = None
    ) -> StateSnapshot:
        """The thread's state, live or at the config's checkpoint."""
        where = self._where(config)
        return _snapshot(self._sync().threads.get_state(**where, subgraphs=subgraphs, headers=headers, params=params))

    async def aget_state(
        self, config: Any, *, subgraphs: bool = False, headers: Any = None, params: Any = None
    ) -> StateSnapshot:
        """As `get_state`."""
        where = self._where(config)
        return _snapshot(
            await self._async().threads.get_state(**where, subgraphs=subgraphs, headers=headers, params=params)
        )

    def get_state_history(
        self,
        config: Any,
        *,
        filter: Mapping[str, Any] | None = None,
        before: Any = None,
        limit: int | None = None,
        headers: Any = None,
        params: Any = None,
    ) -> Iterator[StateSnapshot]:
        """The thread's states, newest first; ten of them if no `limit` is given."""
        asked = self._asked(config, filter, before, limit)
        for state in self._sync().threads.get_history(**asked, headers=headers, params=params):
            yield _snapshot(state)

    async def aget_state_history(
        self,
        config: Any,
        *,
        filter: Mapping[str, Any] | None = None,
        before: Any = None,
        limit: int | None = None,
        headers: Any = None,
        params: Any = None,
    ) -> AsyncIterator[StateSnapshot]:
        """As `get_state_history`."""
        asked = self._asked(config, filter, before, limit)
        for state in await self._async().threads.get_history(**asked, headers=headers, params=params):
            yield _snapshot(state)

    def update_state(
        self, config: Any, values: Any, as_node: str | None = None, *, headers: Any = None, params: Any = None
    ) -> dict[str, Any]:
        """Write `values` as if `as_node` had returned them; returns the new config."""
        done = self._sync().threads.update_state(
            **self._where(config), values=values, as_node=as_node, headers=headers, params=params
        )
        return _config(done["checkpoint"])

    async def aupdate_state(
        self, config: Any, values: Any, as_node: str | None = None, *, headers: Any = None, params: Any = None
    ) -> dict[str, Any]:
        """As `update_state`."""
        done = await self._async().threads.update_state(
            **self._where(config), values=values, as_node=as_node, headers=headers, params=params
        )
        return _config(done["checkpoint"])

    def bulk_update_state(self, config: Any, updates: Any) -> Any:
        """Servers have no such call. Raises NotImplementedError."""
        raise NotImplementedError("A server takes one update at a time: call update_state for each.")

    async def abulk_update_state(self, config: Any, updates: Any) -> Any:
        """As `bulk_update_state`."""
        return self.bulk_update_state(config, updates)

    def _where(self, config: Any) -> dict[str, Any]:
        whole = self._merged(config)
        return {"thread_id": whole["configurable"]["thread_id"], "checkpoint": _checkpoint(whole)}

    def _asked(self, config: Any, filter: Any, before: Any, limit: int | None) -> dict[str, Any]:
        return {**self._where(config), "limit": limit or 10, "before": _checkpoint(before), "metadata": filter}

    # Running

    def stream(  # type: ignore[override]  # a graph's arguments, as LangGraph's has them
        self, input: Any, config: Any = None, *, headers: Any = None, version: str = "v1", **options: Any
    ) -> Iterator[Any]:
        """Run on the server, yielding what `stream_mode` asks for: "updates" if left out.

        `options` are `context`, `stream_mode`, `interrupt_before`, `interrupt_after`, `subgraphs`, `params` and what
        else langgraph-sdk's `runs.stream` takes. Raises RemoteException for a failure on the server.
        """
        reading, asked = self._begin(input, config, version, headers, options)
        for chunk in self._sync().runs.stream(**asked):
            yield from reading.take(chunk)

    async def astream(  # type: ignore[override]  # as `stream`
        self, input: Any, config: Any = None, *, headers: Any = None, version: str = "v1", **options: Any
    ) -> AsyncIterator[Any]:
        """As `stream`."""
        reading, asked = self._begin(input, config, version, headers, options)
        async for chunk in self._async().runs.stream(**asked):
            for item in reading.take(chunk):
                yield item

    def invoke(self, input: Any, config: Any = None, *, version: str = "v1", **options: Any) -> Any:
        """Run on the server and return the last values. `options` are those of `stream`, without a mode."""
        last = None
        for chunk in self.stream(input, config, version=version, stream_mode="values", **options):
            last = (chunk,)
        return _result(last, version)

    async def ainvoke(self, input: Any, config: Any = None, *, version: str = "v1", **options: Any) -> Any:
        """As `invoke`."""
        last = None
        async for chunk in self.astream(input, config, version=version, stream_mode="values", **options):
            last = (chunk,)
        return _result(last, version)

    # Version 3 of streams

    def stream_events(
        self, input: Any, config: Any = None, *, version: str = "v2", headers: Any = None, **options: Any
    ) -> Any:
        """A run that its readers drive (`version="v3"`), in a `with` block: `run.values`, `run.messages`, `run.output`.

        Raises NotImplementedError for options that a server does not take so.
        """
        if version != "v3":
            others: Any = super()
            return others.stream_events(input, config, version=version, **options)
        from stepgraph.integrations.remote_events import RemoteRun

        return RemoteRun(self._sync(), *self._opened(self._sync(), input, config, headers, options))

    async def astream_events(  # type: ignore[override]  # as `stream_events`, to be awaited
        self, input: Any, config: Any = None, *, version: str = "v2", headers: Any = None, **options: Any
    ) -> Any:
        """As `stream_events`, to be awaited: `async with await graph.astream_events(..., version="v3") as run`."""
        if version != "v3":
            raise NotImplementedError(
                f"RemoteGraph.astream_events(version={version!r}) is not there: use astream(), or version='v3'."
            )
        from stepgraph.integrations.remote_events import AsyncRemoteRun

        return AsyncRemoteRun(self._async(), *self._opened(self._async(), input, config, headers, options))

    def _opened(self, client: Any, input: Any, config: Any, headers: Any, options: dict[str, Any]) -> tuple[Any, Any]:
        """A thread of the client's to stream from, and what starts a run on it."""
        for name in ("control", "transformers", "interrupt_before", "interrupt_after"):
            if options.pop(name, None):
                raise NotImplementedError(f"RemoteGraph.stream_events(version='v3') does not support `{name}=`.")
        unknown = sorted(options.keys() - {"metadata"})
        if unknown:
            raise NotImplementedError(
                f"RemoteGraph.stream_events(version='v3') does not support the following kwargs: {unknown}. "
                "Supported: ['metadata']."
            )
        sent = sanitized(self._merged(config))
        thread = client.threads.stream(
            thread_id=sent.get("configurable", {}).pop("thread_id", None),
            assistant_id=self.assistant_id,
            headers=_traced(headers) if self.distributed_tracing else headers,
        )
        return thread, {"input": answer_of(input), "config": sent, "metadata": options.get("metadata")}

    def _begin(
        self, input: Any, config: Any, version: str, headers: Any, options: dict[str, Any]
    ) -> tuple[Reading, dict[str, Any]]:
        """What makes items of a run's chunks, and the arguments of the client's call."""
        sent = sanitized(self._merged(config))
        thread = sent.get("configurable", {}).pop("thread_id", None)
        modes, subgraphs = options.pop("stream_mode", None), bool(options.pop("subgraphs", False))
        caller = ((config or {}).get("configurable") or {}).get("checkpoint_ns")
        around = current_task.get(None) if caller else None
        outward = frozenset() if around is None else relayed_modes(around)
        single = isinstance(modes, str) or not modes
        reading = Reading(_modes(modes), single, subgraphs, version, caller, around, outward)
        command, given = None, input
        if isinstance(input, Command):
            command, given = asdict(input), None
        asked = {
            "thread_id": thread,
            "assistant_id": self.assistant_id,
            "input": given,
            "command": command,
            "config": sent,
            "context": options.pop("context", None),
            "stream_mode": _sent_modes(modes, outward),
            "interrupt_before": options.pop("interrupt_before", None),
            "interrupt_after": options.pop("interrupt_after", None),
            "stream_subgraphs": subgraphs or bool(outward),
            "if_not_exists": "create",
            "headers": _traced(headers) if self.distributed_tracing else headers,
            "params": options.pop("params", None),
            **options,
        }
        return reading, asked


def answer_of(given: Any) -> Any:
    """An input in the form that starts a v3 run: a server takes it for the answer where the thread waits for one."""
    if not isinstance(given, Command):
        return given
    if given.goto or given.update:
        raise NotImplementedError(
            "RemoteGraph v3 streaming supports `Command(resume=...)` only: a server's v3 runs take no goto and no "
            "update. Use stream(), or update_state() before."
        )
    return given.resume


class Reading(NamedTuple):
    """Makes items of the chunks of a run."""

    modes: tuple[str, ...]
    """The modes that were asked for."""
    single: bool
    subgraphs: bool
    version: str
    caller: str | None
    """The namespace of the node around, which the server does not know."""
    around: Any = None
    """The task of that node."""
    outward: frozenset[str] = frozenset()
    """The modes in which somebody listens to the graph around."""

    def take(self, chunk: Any) -> Iterator[Any]:
        """The item of a chunk, if it was asked for. Raises what it says that the run has raised."""
        mode, _, inner = chunk.event.partition("|")
        data = chunk.data
        if mode == "command" and data.get("graph") == PARENT:
            raise ParentCommand(Command(**data))
        ns = tuple(part for text in (self.caller, inner) if text for part in text.split("|"))
        if mode in self.outward:
            say(self.around, "relayed", (ns, mode, data))
        if mode == "error":
            raise RemoteException(data)
        if mode == "updates" and self.caller and isinstance(data, dict) and INTERRUPT in data:
            raise GraphInterrupt([Interrupt(**asked) for asked in data[INTERRUPT]])
        if mode not in self.modes or (inner and not self.subgraphs and mode != "messages"):
            return
        if mode == "messages":
            data = tuple(data)
            chunk = chunk._replace(data=data)
        if self.version == "v2":
            yield _part(mode, ns, data)
        elif self.subgraphs:
            yield (ns, data) if self.single else (ns, mode, data)
        else:
            yield data if self.single else chunk


def _part(mode: str, ns: tuple[str, ...], data: Any) -> dict[str, Any]:
    asked: tuple[Any, ...] = ()
    if mode == "values" and isinstance(data, dict):
        asked = tuple(Interrupt(**each) if isinstance(each, dict) else each for each in data.pop(INTERRUPT, ()))
    return {"type": mode, "ns": ns, "data": data, "interrupts": asked}


def _modes(given: Any) -> tuple[str, ...]:
    """The modes that are asked for, in the words of chunks."""
    modes = (given,) if isinstance(given, str) else tuple(given or ("updates",))
    if "messages-tuple" in modes:
        modes = (*(mode for mode in modes if mode != "messages-tuple"), "messages")
    return modes


def _sent_modes(given: Any, outward: frozenset[str]) -> list[str]:
    """The modes in the server's words, with those of the graph around, and updates, which tell of questions."""
    asked = [given] if isinstance(given, str) else list(given or ("updates",))
    sent = list(dict.fromkeys([*asked, *sorted(outward)]))
    if "messages" in sent:
        sent.remove("messages")
        sent.append("messages-tuple")
    if "updates" not in sent:
        sent.append("updates")
    return [mode for mode in sent if mode != "events"]


def _result(last: tuple[Any] | None, version: str) -> Any:
    if last is None:
        logger.warning("No events received from remote graph")
        return None
    (chunk,) = last
    return GraphOutput(chunk["data"], tuple(chunk["interrupts"])) if version == "v2" else chunk


def sanitized(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a config a server takes: plain values, without what means something only here."""
    found: dict[str, Any] = {}
    if "recursion_limit" in config:
        found["recursion_limit"] = config["recursion_limit"]
    if "tags" in config:
        found["tags"] = [tag for tag in config["tags"] if isinstance(tag, str)]
    for part, dropped in (("metadata", frozenset[str]()), ("configurable", LOCAL)):
        if part in config:
            found[part] = _plain({key: value for key, value in config[part].items() if key not in dropped})
    return found


def _plain(value: Any) -> Any:
    """The value without what is neither plain nor a container of plain values; None if nothing is left."""
    if isinstance(value, (str, int, float, bool, UUID)):
        return value
    if isinstance(value, dict):
        pairs = ((key, _plain(each)) for key, each in value.items() if isinstance(key, str))
        return {key: each for key, each in pairs if each is not None}
    if isinstance(value, (list, tuple)):
        return [each for each in map(_plain, value) if each is not None]
    return None


def _checkpoint(config: Any) -> dict[str, Any] | None:
    """The checkpoint that a config addresses."""
    configurable = {} if config is None else config["configurable"]
    return {key: configurable[key] for key in COORDINATES if key in configurable} or None


def _config(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The config that addresses a checkpoint."""
    found = {key: checkpoint[key] for key in COORDINATES[:3]}
    return {"configurable": {**found, "checkpoint_map": checkpoint.get("checkpoint_map", {})}}


def _snapshot(state: Mapping[str, Any]) -> StateSnapshot:
    tasks = tuple(map(_task, state["tasks"]))
    parent = state["parent_checkpoint"]
    return StateSnapshot(
        state["values"],
        tuple(state["next"] or ()),
        _config(state["checkpoint"]),
        dict(state["metadata"]),
        state["created_at"],
        _config(parent) if parent else None,
        tasks,
        tuple(asked for task in tasks for asked in task.interrupts),
    )


def _task(known: Mapping[str, Any]) -> PregelTask:
    inside: Any = {"configurable": known["checkpoint"]} if known["checkpoint"] else None
    return PregelTask(
        known["id"],
        known["name"],
        (),
        Exception(known["error"]) if known["error"] else None,
        tuple(Interrupt(**asked) for asked in known["interrupts"]),
        _snapshot(known["state"]) if known["state"] else inside,
        known.get("result"),
    )


def _drawable(graph: Mapping[str, Any]) -> Graph:
    """langchain-core's form of a drawing."""
    nodes = {}
    for node in graph["nodes"]:
        name, data = str(node["id"]), node.get("data", {})
        shown = node.get("name")
        if shown is None:
            shown = data.get("name", name) if isinstance(data, dict) else name
        nodes[name] = Node(id=name, name=shown, data=data, metadata=node.get("metadata"))
    return Graph(nodes=nodes, edges=[Edge(**edge) for edge in graph["edges"]])


def _given(client: Any, what: str, name: str) -> Any:
    if client is None:
        raise ValueError(
            f"{what} is not initialized: please provide `url` or `{name}` when initializing `RemoteGraph`."
        )
    return client


def _sdk() -> Any:
    try:
        import langgraph_sdk
    except ImportError as error:
        raise ImportError("RemoteGraph needs LangGraph's client: pip install langgraph-sdk.") from error
    return langgraph_sdk


def _traced(headers: dict[str, str] | None) -> dict[str, str] | None:
    """The headers by which the server's traces become a part of ours."""
    from langsmith import get_current_run_tree

    run = get_current_run_tree()
    if run is None:
        return headers
    own = run.to_headers()
    given = headers or {}
    if "baggage" in given and "baggage" in own:
        own["baggage"] = f"{given['baggage']},{own['baggage']}"
    return {**given, **own}
