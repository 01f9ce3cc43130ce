"""The debugger in a real kernel: ■ while a cell waits, prints, a restart with a held run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from tests.debug.support import burden

pytestmark = pytest.mark.kernels
ROOT = Path(__file__).parents[2]
SECONDS = 60
SETUP = """
from tests.debug.left import Shapes
from tests.debug.support import held, finished
dbg = Shapes({db!r}).session("chain")
dbg.stop("after:b")
run = dbg.start({{"seen": []}}, thread="t1")
held(run)
run.attend("a person", "block")
"""
WAITS = """
import sys, threading, time
cell = threading.get_ident()
def tell():
    frame = None
    while frame is None or frame.f_code.co_name != "wait_for":
        time.sleep(0.01)
        frame = sys._current_frames()[cell]
        while frame is not None and frame.f_code.co_name != "wait_for":
            frame = frame.f_back
    print("waiting", flush=True)
threading.Thread(target=tell).start()
run.wait()
"""
"""Says so once the cell blocks."""


class Kernel:
    """A kernel and a client that runs cells and collects what they show."""

    def __init__(self) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(cwd=str(ROOT), extra_arguments=["--HistoryManager.enabled=False"])
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def start(self, code: str) -> str:
        return self.client.execute(code)

    def shown(self, request: str) -> tuple[str, list[str]]:
        """What a cell printed, and the name and message of its error."""
        text, error = "", []
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    text += content["text"]
                case "error":
                    error = [content["ename"], content["evalue"]]
                case "status" if content["execution_state"] == "idle":
                    return text, error

    def run(self, code: str) -> tuple[str, list[str]]:
        return self.shown(self.start(code))

    def until(self, request: str, text: str) -> None:
        """Read on until the cell has printed `text`."""
        seen = ""
        while text not in seen:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == request:
                seen += message["content"]["text"]


@pytest.fixture
def kernel():
    made = Kernel()
    yield made
    made.client.stop_channels()
    made.manager.shutdown_kernel(now=True)


def test_interrupting_a_cell_that_awaits_leaves_the_run_held(kernel, tmp_path):
    assert kernel.run(SETUP.format(db=str(tmp_path / "runs.db")))[1] == []
    request = kernel.start("print('waiting', flush=True)\nawait run")
    kernel.until(request, "waiting")
    kernel.manager.interrupt_kernel()
    _, error = kernel.shown(request)
    assert error[0] == "HeldError"
    assert "Stopped waiting; nothing is lost: Run run-1 is held at after:b (request r1)" in error[1]
    assert kernel.run("print(run.status)") == ("held\n", [])
    assert kernel.run("run.go(); print((await run)['seen'])") == ("['a', 'b', 'c']\n", [])


def test_interrupting_a_cell_that_blocks_leaves_the_run_held(kernel, tmp_path):
    assert kernel.run(SETUP.format(db=str(tmp_path / "runs.db")))[1] == []
    request = kernel.start(WAITS)
    kernel.until(request, "waiting")
    kernel.manager.interrupt_kernel()
    _, error = kernel.shown(request)
    assert error[0] == "HeldError"
    assert "Stopped waiting; nothing is lost: Run run-1 is held at after:b (request r1)" in error[1]
    assert kernel.run("print(run.status)") == ("held\n", [])


def test_awaiting_what_nobody_answers_says_so_in_a_cell(kernel, tmp_path):
    kernel.run(SETUP.format(db=str(tmp_path / "runs.db")).replace('run.attend("a person", "block")', ""))
    _, error = kernel.run("await run")
    assert error[0] == "HeldError"
    assert "nobody who could answer is there" in error[1]


def test_prints_of_nodes_go_to_the_cell_that_started_the_run(kernel):
    kernel.run("""
from stepgraph.core.types import START
from stepgraph.debug import debug
from stepgraph.graph.builder import StateGraph
from tests.debug.support import State, finished, held
def speak(state):
    print("from the node")
dbg = debug(StateGraph(State).add_node(speak).add_edge(START, "speak").compile(name="speaking"))
dbg.stop("before:speak")
""")
    first = kernel.start("run = dbg.start({'question': 'x'}); _ = held(run)")
    kernel.shown(first)
    second = kernel.start("run.go(); _ = finished(run); print(repr(run.stdout))")
    heard: dict[str, str] = {}
    while "from the node" not in heard.get(first, "") or "'" not in heard.get(second, ""):
        message = kernel.client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == "stream":
            parent = message["parent_header"]["msg_id"]
            heard[parent] = heard.get(parent, "") + message["content"]["text"]
    assert heard == {first: "from the node\n", second: "'from the node\\n'\n"}


def test_a_restart_with_a_held_run_ends_the_kernel_soon_and_the_run_is_reopened(kernel, tmp_path):
    db = str(tmp_path / "runs.db")
    kernel.run(SETUP.format(db=db))
    load = burden()
    start = time.monotonic()
    kernel.client.shutdown(restart=True)
    while kernel.manager.is_alive():
        assert time.monotonic() - start < SECONDS
    assert time.monotonic() - start < 2 * load
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=SECONDS)
    reopened = kernel.run(f"""
from tests.debug.left import Shapes
from tests.debug.support import held, finished
shapes = Shapes({db!r})
run = shapes.session("chain").open("t1")
print(held(run)[0].title)
run.go()
print(finished(run).result["seen"], sorted(shapes.calls().values()))
""")
    assert reopened == ("after:b\n['a', 'b', 'c'] [1, 1, 1]\n", [])


def test_what_a_panel_needs_is_loaded_while_the_cell_goes_on(kernel: Kernel) -> None:
    """The first panel of a kernel waits for no import."""
    code = """
import sys, threading
from stepgraph import StateGraph
from stepgraph.debug import debug
graph = StateGraph(dict)
graph.add_node("a", lambda state: None)
graph.set_entry_point("a")
debug(graph.compile())
for thread in threading.enumerate():
    if thread.name == "stepgraph warms up":
        thread.join()
print("stepgraph.panels.run_panel" in sys.modules, "pydantic" in sys.modules)
"""
    assert kernel.run(code) == ("True True\n", [])
