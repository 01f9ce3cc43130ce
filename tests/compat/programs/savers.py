"""Savers and serializers asked directly, as unit tests and tools do, and savers of one's own."""

import asyncio
import json
import pickle
import sqlite3
from collections import defaultdict
from typing import Any

from langgraph.checkpoint import base
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.memory import InMemorySaver, MemorySaver
from langgraph.checkpoint.serde.base import SerializerCompat, SerializerProtocol, maybe_add_typed_methods
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, RESUME, SCHEDULED, SendProtocol, _DeltaSnapshot
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, Overwrite, Send, interrupt
from pydantic import BaseModel


def place(thread: str = "t", ns: str = "", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, **more}}


def filled(saver: Any) -> Any:
    """Three checkpoints of one thread, one beside, and writes of tasks."""
    where = place()
    for step in range(3):
        made = {**base.empty_checkpoint(), "id": f"1f0c8c6b-0000-6000-8000-00000000000{step}"}
        made["channel_values"] = {"x": step, "kept": ["a"]} if step < 2 else {"kept": ["a"]}  # type: ignore[typeddict-item]  # it is one
        made["channel_versions"] = {"x": step + 1, "kept": 1}  # type: ignore[typeddict-item]  # as above
        new = {"x": step + 1, "kept": 1} if step == 0 else {"x": step + 1}
        metadata: Any = {"source": "loop" if step else "input", "step": step, "parents": {}}
        where = saver.put({**where, "metadata": {"user": "u"}}, made, metadata, new)
        saver.put_writes(where, [("x", step), ("kept", [step])], "task b", "~b")
        saver.put_writes(where, [("x", 10)], "task a", "~a")
        saver.put_writes(where, [("x", 11), (INTERRUPT, "?"), (ERROR, "no")], "task a", "~a")
        saver.put_writes(where, [(INTERRUPT, "again")], "task a", "~a")
    saver.put(place(ns="in:1"), {**base.empty_checkpoint(), "id": "9"}, {"source": "input", "step": -1}, {})
    return where


def shown(found: Any) -> Any:
    if found is None:
        return None
    checkpoint = [(key, found.checkpoint[key]) for key in ("v", "id", "channel_versions", "versions_seen")]
    values = sorted(found.checkpoint["channel_values"].items())
    return found.config, checkpoint, values, sorted(found.metadata.items()), found.parent_config, found.pending_writes


def asked(show: Any) -> None:
    for make in (InMemorySaver, MemorySaver, lambda: SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))):
        saver: Any = make()
        show(isinstance(saver, BaseCheckpointSaver), saver.get_tuple(place()), list(saver.list(place())))
        last = filled(saver)
        show(shown(saver.get_tuple(place())), saver.get(last)["id"] == last["configurable"]["checkpoint_id"])
        show(isinstance(saver.get_tuple(last), CheckpointTuple), saver.get_tuple(place("other")))
        show(saver.get_tuple(place(checkpoint_id="none")))
        for options in (
            {}, {"limit": 1}, {"filter": {"source": "input"}}, {"before": last}, {"filter": {"user": "u", "step": 2}},
            {"filter": {"user": "v"}}, {"limit": 0},
        ):  # fmt: skip
            show([shown(each) for each in saver.list(place(), **options)])
        show([each.metadata["step"] for each in saver.list(last)])
        show(sorted(each.metadata["step"] for each in saver.list(None)))
        show(sorted(each.metadata["step"] for each in saver.list({"configurable": {"thread_id": "t"}})))
        history = saver.get_delta_channel_history(config=last, channels=["x", "kept", "none"])
        show(history, saver.get_delta_channel_history(config=last, channels=[]))
        saver.delete_thread("other")
        saver.delete_thread("t")
        show(list(saver.list(None)))


def awaited(show: Any) -> None:
    async def main() -> None:
        saver = InMemorySaver()
        last = filled(saver)
        show(shown(await saver.aget_tuple(last)), (await saver.aget(place()))["id"])  # type: ignore[index]  # it is there
        show([shown(each) async for each in saver.alist(place(), limit=2)])
        await saver.aput_writes(last, [("x", 5)], "task c")
        show((await saver.aget_tuple(place())).pending_writes)  # type: ignore[union-attr]  # as above
        show(await saver.aget_delta_channel_history(config=last, channels=["x"]))
        where = await saver.aput(place("u"), base.empty_checkpoint(), {"step": 0}, {})
        show(sorted(where["configurable"]))
        await saver.adelete_thread("t")
        show([each async for each in saver.alist(place())])

    asyncio.run(main())
    with InMemorySaver() as saver:
        show(type(saver).__name__, saver.get_next_version(None, None)[:33], saver.get_next_version(3, None)[:33])  # type: ignore[arg-type]  # of other savers
        show(saver.storage == {}, isinstance(saver.writes, defaultdict), saver.blobs)


