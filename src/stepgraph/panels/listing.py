"""What belongs to a session rather than to one run: the branches and the stops, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepgraph.debug.run import Run
    from stepgraph.debug.stops import Stop


def listing(run: Run) -> dict[str, Any]:
    """The branches of the tree that `run` is part of, and its session's stops."""
    return {
        "session": run.session.name,
        "branches": [_branch(each) for each in run.tree()],
        "stops": [_stop(each) for each in run.session.stops],
    }


def parent_of(run: Run) -> list[Any] | None:
    """[run id, step] of where a fork left its parent."""
    return None if run.parent is None else [run.parent[0].id, run.parent[1]]


def _branch(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "branch": run.branch,
        "note": run.note,
        "parent": parent_of(run),
        "status": run.status,
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        "id": stop.id,
        "spec": stop.spec,
        "kind": stop.kind,
        "when": stop.when_text,
        "enabled": stop.enabled,
        "hits": stop.hits,
        "allow": list(stop.allow),
        "problem": stop.problem,
    }
