"""Tasks in LangGraph's form: planned, run by themselves, shown, checked, as its own neighbours and tests do it."""

import asyncio
import copy
import inspect
import operator
import pickle
import weakref
from collections import deque
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph._internal._scratchpad import PregelScratchpad
from langgraph.channels import EphemeralValue, LastValue, Topic
from langgraph.errors import GraphInterrupt, NodeError, ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.managed.is_last_step import IsLastStepManager, RemainingStepsManager
from langgraph.pregel import NodeBuilder, Pregel, _algo, _validate, debug
from langgraph.pregel._call import (
    SyncAsyncFuture,
    _explode_args_trace_inputs,
    get_runnable_for_entrypoint,
    get_runnable_for_task,
    identifier,
)
from langgraph.pregel._checkpoint import channels_from_checkpoint, empty_checkpoint
from langgraph.pregel._io import map_output_updates
from langgraph.pregel._retry import arun_with_retry, run_with_retry
from langgraph.pregel._task_status import CONTROL_WRITES, TaskStatus, read_task_statuses
from langgraph.pregel._write import ChannelWrite, ChannelWriteEntry, ChannelWriteTupleEntry
from langgraph.runtime import Runtime
from langgraph.types import (
    CacheKey,
    CachePolicy,
    Command,
    Interrupt,
    PregelExecutableTask,
    RetryPolicy,
    Send,
    TimeoutPolicy,
)
from typing_extensions import TypedDict
from xxhash import xxh3_128_hexdigest

ID = "1f0c8c6b-0000-6000-8000-000000000000"
NULL = "00000000-0000-0000-0000-000000000000"


class State(TypedDict):
    log: Annotated[list, operator.add]
    left: RemainingSteps
    last: IsLastStep


MANAGED: Any = {"left": RemainingStepsManager, "last": IsLastStepManager}


def first(state: State, config: RunnableConfig) -> Any:
    return {"log": [state["left"], config["metadata"]["langgraph_node"]]}


def jump(state: Any) -> Command:
    return Command(update={"log": [len(state["log"])]}, goto=[Send("third", {"log": [7]}), "fourth"])


def route(state: State, config: RunnableConfig) -> Any:
    assert config["configurable"]
    return ["yes", Send("second", {"log": state["log"][-1:]})]


def graph() -> Any:
    g = StateGraph(State)
    g.add_node("first", first, metadata={"m": 1}, retry_policy=RetryPolicy(max_attempts=2))
    g.add_node("second", jump, cache_policy=CachePolicy(key_func=lambda s: f"k{s['log']}", ttl=5))
    g.add_node("third", RunnableLambda(lambda s: [Command(update={"log": [3]}), {"log": [33]}]))
    g.add_node("fourth", lambda s: {"log": [4], "other": 1})
    g.add_edge(START, "first").add_conditional_edges("first", route, {"yes": "third", "no": END})
    g.add_edge(["second", "third"], "fourth")
    return g.compile()


def plan(app: Any, checkpoint: Any, channels: Any, step: int, **options: Any) -> Any:
    config = options.pop("config", {"configurable": {"thread_id": "t"}, "tags": ["mine"], "metadata": {"u": 1}})
    given = {"for_execution": True, "store": None, "checkpointer": None, "manager": None, **options}
    return _algo.prepare_next_tasks(checkpoint, [], app.nodes, channels, MANAGED, config, step, 10, **given)


def begin(app: Any, **values: Any) -> Any:
    checkpoint = {**empty_checkpoint(), "id": ID}
    channels = dict(channels_from_checkpoint(app.channels, checkpoint)[0])
    writes = [_algo.PregelTaskWrites((), "__input__", [("__start__", values)], [])]
    changed = _algo.apply_writes(checkpoint, channels, writes, _algo.increment, app.trigger_to_nodes)
    return checkpoint, channels, changed


