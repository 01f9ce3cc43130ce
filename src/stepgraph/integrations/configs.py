"""langchain-core's config dicts as LangGraph handles them: merged, patched, completed with what is around."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from os import environ
from typing import Any

from stepgraph.integrations.ambient import child_config
from stepgraph.run.config import inherited, merged, shown_metadata

DEFAULT_RECURSION_LIMIT = int(environ.get("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "10007"))


def ensure_config(*configs: Mapping[str, Any] | None) -> dict[str, Any]:
    """One config with all keys, of the one that langchain-core hands down and the given ones."""
    own: dict[str, Any] = {}
    for config in configs:
        own = merged(own, config or {})
    found = inherited(child_config.get() or {}, own)
    found = {"tags": [], "callbacks": None, "recursion_limit": DEFAULT_RECURSION_LIMIT, "configurable": {}, **found}
    found["metadata"] = ChainMap(shown_metadata(found))
    return found


def merge_configs(*configs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Several configs as one, later ones over earlier ones."""
    found: dict[str, Any] = {}
    for config in configs:
        found = merged(found, config or {})
    found.setdefault("configurable", {})
    return found


def patch_config(
    config: Mapping[str, Any] | None,
    *,
    callbacks: Any = None,
    recursion_limit: int | None = None,
    max_concurrency: int | None = None,
    run_name: str | None = None,
    configurable: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The config with some values replaced. New callbacks are another run's: they take name and id of the run away."""
    found = dict(config or {})
    if callbacks is not None:
        found["callbacks"] = callbacks
        found.pop("run_name", None)
        found.pop("run_id", None)
    given = {"recursion_limit": recursion_limit, "max_concurrency": max_concurrency, "run_name": run_name}
    found.update((key, value) for key, value in given.items() if value is not None)
    if configurable is not None:
        found["configurable"] = {**found.get("configurable", {}), **configurable}
    return found


def patch_configurable(config: Mapping[str, Any] | None, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The config with some configurable values replaced."""
    known = config or {}
    return {**known, "configurable": {**known.get("configurable", {}), **patch}}


def recast_checkpoint_ns(ns: str) -> str:
    """A checkpoint namespace without the ids of tasks."""
    return "|".join(part.partition(":")[0] for part in ns.split("|") if not part.isdigit())
