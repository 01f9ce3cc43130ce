"""What `invoke`, `ainvoke`, `stream` and `astream` take by keyword: every option in one place.

Another option is a field of `CallOptions`, and where the engine needs it, a name in `RUN_OPTIONS`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, TypeVar

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.graph.policies import passed_over

Modes = str | Sequence[str]


class CallOptions(TypedDict, total=False):
    """The keyword arguments that all calls share; leaving one out means None unless it says otherwise."""

    context: Any
    """What nodes reach as `runtime.context`."""
    stream_mode: Modes | None
    """`invoke`: "values" gives the result, anything else a list of chunks. `stream`: "updates" if left out."""
    print_mode: Modes
    """Modes that are printed besides; () if left out."""
    output_keys: str | Sequence[str] | None
    """The state keys to show instead of the output schema's."""
    interrupt_before: str | Sequence[str] | None
    """Nodes, or "*", to pause before; instead of those given to `compile`."""
    interrupt_after: str | Sequence[str] | None
    durability: Literal["sync", "async", "exit"] | None
    """When checkpoints are durable: before the next superstep, soon ("async", if left out), or at the end."""
    control: Any
    """A RunControl, with which the run can be asked to stop at the next boundary."""
    subgraphs: bool
    """`stream`: chunks of subgraphs too, each with its namespace in front."""
    debug: bool | None
    """Print updates and values."""
    version: Literal["v1", "v2"]
    """The form of chunks: v1 (if left out), or v2, dicts with "type", "ns" and "data"."""
    checkpoint_during: bool | None
    """Deprecated: use `durability`."""


RUN_OPTIONS = ("context", "control", "durability", "interrupt_after", "interrupt_before")
"""What the engine is told; the other options are about what is shown."""
_NAMES = frozenset(CallOptions.__annotations__)
F = TypeVar("F", bound=Callable[..., Any])


def takes_options(function: F) -> F:
    """Let `help()` and completion show the options one by one. Their values stay one dict, which costs nothing."""
    signature = inspect.signature(function)
    plain = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    shown = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS.get(name)) for name in _OFFERED]
    function.__signature__ = signature.replace(parameters=[*plain, *shown])  # type: ignore[attr-defined]  # inspect reads it
    return function


_OFFERED = tuple(name for name in CallOptions.__annotations__ if name != "checkpoint_during")
_DEFAULTS: dict[str, Any] = {"print_mode": (), "subgraphs": False, "version": "v1"}


def run_options(options: CallOptions, what: str) -> dict[str, Any]:
    """The part of a call's options that is for the engine. `what` is the called method.

    Raises TypeError for an unknown option, except under the import hook, where it is passed over, and ValueError for a
    bad value; warns about a deprecated one.
    """
    if (unknown := options.keys() - _NAMES) and not passed_over(what, unknown):
        raise TypeError(_unknown(min(unknown), what))
    found: dict[str, Any] = {name: options[name] for name in RUN_OPTIONS if options.get(name) is not None}  # type: ignore[literal-required]  # names of its fields
    if options.get("version", "v1") not in ("v1", "v2"):
        raise ValueError(f"{what}() got version={options['version']!r}; the versions are 'v1' and 'v2'.")
    if (during := options.get("checkpoint_during")) is not None:
        warnings.warn(
            "`checkpoint_during` is deprecated and will be removed. Please use `durability` instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=4,
        )
        if "durability" in found:
            raise ValueError(
                "Cannot use both `checkpoint_during` and `durability` parameters. Please use `durability` instead."
            )
        found["durability"] = "async" if during else "exit"
    control = found.get("control")
    if control is not None and (isinstance(control, type) or not hasattr(control, "drain_requested")):
        raise TypeError(
            f"{what}() got control={control!r}; make one with `control = RunControl()`, whose `request_drain()` "
            "ends the run before its next superstep."
        )
    durability = found.get("durability")
    if durability not in (None, "sync", "async", "exit"):
        raise ValueError(f"{what}() got durability={durability!r}; it is 'sync', 'async' or 'exit'.")
    return found


def _unknown(name: str, what: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _NAMES, 1)
    hint = f" Did you mean {near[0]!r}?" if near else f" The options are {', '.join(sorted(_NAMES))}."
    return f"{what}() got an unexpected keyword argument {name!r}.{hint}"


def printed_modes(options: Mapping[str, Any], debugging: bool) -> tuple[str, ...]:
    """The modes whose chunks are printed."""
    if options.get("debug") or debugging:
        return ("updates", "values")
    modes: Modes = options.get("print_mode") or ()
    return (modes,) if isinstance(modes, str) else tuple(modes)
