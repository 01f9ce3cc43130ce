"""Version 3 runs of graphs on a server, and chunks of such graphs inside others: a small server speaks the protocol."""

import asyncio
import json
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

MODES = ["values", "updates", "custom", "tasks", "checkpoints"]


class State(TypedDict):
    log: Annotated[list, operator.add]


def served() -> Any:
    """What the server runs: it asks or fails when it is told to."""

    def first(s: State) -> Any:
        get_stream_writer()({"written": len(s["log"])})
        if "fail" in s["log"]:
            raise ValueError("failed")
        return {"log": ["first"]}

    def second(s: State) -> Any:
        return {"log": [interrupt("sure?") if "ask" in s["log"] else "second"]}

    inner = StateGraph(State).add_node("deep", lambda s: {"log": ["deep"]}).add_edge(START, "deep").compile()
    g = StateGraph(State).add_sequence([first, second]).add_node("inner", inner)
    return g.add_edge(START, "first").add_edge("second", "inner").compile(checkpointer=InMemorySaver())


class Server(BaseHTTPRequestHandler):
    """Runs a graph when `run.start` is sent; what it says is told to every reader, from the beginning."""

    graph: Any
    calls: list[Any]
    told: dict[str, list[Any]]
    news: Condition

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        state = self.graph.get_state({"configurable": {"thread_id": self.place()[1]}})
        self.send({"values": state.values, "next": state.next, "tasks": [task.name for task in state.tasks]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        place = self.place()
        if place[-1] == "commands":
            self.calls.append((body["method"], sorted(body["params"]), body["params"].get("config")))
            self.run(place[1], body["params"])
            self.send({"type": "success", "id": body["id"], "result": {"run_id": "run"}})
        elif place[-1] == "events":
            self.tell(place[1], body)
        elif place[-1] == "stream":
            self.calls.append(("stream", sorted(set(body["stream_mode"])), body["stream_subgraphs"]))
            self.chunks(body)
        else:
            self.calls.append(tuple(place[2:]))
            self.send({})

    def place(self) -> list[str]:
        return self.path.partition("?")[0].strip("/").split("/")

    def run(self, thread: str, params: Any) -> None:
        config: Any = {"configurable": {"thread_id": thread}}
        given = params.get("input")
        if self.graph.get_state(config).interrupts:
            given = Command(resume=given)
        events: list[Any] = []

        def say(method: str, data: Any, ns: Any = ()) -> None:
            params = {"namespace": list(ns), "timestamp": 0, "data": data}
            seq = len(self.told.get(thread, [])) + len(events) + 1
            events.append({"type": "event", "event_id": str(seq), "seq": seq, "method": method, "params": params})

        say("lifecycle", {"event": "running", "graph_name": "agent"})
        try:
            for part in self.graph.stream(given, config, stream_mode=MODES, subgraphs=True, version="v2"):
                say(part["type"], part["data"], part["ns"])
            asked = self.graph.get_state(config).interrupts
            for each in asked:
                say("input.requested", {"interrupt_id": each.id, "value": each.value})
            if not asked:
                say("lifecycle", {"event": "completed", "graph_name": "agent"})
        except ValueError as error:
            say("lifecycle", {"event": "failed", "graph_name": "agent", "error": str(error)})
        with self.news:
            self.told.setdefault(thread, []).extend(events)
            self.news.notify_all()

    def tell(self, thread: str, body: Any) -> None:
        self.begin()
        place = 0
        while True:
            with self.news:
                self.news.wait_for(lambda place=place: len(self.told.get(thread, [])) > place, timeout=5)
                events = self.told.get(thread, [])[place:]
            place += len(events)
            for event in events:
                name = event["method"].partition(".")[0]
                if name in body["channels"] and event["seq"] > body.get("since", 0):
                    self.event("message", event)
            if not events or any(event["params"]["data"].get("event") in ("completed", "failed") for event in events):
                return

    def chunks(self, body: Any) -> None:
        self.begin()
        config: Any = {"configurable": {"thread_id": self.place()[1]}}
        command = body.get("command")
        given = body["input"] if command is None else Command(resume=command["resume"])
        modes = [mode.replace("messages-tuple", "messages") for mode in body["stream_mode"]]
        try:
            for ns, mode, data in self.graph.stream(given, config, stream_mode=modes, subgraphs=True):
                if not ns or body.get("stream_subgraphs"):
                    self.event("|".join((mode, *ns)), data)
        except ValueError as error:
            self.event("error", {"error": type(error).__name__, "message": str(error)})

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

    def event(self, name: str, data: Any) -> None:
        self.wfile.write(f"event: {name}\r\ndata: {json.dumps(data, default=plain)}\r\n\r\n".encode())
        self.wfile.flush()

    def send(self, data: Any) -> None:
        content = json.dumps(data, default=plain).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def plain(value: Any) -> Any:
    return {"value": value.value, "id": value.id} if hasattr(value, "id") else str(value)


@contextmanager
def server() -> Iterator[tuple[Any, list[Any]]]:
    kind: Any = type("Serving", (Server,), {"graph": served(), "calls": [], "told": {}, "news": Condition()})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield RemoteGraph("agent", url=f"http://127.0.0.1:{running.server_address[1]}"), kind.calls
        finally:
            running.shutdown()
            thread.join()


def at(thread: str, **more: Any) -> Any:
    return {"configurable": {"thread_id": thread}, **more}


def read(show: Any) -> None:
    """A run is read by its projections, each from the beginning."""
    with server() as (remote, calls):
        config = at("t", tags=["x"], metadata={"m": 1})
        with remote.stream_events({"log": ["in"]}, config, version="v3", metadata={"k": 1}) as run:
            show(list(run.values), run.output, run.interrupted, run.interrupts, calls[-1])
        with remote.stream_events({"log": ["in"]}, at("u"), version="v3") as run:
            show([(event["method"], event["params"]["namespace"]) for event in run if event["method"] != "tasks"])
        for name in ("updates", "custom", "checkpoints", "tasks"):
            with remote.stream_events({"log": ["in"]}, at(name), version="v3") as run:
                show(name, len(list(run.extensions[name])))
        with remote.stream_events({"log": ["in"]}, at("w"), version="v3") as run:
            show([each for each, _ in run.interleave("values", "messages")])
            show(list(run.extensions), len(run.extensions), "values" in run.extensions)
        with remote.stream_events({"log": ["in"]}, at("x"), version="v3") as run:
            run.abort()
            run.abort()
            show(calls[-1])
        try:
            with run:
                show("not here")
        except RuntimeError as error:
            show("closed" in str(error))


def read_on_a_loop(show: Any) -> None:
    with server() as (remote, calls):

        async def play() -> None:
            async with await remote.astream_events({"log": ["in"]}, at("a"), version="v3") as run:
                show([each async for each in run.values], await run.output(), calls[-1][:2])
                show(await run.interrupted(), await run.interrupts())
            async with await remote.astream_events({"log": ["in"]}, at("b"), version="v3") as run:
                show([each async for each in run.extensions["updates"]])
            async with await remote.astream_events({"log": ["in"]}, at("c"), version="v3") as run:
                show([event["method"] async for event in run if event["method"] in ("lifecycle", "values", "custom")])
            async with await remote.astream_events({"log": ["in"]}, at("d"), version="v3") as run:
                await run.abort()
                show(calls[-1])

        asyncio.run(play())


def asked(show: Any) -> None:
    """Questions, answers and failures."""
    with server() as (remote, _):
        with remote.stream_events({"log": ["ask"]}, at("t"), version="v3") as run:
            show(list(run.values)[-1]["log"], run.interrupted, [each["value"] for each in run.interrupts])
        with remote.stream_events(Command(resume="yes"), at("t"), version="v3") as run:
            show(run.output)
        with remote.stream_events({"log": ["fail"]}, at("f"), version="v3") as run:
            try:
                show(run.output)
            except RuntimeError as error:
                show(str(error))
        for options in (
            {"control": 1}, {"transformers": [1]}, {"interrupt_before": ["a"]}, {"context": {}}, {"stream_mode": "x"},
        ):  # fmt: skip
            try:
                remote.stream_events({"log": []}, at("n"), version="v3", **options)
            except NotImplementedError as error:
                show(str(error)[:60])
        for given in (Command(goto="x"), Command(update={"a": 1}), Command(resume=1, goto="y")):
            try:
                remote.stream_events(given, at("n"), version="v3")
            except NotImplementedError as error:
                show(str(error)[:50])
        try:
            asyncio.run(remote.astream_events({"log": []}, at("n"), version="v2"))
        except NotImplementedError as error:
            show(str(error)[:45])


def around(*, called: bool = False) -> Any:
    """A graph with the server's graph inside it, or called by it."""
    with_remote: Any = None

    def build(remote: Any) -> Any:
        nonlocal with_remote

        def call(s: State, config: Any) -> Any:
            return remote.invoke(s, config)

        call.__annotations__["config"] = "RunnableConfig"
        g = StateGraph(State).add_node("remote", call if called else remote).add_node("end", lambda s: {"log": ["end"]})
        return g.add_edge(START, "remote").add_edge("remote", "end").compile(checkpointer=InMemorySaver())

    return build


def parts(chunk: Any) -> Any:
    """A chunk without ids: its namespace by name, its mode, and what does not name a checkpoint."""
    ns, mode, data = chunk
    names = [part.partition(":")[0] for part in ns]
    return names, mode, data if mode in ("values", "updates", "custom") else sorted(data)


def passed_on(show: Any) -> None:
    """What the graph on the server says is on the stream of the graph around it, if that is of subgraphs too."""
    with server() as (remote, calls):
        for called in (False, True):
            app = around(called=called)(remote)
            for number, modes in enumerate((["updates"], ["values", "custom"], MODES)):
                config = at(f"{called}{number}")
                chunks = list(app.stream({"log": ["in"]}, config, stream_mode=modes, subgraphs=True))
                show(*map(parts, chunks), calls[-1])
                config = at(f"{called}{number}a")
                chunks = asyncio.run(listed(app.astream({"log": ["in"]}, config, stream_mode=modes, subgraphs=True)))
                show(*map(parts, chunks), calls[-1])
                show(list(app.stream({"log": ["in"]}, at(f"{called}{number}b"), stream_mode=modes))[-1], calls[-1])
            chunks = list(app.stream({"log": ["ask"]}, at(f"{called}q"), stream_mode=["updates"], subgraphs=True))
            show([(names, mode) for names, mode, _ in map(parts, chunks)])
            try:
                chunks = []
                for chunk in app.stream({"log": ["fail"]}, at(f"{called}f"), stream_mode="updates", subgraphs=True):
                    chunks.append(chunk)
            except RemoteException as error:
                show(len(chunks), error.args)


async def listed(chunks: Any) -> list[Any]:
    return [each async for each in chunks]
