"""A call that is written for LangGraph fits here: parameters have its names, kinds and defaults; ours may have more."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.compat.test_names import LEFT_OUT, defined

OTHERS = {
    "_internal._runnable.RunnableSeq": "langchain-core's RunnableSequence, which tells another signature",
    "_internal._runnable.RunnableSeq.*": "as it is defined by langchain-core",
    "channels.*": "a channel is a rule here, which may be given without a type; as channels they are called elsewhere",
    "func.task": "its first parameter, which is given by position, has a name that can't be written",
    "graph.message.add_messages": "unknown options are refused at once, not when messages are merged",
    "graph.state.CompiledStateGraph.attach_*": "`compile()` plans the whole graph in one go",
    "graph.state.CompiledStateGraph.c*": "an attribute of objects, or there with langchain-core",
    "graph.state.CompiledStateGraph.get_config_jsonschema": "there with langchain-core",
    "*.get_state": "the config may be left out where `thread` is given",
    "*.aget_state": "the config may be left out where `thread` is given",
    "*.get_state_history": "the config may be left out where `thread` is given",
    "*.aget_state_history": "the config may be left out where `thread` is given",
    "*.invoke": "`stream_mode=None` is `values` in an invoke, and what is not known is passed over",
    "*.ainvoke": "`stream_mode=None` is `values` in an invoke, and what is not known is passed over",
    "*.stream": "what is not known is passed over, though it is not written so",
    "*.astream": "what is not known is passed over, though it is not written so",
    "managed.is_last_step.*.get": "a class method here, a static one there: called alike",
    "pregel._algo.task_path_str": "given by position",
    "pregel._loop.*": "a part of its engine that can't be used",
    "pregel._runner.PregelRunner.*": "a part of its engine that can't be used",
    "pregel.protocol.PregelProtocol.*bulk_update_state": "Pregel's own name for it, `supersteps`, counts",
    "stream._mux.StreamMux*": "what drives a stream is handed over when it is made",
    "stream.run_stream.*GraphRunStream": "made by the run; the first parameter is given by position",
}
"""What differs, by patterns of names below `langgraph`, and why."""
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
    unlike = {name: why for name, why in differ.items() if why}
    unknown = {n: (why, theirs[n], ours.get(n)) for n, why in unlike.items() if not listed(n)}
    assert not unknown
    assert not [pattern for pattern in OTHERS if not any(fnmatchcase(name, pattern) for name in unlike)]


def listed(name: str) -> bool:
    return f"langgraph.{name}" in LEFT_OUT or any(fnmatchcase(name, pattern) for pattern in OTHERS)


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
