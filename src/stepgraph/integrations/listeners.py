"""Who hears of langchain-core runs: whether anybody does, and the callback manager for a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from importlib import import_module
from types import FunctionType
from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, CallbackManager

_VARIABLES: Mapping[Any, Any] = getattr(os.environ, "_data", os.environ)
"""What lies behind `os.environ`, which takes 3 µs to look four names up: as long as a node."""
_SWITCHES = tuple(
    getattr(os.environ, "encodekey", str)(name) if _VARIABLES is not os.environ else name
    for name in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")
)
_SECRET = ("key", "token", "secret", "password", "auth")


def listened(config: Mapping[str, Any]) -> bool:
    """Whether anybody wants to hear of runs: the config's callbacks, a tracer switched on, a collector of runs,
    instrumentation."""
    if config.get("callbacks"):
        return True
    made = vars(BaseCallbackManager)["__init__"]
    if type(made) is not FunctionType or hasattr(made, "__wrapped__"):
        return True  # instrumentation adds its handler to every manager that is made
    contexts = sys.modules.get("langchain_core.tracers.context")
    if contexts is None:  # no manager was made yet
        if not _VARIABLES.keys().isdisjoint(_SWITCHES):
            return True
        try:
            asked = _told(sys.modules.get("langsmith._internal._context"))
        except AttributeError:  # of a version of langsmith that keeps this elsewhere: then as with a manager
            asked = True
        if not asked:
            told = sys.modules.get("langchain_core.globals")
            return told is not None and bool(told.get_debug())
        contexts = import_module("langchain_core.tracers.context")
    for variable, _, _, switch in contexts._configure_hooks:
        # The engine's own hook is no variable: it hears for streams, which need no runs.
        if type(variable) is ContextVar and variable.get() is not None:
            return True
        if switch is not None and os.environ.get(switch):
            return True
    return _traces(contexts) or bool(sys.modules["langchain_core.globals"].get_debug())


def _traces(contexts: Any) -> bool:
    """Whether LangSmith's tracer is on. langchain-core's own answer takes as long as a whole run of a node.

    It is what the context says, else what was set for the process, else what the environment says, which langsmith
    reads once. Only the last of these is told here.
    """
    try:
        around = sys.modules["langsmith._internal._context"]
        if contexts.tracing_v2_callback_var.get() is None and not _told(around):
            variable = contexts.ls_utils.get_env_var
            return bool(variable("TRACING_V2", default=variable("TRACING", default="")) == "true")
    except (AttributeError, KeyError):
        pass  # a version of langsmith that keeps this elsewhere, or another module in its place
    return bool(contexts._tracing_v2_is_enabled())


def _told(around: Any) -> bool:
    """Whether langsmith was told in code about tracing, by its context or for the process. Not without langsmith."""
    return around is not None and (
        around._TRACING_ENABLED.get() is not None
        or around._PARENT_RUN_TREE_REF.get() is not None
        or around._GLOBAL_TRACING_ENABLED is not None
    )


def manager_for(config: Mapping[str, Any], tags: Any = None, *, asynchronous: bool = False) -> Any:
    """The callback manager for a node's run with this config: the config's own, or a new one of its handlers."""
    own = config.get("callbacks")
    if not isinstance(own, _kind(asynchronous)):
        return graph_manager_for(config, tags, asynchronous=asynchronous)
    all_tags, metadata = _tags(config, tags), config.get("metadata")
    if all_tags:
        own.add_tags(all_tags)
    if metadata:
        own.add_metadata(dict(metadata))
    return own


def graph_manager_for(config: Mapping[str, Any], tags: Any = None, *, asynchronous: bool = False) -> Any:
    """The callback manager for a graph's run: a new one, with those who collect runs where the graph is called."""
    metadata = config.get("metadata")
    return _kind(asynchronous).configure(
        inheritable_callbacks=config.get("callbacks"),
        inheritable_tags=_tags(config, tags) or None,
        inheritable_metadata=dict(metadata) if metadata else None,
        langsmith_inheritable_metadata=_tracer_metadata(config.get("configurable") or {}),
    )


def _kind(asynchronous: bool) -> Any:
    return AsyncCallbackManager if asynchronous else CallbackManager


def _tags(config: Mapping[str, Any], more: Any) -> list[str]:
    return [*(config.get("tags") or ()), *(more or ())]


def _tracer_metadata(configurable: Mapping[str, Any]) -> dict[str, Any] | None:
    """What only LangSmith shows of `configurable`: plain values that are no secrets."""
    found = {
        key: value
        for key, value in configurable.items()
        if not key.startswith("__")
        and isinstance(value, (str, int, float, bool))
        and not any(word in key.casefold() for word in _SECRET)
    }
    return found or None
