"""Getting ready for a front end is a favour: where it can't be done, nothing else suffers."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from stepgraph.debug import presence


class Unable:
    """What threads are where there are none."""

    def __init__(self, **_: Any) -> None:
        pass

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_warming_up_is_left_out_where_there_are_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "may_appear", lambda: True)
    monkeypatch.setattr(presence, "_warm", False)
    monkeypatch.setattr(presence, "Thread", Unable)
    presence.warm()
    assert presence._warm


def test_what_can_not_be_loaded_does_not_matter_before_a_run_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError("no anywidget")

    monkeypatch.setattr(presence.displays, "load", missing)
    presence._load()


def test_a_policy_may_be_set_while_a_thread_still_imports_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    assert presence.from_editor() is False
