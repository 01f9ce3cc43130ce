"""The one place that knows how ipykernel chooses the thread on which a click arrives."""

from __future__ import annotations

import sys
import threading
from typing import Any, Literal


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
    version = getattr(sys.modules.get("ipykernel"), "version_info", (0,))
    return "await" if version[0] >= 7 else "idle"


def _as_sent(_data: Any, default: Any) -> Any:
    return default