class Mine(BaseCheckpointSaver[int]):
    """A saver of one's own that keeps objects as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {}
        self.written: dict[str, list[Any]] = {}

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        parent = config["configurable"].get("checkpoint_id")
        self.kept[checkpoint["id"]] = (base.copy_checkpoint(checkpoint), metadata, parent)
        return place(checkpoint_id=checkpoint["id"])

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        rows = self.written.setdefault(config["configurable"]["checkpoint_id"], [])
        rows.extend((task_id, *write) for write in writes)

    def get_tuple(self, config: Any) -> Any:
        name = base.get_checkpoint_id(config) or max(self.kept, default=None)
        if name not in self.kept:
            return None
        checkpoint, metadata, parent = self.kept[name]
        around = place(checkpoint_id=parent) if parent else None
        return CheckpointTuple(place(checkpoint_id=name), checkpoint, metadata, around, self.written.get(name))

    def list(self, config: Any, *, filter: Any = None, before: Any = None, limit: Any = None) -> Any:
        for name in sorted(self.kept, reverse=True):
            if before is None or name < before["configurable"]["checkpoint_id"]:
                yield self.get_tuple(place(checkpoint_id=name))


def own(show: Any) -> None:
    saver = Mine()
    builder = StateGraph(dict).add_node("a", lambda s: {"x": s["x"] + 1}).add_node("b", lambda s: {"x": s["x"] * 2})
    app: Any = builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver, interrupt_before=["b"])
    show(app.invoke({"x": 1}, place()), app.get_state(place()).next, app.invoke(None, place()))
    show([(each.metadata["step"], each.values) for each in app.get_state_history(place())])
    saver = Mine()
    last = filled(saver)
    show(saver.get_delta_channel_history(config=last, channels=["x", "kept", "none"]), saver.config_specs)
    show(saver.get(place())["id"], saver.get_next_version(None, None), saver.get_next_version(4, None))  # type: ignore[index]  # it is there
    for act in (
        lambda: saver.get_next_version("4", None), lambda: saver.delete_thread("t"), lambda: saver.prune(["t"]),
        lambda: BaseCheckpointSaver().get_tuple(place()), lambda: asyncio.run(saver.aget_tuple(place())),
        lambda: BaseCheckpointSaver().put_writes(place(), [], ""), lambda: saver.copy_thread("a", "b"),
    ):  # fmt: skip
        try:
            show(act())
        except NotImplementedError as error:
            show(type(error).__name__)


def helpers(show: Any) -> None:
    made = base.empty_checkpoint()
    show(sorted(made), made["v"], base.LATEST_VERSION, base.WRITES_IDX_MAP, sorted(base.EXCLUDED_METADATA_KEYS))
    show(sorted(base.copy_checkpoint(made)), base.writes_sort_key("p", "t", 3), base.writes_sort_key("p"))
    config: Any = {
        "metadata": {"a": 1, "b": "x\0y", "thread_id": "no", "__c": 1, "d": [1], "step": 9},
        "configurable": {"e": 1.5, "f": True, "checkpoint_ns": "no", "g": None},
    }
    metadata: Any = {"step": 1, "source": "lo\0op", "writes": {}}
    show(base.get_checkpoint_metadata(config, metadata), base.get_checkpoint_metadata({}, metadata))
    show(base.get_serializable_checkpoint_metadata(config, metadata), metadata)
    given: Any = {**made, "channel_versions": {"x": 1}}
    show({key: each for key, each in base.create_checkpoint(given, None, 1, id="i").items() if key != "ts"})
    show([base.get_checkpoint_id(place(checkpoint_id="c")), base.get_checkpoint_id(place())])
    ids = [str(uuid6(clock_seq=step)) for step in (-2, -1, 0, 5)]
    show(ids == sorted(ids), {each[14] for each in ids}, uuid6().version, ids[3][19:23], ids[0][19:23])
    show(ERROR, INTERRUPT, RESUME, SCHEDULED, isinstance(Send("a", 1), SendProtocol), _DeltaSnapshot([1]).value)
    fields: Any = (base.Checkpoint, base.CheckpointMetadata, base.DeltaChannelHistory)
    show([(sorted(each.__required_keys__), sorted(each.__optional_keys__)) for each in fields])
    show(CheckpointTuple._fields, CheckpointTuple._field_defaults, base.ChannelVersions, base.PendingWrite)


class Model(BaseModel):
    x: int


class Rotating:
    """A cipher for tests."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "rot", bytes((each + 1) % 256 for each in plaintext)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "rot"
        return bytes((each - 1) % 256 for each in ciphertext)


