"""The debugger: `debug(graph)` gives a session with stops, gates and runs that people or programs decide."""

from stepgraph.debug.errors import HeldError
from stepgraph.debug.session import Session, debug

__all__ = ["HeldError", "Session", "debug"]
