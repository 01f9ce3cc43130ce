"""A run as text, and the way to its panel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from stepgraph.approve.text import SIGNS, error_name, request_text, short
from stepgraph.core.registry import displays

if TYPE_CHECKING:
    from stepgraph.debug.ledger import StepRow
    from stepgraph.debug.run import Run


def show(run: Run, include: Any, exclude: Any) -> Any:
    """The mimebundle for a front end: the panel where its packages are installed, and always the text."""
    text = {"text/plain": run_text(run)}
    if "IPython" not in sys.modules:
        return text
    try:
        display = displays.load("run")
    except (ImportError, AttributeError):
        return text
    return display(run, text, include, exclude)


def run_text(run: Run) -> str:
    """A stable text of the run: no times, no addresses of objects."""
    status = run.status
    note = f" “{run.note}”" if run.note else ""
    lines = [f"{SIGNS.get(status, '●')} {run.session.name} · {run.id} · branch {run.branch}{note} · {status}"]
    lines += [_step_text(row) for row in run.ledger.history()]
    for request in run.pending():
        lines.append(request_text(request))
    if not run.ended:
        lines += [f"  {rule.text}; until run.revoke({rule.id!r})" for rule in run.rules]
    if run.error is not None:
        lines.append(f"✗ {error_name(run.error)}: {run.error}")
    if status == "done":
        lines.append(f"  result: {short(run.result, 200)}")
    elif status in ("suspended", "interrupted") and not run.pending():
        lines.append(f"  goes on with run.go(), in another process with dbg.open({run.thread!r})")
    if not run.durable and status in ("held", "suspended", "interrupted"):
        lines.append("  not durable: the graph has no checkpointer, so the run ends with this process")
    return "\n".join(lines)


def _step_text(row: StepRow) -> str:
    decided = f" ({', '.join(row.decisions)})" if row.decisions else ""
    return f"  {row.step}  {', '.join(row.nodes) or ('input' if row.step <= 0 else row.source)}{decided}"