def planned_and_run(show: Any) -> None:
    """A graph run by hand: every superstep is planned, its tasks called, and what they wrote applied."""
    app = graph()
    checkpoint, channels, changed = begin(app, log=[1])
    show(list(plan(app, checkpoint, channels, -1, for_execution=False).values()))
    for step in range(-1, 6):
        tasks = plan(app, checkpoint, channels, step, trigger_to_nodes=app.trigger_to_nodes, updated_channels=changed)
        show(list(tasks) == list(plan(app, checkpoint, channels, step)))
        for key, task in tasks.items():
            show(key == task.id, task.name, task.input, task.path, task.triggers, task.retry_policy, task.cache_key)
            show(task.subgraphs, task.timeout, isinstance(task, PregelExecutableTask))
            task.proc.invoke(task.input, task.config)
            show(list(task.writes))
            show(dict(task.config["metadata"]), task.config["tags"], task.config["run_name"])
            own = task.config["configurable"]
            show(sorted(own), own["checkpoint_ns"], own["checkpoint_map"], own["checkpoint_id"])
            show(own["__pregel_read"]("log", True), own["__pregel_read"](["log", "left"], False))
            info = own["__pregel_runtime"].execution_info
            show(info.task_id == task.id, info.checkpoint_ns, info.thread_id, info.run_id)
        changed = _algo.apply_writes(checkpoint, channels, tasks.values(), _algo.increment, app.trigger_to_nodes)
        show(sorted(changed), checkpoint["versions_seen"], checkpoint["channel_versions"])
        if not tasks:
            break
    show(channels["log"].get(), app.invoke({"log": [1]})["log"])


def in_a_namespace(show: Any) -> None:
    app = graph()
    checkpoint, channels, _ = begin(app, log=[1])
    for version in (1, 4):
        checkpoint["v"] = version
        config: Any = {"configurable": {"checkpoint_ns": "outer:1", "checkpoint_map": {"": "0"}}, "run_id": "r"}
        for task in plan(app, checkpoint, channels, -1, config=config).values():
            show(task.id, task.config["configurable"]["checkpoint_ns"], task.config["configurable"]["checkpoint_map"])
            show(task.config["configurable"]["__pregel_runtime"].execution_info.run_id)
    show([_algo._xxhash_str(b"a", "b", b"c"), _algo._uuid5_str(b"a", "b", b"c")])


def single_tasks(show: Any) -> None:
    app = graph()
    checkpoint, channels, _ = begin(app, log=[1])
    common: Any = {
        "checkpoint": checkpoint, "checkpoint_id_bytes": bytes.fromhex(ID.replace("-", "")),
        "checkpoint_null_version": _algo.checkpoint_null_version(checkpoint), "pending_writes": [],
        "processes": app.nodes, "channels": channels, "managed": MANAGED, "config": {"configurable": {}},
        "step": 0, "stop": 3,
    }  # fmt: skip

    def single(path: Any, checksum: Any = None, executes: bool = True, **more: Any) -> Any:
        given = {**common, **more}
        return _algo.prepare_single_task(path, checksum, for_execution=executes, **given)

    found = single(("__pregel_pull", "__start__"))
    show(found.name, found.input, single(("__pregel_pull", "__start__"), executes=False))
    show(single(("__pregel_pull", "first")), single(("__pregel_pull", "none")), single(("__pregel_push", 0)))
    show(single(("__pregel_pull", "__start__"), checkpoint_null_version=None))
    try:
        single(("__pregel_pull", "__start__"), "another")
    except AssertionError:
        show("another id")
    show(single(("__pregel_pull", "__start__"), found.id).id == found.id)
    channels["__pregel_tasks"].update([Send("second", {"log": [5]}), Send("unknown", 1)])
    sent = single(("__pregel_push", 0))
    show(sent.name, sent.input, sent.path, sent.triggers, sent.cache_key, sent.id)
    show(single(("__pregel_push", 1)), single(("__pregel_push", 9)), single(("__pregel_push", 0), executes=False))
    call = _algo.Call(
        add, ((1,), {"b": 2}), retry_policy=[RetryPolicy()], cache_policy=CachePolicy(key_func=lambda *a, **k: b"k"),
        callbacks=None,
    )  # fmt: skip
    path = ("__pregel_push", ("__pregel_pull", "first"), 0, found.id, call)
    called = single(path)
    show(called.name, called.input, called.path, called.triggers, called.cache_key, called.id, called.retry_policy)
    called.proc.invoke(called.input, called.config)
    show(list(called.writes), single(path, executes=False), call.timeout)
    handling = {key: each for key, each in common.items() if not key.startswith("checkpoint_")}
    taken = _algo.prepare_node_error_handler_task(
        found, handler_node_name="fourth", failed_error=ValueError("no"), **handling
    )
    error = taken.config["configurable"]["__pregel_node_error"]
    show(taken.name, taken.input, taken.path, taken.id, isinstance(error, NodeError), error.node, error.error)
    none = _algo.prepare_node_error_handler_task(
        found, handler_node_name="none", failed_error=ValueError("no"), **handling
    )
    show(none)


