"""Errors of a person who waits: a run that is held, a thread that is busy."""

from stepgraph.core.errors import StepgraphError


class HeldError(StepgraphError):
    """A run is held for a person: waiting for it would keep the answer from coming, or its thread is taken by it."""
