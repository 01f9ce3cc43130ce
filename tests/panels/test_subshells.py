"""The one private attribute of ipykernel that is touched, and what happens where it does not exist."""

from __future__ import annotations

import threading

import pytest
from packaging.version import Version

from stepgraph.panels.subshells import deliver_on_any_subshell, reach_of_this_message


def test_ipykernel_has_the_attribute_that_is_replaced_or_needs_no_help() -> None:
    ipykernel = pytest.importorskip("ipykernel")
    from ipykernel.comm.comm import BaseComm

    has = hasattr(BaseComm, "_reply_subshell_for")
    assert has == (Version(ipykernel.__version__) >= Version("7.4")), (
        "ipykernel chooses threads in another way now: look"
    )


def test_the_choice_of_the_page_stands() -> None:
    class Comm:
        def _reply_subshell_for(self, data: object, default: str) -> str:
            return "another one"

    comm = Comm()
    assert deliver_on_any_subshell(comm)
    assert comm._reply_subshell_for({}, "the page's") == "the page's"


def test_other_kernels_are_left_alone() -> None:
    class Comm:
        __slots__ = ()

    assert not deliver_on_any_subshell(Comm())


def test_a_message_on_a_thread_of_its_own_shows_that_clicks_arrive_while_a_cell_blocks() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(reach_of_this_message()))
    thread.start()
    thread.join()
    assert found == ["block"]
    assert reach_of_this_message() in ("idle", "await")
