"""The import hook: which modules `import langgraph…` gives, with and without LangGraph's distributions."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SITE = next(path for path in sys.path if (Path(path) / "langgraph" / "graph").is_dir())


def run(
    code: str, *, folder: Path, how: tuple[str, ...] = ("-m", "stepgraph.compat", "run"), **environment: str
) -> str:
    """What a program prints that runs under the hook."""
    program = folder / "app.py"
    program.write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, *how, str(program), "one", "two"],
        capture_output=True, text=True, timeout=100, env={**os.environ, **environment}, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_program_gets_this_engine_and_its_own_arguments(tmp_path: Path) -> None:
    printed = run(
        """
        import sys
        from typing import TypedDict
        from langgraph.graph import START, StateGraph
        class State(TypedDict):
            x: int
        app = StateGraph(State).add_node("a", lambda s: {"x": s["x"] + 1}).add_edge(START, "a").compile()
        print(app.invoke({"x": 1}), isinstance(app.builder, __import__("stepgraph").StateGraph), sys.argv[1:], __name__)
        """,
        folder=tmp_path,
    )
    assert printed == "{'x': 2} True ['one', 'two'] __main__"


def test_classes_are_the_same_under_both_names(tmp_path: Path) -> None:
    printed = run(
        """
        import stepgraph, langgraph.types, langgraph.graph.state, langgraph.errors, langgraph.channels.topic
        import stepgraph.compat.langgraph.types as mirror
        print(
            langgraph.types is mirror, langgraph.types.Command is stepgraph.Command,
            langgraph.graph.state.StateGraph is stepgraph.StateGraph,
            langgraph.errors.GraphRecursionError is stepgraph.GraphRecursionError,
            langgraph.channels.topic.Topic is stepgraph.Topic,
        )
        """,
        folder=tmp_path,
    )
    assert printed == "True True True True True"


def test_neighbours_of_the_engine_come_from_their_own_distributions(tmp_path: Path) -> None:
    printed = run(
        """
        import langgraph.checkpoint.memory, langgraph.store.base, langgraph.cache.memory, langgraph.checkpoint.sqlite
        from langgraph import cache, checkpoint, store
        modules = [checkpoint.memory, checkpoint.sqlite, store.base, cache.memory]
        print({"site-packages" in module.__file__ for module in modules})
        """,
        folder=tmp_path,
    )
    assert printed == "{True}"


def test_importing_install_is_the_same_as_run(tmp_path: Path) -> None:
    code = """
        import stepgraph.compat.install
        from langgraph.graph import StateGraph
        print(StateGraph.__module__)
        """
    assert run(code, folder=tmp_path, how=()) == "stepgraph.graph.builder"


def test_it_is_too_late_once_langgraph_runs(tmp_path: Path) -> None:
    code = """
        import langgraph.graph
        try:
            import stepgraph.compat.install
        except ImportError as error:
            print(error)
        """
    message = run(code, folder=tmp_path, how=())
    assert "LangGraph's own engine is imported already" in message
    assert "python -m stepgraph.compat run" in message


def test_modules_and_code_run_too(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("import langgraph.graph as g, sys; print(g.__name__, sys.argv[1:])")
    start = [sys.executable, "-m", "stepgraph.compat", "run"]
    for arguments in (["-m", "mod", "x"], ["-c", "import mod", "x"]):
        done = subprocess.run([*start, *arguments], capture_output=True, text=True, cwd=tmp_path, check=True)
        assert done.stdout.strip() == "stepgraph.compat.langgraph.graph ['x']"


def test_a_wrong_command_line_says_how_to_use_it(tmp_path: Path) -> None:
    start = [sys.executable, "-m", "stepgraph.compat"]
    done = subprocess.run(start, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run app.py" in done.stderr
    done = subprocess.run([*start, "run", "none.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "There is no file 'none.py'" in done.stderr


def test_a_part_of_the_engine_that_is_not_here_is_not_taken_from_langgraph(tmp_path: Path) -> None:
    code = """
        try:
            import langgraph.pregel._no_such_module
        except ModuleNotFoundError as error:
            print(error)
        """
    assert "programs run on stepgraph here" in run(code, folder=tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with everything that is installed except what LangGraph's distributions bring."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for each in Path(SITE).iterdir():
        if not each.name.startswith(("langgraph", "__editable__", "_")) and each.suffix != ".pth":
            (folder / each.name).symlink_to(each)
    return folder


ISOLATED = """
        import sys
        sys.path[:] = [path for path in sys.path if "site-packages" not in path]
        sys.path += [{bare!r}, {source!r}]
        import stepgraph.compat.install