class Odd:
    def __reduce__(self) -> Any:
        return Odd, ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd)

    __hash__ = None  # type: ignore[assignment]  # never asked


def serialized(show: Any) -> None:
    values: list[Any] = [
        None, 1, 2**40, 1.5, "text", "", b"bytes", bytearray(b"array"), [1, [2]], {"a": {"b": [None]}}, {1, 2}, True,
        Send("n", {"a": 1}), [Send("n", 1)], Command(goto="a", update={"x": [1]}), Interrupt("?", id="i"), Overwrite(3),
        Model(x=1), [Model(x=2)], _DeltaSnapshot([1]),
    ]  # fmt: skip
    serde: Any = JsonPlusSerializer()
    hidden: Any = EncryptedSerializer(Rotating(), serde)
    for value in values:
        show(serde.loads_typed(serde.dumps_typed(value)), hidden.loads_typed(hidden.dumps_typed(value)))
        show(hidden.dumps_typed(value)[0].endswith("+rot"), hidden.loads_typed(serde.dumps_typed(value)))
    show([serde.dumps_typed(each)[0] for each in (None, b"", bytearray())])
    show(isinstance(serde, SerializerProtocol), isinstance(hidden, SerializerProtocol))
    show(JsonPlusSerializer(pickle_fallback=True).loads_typed(("json", b'{"a": 1}')))
    falling: Any = JsonPlusSerializer(pickle_fallback=True)
    show(falling.loads_typed(falling.dumps_typed(Odd())) == Odd())
    for act in (lambda: serde.dumps_typed(Odd()), lambda: serde.loads_typed(("unknown", b""))):
        try:
            show(act())
        except (TypeError, NotImplementedError) as error:
            show(type(error).__name__)
    plain = maybe_add_typed_methods(pickle)  # type: ignore[arg-type]  # a module with these functions
    show(type(plain).__name__, plain.loads_typed(plain.dumps_typed({"a": 1})), maybe_add_typed_methods(serde) is serde)
    show(SerializerCompat(json).dumps_typed([1])[0])  # type: ignore[arg-type]  # as above
    show(serde.with_msgpack_allowlist([("a", "B")]) is serde)
    listed = JsonPlusSerializer(allowed_msgpack_modules=[("a", "B")])
    show(listed.with_msgpack_allowlist([("a", "B")]) is listed, listed.with_msgpack_allowlist([("c", "D")]) is listed)


class Telling(JsonPlusSerializer):
    """Says which of LangGraph's objects it is given to store, as one that stores some of them in its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[str] = set()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        for each in obj if isinstance(obj, (list, tuple)) else [obj]:
            self.met.update(kind.__name__ for kind in (Command, Interrupt, Overwrite, Send) if isinstance(each, kind))
        return super().dumps_typed(obj)


def serializers_that_ask_for_classes(show: Any) -> None:
    saver = InMemorySaver(serde=Telling())
    builder: Any = StateGraph(dict)
    builder.add_node("a", lambda s: [Command(update=[("__root__", [Command(goto="x"), Overwrite(1), interrupt("q")])])])
    builder.add_node("b", lambda s: [Overwrite(2), Command(update=None)])
    builder.add_conditional_edges(START, lambda s: [Send("a", {})]).add_edge("a", "b")
    graph = builder.compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "1"}}
    show([each.value for each in graph.invoke({"x": 1}, config)["__interrupt__"]], sorted(saver.serde.met))
    show(graph.invoke(Command(resume="r"), config), sorted(saver.serde.met))
    show(saver.get_tuple(config).checkpoint["channel_values"], graph.get_state(config).values)
