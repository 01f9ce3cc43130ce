"""Every module of LangGraph's engine has its counterpart under the hook, with all names that it defines for others."""

from __future__ import annotations

import ast
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from stepgraph.compat.absent import absent
from stepgraph.compat.elsewhere import BORROWED
from stepgraph.compat.hook import ENGINE

ROOT = next(Path(path) / "langgraph" for path in sys.path if (Path(path) / "langgraph" / "graph").is_dir())
LEFT_OUT = {
    "langgraph._internal._runnable.StrEnum": "the standard library's, for old Pythons",
    "langgraph._internal._runnable.create_task_in_config_context": "a step of how its engine runs coroutines",
}
"""Names that are not there, and why. What only says so when it is used is in the lists of `absent(...)`."""
ELSEWHERE = {
    "langgraph.channels.delta.PendingWrite": "an alias that nothing uses",
    "langgraph.graph.state.logger": "named after its module",
    "langgraph.pregel.main.CONFIG_KEY_STREAM_MESSAGES_V2": "asks LangGraph for its other handler",
    "langgraph.pregel.protocol.DrawableGraph": "langchain-core's Graph under a name of its own",
    "langgraph.pregel.remote.CommandSDK": "langgraph-sdk's Command under a name of its own",
    "langgraph.pregel.remote.DrawableEdge": "langchain-core's Edge under a name of its own",
    "langgraph.pregel.remote.DrawableGraph": "langchain-core's Graph under a name of its own",
    "langgraph.pregel.remote.DrawableNode": "langchain-core's Node under a name of its own",
    "langgraph.pregel.remote.StreamModeSDK": "langgraph-sdk's StreamMode under a name of its own",
    "langgraph.pregel.remote.logger": "named after its module",
    "langgraph.pregel.remote.ls": "langsmith under a name of its own",
    **dict.fromkeys(
        (
            *(f"langgraph.func.{each}" for each in "PRST"),
            *(f"langgraph.managed.base.{each}" for each in "UV"),
            *(f"langgraph.types.{each}" for each in ("KeyFuncT", "N", "ResponseT")),
            "langgraph.stream.stream_channel.T",
        ),
        "a type variable",
    ),
}
"""Names of other distributions that its public modules have and ours have not, and why."""
OTHERWISE = {
    "langgraph.graph.state.Checkpointer": "an alias for type checkers",
    "langgraph.pregel.main.Checkpointer": "an alias for type checkers",
    "langgraph.types.Checkpointer": "an alias for type checkers",
    "langgraph.pregel.main.RunnableLike": "an alias for type checkers",
    "langgraph.utils.runnable.RunnableLike": "an alias for type checkers",
    "langgraph.typing.StateLike": "an alias for type checkers",
    "langgraph.pregel.main.draw_graph": "a part of its engine, which only says so",
}
"""Names that stand for a thing of another kind here, and why."""
ALL = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
found = {}
for name in json.load(sys.stdin):
    parts = vars(importlib.import_module(name)).items()
    found[name] = [each for each, part in parts if each[0] != "_" and f"{name}.{each}" not in sys.modules]
json.dump(found, sys.stdout)
"""
LOOK = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
found = {}
for name, wanted in json.load(sys.stdin).items():
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        found[name] = [f"{type(error).__name__}: {error}"]
    else:
        found[name] = [each for each in wanted if not hasattr(module, each)]
json.dump(found, sys.stdout)
"""

KINDS = """
import importlib, inspect, json, sys, typing, warnings
warnings.simplefilter("ignore")
def kind(part):
    for is_one in (inspect.isclass, inspect.ismodule, inspect.isroutine):
        if is_one(part):
            return is_one.__name__
    return "type variable" if isinstance(part, (typing.TypeVar, typing.ParamSpec)) else "something else"
found = {}
for name, wanted in json.load(sys.stdin).items():
    module = importlib.import_module(name)
    found |= {f"{name}.{each}": kind(getattr(module, each)) for each in wanted if hasattr(module, each)}
json.dump(found, sys.stdout)
"""


def defined() -> dict[str, list[str]]:
    """Module of LangGraph's engine -> the classes and functions that it defines for others."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in ENGINE:
            continue
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        body = ast.parse(path.read_text(encoding="utf-8")).body
        names = {each.name for each in body if isinstance(each, kinds) and not each.name.startswith("_")}
        found[".".join(("langgraph", *parts)).removesuffix(".__init__")] = sorted(names)
    return found


def public() -> dict[str, list[str]]:
    """Public module of LangGraph's engine -> all that can be imported from there, submodules aside."""
    modules = [name for name in defined() if not any(part.startswith("_") for part in name.split("."))]
    found: dict[str, list[str]] = told(ALL, modules)
    return found


