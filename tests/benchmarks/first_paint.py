"""From running a cell that shows a run to the first paint of its panel, in a fresh kernel and in one that has panels.

    python tests/benchmarks/first_paint.py [--kernels 5]

`debug(graph)` loads what a panel needs on a thread, so a fresh kernel is measured twice: the panel is shown as soon as
`debug` has returned, and when that thread is done. The time is told in three parts: until the kernel begins the cell,
until it has sent the panel, until the page has painted it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import NamedTuple

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
moments = {}
get_ipython().events.register("post_execute", lambda: moments.setdefault("sent", time.time()))
"""
SHOW = """
moments.clear()
moments["begun"], cpu = time.time(), time.thread_time()
run = dbg.start({"text": ""})
run
"""
AFTER = "print(1_000 * (time.thread_time() - cpu), moments['begun'], moments['sent'])"
LOADED = """
import threading
for thread in threading.enumerate():
    if thread.name == "stepgraph warms up":
        thread.join()
"""
WATCH = """() => {
  document.querySelectorAll(".sg-root").forEach((root) => root.setAttribute("data-old", ""));
  window.painted = undefined;
  window.begin = performance.now();
  const seen = new MutationObserver(() => {
    if (!document.querySelector(".sg-root:not([data-old]) .sg-title") || window.painted !== undefined) return;
    window.painted = 0;
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
    seen.disconnect();
  });
  seen.observe(document.body, { childList: true, subtree: true });
}"""


class Paint(NamedTuple):
    """Milliseconds: all, its three parts, and what the main thread of the kernel worked."""

    total: float
    begun: float
    sent: float
    painted: float
    cpu: float


def shown(book: Notebook) -> Paint:
    """Run the cell and wait for the paint."""
    book.page.evaluate(WATCH)
    book.run_cell(1)
    book.page.wait_for_function("() => window.painted > 0", timeout=120_000)
    begin, painted = book.page.evaluate("() => [begin, painted].map((each) => performance.timeOrigin + each)")
    cpu, begun, sent = map(float, book.run_source(2, AFTER).split())
    return Paint(painted - begin, 1_000 * begun - begin, 1_000 * (sent - begun), painted - 1_000 * sent, cpu)


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
        middle = Paint(*map(statistics.median, zip(*found, strict=True)))
        good &= verdict(f"{name}: first paint, median of {len(found)}", middle.total, 300, "ms")
        print(
            f"    cell begins {middle.begun:.0f}, panel sent {middle.sent:.0f} (CPU {middle.cpu:.0f}), "
            f"page {middle.painted:.0f}; worst {max(found).total:.0f} ms"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
