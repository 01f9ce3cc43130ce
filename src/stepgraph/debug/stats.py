"""What happened in a run, counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """How often things happened. `reruns` counts bodies run again because of a stop: it stays 0."""

    tasks: int = 0
    steps: int = 0
    reruns: int = 0
    retries: int = 0
    asked: int = 0
    """Bodies run again because a person said so."""
    interrupts: int = 0
    """Bodies entered again, in another process, to answer what they had asked."""
    routers: int = 0
    decisions: int = 0
