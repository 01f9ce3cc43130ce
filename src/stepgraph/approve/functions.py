"""Called functions as a request shows them: their arguments by name, and the type of what they return."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from stepgraph.approve.edits import PARTS, misspelt, operation
from stepgraph.approve.judge import Judge, Problem, judge_of, judge_type
from stepgraph.approve.verbs import closest
from stepgraph.core.types import MISSING, Pause

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

    @property
    def with_defaults(self) -> dict[str, Any] | None:
        """The same with the defaults of what was not given: what conditions know."""
        bound = self._bound(self._given)
        if bound is None:
            return None
        bound.apply_defaults()
        return dict(bound.arguments)

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
        problems: list[Problem] = []
        for name, argument in value.items():
            changed, wrong = self._changed(name, argument, self._judge)
            problems += wrong
            if changed is MISSING:
                bound.arguments.pop(name, None)
            else:
                bound.arguments[name] = changed
        return (_placed(bound, self._given), problems) if not problems else (value, problems)

    def result(self, value: Any) -> tuple[Any, list[Problem]]:
        """A result given by a person, as the function's annotation wants it, and what is wrong with it."""
        checked, problems = judge_type(self._returned)[1].check("value", value)
        return checked, [Problem(each["path"][1:], each["message"]) for each in problems]

    def _changed(self, name: str, argument: Any, judge: Judge) -> tuple[Any, list[Problem]]:
        """An argument as the function gets it, MISSING where it is left out, and what is wrong with it."""
        known, wrong = self._names(), misspelt(argument, PARTS)
        if name not in known:
            wrong = f"unknown argument{closest(str(name), known)}. Known here: {', '.join(known)}"
        operator, operand = operation(argument) or ("$set", argument)
        if wrong is None and operator == "$drop":
            if name in self._optional() or name in INJECTED:
                return MISSING, []
            wrong = "this can't be left out: the function has no default for it"
        return (argument, [Problem([str(name)], wrong)]) if wrong is not None else judge.check(name, operand)

    @property
    def _returned(self) -> Any:
        kind = inspect.Signature.empty if self._signature is None else self._signature.return_annotation
        return Any if kind is inspect.Signature.empty else kind

    def _names(self) -> list[str]:
        """The arguments that were given, and those that have a default."""
        more = [name for name in self._optional() if name not in INJECTED]
        return list(dict.fromkeys([*(self.arguments or ()), *more]))

    def _optional(self) -> list[str]:
        known = {} if self._signature is None else self._signature.parameters
        return [name for name, each in known.items() if each.default is not each.empty or each.kind in _COLLECTING]

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
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # noqa: BLE001  annotations as text may name what is not there, and evaluating them runs anything
        pass
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin
        return None
    names = getattr(inspect.unwrap(function), "__globals__", {})
    parameters = [each.replace(annotation=_meant(each.annotation, names)) for each in found.parameters.values()]
    return found.replace(parameters=parameters, return_annotation=_meant(found.return_annotation, names))


def _meant(annotation: Any, names: dict[str, Any]) -> Any:
    """What an annotation that is text means where the function was written; Any where that can't be told."""
    if not isinstance(annotation, str):
        return annotation
    try:
        # The program's own source in its own names, as `inspect` and `typing` evaluate it: nothing of a person's.
        return eval(annotation, names)
    except Exception:  # noqa: BLE001  as above
        return Any


def _placed(bound: inspect.BoundArguments, given: Call) -> Call:
    """The arguments as a call, where what was given by name still is: caches know a call by its form."""
    parameters, arguments = list(bound.signature.parameters.values()), bound.arguments
    last = max((at for at, each in enumerate(parameters) if _needs_place(each, arguments)), default=0)
    for each in parameters[:last]:
        if each.name not in arguments and each.default is not each.empty:
            arguments[each.name] = each.default
    free = {each.name for each in parameters[last:] if each.kind in _NAMED}
    named = {name: arguments.pop(name) for name in given[1] if name in free and name in arguments}
    return bound.args, {**named, **bound.kwargs}


def _needs_place(parameter: inspect.Parameter, arguments: Mapping[str, Any]) -> bool:
    """Whether what it gets can't be given by name, so that nothing may be missing before it."""
    if parameter.kind is parameter.VAR_POSITIONAL:
        return bool(arguments.get(parameter.name))
    return parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in arguments


def _type(parameter: inspect.Parameter) -> Any:
    kind = Any if parameter.annotation is parameter.empty else parameter.annotation
    if parameter.kind is parameter.VAR_POSITIONAL:
        return cast(Any, tuple)[kind, ...]
    return cast(Any, dict)[str, kind] if parameter.kind is parameter.VAR_KEYWORD else kind