def missing(wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """What of it is not there under the hook."""
    found: dict[str, list[str]] = told(LOOK, wanted, *HOOK)
    return {name: names for name, names in found.items() if names}


def told(code: str, asked: Any, *how: str) -> Any:
    """What a program says of what it is asked."""
    done = subprocess.run(
        [sys.executable, *how, "-c", code],
        input=json.dumps(asked), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


HOOK = ("-m", "stepgraph.compat", "run")


def test_all_that_its_modules_define_is_there() -> None:
    found = missing(defined())
    assert {f"{module}.{name}" for module, names in found.items() for name in names} == set(LEFT_OUT)


def test_its_public_modules_have_all_that_can_be_imported_from_there() -> None:
    """Editors complete `from langgraph.graph.state import RunnableConfig`, so programs say it."""
    found = missing(public())
    assert {f"{module}.{name}" for module, names in found.items() for name in names} == set(ELSEWHERE)


def test_a_public_name_stands_for_a_thing_of_the_same_kind() -> None:
    """A class for a class, a function for a function, a module for a module, a type variable for one."""
    wanted = public()
    theirs, ours = told(KINDS, wanted), told(KINDS, wanted, *HOOK)
    assert {name for name in ours if ours[name] != theirs[name]} == set(OTHERWISE)


def test_modules_of_a_package_are_there_without_an_import_of_their_own() -> None:
    code = """
import json, langgraph.channels, langgraph.pregel
print(json.dumps([langgraph.channels.base.__name__, langgraph.pregel.debug.__name__, langgraph.pregel._loop.__name__]))
"""
    assert [name.rpartition(".")[2] for name in told(code, None, *HOOK)] == ["base", "debug", "_loop"]


def test_a_checkpoint_is_that_of_savers_wherever_it_is_imported_from() -> None:
    code = """
import json, langgraph.graph.state as a, langgraph.pregel.main as b, langgraph.pregel.remote as c
from langgraph.checkpoint.base import Checkpoint
print(json.dumps([each.Checkpoint is Checkpoint for each in (a, b, c)]))
"""
    assert told(code, None, *HOOK) == [True, True, True]


def test_modules_have_what_they_import_from_each_other() -> None:
    assert not missing({f"langgraph.{place}": names.split() for place, names in BORROWED.items()})


def test_a_module_has_only_what_its_counterpart_has() -> None:
    """Programs ask for names to find out which release they run on."""
    theirs = told(LOOK, {f"langgraph.{place}": names.split() for place, names in BORROWED.items()})
    assert not {name: names for name, names in theirs.items() if names}


def test_asking_for_a_name_that_no_release_has_warns_of_nothing() -> None:
    """Packages ask private modules for names of other releases and go on without; some run with warnings as errors."""
    code = """
import warnings
warnings.simplefilter("error")
try:
    from langgraph._internal._constants import CONFIG_KEY_OF_ANOTHER_RELEASE
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-m", "stepgraph.compat", "run", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("cannot import name 'CONFIG_KEY_OF_ANOTHER_RELEASE'"), done.stderr


def test_methods_of_a_part_of_its_engine_can_be_replaced_and_put_back() -> None:
    """As tracing libraries do to `PregelLoop.tick` when they are loaded."""
    kind = absent("langgraph.pregel._loop", "PregelLoop")("PregelLoop")
    with patch.object(kind, "tick", lambda self: 1):
        assert kind.tick(None) == 1
    with pytest.raises(NotImplementedError, match=r"PregelLoop\.tick is a part of LangGraph's own engine"):
        kind.tick()
    assert not hasattr(kind, "_tick")


@pytest.mark.parametrize("name", ["langgraph.pregel._loop.PregelLoop", "langgraph.pregel._draw.draw_graph"])
def test_a_part_of_its_engine_says_so_when_it_is_used(name: str) -> None:
    module, _, part = name.rpartition(".")
    code = f"import {module} as m\ntry:\n    m.{part}()\nexcept NotImplementedError as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-m", "stepgraph.compat", "run", "-c", code], capture_output=True, text=True, check=True
    )
    assert f"{part} is a part of LangGraph's own engine" in done.stdout


async def given(*values: object) -> AsyncIterator[object]:
    for value in values:
        yield value


def test_what_tracing_libraries_wrap_beside_the_public_names_is_there() -> None:
    from stepgraph.compat.langgraph._internal import _runnable

    assert asyncio.run(_runnable._consume_aiter(given("a", "b"))) == "ab"
    assert asyncio.run(_runnable._consume_aiter(given({"a": 1}, {"b": 2}))) == {"b": 2}
    assert asyncio.run(_runnable._consume_aiter(given())) is None
