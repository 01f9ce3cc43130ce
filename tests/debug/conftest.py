"""Graphs that count how often their nodes run, each under a session of its own."""

from __future__ import annotations

import pytest

from stepgraph.debug import session as sessions
from tests.debug.support import Support


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch):
    """Sessions live as long as a kernel; each test is a new one."""
    monkeypatch.setattr(sessions, "_sessions", {})


@pytest.fixture
def support():
    made = Support()
    yield made
    made.end()
