"""Graphs on a server: a small one on the loopback runs a real graph and speaks the part of the API that is called."""

import asyncio
import json
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Annotated, Any
from unittest.mock import MagicMock
from uuid import UUID

from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph.types import Command, interrupt
from langgraph_sdk.schema import StreamPart
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def served() -> Any:
    """What the server runs: it asks when it is told to, and may fail."""

    def first(s: State) -> Any:
        get_stream_writer()("written")
        if "fail" in s["log"]:
            raise ValueError("failed")
        return {"log": ["first"]}

    def second(s: State) -> Any:
        return {"log": [interrupt("sure?") if "ask" in s["log"] else "second"]}

    inner = StateGraph(State).add_node("deep", lambda s: {"log": ["deep"]}).add_edge(START, "deep").compile()
    g = StateGraph(State).add_sequence([first, second]).add_node("inner", inner)
    return g.add_edge(START, "first").add_edge("second", "inner").compile(checkpointer=InMemorySaver())


class Server(BaseHTTPRequestHandler):
    graph: Any
    calls: list[Any]

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}"))

    def answer(self, body: Any) -> None:
        path = self.path.partition("?")[0].strip("/").split("/")
        self.calls.append((self.command, "/".join(path), sorted(body), body.get("config")))
        config: Any = {"configurable": {"thread_id": path[1] if path[0] == "threads" else "none"}}
        if body.get("checkpoint"):
            config = {"configurable": body["checkpoint"]}
        if path[-1] == "stream":
            self.run(body, config)
        elif path[-1] == "graph":
            self.send(self.graph.get_graph().to_json())
        elif path[-1] == "history":
            self.send([shown(each) for each in self.graph.get_state_history(config, limit=body["limit"])])
        elif self.command == "POST" and path[-1] == "state":
            made = self.graph.update_state(config, body["values"], body.get("as_node"))
            self.send({"checkpoint": made["configurable"]})
        else:
            self.send(shown(self.graph.get_state(config)))

    def run(self, body: Any, config: Any) -> None:
        command = body.get("command")
        given = body["input"] if command is None else Command(resume=command["resume"])
        modes = [mode.replace("messages-tuple", "messages") for mode in body["stream_mode"]]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.event("metadata", {"run_id": "1"})
        try:
            for ns, mode, data in self.graph.stream(given, config, stream_mode=modes, subgraphs=True):
                if not ns or body.get("stream_subgraphs"):
                    self.event("|".join((mode, *ns)), data)
        except Exception as error:
            self.event("error", {"error": type(error).__name__, "message": str(error)})

    def event(self, name: str, data: Any) -> None:
        self.wfile.write(f"event: {name}\r\ndata: {json.dumps(data, default=plain)}\r\n\r\n".encode())

    def send(self, data: Any) -> None:
        content = json.dumps(data, default=plain).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def plain(value: Any) -> Any:
    if hasattr(value, "id") and hasattr(value, "value"):
        return {"value": value.value, "id": value.id}
    return value.model_dump() if hasattr(value, "model_dump") else str(value)


def shown(state: Any) -> Any:
    """A snapshot as the server sends it."""
    return {
        "values": state.values,
        "next": state.next,
        "checkpoint": state.config["configurable"],
        "metadata": {"step": (state.metadata or {}).get("step")},
        "created_at": state.created_at,
        "parent_checkpoint": state.parent_config and state.parent_config["configurable"],
        "tasks": [
            {
                "id": task.id, "name": task.name, "error": task.error and str(task.error),
                "interrupts": [plain(each) for each in task.interrupts], "checkpoint": None, "state": None,
            }
            for task in state.tasks
        ],
    }  # fmt: skip


