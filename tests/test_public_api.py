"""What `import stepgraph` gives: the pinned names, quickly, and without third-party packages."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import stepgraph
from tests import services

PINNED = (
    "AnyValue",
    "BinaryOperatorAggregate",
    "CachePolicy",
    "ChannelWriteEntry",
    "Command",
    "CompiledStateGraph",
    "Decision",
    "END",
    "EmptyInputError",
    "EphemeralValue",
    "ExecutionInfo",
    "GraphCallbackHandler",
    "GraphDrained",
    "GraphInterrupt",
    "GraphInterruptEvent",
    "GraphOutput",
    "GraphRecursionError",
    "GraphResumeEvent",
    "Hub",
    "Interrupt",
    "InvalidUpdateError",
    "IsLastStep",
    "LastValue",
    "LastValueAfterFinish",
    "MessageGraph",
    "MessagesState",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "NodeBuilder",
    "NodeCancelledError",
    "NodeError",
    "NodeTimeoutError",
    "Overwrite",
    "Pause",
    "Pregel",
    "REMOVE_ALL_MESSAGES",
    "RemainingSteps",
    "RemoveMessage",
    "RetryPolicy",
    "RunControl",
    "RunnableConfig",
    "Runtime",
    "START",
    "Send",
    "ServerInfo",
    "StateGraph",
    "StateSnapshot",
    "StateUpdate",
    "StepgraphError",
    "StreamWriter",
    "TimeoutPolicy",
    "Topic",
    "TracePolicy",
    "UntrackedValue",
    "add_messages",
    "delete_ui_message",
    "entrypoint",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    "push_message",
    "push_ui_message",
    "task",
    "ui_message_reducer",
)
"""The names in `stepgraph.__all__`, sorted. A change here is a change of the public API and belongs in CHANGELOG.md."""

EAGER = ("stepgraph.core", "stepgraph.graph", "stepgraph.run", "stepgraph.schema")
"""What is loaded at once; `stepgraph.persist.memory` may be too. Everything else is loaded on first use."""


def test_the_public_names_are_the_pinned_ones() -> None:
    assert sorted(getattr(stepgraph, "__all__", ())) == list(PINNED)


def test_each_public_name_is_there_and_listed() -> None:
    missing = [name for name in PINNED if not hasattr(stepgraph, name)]
    assert missing == []
    assert set(PINNED) <= set(dir(stepgraph))


def test_the_version_is_the_one_that_is_installed() -> None:
    assert stepgraph.__version__ == version("stepgraph")


def test_a_misspelt_name_is_an_attribute_error() -> None:
    assert not hasattr(stepgraph, "StateGrpah")


def test_import_loads_no_third_party_package_and_no_optional_part() -> None:
    names = loaded()
    packages = {name.partition(".")[0] for name in names}
    assert packages - sys.stdlib_module_names == {"stepgraph"}
    persist = {"stepgraph.persist", "stepgraph.persist.memory"}
    assert {n for n in names if n.startswith("stepgraph.") and not n.startswith(EAGER)} - persist == set()


def test_import_takes_less_than_a_tenth_of_a_second_of_cpu(tmp_path: Path) -> None:
    """The best of many, in seconds of a quiet core: where others use the core, a loop of known length is slower too."""
    found = [import_seconds(tmp_path) for _ in range(10)]

    assert min(seconds * min(1.0, QUIET_LOOP / loop) for seconds, loop in found) < 0.1, found


def loaded() -> list[str]:
    """Names of the modules that a fresh interpreter loads for `import stepgraph`."""
    script = "import sys, json; old = set(sys.modules); import stepgraph; print(json.dumps([*set(sys.modules) - old]))"
    names: list[str] = json.loads(services.run([sys.executable, "-c", script]))
    return names


QUIET_LOOP = 0.045
"""CPU seconds that the loop below takes on a core that nobody else uses (Python 3.11, a cloud machine of 2025)."""


def import_seconds(compiled: Path) -> tuple[float, float]:
    """CPU seconds that a fresh interpreter takes for `import stepgraph`, and for a loop.

    Compiled modules are in `compiled`: where PYTHONDONTWRITEBYTECODE is set, every process would compile all anew.
    """
    script = (
        "from time import process_time as t; a = t(); import stepgraph; b = t(); n = 0\n"
        "for i in range(1_000_000): n += i\n"
        "print(b - a, t() - b)"
    )
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    told = services.run([sys.executable, "-X", f"pycache_prefix={compiled}", "-c", script], env=variables)
    seconds, loop = told.split()
    return float(seconds), float(loop)


def test_the_package_says_that_it_has_types() -> None:
    assert (Path(stepgraph.__file__).parent / "py.typed").is_file()