def add(a: int, b: int = 0, *more: int, **named: int) -> int:
    return a + b


async def later(a: int) -> int:
    return a * 2


class Thing:
    def method(self) -> None:
        """Is only named."""

    def __call__(self, a: int) -> int:
        return a


def named(show: Any) -> None:
    app = graph()
    things = [add, later, Thing, Thing().method, Thing(), len, operator.add, 3, app.nodes["first"], app.nodes["third"]]
    things += [get_runnable_for_task(add), get_runnable_for_entrypoint(later)]
    show([identifier(each) for each in things], identifier(Thing(), "x"))
    show(get_runnable_for_task(add) is get_runnable_for_task(add), get_runnable_for_task(add).name)
    inner = lambda a: a + 1  # noqa: E731  a function without a name
    show(get_runnable_for_entrypoint(inner) is get_runnable_for_entrypoint(inner))
    show(get_runnable_for_entrypoint(add) is get_runnable_for_entrypoint(add))
    show(get_runnable_for_entrypoint(inner).invoke(1), asyncio.run(get_runnable_for_entrypoint(later).ainvoke(2)))
    writes: list = []
    config: Any = {"configurable": {"__pregel_send": writes.extend}}
    show(get_runnable_for_task(add).invoke(((1, 2), {}), config), writes)
    show(asyncio.run(get_runnable_for_task(later).ainvoke(((4,), {}), config)), writes)
    given = _explode_args_trace_inputs(inspect.signature(add), ((1,), {"c": 3}))
    show(given, _explode_args_trace_inputs(inspect.signature(Thing.method), ((Thing,), {})))
    future: Any = SyncAsyncFuture()
    future.set_result(1)
    show(future.result(), next(future.__await__()))


def kinds(show: Any) -> None:
    key = CacheKey(("a", "b"), "k", None)
    show(key, key == (("a", "b"), "k", None), hash(key) == hash((("a", "b"), "k", None)), key._fields, key._asdict())
    show(pickle.loads(pickle.dumps(key)) == key, CacheKey.__match_args__, key._replace(ttl=3))
    given = ("n", {"x": 1}, None, deque([("x", 1)]), {"tags": []}, ("t",), (), key, "id", ("__pregel_pull", "n"))
    task = PregelExecutableTask(*given)
    show(task, task == PregelExecutableTask(*given), task != PregelExecutableTask(*given, timeout=None, writers=[1]))
    show(pickle.loads(pickle.dumps(task)) == task, copy.copy(task) == task, weakref.ref(task)() is task)
    show(PregelExecutableTask.__match_args__, inspect.signature(PregelExecutableTask).parameters.keys())
    for act in (lambda: setattr(task, "name", "m"), lambda: hash(task), lambda: vars(task)):
        try:
            act()
        except (AttributeError, TypeError) as error:
            show(type(error).__name__)
    show([CacheKey.__module__, PregelExecutableTask.__module__, CacheKey.__qualname__])


def executable(name: str = "n", config: Any = None, **more: Any) -> Any:
    given = {"triggers": ("t",), "id": "i", "path": ("__pregel_pull", name), **more}
    return PregelExecutableTask(
        name=name, input=1, proc=None, writes=deque(), config={} if config is None else config, retry_policy=(),
        cache_key=None, **given,
    )  # fmt: skip


def shown(show: Any) -> None:
    """The helpers of pregel.debug, on tasks that nobody runs."""
    metadata = {"langgraph_node": "n", "thread_id": 1, "checkpoint_ns": "", "mine": 2, "ls_integration": "x"}
    configs = [
        {}, {"tags": ["langsmith:hidden"]}, {"metadata": metadata, "tags": ["seq:step:1", "a"]}, {"metadata": None},
        {"tags": ["seq:step:1"]},
    ]  # fmt: skip
    show(list(debug.map_debug_tasks([executable(config=each) for each in configs])))
    show([debug.is_multiple_channel_write(each) for each in (1, {}, {"$writes": 1}, {"$writes": []})])
    several = [
        [], [("a", 1)], [("a", 1), ("a", 2), ("b", 3), ("a", 3)], [("a", None), ("a", 1)], [("a", 0), ("a", 1)],
        [("a", {"$writes": [1]}), ("a", 2)],
    ]  # fmt: skip
    show([debug.map_task_result_writes(each) for each in several])
    question = Interrupt("what?", id="q")
    writes: list = [("a", 1), ("a", 2), ("z", 3), ("__return__", 4), ("__interrupt__", (question,))]
    show(list(debug.map_debug_task_results((executable(), writes), ["a", "b"])))
    show(list(debug.map_debug_task_results((executable(), [("__error__", "no"), ("a", 1)]), "a")))
    show(list(debug.map_debug_task_results((executable(), [("__interrupt__", question)]), "a")))
    config: Any = {"configurable": {"thread_id": "1", "__pregel_x": 2, "checkpoint_ns": "a"}, "tags": ["b"]}
    show(debug.rm_pregel_keys(config), debug.rm_pregel_keys(None), debug.rm_pregel_keys({}))
    show([debug.get_colored_text("a", each) for each in debug.COLOR_MAPPING], debug.get_bolded_text("a"))
    show(debug.TASK_NAMESPACE)


