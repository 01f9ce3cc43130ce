"""langchain-core's objects as nodes. Needs the extra: `pip install "stepgraph[langchain]"`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parallel(steps: Mapping[str, Any]) -> Any:
    """A Runnable that gives its input to every step and returns their results under the steps' names."""
    try:
        from langchain_core.runnables import RunnableParallel
    except ImportError as error:
        raise ImportError(
            'A dict as a node needs langchain-core: pip install "stepgraph[langchain]". '
            "Without it, write a function that returns the dict."
        ) from error
    return RunnableParallel(dict(steps))
