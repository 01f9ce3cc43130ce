"""Graphs that count how often their nodes run, each under a session of its own."""

from __future__ import annotations

import pytest

from stepgraph.debug import session as sessions
from tests.debug.support import Support, end_runs


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch):
    """Sessions live as long as a kernel; each test is a new one, and leaves no run to the next."""
    monkeypatch.setattr(sessions, "_sessions", {})
    yield
    end_runs()


@pytest.fixture
def support():
    made = Support()
    yield made
    made.end()