def statuses(show: Any) -> None:
    question = Interrupt("what?", id="q")
    writes: list = [
        ("1", "a", 1), ("1", "a", 2), ("1", "b", 3), ("2", "__interrupt__", [question]), (NULL, "a", 9),
        ("3", "__error__", "no"), ("3", "a", 1), ("4", "__return__", 5), ("5", "__no_writes__", None),
        ("2", "__resume__", ["yes"]), ("6", "__interrupt__", (question,)), ("6", "a", 1), ("7", "__return__", None),
        ("8", "__error_source_node__", "x"),
    ]  # fmt: skip
    found = read_task_statuses(writes)
    show(found, {key: (each.finished, each.pending_interrupts) for key, each in found.items()})
    show(TaskStatus(), TaskStatus() == TaskStatus((), (), None), sorted(CONTROL_WRITES), read_task_statuses([]))
    tasks = [executable(id=str(number)) for number in range(10)]
    for keys in ("a", ["a", "b"], ["z"], []):
        for live in (False, True):
            show(debug.tasks_w_writes(tasks, writes, {"1": {"configurable": {}}}, keys, live=live))
    show(debug.tasks_w_writes(tasks[:1], None, None, "a"))
    channels: Any = {"a": LastValue(int).from_checkpoint(3), "b": LastValue(int, "b").from_checkpoint(4)}
    config: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": "c", "checkpoint_id": "x", "__pregel_y": 1}}
    tasks[1] = executable(id="1", subgraphs=[object()])
    payloads = debug.map_debug_checkpoint(
        config, channels, ["a", "b"], {"source": "loop", "step": 1, "parents": {"": "0"}}, tasks, writes, None, ["a"]
    )
    show(list(payloads))
    config = {"configurable": {"thread_id": "1"}}
    show(list(debug.map_debug_checkpoint(config, channels, "a", {}, tasks, [], config, "a")))  # type: ignore[typeddict-item]  # as others call it


def updates(show: Any) -> None:
    one, two = executable("one"), executable("two")
    hidden = executable("three", {"tags": ["langsmith:hidden"]})
    cases: list = [
        [], [(one, [("a", 1)])], [(one, [("a", 1), ("b", 2)]), (two, [("z", 1)])], [(hidden, [("a", 1)])],
        [(one, [("a", 1), ("a", 2), ("b", 3), ("z", 0)])], [(one, [("__error__", 1)]), (two, [("a", 1)])],
        [(one, [("__interrupt__", 1)])], [(one, [("a", 1)]), (one, [("b", 2)]), (one, [("z", 2)])],
        [(one, [("__return__", 5), ("a", 1)])], [(one, [("__return__", None)]), (two, [("a", None)])],
        [(one, [("z", 1), ("z", 2), ("a", 1)])],
    ]  # fmt: skip
    for keys in ("a", ["a", "b"], ("a",), []):
        show([list(map_output_updates(keys, each)) for each in cases])
    show(list(map_output_updates("a", cases[1], cached=True)))


