"""Tables need pandas, which is imported when one is wanted."""

from __future__ import annotations

from typing import Any


def pandas_for(what: str) -> Any:
    """The module. Raises ImportError that says how to install it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"{what} makes a pandas DataFrame: pip install 'stepgraph[lab]', or pandas alone.") from error
    return pandas
