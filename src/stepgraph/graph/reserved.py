"""Names that no channel and no node may have: the engine, or a config, uses them for something else."""

from __future__ import annotations

from collections.abc import Iterable

RESERVED = frozenset(
    (
        "__input__",
        "__interrupt__",
        "__resume__",
        "__error__",
        "__error_source_node__",
        "__no_writes__",
        "__snapshot_bumps__",
        "configurable",
        "checkpoint_id",
        "checkpoint_map",
        "checkpoint_ns",
        "langsmith:hidden",
        ":",
        "|",
    )
)
PREFIX = "__pregel_"
"""How LangGraph's inner names begin."""


def check_free(what: str, names: Iterable[str], also: str | None = None) -> None:
    """Raises ValueError for the first name that is reserved, as `also` is here."""
    for name in names:
        if name in RESERVED or name == also or name.startswith(PREFIX):
            raise ValueError(f"{what} name '{name}' is reserved and cannot be used in the graph: choose another one.")
