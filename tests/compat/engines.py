"""Our engine on LangGraph's checkpointers, in the words of the differential tests."""

from __future__ import annotations

from tests.differential.engines import Engine, ours, reference


def ours_on_theirs() -> Engine:
    """stepgraph, with LangGraph's memory and file savers."""
    made, theirs = ours(), reference()
    return Engine(made.name, made.words, theirs.savers)
