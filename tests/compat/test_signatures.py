"""A call that is written for LangGraph fits here: parameters have its names, kinds and defaults; ours may have more."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.compat.test_names import LEFT_OUT, defined

THREAD = "the config may be left out where `thread` is given"
PASSED = "what is not known is passed over, though it is not written so"
VALUES = "the same, and `stream_mode=None` is `values` in an invoke"
OF_VALUE = "a channel is a rule here; objects have it, and kinds of a program's own find it in their base class"
UNUSABLE = "a part of its engine that can't be used"
NONE = "no function"
OTHERS = {
    "_internal._runnable.RunnableSeq": (
        "trace_inputs trace_policy first last",
        "langchain-core's RunnableSequence, which tells another signature",
    ),
    "_internal._runnable.RunnableSeq.*": (NONE, "as it is defined by langchain-core"),
    "channels.*Value": ("typ", "a rule may be given without a type"),
    "channels.last_value.LastValueAfterFinish": ("typ", "a rule may be given without a type"),
    "channels.topic.Topic": ("typ", "a rule may be given without a type"),
    "channels.named_barrier_value.Named*": ("typ names", "the same, and without names"),
    **dict.fromkeys(
        (f"channels.*.{each}" for each in ("checkpoint", "copy", "get", "is_available", "update")), (NONE, OF_VALUE)
    ),
    "channels.delta.DeltaChannel.replay_writes": (NONE, OF_VALUE),
    "channels.*.consume": ("value", "called by the engine; kinds of a program's own find LangGraph's form"),
    "channels.*.finish": ("value", "called by the engine; kinds of a program's own find LangGraph's form"),
    "func.task": ("__func_or_none__", "its first parameter, given by position, has a name that can't be written"),
    "graph.message.add_messages": ("kwargs", "unknown options are refused at once, not when messages are merged"),
    "graph.state.CompiledStateGraph.attach_*": (NONE, "`compile()` plans the whole graph in one go"),
    "graph.state.CompiledStateGraph.c*": (NONE, "an attribute of objects, or there with langchain-core"),
    "graph.state.CompiledStateGraph.get_config_jsonschema": (NONE, "there with langchain-core"),
    "*.get_state": ("config", THREAD),
    "*.aget_state": ("config", THREAD),
    "*.get_state_history": ("config", THREAD),
    "*.aget_state_history": ("config", THREAD),
    "*.invoke": ("stream_mode kwargs", VALUES),
    "*.ainvoke": ("stream_mode kwargs", VALUES),
    "*.stream": ("kwargs", PASSED),
    "*.astream": ("kwargs", PASSED),
    "managed.is_last_step.*.get": ("scratchpad cls", "a class method here, a static one there: called alike"),
    "pregel._algo.task_path_str": ("tup path", "given by position"),
    "pregel._loop.*": (NONE, UNUSABLE),
    "pregel._runner.PregelRunner.*": (NONE, UNUSABLE),
    "pregel.protocol.PregelProtocol.*bulk_update_state": (
        "updates supersteps",
        "Pregel's own name for it, `supersteps`, counts",
    ),
    "stream._mux.StreamMux": ("_assign_seq", "who numbers events is said otherwise"),
    "stream._mux.StreamMux.bind_*": (NONE, "what drives a stream is handed over when it is made"),
    "stream.run_stream.GraphRunStream": ("graph_iter wire_pump parts", "made by the run, by position"),
    "stream.run_stream.AsyncGraphRunStream": ("graph_aiter wire_pump parts", "made by the run, by position"),
}
"""By patterns of names below `langgraph`: what may differ, and why."""
LOOK = """
import importlib, inspect, json, sys, warnings
warnings.simplefilter("ignore")

def shown(call):
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[each.name, int(each.kind), default(each.default)] for each in found]

def default(value):
    if value is inspect.Parameter.empty:
        return "needed"
    return repr(value) if value is None or isinstance(value, (bool, int, float, str, tuple)) else "something"