def pads(show: Any) -> None:
    """Where a task finds the answers to its questions."""
    answer, other = (NULL, "__resume__", "yes"), ("t", "__resume__", ["one"])

    def shown_of(pad: Any) -> Any:
        counts = [pad.call_counter(), pad.call_counter(), pad.interrupt_counter(), pad.subgraph_counter()]
        return pad.step, pad.stop, pad.resume, pad.get_null_resume(False), counts

    for pending in ([], [answer], [other], [("t", "__resume__", "bare")], [answer, other], [("u", "__resume__", 1)]):
        pad = _algo._scratchpad(None, list(pending), "t", "n:t", None, 1, 5)
        show(shown_of(pad), isinstance(pad, PregelScratchpad))
    waiting: list = [answer, other]
    outer = _algo._scratchpad(None, waiting, "t", "n:t", None, 1, 5)
    inner = _algo._scratchpad(outer, [other], "u", "n:t|m:u", None, 2, 5)
    show(inner.get_null_resume(False), inner.get_null_resume(True), waiting, inner.get_null_resume(True))
    mapped = {xxh3_128_hexdigest(b"n:t"): "mapped"}
    show(_algo._scratchpad(None, [("u", "a", 1)], "t", "n:t", mapped, 1, 5).resume)
    show(_algo._scratchpad(None, [], "t", "n:t", mapped, 1, 5).resume)
    show(RemainingStepsManager.get(outer), IsLastStepManager.get(outer))
    errors: list = [("t", "__error__", ValueError("a")), ("t", "__error__", "b"), ("t", "__error_source_node__", "n")]
    show(_algo._read_errors_from_pending_writes(errors))
    show(_algo._read_error_for_task_id_from_pending_writes(errors, "t"))
    show(_algo._read_error_for_task_id_from_pending_writes(errors, "u"))
    show(_algo._read_error_source_node_from_pending_writes(errors, "t"))


def checks(show: Any) -> None:
    node = NodeBuilder().subscribe_only("a").do(lambda x: x).write_to("b").build()
    several = NodeBuilder().subscribe_to("a", "m").read_from("b").do(lambda x: x).write_to("b").build()
    lost = NodeBuilder().subscribe_only("c").do(lambda x: x).build()
    channels: Any = {"a": LastValue(int), "b": EphemeralValue(int), "t": Topic(int)}
    good: Any = ({"n": node}, channels, {}, "a", "b", None, [], [])
    changes = [
        {}, {0: {"n": several}, 2: {"m": RemainingStepsManager}}, {0: {"n": several}}, {0: {"n": lost}},
        {0: {"__input__": node}}, {0: {"n": len}}, {1: {"__input__": LastValue(int), **channels}},
        {2: {"__interrupt__": 1}}, {3: "x"}, {3: "b"}, {3: ["a", "b"]}, {3: ["b"]}, {3: ["x"]}, {4: "x"},
        {4: ["b", "x"]}, {5: "x"}, {5: ["a", "b"]}, {6: ["x"]}, {7: ["x"]}, {6: "*", 7: "*"}, {6: ["n"]},
    ]  # fmt: skip
    for change in changes:
        arguments = [change.get(place, value) for place, value in enumerate(good)]  # type: ignore[attr-defined]  # dicts
        try:
            show(_validate.validate_graph(*arguments))
        except (ValueError, TypeError) as error:
            show(type(error).__name__, str(error))
    for keys in (None, "a", "x", ["a", "b"], ["a", "x"], []):
        try:
            show(_validate.validate_keys(keys, channels))
        except ValueError as error:
            show(str(error))


def writers(show: Any) -> None:
    """Who counts as a writer, and what it says that it may write."""
    entry = ChannelWriteEntry("a", 1)
    mapped = ChannelWriteTupleEntry(lambda x: [("b", x)], static=[("b", 1, "label")])
    write = ChannelWrite([entry, mapped, Send("n", 1)])
    other = ChannelWrite.register_writer(RunnableLambda(lambda x: x), [(entry, "l"), (Send("n", 2), None)])
    bare = ChannelWrite.register_writer(RunnableLambda(lambda x: x))
    for each in (write, other, bare, RunnableLambda(lambda x: x)):
        show(ChannelWrite.is_writer(each), ChannelWrite.get_static_writes(each))
    app = Pregel(
        nodes={"n": NodeBuilder().subscribe_only("a").do(lambda x: x + 1).write_to("b")},
        channels={"a": EphemeralValue(int), "b": LastValue(int)}, input_channels="a", output_channels="b",
    )  # fmt: skip
    nodes = graph().nodes
    show([nodes[name].channels for name in nodes], [nodes[name].triggers == [] for name in nodes])
    show([type(each).__name__ for each in nodes["second"].writers], app.invoke(1))
    show([nodes[name].error_handler_node for name in nodes], [nodes[name].subgraphs for name in nodes])


