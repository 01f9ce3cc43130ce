"""From a click on Approve to the start of the next node, in Chromium: 100 clicks, alone and beside a busy node.

    python tests/benchmarks/click_latency.py [--clicks 100]

The page notes the wall-clock time at which the click is dispatched, the node that of its first line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from _page import Notebook, notebook, verdict

CELLS = [
    """
    import json, time
    from typing import TypedDict
    from stepgraph import END, START, StateGraph
    from stepgraph.debug import debug

    class Count(TypedDict, total=False):
        n: int

    starts = []

    def tick(state):
        starts.append(time.time())
        return {"n": state["n"] + 1}

    loop = StateGraph(Count)
    loop.add_node("tick", tick)
    loop.add_edge(START, "tick")
    loop.add_conditional_edges("tick", lambda state: "tick" if state["n"] < 100_000 else END, ["tick", END])
    dbg = debug(loop.compile(name="ticking"))
    dbg.stop("after:tick")
    run = dbg.start({"n": 0}, config={"recursion_limit": 1_000_000})
    run
    """,
    "",
]
BUSY = """
burning = True
def burn(state):
    x = 0
    while burning:
        x += 1
    return {"n": x}
hot = StateGraph(Count)
hot.add_node("burn", burn)
hot.add_edge(START, "burn")
hot.add_edge("burn", END)
busy = debug(hot.compile(name="burning")).start({"n": 0})
"""
LISTEN = """() => {
  window.clicks = [];
  const note = (event) => {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    if (event.target.closest?.('[data-verb="approve"]')) window.clicks.push(now);
  };
  window.addEventListener("click", note, { capture: true });
}"""


def measure(page_notebook: Notebook, clicks: int) -> list[float]:
    """Milliseconds from each click to the start of the next body."""
    panel = page_notebook.panel().until_live().until_stopped_at("after:tick")
    page_notebook.page.evaluate("() => { window.clicks = []; }")
    seen = page_notebook.run_source(1, "print(len(starts))")
    first = int(seen)
    for _ in range(clicks):
        known = panel.root.locator(".sg-cardhead .sg-note").inner_text()
        panel.root.locator('[data-verb="approve"]:enabled').click()
        page_notebook.page.wait_for_function(
            "(known) => ![undefined, known].includes(document.querySelector('.sg-cardhead .sg-note')?.textContent)",
            arg=known,
        )
    clicked = page_notebook.page.evaluate("() => window.clicks")
    starts = json.loads(page_notebook.run_source(1, f"print(json.dumps(starts[{first}:]))"))
    return [(start - click) * 1000 for click, start in zip(clicked, starts, strict=True)]


def main() -> int:
    """Print both figures; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=100)
    clicks = parser.parse_args().clicks
    with notebook(CELLS) as book:
        book.page.evaluate(LISTEN)
        book.run_cell(0)
        alone = measure(book, clicks)
        good = verdict(f"click to next node, median of {clicks}", statistics.median(alone), 50, "ms")
        print(f"    90 % {sorted(alone)[int(clicks * 0.9) - 1]:.1f} ms, worst {max(alone):.1f} ms")
        book.run_source(1, BUSY)
        beside = measure(book, clicks)
        good &= verdict(f"beside a CPU-bound sync node, median of {clicks}", statistics.median(beside), 100, "ms")
        print(f"    90 % {sorted(beside)[int(clicks * 0.9) - 1]:.1f} ms, worst {max(beside):.1f} ms")
        book.run_source(1, "burning = False")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
