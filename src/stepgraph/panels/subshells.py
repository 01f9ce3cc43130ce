"""The one place that knows how ipykernel chooses the thread on which a click arrives, and when it would lose one."""

from __future__ import annotations

import sys
import threading
from typing import Any, Literal
from weakref import WeakSet

LOOK_EVERY = 0.1
"""Seconds between two looks for a message that ipykernel has not noticed."""
_LOOKED_AT: WeakSet[Any] = WeakSet()


def deliver_on_any_subshell(comm: Any) -> bool:
    """Let each message be handled where the page sent it; true if this kernel needed telling.

    ipykernel 7.4 replaces the page's choice of subshell by that of the request in which the comm last published. For
    a panel that is the main shell, so a click would wait for a blocking cell. The attribute is private: where it does
    not exist (6.31, 7.3) nothing is changed and nothing is needed.
    """
    if not hasattr(comm, "_reply_subshell_for"):
        return False
    comm._reply_subshell_for = _as_sent
    return True


def reach_of_this_message() -> Literal["idle", "await", "block"]:
    """When the next message like this will arrive: while no cell runs, also while one awaits, also while one blocks.

    Called where a message is handled. A thread of its own means that the front end uses subshells; on the main thread
    ipykernel 7 still turns to messages while a cell awaits, and 6 does not.
    """
    if threading.current_thread() is not threading.main_thread():
        return "block"
    return "await" if _version() >= (7, 0) else "idle"


def take_unnoticed_messages() -> bool:
    """Look at the shell channel of this kernel regularly, from now on; true if this kernel needs it.

    ipykernel 7.0 to 7.3 sends replies past the stream that reads the same socket. A request that arrives in that moment
    is not noticed, and neither is any later one: the kernel sits idle for ever while the page waits (mended in 7.4).
    """
    stream = getattr(getattr(_shell(), "kernel", None), "shell_stream", None)
    if stream is None or not (7, 0) <= _version() < (7, 4):
        return False
    if stream not in _LOOKED_AT:
        _LOOKED_AT.add(stream)
        stream.io_loop.add_callback(_look_regularly, stream)
    return True


def _look_regularly(stream: Any) -> None:
    if not stream.closed():
        if stream.receiving():  # else a flush would throw away what has come
            stream.flush()
        stream.io_loop.call_later(LOOK_EVERY, _look_regularly, stream)


def _shell() -> Any:
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return find and find()


def _version() -> tuple[int, ...]:
    version: tuple[int, ...] = tuple(getattr(sys.modules.get("ipykernel"), "version_info", (0, 0)))[:2]
    return version


def _as_sent(_data: Any, default: Any) -> Any:
    return default
