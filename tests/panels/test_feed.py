"""A feed that begins in the middle of a run."""

from __future__ import annotations

from typing import Any

import pytest

from stepgraph.debug.run import Run
from stepgraph.panels.feed import Feed


def counts(feed: Feed) -> dict[str, int]:
    """How often each node has run."""
    return {path: node.count for path, node in feed.view.nodes.items() if node.count and not path.startswith("__")}


def test_a_step_that_ends_while_the_feed_is_made_is_counted_once(held: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log = held.hub.log

    def log_and_go_on(since: int = 0) -> list[tuple[int, Any]]:
        found = log(since)
        monkeypatch.undo()
        held.go()
        assert held.wait(10)
        return found

    monkeypatch.setattr(held.hub, "log", log_and_go_on)
    feed = Feed(held, lambda: None)
    feed.collect()
    feed.close()
    assert counts(feed) == {"classify": 1, "draft": 1, "send": 1}


def test_a_fork_knows_the_steps_that_it_shares(held: Run) -> None:
    made = held.at(1).fork("again")
    next(iter(made.requests()))
    feed = Feed(made, lambda: None)
    feed.close()
    assert counts(feed) == {"classify": 1}
    made.cancel()