def parts(kind):
    names = [name for name in dir(kind) if not name.startswith("_")]
    made = {name: inspect.getattr_static(kind, name) for name in names}
    own = [name for name in names if inspect.isclass(kind) and any(
        name in vars(base) and base.__module__.startswith(("langgraph", "stepgraph")) for base in kind.__mro__)]
    calls = {name: getattr(made[name], "__func__", made[name]) for name in own if not isinstance(made[name], type)}
    return {name: shown(call) for name, call in calls.items()}

found = {}
for place, names in json.load(sys.stdin).items():
    module = importlib.import_module(place)
    for name in names:
        part = getattr(module, name, None)
        if part is None:
            continue
        found[f"{place}.{name}"] = shown(part)
        if inspect.isclass(part):
            found.update({f"{place}.{name}.{each}": call for each, call in parts(part).items()})
json.dump({name.removeprefix("langgraph."): call for name, call in found.items()}, sys.stdout)
"""
Call = list[list[Any]] | None
ALONE, EITHER, REST, NAMED, MORE = range(5)


def signatures(*how: str) -> dict[str, Call]:
    """Name -> parameters, as (name, kind, default), of all that LangGraph's modules define; None for no function."""
    done = subprocess.run(
        [sys.executable, *how, "-c", LOOK], input=json.dumps(defined()), capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Call] = json.loads(done.stdout)
    return found


def unfit(theirs: Call, ours: Call) -> list[str]:
    """What a call that fits theirs may say that does not fit ours."""
    if theirs is None or ours is None:
        return [] if theirs is None else ["no function"]
    named = {name: given for name, kind, given in ours if kind in (EITHER, NAMED)}
    places = [(name, given) for name, kind, given in ours if kind in (ALONE, EITHER)]
    kinds = {kind for _, kind, _ in ours}
    found = []
    for place, (name, kind, given) in enumerate(theirs):
        if kind in (REST, MORE):
            found += [] if kind in kinds else [name]
        elif kind == NAMED:
            found += [] if (MORE in kinds and name not in named) or named.get(name) == given else [name]
        else:
            found += [] if REST in kinds or places[place : place + 1] == [(name, given)] else [name]
    known = {name for name, *_ in theirs}
    return [*found, *(name for name, given in named.items() if given == "needed" and name not in known)]


def test_calls_written_for_langgraph_fit() -> None:
    theirs, ours = signatures(), signatures("-m", "stepgraph.compat", "run")
    differ = {name: unfit(call, ours.get(name)) for name, call in theirs.items()}
    unlike = {name: found for name, found in differ.items() if found}
    unknown = {n: (found, theirs[n], ours.get(n)) for n, found in unlike.items() if not listed(n, found)}
    assert not unknown
    unneeded = [
        (pattern, what)
        for pattern, (whats, _) in OTHERS.items()
        for what in whats_of(whats)
        if not any(fnmatchcase(name, pattern) and what in found for name, found in unlike.items())
    ]
    assert not unneeded


def listed(name: str, found: list[str]) -> bool:
    """Whether the list says that a call may differ in just this."""
    allowed = {what for pattern, (whats, _) in OTHERS.items() if fnmatchcase(name, pattern) for what in whats_of(whats)}
    return f"langgraph.{name}" in LEFT_OUT or allowed.issuperset(found)


def whats_of(whats: str) -> list[str]:
    return [whats] if whats == NONE else whats.split()


@pytest.mark.parametrize(
    ("theirs", "ours", "differ"),
    [
        ([["a", EITHER, "needed"]], [["a", EITHER, "needed"], ["b", NAMED, "None"]], []),
        ([["a", EITHER, "needed"]], [["b", EITHER, "needed"]], ["a", "b"]),
        ([["a", EITHER, "1"]], [["a", EITHER, "2"]], ["a"]),
        ([["a", NAMED, "1"]], [["more", MORE, "needed"]], []),
        ([["a", NAMED, "1"]], [], ["a"]),
        ([["rest", REST, "needed"]], [["a", EITHER, "needed"]], ["rest", "a"]),
        ([], None, ["no function"]),
        (None, [], []),
    ],
)
def test_a_difference_is_seen(theirs: Call, ours: Call, differ: list[str]) -> None:
    assert unfit(theirs, ours) == differ
