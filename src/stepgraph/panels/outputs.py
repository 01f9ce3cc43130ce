"""The still pictures of a panel in the notebook: outputs beside it that stay when kernel and panel are gone."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from uuid import uuid4

KEPT = 20
"""Cells that show the run and get their still picture renewed."""


class Stills:
    """One output a cell, hidden while the panel is live. `draw` makes the HTML; any thread may renew them."""

    def __init__(self, draw: Callable[[], str]) -> None:
        self._draw = draw
        self._shown: dict[str, str] = {}
        self._lock = RLock()

    def publish(self) -> None:
        """Add an output to the cell that runs now."""
        from IPython.display import display

        with self._lock:
            name = f"stepgraph-{uuid4().hex}"
            self._shown[name] = content = self._draw()
            for oldest in list(self._shown)[:-KEPT]:
                del self._shown[oldest]
            display(_bundle(content), raw=True, display_id=name)  # type: ignore[no-untyped-call]  # IPython has no types

    def renew(self, *, always: bool = False) -> None:
        """Bring each output up to date if it would differ, or always."""
        from IPython.display import update_display

        with self._lock:
            content = self._draw() if self._shown else ""
            for name, before in self._shown.items():
                if always or before != content:
                    self._shown[name] = content
                    update_display(_bundle(content), raw=True, display_id=name)  # type: ignore[no-untyped-call]  # the same


def _bundle(content: str) -> dict[str, str]:
    return {"text/html": content, "text/plain": "the run as it was last shown"}
