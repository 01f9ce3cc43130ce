"""Our stores and caches among LangGraph's: `isinstance` holds both ways, and operations of either are understood."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.store.base import BaseStore, GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

import stepgraph.cache
import stepgraph.store
from stepgraph.compat import as_langgraph_saver, from_langgraph_saver


def test_a_store_is_one_on_both_sides() -> None:
    assert isinstance(stepgraph.store.InMemoryStore(), BaseStore)
    assert isinstance(InMemoryStore(), stepgraph.store.BaseStore)
    assert not isinstance(InMemoryStore(), stepgraph.store.InMemoryStore)
    assert not isinstance(stepgraph.store.InMemoryStore(), InMemoryStore)
    assert not isinstance(object(), (BaseStore, stepgraph.store.BaseStore))


def test_a_cache_is_one_on_both_sides() -> None:
    assert isinstance(stepgraph.cache.InMemoryCache(), BaseCache)
    assert isinstance(InMemoryCache(), stepgraph.cache.BaseCache)
    assert not isinstance(InMemoryCache(), stepgraph.cache.InMemoryCache)
    assert not isinstance(stepgraph.cache.InMemoryCache(), BaseStore)


def test_a_store_takes_the_operations_of_langgraph(tmp_path: Path) -> None:
    found = []
    for store in (
        InMemoryStore(),
        stepgraph.store.InMemoryStore(),
        stepgraph.store.SqliteStore(str(tmp_path / "store.db")),
    ):
        made: Any = store
        made.batch([PutOp(("a", "b"), "k", {"n": 1}), PutOp(("a", "c"), "l", {"n": 2})])
        item, items, spaces, nothing = made.batch(
            [
                GetOp(("a", "b"), "k"),
                SearchOp(("a",), filter={"n": {"$gt": 1}}),
                ListNamespacesOp(match_conditions=(MatchCondition("suffix", ("c",)),)),
                PutOp(("a", "b"), "k", None),
            ]
        )
        found.append((item.value, [each.value for each in items], spaces, nothing, made.get(("a", "b"), "k")))
    assert found == [({"n": 1}, [{"n": 2}], [("a", "c")], None, None)] * 3


TOOL = """
    import warnings
    warnings.simplefilter("ignore")
    {first}
    import stepgraph.compat.install
    from typing import Annotated
    from langchain_core.messages import AIMessage
    from langchain_core.tools import tool
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import InjectedStore, ToolNode
    from langgraph.store.base import BaseStore
    from stepgraph.store import InMemoryStore
    store = {store}
    store.put(("a",), "b", {{"n": 1}})

    @tool
    def look(what: str, store: Annotated[BaseStore, InjectedStore()]) -> str:
        "Look it up."
        return str(store.get(("a",), what).value)

    calls = [{{"name": "look", "args": {{"what": "b"}}, "id": "1"}}]
    app = StateGraph(MessagesState).add_node("tools", ToolNode([look])).add_edge(START, "tools").compile(store=store)
    print(app.invoke({{"messages": [AIMessage("", tool_calls=calls)]}})["messages"][-1].content)
"""


@pytest.mark.parametrize(
    "store", ["InMemoryStore()", "__import__('langgraph.store.memory').store.memory.InMemoryStore()"]
)
@pytest.mark.parametrize("first", ["", "import stepgraph.store", "import langgraph.store.base"])
def test_a_tool_that_names_langgraphs_store_takes_either(store: str, first: str, tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(textwrap.dedent(TOOL).format(store=store, first=first))
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=100, env=dict(os.environ), check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("{'n': 1}", 0), done.stderr


def test_what_is_no_saver_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"takes a checkpointer of stepgraph\.persist, such as MemoryCheckpointer\(\)"):
        as_langgraph_saver("memory")
    with pytest.raises(TypeError, match=r"takes a BaseCheckpointSaver of LangGraph's; 3 is none"):
        from_langgraph_saver(3)


KINDS = {
    "theirs": "from langgraph.store.base import BaseStore as Theirs",
    "ours": "from stepgraph.store import BaseStore, InMemoryStore",
    "made": "found = InMemoryStore()",
    "own": "class Own(BaseStore):\n    batch = abatch = None\nfound = Own()",
    "theirs made": "import langgraph.store.memory\nfound = langgraph.store.memory.InMemoryStore()",
    "compiled": "from stepgraph import MessagesState, START, StateGraph\n"
    "StateGraph(MessagesState).add_node('a', str).add_edge(START, 'a').compile(store=found)",
}


@pytest.mark.parametrize(
    "steps",
    [
        ("ours", "made", "theirs", "compiled"),
        ("ours", "theirs", "own"),
        ("ours", "theirs", "made"),
        ("ours", "theirs made", "theirs"),
        ("theirs", "ours", "made"),
        ("theirs", "ours", "own"),
        ("theirs", "ours", "theirs made"),
    ],
    ids=" then ".join,
)
def test_without_the_hook_stores_are_each_others_in_any_order(steps: tuple[str, ...]) -> None:
    lines = [*(KINDS[step] for step in steps), "print(isinstance(found, Theirs), isinstance(found, BaseStore))"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
