"""What the package gives, alone and beside LangGraph's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph import prebuilt as theirs

from stepgraph import prebuilt as ours
from stepgraph.prebuilt.calling import at_once

PINNED = [
    "InjectedState",
    "InjectedStore",
    "ToolCallTransformer",
    "ToolNode",
    "ToolRuntime",
    "ValidationNode",
    "create_react_agent",
    "tools_condition",
]


def test_it_has_the_names_of_langgraphs() -> None:
    assert sorted(ours.__all__) == sorted(theirs.__all__) == PINNED
    assert all(hasattr(ours, name) for name in PINNED)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ours.nothing  # noqa: B018  asking is the test


def test_the_modules_under_the_hook_have_the_names_of_langgraphs() -> None:
    """Classes and functions that its modules define for others, and one that langgraph-supervisor takes."""
    folder = Path(theirs.__file__).parent
    kinds = (ast.ClassDef, ast.FunctionDef)
    wanted = {
        path.stem: sorted(
            each.name
            for each in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(each, kinds) and not each.name.startswith("_")
        )
        for path in folder.glob("*.py")
        if path.stem != "__init__"
    }
    wanted["chat_agent_executor"].append("_should_bind_tools")
    code = f"""
from importlib import import_module
for module, names in {wanted!r}.items():
    found = import_module(f"langgraph.prebuilt.{{module}}")
    assert found.__file__.startswith({str(Path(ours.__file__).parents[1])!r})
    print(*(f"{{module}}.{{name}}" for name in names if not hasattr(found, name)))
"""
    how = ["-m", "stepgraph.compat", "run", "--own-prebuilt", "-c", code]
    done = subprocess.run([sys.executable, *how], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_it_takes_no_place_that_is_taken() -> None:
    code = """
from stepgraph.compat.hook import install
install()
import langgraph.prebuilt
try:
    install(own_prebuilt=True)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "langgraph-prebuilt is imported already" in done.stdout


def test_without_langchain_core_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["langchain_core"] = None
from stepgraph import prebuilt
try:
    prebuilt.ToolNode
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        'stepgraph.prebuilt.ToolNode needs langchain-core: pip install "stepgraph[langchain]".'
    )


def test_tools_may_be_marked_with_langgraphs_classes() -> None:
    @tool
    def look(
        what: str,
        state: Annotated[dict[str, Any], theirs.InjectedState],
        topic: Annotated[str, theirs.InjectedState("topic")],
        runtime: theirs.ToolRuntime,
    ) -> str:
        """Look."""
        assert isinstance(runtime, theirs.ToolRuntime)
        return f"{what} {topic} {sorted(state)} {runtime.tool_call_id}"

    call = {"name": "look", "args": {"what": "here"}, "id": "1", "type": "tool_call"}
    node = ours.ToolNode([look])
    found = node.invoke({"messages": [AIMessage("", tool_calls=[call])], "topic": "t"})
    assert found["messages"][0].content == "here t ['messages', 'topic'] 1"


def test_a_lone_call_stays_on_this_thread_and_several_share_their_time() -> None:
    import threading

    here = threading.current_thread()
    assert at_once(lambda _: threading.current_thread(), [1], {}) == [here]
    together = threading.Barrier(3, timeout=10)
    assert sorted(at_once(lambda _: together.wait(), [1, 2, 3], {})) == [0, 1, 2]


def test_the_first_error_of_several_calls_is_raised_when_all_have_ended() -> None:
    ended = []

    def work(number: int) -> None:
        ended.append(number)
        if number:
            raise ValueError(str(number))

    with pytest.raises(ValueError, match="1"):
        at_once(work, [0, 1, 2], {})
    assert sorted(ended) == [0, 1, 2]
