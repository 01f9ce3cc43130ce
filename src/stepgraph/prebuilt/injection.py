"""Which of a tool's arguments come from the graph, and putting them into a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_origin, get_type_hints

from langchain_core.messages import ToolCall
from langchain_core.tools import BaseTool
from langchain_core.tools.base import _is_injected_arg_type, get_all_basemodel_annotations

from stepgraph.prebuilt.markers import InjectedState, InjectedStore, ToolRuntime, kinds, marker_in


@dataclass(slots=True)
class Injected:
    """The parameters of one tool that the graph fills. Worked out once: reading annotations takes long."""

    state: dict[str, str | None] = field(default_factory=dict)
    """Parameter -> the state key that it gets; None for the whole state."""
    optional: set[str] = field(default_factory=set)
    """Those of `state` that have a default: left out where the state lacks the key."""
    store: str | None = None
    runtime: str | None = None
    runtime_kind: type[Any] = ToolRuntime
    """The class that `runtime` is annotated with: ours, or langgraph-prebuilt's."""
    hidden: set[str] = field(default_factory=set)
    """All parameters that the model must not fill, whoever does."""

    @property
    def names(self) -> set[str]:
        """What the graph fills."""
        return {*self.state, *(name for name in (self.store, self.runtime) if name)}


def injected_in(tool: BaseTool) -> Injected:
    """What the tool's schema and function ask for. Raises ValueError for a parameter marked twice."""
    found = Injected()
    schema: Any = tool.get_input_schema()
    function = getattr(tool, "func", None) or getattr(tool, "coroutine", None)
    hints = get_type_hints(function, include_extras=True) if function else {}
    runtimes = kinds(ToolRuntime)
    for name, annotation in {**hints, **get_all_basemodel_annotations(schema)}.items():
        if _is_injected_arg_type(annotation):
            found.hidden.add(name)
        if (state := marker_in(annotation, kinds(InjectedState))) is not None:
            key = found.state[name] = getattr(state, "field", None) or None
            known = schema.model_fields.get(name)
            if key and known and not known.is_required():
                found.optional.add(name)
        if marker_in(annotation, kinds(InjectedStore)) is not None:
            found.store = name
        if (runtime := marker_in(annotation, runtimes)) is not None:
            found.runtime, found.runtime_kind = name, _class_of(runtime, runtimes)
        elif name == "runtime":
            found.runtime = name
    return found


def _class_of(annotation: Any, wanted: tuple[type, ...]) -> type[Any]:
    for each in (annotation, get_origin(annotation), *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, wanted):
            return each
    return wanted[0]


def fill(call: ToolCall, injected: Injected, runtime: ToolRuntime[Any, Any], messages_key: str) -> dict[str, Any]:
    """The call's arguments with those from the graph; what the model gave for such ones is thrown away.

    Raises ValueError where there is no such state or store, KeyError or AttributeError for a key that it lacks.
    """
    given: dict[str, Any] = {}
    if injected.state:
        given.update(_of_state(call, injected, runtime.state, messages_key))
    if injected.store:
        if runtime.store is None:
            raise ValueError(
                "Cannot inject store into tools with InjectedStore annotations - please compile your graph with a "
                f"store: tool {call['name']!r} asks for it."
            )
        given[injected.store] = runtime.store
    if injected.runtime:
        given[injected.runtime] = _as_kind(runtime, injected.runtime_kind)
    return {**{name: value for name, value in call["args"].items() if name not in injected.hidden}, **given}


def _as_kind(runtime: ToolRuntime[Any, Any], kind: type[Any]) -> Any:
    if isinstance(runtime, kind):
        return runtime
    known = {each.name for each in fields(kind)}
    return kind(**{name: value for name, value in vars(runtime).items() if name in known})


def _of_state(call: ToolCall, injected: Injected, state: Any, messages_key: str) -> dict[str, Any]:
    if isinstance(state, list):
        wanted = list(injected.state.values())
        if wanted[0] is not None and wanted != [messages_key]:
            shown = ", ".join(key for key in wanted if key)
            raise ValueError(
                f"Invalid input to ToolNode. Tool {call['name']} requires graph state dict as input. "
                f"State should contain fields {shown}."
            )
        state = {messages_key: state}
    if isinstance(state, Mapping):
        return _each(injected, state, state.__contains__, state.__getitem__, KeyError)
    return _each(injected, state, lambda key: hasattr(state, key), lambda key: getattr(state, key), AttributeError)


def _each(injected: Injected, state: Any, has: Any, get: Any, missing: type[Exception]) -> dict[str, Any]:
    found = {}
    for name, key in injected.state.items():
        if key is None:
            found[name] = state
        elif has(key):
            found[name] = get(key)
        elif name not in injected.optional:
            raise missing(key)
    return found