def built(show: Any) -> None:
    """Nodes as NodeBuilder makes them."""
    whole = NodeBuilder().subscribe_only("a").do(add).write_to("b", c=3, d=lambda x: x * 2)
    several = NodeBuilder().subscribe_to("a", "b").read_from("c").do(add).do(lambda x: x + 1).meta("tag", k="v")
    several.add_retry_policies(RetryPolicy()).add_cache_policy(CachePolicy(ttl=3)).write_to("d", Send("n", 1))
    idle, writing = NodeBuilder().subscribe_to("a", read=False), NodeBuilder().subscribe_only("a").write_to("b")
    for builder in (whole, several, idle, writing):
        node: Any = builder.build()
        show(node.channels, node.triggers, node.tags, node.metadata, node.retry_policy, node.mapper)
        show(node.cache_policy is None, node.timeout, node.is_error_handler, node.error_handler_node, node.subgraphs)
        show([each.get_name() for each in node.writers], [each.get_name() for each in node.flat_writers])
        show(node.input_cache_key, node.trace_policy, node.node is None, node.invoke(1), type(node).__name__)
        show(asyncio.run(node.ainvoke(1)))
        writes: list = []
        if node.node is not None:
            show(node.node.invoke(2, {"configurable": {"__pregel_send": writes.extend}}), writes)
    inner = graph()
    show(NodeBuilder().subscribe_only("a").do(inner).build().subgraphs == [inner], identifier(whole.build()))


class Gives:
    """A Runnable that does one thing after the other: it raises or returns."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.infos: list[Any] = []

    def invoke(self, value: Any, config: Any = None) -> Any:
        runtime = config["configurable"].get("__pregel_runtime")
        if runtime is not None:
            info = runtime.execution_info
            resuming = config["configurable"].get("__pregel_resuming")
            self.infos.append((info.node_attempt, info.node_first_attempt_time > 0, info.task_id, resuming))
        config["configurable"]["__pregel_send"]([("x", len(self.outcomes))])
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def ainvoke(self, value: Any, config: Any = None) -> Any:
        return self.invoke(value, config)

    async def astream(self, value: Any, config: Any = None) -> Any:
        yield self.invoke(value, config)


def attempts(show: Any) -> None:
    """Tasks run by themselves, with policies of retries."""
    quick = RetryPolicy(initial_interval=0.0, jitter=False, retry_on=(KeyError, OSError))
    written: list = []

    def task_of(*outcomes: Any, **more: Any) -> Any:
        writes: deque = deque()
        config = {
            "configurable": {
                "__pregel_send": writes.extend, "checkpoint_ns": "outer:1|n:i", "__pregel_runtime": Runtime(),
            }
        }  # fmt: skip
        writer = RunnableLambda(lambda command: written.append((command.update, command.goto)))
        return PregelExecutableTask(
            "n", 1, Gives(*outcomes), writes, config, (), more.pop("retries", ()), None, "i", (), [writer], **more
        )

    def parent(graph: Any) -> Any:
        return ParentCommand(Command(graph=graph, update={"x": 1}, goto="a"))

    cases: list[Any] = [
        (("done",), None), ((KeyError("a"), "done"), [quick]), ((KeyError("a"),) * 3, [quick]),
        ((ValueError("a"), "done"), [quick]), ((KeyError("a"), "done"), None), ((GraphInterrupt(()),), [quick]),
        ((parent("outer:1|n:i"),), None), ((parent("n"),), None), ((parent("outer|n"),), None),
        ((parent(Command.PARENT),), None), ((parent("other"),), None),
    ]  # fmt: skip
    for outcomes, policies in cases:
        for how in ("sync", "async", "stream"):
            task = task_of(*outcomes)
            written.clear()
            try:
                if how == "sync":
                    show(run_with_retry(task, policies))
                else:
                    show(asyncio.run(arun_with_retry(task, policies, stream=how == "stream")))
            except ParentCommand as up:
                show(up.args[0].graph)
            except Exception as error:
                show(type(error).__name__, error.args, getattr(error, "__notes__", None))
            show(list(task.writes), task.proc.infos, written)
    own = task_of(KeyError("a"), "done", retries=[quick])
    show(run_with_retry(own, None, {"extra": 1}), list(own.writes))
    for outcome in (asyncio.CancelledError(), "done"):
        try:
            show(
                run_with_retry(
                    task_of(outcome, timeout=TimeoutPolicy(run_timeout=1) if outcome == "done" else None), None
                )
            )
        except Exception as error:
            show(type(error).__name__)