"""
SOURCE = str(Path(__file__).resolve().parents[2] / "src")


def isolated(bare: Path, code: str) -> str:
    """Run without the installed packages but those in `bare`."""
    return run(ISOLATED.format(bare=str(bare), source=SOURCE) + code, folder=bare.parent, how=("-S",))


def test_it_works_where_nothing_of_langgraph_is_installed(bare: Path) -> None:
    printed = isolated(
        bare,
        """
        from typing import TypedDict
        from langgraph.graph import START, StateGraph
        class State(TypedDict):
            x: int
        from langgraph.checkpoint.memory import InMemorySaver
        from langgraph.checkpoint.sqlite import SqliteSaver
        builder = StateGraph(State).add_node("a", lambda s: {"x": s["x"] + 1}).add_edge(START, "a")
        config = {"configurable": {"thread_id": "t"}}
        app = builder.compile(checkpointer=InMemorySaver())
        print(app.invoke({"x": 1}, config), len(list(app.get_state_history(config))))
        with SqliteSaver.from_conn_string("runs.db") as saver:
            print(builder.compile(checkpointer=saver).invoke({"x": 2}, config))
        try:
            import langgraph.supervisor
        except ImportError as error:
            print(error)
        """,
    )
    assert printed.splitlines() == ["{'x': 2} 3", "{'x': 3}", "No module named 'langgraph.supervisor'"]


def test_agents_are_ours_where_nothing_of_langgraph_is_installed(bare: Path) -> None:
    printed = isolated(
        bare,
        """
        from langchain_core.language_models import GenericFakeChatModel
        from langchain_core.messages import AIMessage
        from langgraph.prebuilt import ToolNode, create_react_agent
        from langgraph.prebuilt.interrupt import HumanInterrupt
        model = GenericFakeChatModel(messages=iter([AIMessage("hello")]))
        print(create_react_agent(model, []).invoke({"messages": [("user", "hi")]})["messages"][-1].content)
        print(ToolNode.__module__, sorted(HumanInterrupt.__annotations__))
        """,
    )
    assert printed.splitlines() == [
        "hello",
        "stepgraph.prebuilt.tool_node ['action_request', 'config', 'description']",
    ]


def test_stores_and_caches_are_ours_where_nothing_of_langgraph_is_installed(bare: Path) -> None:
    printed = isolated(
        bare,
        """
        import asyncio
        from typing import TypedDict
        from langgraph.cache.memory import InMemoryCache
        from langgraph.cache.sqlite import SqliteCache
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
        from langgraph.graph import START, StateGraph
        from langgraph.store.base import BaseStore, GetOp, Item, NotProvided, PutOp, SearchOp
        from langgraph.store.base.batch import AsyncBatchedBaseStore
        from langgraph.store.memory import InMemoryStore
        from langgraph.store.sqlite import SqliteStore
        from langgraph.store.sqlite.aio import AsyncSqliteStore
        from langgraph.types import CachePolicy
        class State(TypedDict):
            x: int
        calls = []
        def node(s: State, store: BaseStore) -> dict:
            calls.append(s["x"])
            store.put(("a",), "k", {"x": s["x"]})
            return {"x": len(store.search(("a",)))}
        def app(store, cache=None, checkpointer=None):
            builder = StateGraph(State).add_node("n", node, cache_policy=CachePolicy()).add_edge(START, "n")
            return builder.compile(store=store, cache=cache, checkpointer=checkpointer)
        with SqliteStore.from_conn_string("memories.db", ttl={"default_ttl": 1}) as kept:
            kept.setup()
            kept.start_ttl_sweeper(10)
            for store in (InMemoryStore(), kept):
                for cache in (InMemoryCache(), SqliteCache(path=":memory:")):
                    graph = app(store, cache)
                    print(graph.invoke({"x": 7}), graph.invoke({"x": 7}), calls, type(store.get(("a",), "k")) is Item)
                    calls.clear()
        async def main():
            async with AsyncSqliteStore.from_conn_string(":memory:") as store:
                await store.setup()
                async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
                    graph = app(store, None, saver)
                    config = {"configurable": {"thread_id": "t"}}
                    print(await graph.ainvoke({"x": 1}, config), (await graph.aget_state(config)).values)
        asyncio.run(main())
        """,
    )
    assert printed.splitlines() == ["{'x': 1} {'x': 1} [7] True"] * 4 + ["{'x': 1} {'x': 1}"]


def test_ours_fill_the_gaps_between_what_is_installed(bare: Path) -> None:
    (bare / "langgraph").mkdir()
    for name in ("checkpoint", "store"):
        (bare / "langgraph" / name).symlink_to(Path(SITE) / "langgraph" / name)
    printed = isolated(
        bare,
        """
        import langgraph.checkpoint.memory, langgraph.store.memory, langgraph.cache.memory
        print(langgraph.checkpoint.memory.InMemorySaver.__module__, langgraph.store.memory.InMemoryStore.__module__)
        print(langgraph.cache.memory.InMemoryCache.__module__)
        """,
    )
    assert printed.splitlines() == ["langgraph.checkpoint.memory langgraph.store.memory", "stepgraph.cache.memory"]


def test_it_works_where_only_the_checkpoint_package_is_installed(bare: Path) -> None:
    (bare / "langgraph").mkdir()
    for name in ("checkpoint", "store", "cache"):
        (bare / "langgraph" / name).symlink_to(Path(SITE) / "langgraph" / name)
    printed = isolated(
        bare,
        """
        from langgraph.graph import StateGraph
        from langgraph.checkpoint.memory import InMemorySaver
        print(StateGraph.__module__, InMemorySaver.__module__)
        """,
    )
    assert printed == "stepgraph.graph.builder langgraph.checkpoint.memory"


def test_a_folder_that_comes_later_adds_to_the_package(tmp_path: Path) -> None:
    (tmp_path / "more" / "langgraph" / "plugin").mkdir(parents=True)
    (tmp_path / "more" / "langgraph" / "plugin" / "__init__.py").write_text("from langgraph.graph import StateGraph")
    code = """
        import sys, langgraph.graph
        sys.path.append("more")
        import langgraph.plugin
        print(langgraph.plugin.StateGraph.__module__)
        """
    assert run(code, folder=tmp_path) == "stepgraph.graph.builder"


def test_a_module_of_ours_that_was_loaded_before_has_all_its_names_too(tmp_path: Path) -> None:
    code = """
        import stepgraph.compat.langgraph.graph.state, stepgraph.compat.langgraph.types
        import stepgraph.compat.install
        from langgraph.graph.state import RunnableConfig, StateNodeSpec
        from langgraph.types import CheckpointMetadata
        print(RunnableConfig.__module__, StateNodeSpec.__module__, CheckpointMetadata.__module__)
        """
    assert run(code, folder=tmp_path, how=()).startswith("langchain_core.runnables.config ")


def test_the_main_module_is_the_programs_also_when_its_last_line_has_run(tmp_path: Path) -> None:
    """Threads and exit functions look names up in it: schemas, pickles."""
    printed = run(
        """
        from __future__ import annotations
        import atexit, pickle, sys, threading
        from typing import TypedDict
        from langgraph.graph import START, StateGraph
        class State(TypedDict):
            x: Number
        Number = int
        class Mine: ...
        def late():
            threading.main_thread().join()
            app = StateGraph(State).add_node("a", lambda s: {"x": s["x"] + 1}).add_edge(START, "a").compile()
            print(app.invoke({"x": 1}))
        threading.Thread(target=late).start()
        atexit.register(lambda: print(type(pickle.loads(pickle.dumps(Mine()))) is Mine, __file__, __spec__))
        """,
        folder=tmp_path,
    )
    assert printed.splitlines() == ["{'x': 2}", f"True {tmp_path / 'app.py'} None"]


def test_code_is_compiled_as_it_stands_and_is_the_main_module(tmp_path: Path) -> None:
    code = """
