"""Policies and old names as they are given by keyword, in the form in which a plan keeps them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

from stepgraph.core import registry
from stepgraph.core.caching import NAMESPACE


def limits_of(timeout: Any) -> Any:
    """What was given as `timeout=`, as a TimeoutPolicy in seconds; None for none. Raises ValueError."""
    if timeout is None:
        return None
    from stepgraph.core.limits import TimeoutPolicy  # loaded when a graph has limits

    return TimeoutPolicy.coerce(timeout)


def fitting(name: str, given: Any, attribute: str) -> Any:
    """What was given as a policy. Raises TypeError for what is none."""
    if given is not None and not hasattr(given, attribute):
        kind = "".join(part.capitalize() for part in name.split("_"))
        raise TypeError(f"{name} is a {kind}, not {given!r}.")
    return given


def cache_namespace(function: Any, name: str) -> tuple[str, ...]:
    """The part of a cache that keeps what this function, known by that name, has made: the same in all processes."""
    qualified = getattr(function, "__qualname__", None)
    module = getattr(function, "__module__", None)
    return (NAMESPACE, f"{module}.{qualified}" if qualified and module else "__dynamic__", name)


def passed_over(what: str, unknown: Collection[str]) -> bool:
    """Whether options that `what` does not know are no mistake: under the import hook."""
    if "strangers" not in registry.adapters:
        return False
    registry.adapters.load("strangers")(what, unknown)
    return True


def renamed(what: str, deprecated: Mapping[str, Any], names: Mapping[str, tuple[str, type[Warning]]]) -> dict[str, Any]:
    """What was given under old names, under the new ones; warns the caller's caller of each.

    `names` has the new name and the warning of each old one. Raises TypeError for other names, except under the
    import hook, where they are passed over.
    """
    unknown = deprecated.keys() - names.keys()
    if unknown and not passed_over(what, unknown):
        raise TypeError(f"{what}() got an unexpected keyword argument {min(unknown)!r}.")
    found: dict[str, Any] = {}
    for old, (new, category) in names.items():
        if old in deprecated:
            warnings.warn(
                f"`{old}` is deprecated and will be removed. Please use `{new}` instead.", category, stacklevel=3
            )
            found[new] = deprecated[old]
    return found
