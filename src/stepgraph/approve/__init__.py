"""Requests to people and their decisions; works without the debugger."""

from stepgraph.approve.changes import Change
from stepgraph.approve.checks import Effect
from stepgraph.approve.judge import EditError, Problem
from stepgraph.approve.requests import Cause, Request
from stepgraph.approve.verbs import TABLE, VERBS

__all__ = ["TABLE", "VERBS", "Cause", "Change", "EditError", "Effect", "Problem", "Request"]
