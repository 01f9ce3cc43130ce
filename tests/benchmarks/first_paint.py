"""From running a cell that shows a run to the first paint of its panel, in a fresh kernel and in one that has panels.

    python tests/benchmarks/first_paint.py [--kernels 5]

`debug(graph)` loads what a panel needs on a thread, so a fresh kernel is measured twice: the panel is shown as soon as
`debug` has returned, and when that thread is done. What the kernel's main thread did meanwhile is CPU time.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from _page import Notebook, notebook, verdict

GRAPH = """
import time
from typing import TypedDict
from stepgraph import END, START, StateGraph
from stepgraph.debug import debug

class Note(TypedDict, total=False):
    text: str

graph = StateGraph(Note)
graph.add_node("write", lambda state: {"text": "written"})
graph.add_edge(START, "write")
graph.add_edge("write", END)
dbg = debug(graph.compile(name="first_paint"))
dbg.stop("after:write")
"""
SHOW = """
cpu = time.thread_time()
run = dbg.start({"text": ""})
run
"""
AFTER = "print(round(1_000 * (time.thread_time() - cpu), 1))"
LOADED = """
import threading
for thread in threading.enumerate():
    if thread.name == "stepgraph warms up":
        thread.join()
"""
WATCH = """() => {
  document.querySelectorAll(".sg-root").forEach((root) => root.setAttribute("data-old", ""));
  window.painted = undefined;
  const begin = performance.now();
  const seen = new MutationObserver(() => {
    if (!document.querySelector(".sg-root:not([data-old]) .sg-title") || window.painted !== undefined) return;
    window.painted = 0;
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now() - begin; }));
    seen.disconnect();
  });
  seen.observe(document.body, { childList: true, subtree: true });
}"""


def shown(book: Notebook) -> tuple[float, float]:
    """(milliseconds until the panel was painted, of CPU in the kernel's main thread)."""
    book.page.evaluate(WATCH)
    book.run_cell(1)
    book.page.wait_for_function("() => window.painted > 0", timeout=120_000)
    return float(book.page.evaluate("() => window.painted")), float(book.run_source(2, AFTER))


def restart(book: Notebook) -> None:
    """A fresh kernel that has run nothing."""
    kernel = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
    book.page.evaluate(f"async () => {{ await {kernel}.restart(); await {kernel}.info; }}")
    book.until_ready()


def main() -> int:
    """Print the figures; 1 if the panel of a loaded kernel takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=int, default=5)
    kernels = parser.parse_args().kernels
    at_once, later, again = [], [], []
    with notebook([GRAPH, SHOW, ""]) as book:
        for warm in (False, True) * kernels:
            restart(book)
            book.run_cell(0)
            if warm:
                book.run_source(2, LOADED)
            (later if warm else at_once).append(shown(book))
            again.append(shown(book))
    good = True
    for name, found in (
        ("fresh kernel, right after debug()", at_once),
        ("fresh kernel, packages loaded", later),
        ("second panel", again),
    ):
        paints, cpu = zip(*found, strict=True)
        good &= verdict(f"{name}: first paint, median of {len(found)}", statistics.median(paints), 300, "ms")
        print(f"    worst {max(paints):.0f} ms; main thread of the kernel {statistics.median(cpu):.0f} ms of CPU")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