@contextmanager
def server() -> Iterator[tuple[str, list[Any]]]:
    kind: Any = type("Serving", (Server,), {"graph": served(), "calls": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", kind.calls
        finally:
            running.shutdown()
            thread.join()


async def listed(chunks: Any) -> list[Any]:
    return [each async for each in chunks]


def runs(show: Any) -> None:
    """Results and streams in all forms."""
    config: Any = {
        "configurable": {"thread_id": "t", "a": [1, {"b": object()}], "checkpoint_ns": "", "checkpoint_id": None},
        "metadata": {"m": UUID(int=1), 2: 3, "no": None}, "tags": ["x", 1], "recursion_limit": 9,
    }  # fmt: skip
    with server() as (url, calls):
        remote = RemoteGraph("agent", url=url, name="named", config={"tags": ["own"]})
        show(remote.name, remote.assistant_id, remote.invoke({"log": ["in"]}, config), calls[-1])
        show(asyncio.run(remote.ainvoke({"log": ["in"]})), calls[-1][:3])
        show(remote.invoke({"log": ["in"]}, {"configurable": {"thread_id": "v"}}, version="v2"))
        for modes in (None, "values", "custom", ["updates", "values"], ["custom"], "messages-tuple", ["events"], []):
            for subgraphs in (False, True):
                for version in ("v1", "v2"):
                    options: Any = {"stream_mode": modes, "subgraphs": subgraphs, "version": version}
                    at: Any = {"configurable": {"thread_id": repr(options)}}
                    chunks = list(remote.stream({"log": []}, at, **options))
                    show(*chunks)
                    at["configurable"]["thread_id"] += "a"
                    show(asyncio.run(listed(remote.astream({"log": []}, at, **options))) == chunks or subgraphs)
        changed = remote.with_config({"tags": ["more"], "configurable": {"thread_id": "w"}})
        show(changed.config, changed.name, type(changed).__name__, changed.invoke({"log": []}))


def states(show: Any) -> None:
    """State, history, updates, questions and answers, at a checkpoint too."""
    with server() as (url, calls):
        remote = RemoteGraph("agent", url=url)
        config: Any = {"configurable": {"thread_id": "t"}}
        show(remote.invoke({"log": ["ask"]}, config))
        state = remote.get_state(config)
        show(
            state[:6],
            state.interrupts,
            [task._asdict() for task in state.tasks],
            asyncio.run(remote.aget_state(config)) == state,
            calls[-1][:3],
        )
        show(remote.invoke(Command(resume="yes"), config), remote.get_state(config).values)
        history = list(remote.get_state_history(config, limit=3))
        show([(each.values, each.next) for each in history], calls[-1][:3])
        show(asyncio.run(listed(remote.aget_state_history(config, limit=3)))[0] == history[0])
        show(remote.get_state(history[1].config).values, calls[-1][:3])
        made = remote.update_state(config, {"log": ["updated"]}, as_node="second")
        show(sorted(made["configurable"]), remote.get_state(made).next)
        made = asyncio.run(remote.aupdate_state(config, {"log": ["again"]}))
        show(remote.get_state(config).values)
        for call in (
            lambda: remote.bulk_update_state(config, []),
            lambda: asyncio.run(remote.abulk_update_state(config, [])),
        ):
            try:
                call()
            except NotImplementedError:
                show("no such call")


def as_nodes(show: Any) -> None:
    """Inside a graph: its result is the node's, its questions pause the graph around, its failures fail the node."""
    with server() as (url, calls):
        remote = RemoteGraph("agent", url=url)
        g = StateGraph(State).add_node("remote", remote).add_node("after", lambda s: {"log": ["after"]})
        app = g.add_edge(START, "remote").add_edge("remote", "after").compile(checkpointer=InMemorySaver())
        show(app.invoke({"log": ["in"]}, {"configurable": {"thread_id": "a"}}), calls[-1][2])
        show(asyncio.run(app.ainvoke({"log": ["in"]}, {"configurable": {"thread_id": "b"}})))
        config: Any = {"configurable": {"thread_id": "c"}}
        show(app.invoke({"log": ["ask"]}, config), app.get_state(config).next)
        for log in (["fail"], ["ask"]):
            try:
                remote.invoke({"log": log}, {"configurable": {"thread_id": repr(log), "checkpoint_ns": "a:1"}})
            except (RemoteException, GraphInterrupt) as error:
                show(type(error).__name__, error.args)
        try:
            app.invoke({"log": ["fail"]}, {"configurable": {"thread_id": "d"}})
        except RemoteException as error:
            show(error.args)
        piped = remote | (lambda state: state["log"])
        show(piped.invoke({"log": ["in"]}), remote.get_name())


def drawn(show: Any) -> None:
    with server() as (url, calls):
        remote = RemoteGraph("agent", url=url)
        graph = remote.get_graph(xray=True)
        show(sorted(graph.nodes), sorted((edge.source, edge.target) for edge in graph.edges), type(graph).__module__)
        show(asyncio.run(remote.aget_graph()) == remote.get_graph(), calls[-1][:2])
        show([line for line in graph.draw_mermaid().splitlines() if "-->" in line])


def asked(show: Any) -> None:
    """What is handed to the client for each call."""
    client = MagicMock()
    parts = [StreamPart("values", {"a": 1}), StreamPart("updates|x:1", {}), StreamPart("messages", [1, 2])]
    client.runs.stream.return_value = parts
    remote = RemoteGraph("agent", sync_client=client)
    for config in (None, {}, {"tags": ["x"]}, {"configurable": {"thread_id": "t"}, "run_name": "r"}):
        show(list(remote.stream({"x": 1}, config, stream_mode=["values", "messages"])))
        show(client.runs.stream.call_args.kwargs)
    for modes in ("events", "debug", ["messages", "updates"], ["messages-tuple", "values"], ["events", "debug"]):
        show(list(remote.stream(None, stream_mode=modes)), client.runs.stream.call_args.kwargs["stream_mode"])
    show(remote.with_config({"tags": ["a"]}).config, remote.with_config(configurable={"x": 1}, tags=["z"]).config)
    remote.get_graph(xray=2)
    show(client.assistants.get_graph.call_args.kwargs)


def without_clients(show: Any) -> None:
    remote = RemoteGraph("agent")
    for call in (lambda: remote.invoke({}), lambda: asyncio.run(remote.ainvoke({})), lambda: remote.get_graph()):
        try:
            call()
        except ValueError as error:
            show(error)
    show(AIMessage is not None)