import pickle
class A:
    x: int
print(A.__annotations__["x"] is int, type(pickle.loads(pickle.dumps(A()))))
"""
    command = [sys.executable, "-m", "stepgraph.compat", "run", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "True <class '__main__.A'>"


def test_folders_and_packages_run_too(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import sys; print(__file__, __package__, *sys.argv[1:])")
    for how, name in ((["package"], ""), (["-m", "package"], "package")):
        command = [sys.executable, "-m", "stepgraph.compat", "run", *how, "x"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert done.stdout.split() == [str(tmp_path / "package" / "__main__.py"), *filter(None, [name]), "x"]


@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_processes_of_multiprocessing_have_the_hook_too(tmp_path: Path, how: str) -> None:
    code = f"""
        import multiprocessing
        from langgraph.graph import StateGraph
        from langgraph.types import Command
        def work(command):
            return StateGraph.__module__, isinstance(command, Command)
        if __name__ == "__main__":
            with multiprocessing.get_context({how!r}).Pool(1) as pool:
                print(*pool.map(work, [Command(goto="a")]))
        """
    assert run(code, folder=tmp_path) == "('stepgraph.graph.builder', True)"
    late = "import multiprocessing.spawn, stepgraph.compat.install" + textwrap.dedent(code)
    assert run(late, folder=tmp_path, how=()) == "('stepgraph.graph.builder', True)"


def test_own_agents_are_so_in_processes_too_and_without_the_hook_nothing_is_done() -> None:
    code = """
import pickle, sys
from stepgraph.compat import hook
hook.install(own_prebuilt=True)
from multiprocessing import spawn
data = spawn.get_preparation_data("child")
hook.uninstall()
print(sorted(spawn.get_preparation_data("child").keys() ^ data.keys()), hook.installed())
pickle.loads(pickle.dumps(data["langgraph"]))
from langgraph.prebuilt import ToolNode
print(hook.installed(), ToolNode.__module__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['langgraph'] False", "True stepgraph.prebuilt.tool_node"]
