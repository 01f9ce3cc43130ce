"""Checkpoints in LangGraph's form made, compared and read by themselves; channels used without a graph."""

import asyncio
import copy
import operator
from types import SimpleNamespace
from typing import Annotated, Any

from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.channels.base import BaseChannel
from langgraph.channels.delta import DeltaChannel
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValueAfterFinish
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.managed.is_last_step import IsLastStepManager
from langgraph.pregel import _checkpoint as made
from langgraph.pregel._algo import increment
from langgraph.types import Overwrite
from typing_extensions import TypedDict


def joined(value: Any, updates: Any) -> Any:
    return [*(value or []), *(each for update in updates for each in update)]


def specs() -> Any:
    return {
        "last": LastValue(int), "sum": BinaryOperatorAggregate(int, operator.add), "topic": Topic(str, True),
        "delta": DeltaChannel(joined, list, snapshot_frequency=3), "other": DeltaChannel(joined, list),
        "gone": UntrackedValue(int), "end": IsLastStepManager,
    }  # fmt: skip


def about(checkpoint: Any) -> Any:
    return {key: checkpoint[key] for key in sorted(checkpoint) if key not in ("id", "ts")}


def held(checkpoint: Any) -> Any:
    return {key: getattr(value, "value", value) for key, value in checkpoint["channel_values"].items()}


def created(show: Any) -> None:
    empty = made.empty_checkpoint()
    show(
        about(empty), len(empty["id"]), empty["id"] < made.empty_checkpoint()["id"], about(made.copy_checkpoint(empty))
    )
    channels, managed = made.channels_from_checkpoint(specs(), empty)
    show(list(channels), list(managed), [each.is_available() for each in channels.values()])
    for key, update in (("last", [1]), ("sum", [2, 3]), ("topic", ["a"]), ("delta", [["x"]]), ("gone", [5])):
        channels[key].update(update)
    before: Any = {**empty, "channel_versions": {"last": 1, "sum": 1, "topic": 2, "delta": 2, "gone": 2}}
    before["versions_seen"] = {"n": {"last": 1, "delta": 2}, "m": {"delta": 1}}
    cases: list[dict[str, Any]] = [
        {}, {"id": "mine", "updated_channels": {"sum", "last"}}, {"channels_to_snapshot": {"delta"}},
        {"channels_to_snapshot": {"delta", "other"}, "get_next_version": increment},
        {"channels_to_snapshot": {"delta"}, "get_next_version": increment, "stored_versions": {"delta": 2}},
        {"channels_to_snapshot": {"delta"}, "get_next_version": increment, "stored_versions": {"delta": 1}},
        {
            "channels_to_snapshot": {"delta", "other"}, "get_next_version": increment, "stored_versions": {"delta": 2},
            "trigger_to_nodes": {"other": ["k", "n"]},
        },
    ]  # fmt: skip
    for case in cases:
        found = made.create_checkpoint(before, channels, 3, **case)
        show({**about(found), "channel_values": None}, held(found), found["id"] == "mine")
        show([type(each).__name__ for each in found["channel_values"].values()])
        show(made.versions_seen_without_bumps(found["versions_seen"]))
        again = made.create_checkpoint(found, channels, 4, **{**case, "stored_versions": found["channel_versions"]})
        show(again["channel_versions"], again["versions_seen"])
        show(made.versions_seen_without_bumps(again["versions_seen"]))
    show(about(made.create_checkpoint(before, None, 3)), before["channel_versions"])
    read, _ = made.channels_from_checkpoint({"last": LastValue(int)}, made.create_checkpoint(before, channels, 3))
    show(read["last"].get())


class Kept(TypedDict):
    log: Annotated[list, DeltaChannel(joined, list)]


def hydrated(show: Any) -> None:
    saver = InMemorySaver()
    app = StateGraph(Kept).add_node("a", lambda s: {"log": [len(s["log"])]}).add_edge(START, "a")
    graph: Any = app.compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "t"}}
    for _ in range(2):
        graph.invoke({"log": ["in"]}, config)
    for found in saver.list(config):
        where: Any = {"saver": saver, "config": found.config}
        channels, _ = made.channels_from_checkpoint(graph.channels, found.checkpoint, **where)
        later, _ = asyncio.run(made.achannels_from_checkpoint(graph.channels, found.checkpoint, **where))
        show(channels["log"].get(), later["log"].get(), made.checkpoint_superseded(saver, found.config, found))
        show(asyncio.run(made.acheckpoint_superseded(saver, found.config, found)))
    newest: Any = saver.get_tuple(config)
    show(made.checkpoint_superseded(saver, config, newest), made.put_writes_accepts_task_path(saver.put_writes))
    show(made.put_writes_accepts_task_path(lambda config, writes, task_id: None))
    try:
        made.channels_from_checkpoint(graph.channels, newest.checkpoint)
    except ValueError as error:
        show(str(error).partition(" was passed")[0])


