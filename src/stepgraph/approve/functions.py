"""Called functions as a request shows them: their arguments by name, and the type of what they return."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from stepgraph.approve.edits import operation
from stepgraph.approve.judge import Judge, Problem, judge_of, judge_type
from stepgraph.approve.verbs import closest
from stepgraph.core.types import Pause

INJECTED = ("config", "error", "previous", "runtime", "store", "writer")
"""Parameters that a function gets without its caller, unless one is named so by chance."""
WANTED = "the arguments of the function are wanted, by name as in {'n': 3}, or as in ((1, 2), {'key': 3})"
Call = tuple[tuple[Any, ...], dict[str, Any]]


def called_function(pause: Pause) -> CalledFunction | None:
    """The function of the functional API that the pause is about; None where it is about a node."""
    if pause.node is None or len(pause.tasks) != 1 or getattr(pause.tasks[0], "caller", None) is None:
        return None
    source = pause.tasks[0].node.source
    return CalledFunction(getattr(source, "calls", source), pause.state)


class CalledFunction:
    """One call: the function, and the arguments as its caller gave them."""

    def __init__(self, function: Callable[..., Any], given: Call) -> None:
        self._function = function
        self._given = given

    @property
    def arguments(self) -> dict[str, Any] | None:
        """By the names of the parameters; None for a function or call that can't tell them."""
        return self.named(self._given)

    def named(self, given: Call) -> dict[str, Any] | None:
        """The same of another call."""
        bound = self._bound(given)
        return None if bound is None else dict(bound.arguments)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of `arguments`, with those that may be given too; None if they have no names."""
        return None if self._judge is None or self.arguments is None else self._judge.schema(self._names())

    @property
    def result_schema(self) -> dict[str, Any] | None:
        """That of the result; None for any JSON."""
        return judge_type(self._returned)[0]

    def edited(self, value: Any) -> tuple[Any, list[Problem]]:
        """What the function gets after an edit (all of it, or some arguments by name), and what is wrong with it."""
        if isinstance(value, tuple) and list(map(type, value)) == [tuple, dict]:
            return value, []
        bound = self._bound(self._given)
        if bound is None or self._judge is None or not isinstance(value, Mapping):
            return value, [Problem([], WANTED)]
        known, problems = self._names(), []
        for name, argument in value.items():
            if name not in known:
                told = f"unknown argument{closest(str(name), known)}. Known here: {', '.join(known)}"
                problems.append(Problem([str(name)], told))
            elif (operation(argument) or ("",))[0] == "$drop":
                bound.arguments.pop(name, None)
            else:
                bound.arguments[name], wrong = self._judge.check(name, argument)
                problems += wrong
        return (_placed(bound, self._given), problems) if not problems else (value, problems)

    def result(self, value: Any) -> tuple[Any, list[Problem]]:
        """A result given by a person, as the function's annotation wants it, and what is wrong with it."""
        checked, problems = judge_type(self._returned)[1].check("value", value)
        return checked, [Problem(each["path"][1:], each["message"]) for each in problems]

    @property
    def _returned(self) -> Any:
        kind = inspect.Signature.empty if self._signature is None else self._signature.return_annotation
        return Any if kind is inspect.Signature.empty else kind

    def _names(self) -> list[str]:
        """The arguments that were given, and those that have a default."""
        known = {} if self._signature is None else self._signature.parameters
        more = [
            name
            for name, each in known.items()
            if name not in INJECTED and (each.default is not each.empty or each.kind in _COLLECTING)
        ]
        return list(dict.fromkeys([*(self.arguments or ()), *more]))

    @cached_property
    def _signature(self) -> inspect.Signature | None:
        return _signature(self._function)

    @cached_property
    def _judge(self) -> Judge | None:
        known = self._signature
        return None if known is None else judge_of({name: _type(each) for name, each in known.parameters.items()})

    def _bound(self, given: Call) -> inspect.BoundArguments | None:
        try:
            return None if self._signature is None else self._signature.bind_partial(*given[0], **given[1])
        except TypeError:  # the call will fail
            return None


_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # noqa: BLE001  annotations as text may name what is not there, and evaluating them runs anything
        pass
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # a builtin
        return None


def _placed(bound: inspect.BoundArguments, given: Call) -> Call:
    """The arguments as a call, where what was given by name still is: caches know a call by its form."""
    named = {name: bound.arguments.pop(name) for name in given[1] if name in bound.arguments}
    return bound.args, {**named, **bound.kwargs}


def _type(parameter: inspect.Parameter) -> Any:
    kind = Any if parameter.annotation is parameter.empty else parameter.annotation
    if parameter.kind is parameter.VAR_POSITIONAL:
        return cast(Any, tuple)[kind, ...]
    return cast(Any, dict)[str, kind] if parameter.kind is parameter.VAR_KEYWORD else kind