def deltas(show: Any) -> None:
    task = "12345678-90ab-6cde-8f01-23456789abcd"
    for step in (0, 7, 70000, 12345678):
        show(made.exit_delta_task_id(step, task), made.exit_delta_late_task_id(step, task))
    show(made.exit_delta_task_id(0, "12345678-0000-0000-0000-000000000000"))
    channels, _ = made.channels_from_checkpoint(specs(), made.empty_checkpoint())
    channels["delta"].update([["x"]])
    versions: Any = {"delta": 1, "sum": 1}
    for counts in ({}, {"delta": (2, 9)}, {"delta": (3, 3)}, {"delta": (0, 5000)}, {"other": (100, 100)}):
        show(made.delta_channels_to_snapshot(channels, counts, versions))
    show(made.get_delta_channels_from_all_channels(channels, versions))
    show(made.get_delta_channels_from_all_channels(channels, {}))
    tasks = [SimpleNamespace(writes=[("a", 1), ("__pregel_push", 2)]), SimpleNamespace(writes=[("b", 1), ("a", 2)])]
    show(made.get_updated_channels_from_tasks(tasks))
    pending = [("t", "delta", 1), ("t", "last", 1), ("t", "none", 1)]
    show(made.delta_channels_with_pending_writes(specs(), pending), made.delta_channels_with_pending_writes({}, None))
    writes = [
        ("delta", Overwrite([])), ("other", [1]), ("last", Overwrite(1)), ("none", Overwrite(2)),
    ]  # fmt: skip
    show(made.delta_channels_overwritten(specs(), writes))
    erased = [{"__overwrite__": 1}, {"value": 1, "type": "__overwrite__"}, {"value": 1}, {"__overwrite__": 1, "b": 2}]
    show([made.delta_channels_overwritten(specs(), [("delta", each)]) for each in erased])
    before = {"counters_since_delta_snapshot": {"delta": (2, 4)}}
    show(made.create_metadata_for_update_state_api(channels, {"delta"}, prev_metadata=before))
    show(made.create_metadata_for_update_state_api(channels, set(), prev_metadata=None))
    for fresh in (True, False):
        for forks in (set(), {"other"}):
            planned = made.create_checkpoint_plan_for_update_state_api(
                channels, {"delta"}, source="update", step=3, parents={"": "p"}, saved_metadata=before,
                is_fresh_thread=fresh, fork_channels=forks, channel_versions=versions,
            )  # fmt: skip
            show(planned)


def outcome(act: Any) -> Any:
    try:
        return act()
    except (EmptyChannelError, InvalidUpdateError) as error:
        return type(error).__name__


def direct(show: Any) -> None:
    """A channel that was never taken from a checkpoint."""
    kinds: list[tuple[Any, list[Any]]] = [
        (lambda: LastValue(int), [[1], [], [2], [3, 4], [5]]),
        (lambda: LastValueAfterFinish(int), [[1], [], [2, 3]]),
        (lambda: AnyValue(int), [[1], [], [2, 2], []]),
        (lambda: EphemeralValue(int), [[1], [], [2, 3], [4]]),
        (lambda: EphemeralValue(int, guard=False), [[1, 2], []]),
        (lambda: UntrackedValue(int), [[1], [], [2, 3]]),
        (lambda: Topic(int), [[1, [2, 3]], [], [4], [[]]]),
        (lambda: Topic(int, accumulate=True), [[1, [2, 3]], [], [4]]),
        (lambda: BinaryOperatorAggregate(int, operator.add), [[1, 2], [], [Overwrite(9)]]),
        (lambda: BinaryOperatorAggregate(list, operator.add), [[[1]], [], [[2], [3]]]),
        (lambda: NamedBarrierValue(str, {"a", "b"}), [["a"], ["a"], ["b"], [], ["c"]]),
        (lambda: NamedBarrierValueAfterFinish(str, {"a", "b"}), [["a", "b"], []]),
        (lambda: DeltaChannel(joined, list), [[[1], [2]], [], [Overwrite([9])]]),
    ]
    for make, updates in kinds:
        channel, twin = make(), make()
        show(type(channel).__name__, isinstance(channel, BaseChannel), channel.is_available(), outcome(channel.get))
        show(channel.ValueType, channel == twin)
        for update in updates:
            changed = outcome(lambda: channel.update(update))  # noqa: B023  called at once
            show(changed, channel.is_available(), outcome(channel.get))
        copied = channel.copy()
        show(outcome(copied.get), isinstance(copied, type(channel)), isinstance(copied, BaseChannel))
        made_again = channel.from_checkpoint(channel.checkpoint())
        show(outcome(made_again.get), made_again.is_available(), isinstance(made_again, type(twin)))
        show(outcome(twin.get), outcome(copy.copy(twin).get))
        for update in updates:
            show(outcome(lambda: made_again.update(update)))  # noqa: B023  called at once
            show(made_again.finish(), made_again.is_available(), made_again.consume(), made_again.is_available())
