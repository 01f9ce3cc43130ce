"""When a stop holds: a callable on the request, or a string expression over the request and the state's keys."""

from __future__ import annotations

import builtins
import linecache
import sys
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from stepgraph.approve.requests import Request
from stepgraph.core.types import MISSING

When = Callable[[Request], Any] | str


class Verdict(NamedTuple):
    """Whether to stop; `problem` is set when the condition itself failed, and then the answer is to ask."""

    holds: bool
    problem: str | None = None


class Condition:
    """A condition with the text that people see. Two with the same code and values are equal: cells are run again."""

    __slots__ = ("_call", "identity", "text")

    def __init__(self, when: When) -> None:
        if isinstance(when, str):
            self.text = when.strip()
            self.identity: Any = self.text
            self._call = _expression(self.text)
        elif callable(when):
            self.text = text_of(when)
            self.identity = identity_of(when)
            self._call = when
        else:
            raise TypeError(f"when={when!r}: a function of the request or an expression as text is wanted.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.identity == other.identity

    __hash__ = object.__hash__

    def judge(self, request: Request) -> Verdict:
        """Evaluated once a request. An exception means: ask."""
        try:
            return Verdict(bool(self._call(request)))
        except Exception as error:  # noqa: BLE001  the user's own code; failing closed is the rule
            return Verdict(True, f"the condition raised {type(error).__name__}: {error}")


def names_of(request: Request) -> dict[str, Any]:
    """The state's keys as bare names, as they would be with the pending update; a called function's arguments."""
    known = None if request.function is None else request.function.with_defaults
    state = request.state if known is None else known
    found = dict(state) if isinstance(state, Mapping) else {}
    found.update((each.key, each.new) for each in request.changes if each.new is not MISSING)
    found["q"] = request
    return found


def text_of(function: Callable[..., Any]) -> str:
    """A lambda's body as written, another function's name."""
    name = getattr(function, "__name__", None) or repr(function)
    if name != "<lambda>" or not isinstance(function, FunctionType):
        return str(name)
    return _body(function.__code__) or name


def identity_of(function: Callable[..., Any]) -> Any:
    """Equal for two functions made by running the same code with the same surroundings."""
    if not isinstance(function, FunctionType):
        return function
    cells = tuple(_contents(cell) for cell in function.__closure__ or ())
    return (_code(function.__code__), repr(function.__defaults__), repr(function.__kwdefaults__), repr(cells))


def _expression(text: str) -> Callable[[Request], Any]:
    try:
        code = compile(text, "<condition>", "eval")
    except SyntaxError as error:
        raise ValueError(
            f"when={text!r}: {error.msg}. An expression is wanted, for example 'len(answer) > 500' or 'q.step > 3'."
        ) from error

    def evaluate(request: Request) -> Any:
        known = {**vars(sys.modules["__main__"]), **names_of(request), "__builtins__": builtins}
        return eval(code, known)  # the user's own text, in the user's own kernel

    return evaluate


def _code(code: CodeType) -> Any:
    inner = tuple(_code(each) if isinstance(each, CodeType) else (type(each).__name__, each) for each in code.co_consts)
    return (code.co_code, code.co_names, code.co_varnames, code.co_freevars, inner)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _body(code: CodeType) -> str | None:
    """The source of a lambda's body, found by the columns that its instructions remember."""
    spans = [each for each in code.co_positions() if None not in each and (each[0], each[2]) != (each[1], each[3])]
    if not spans:
        return None
    start = min((line, column) for line, _, column, _ in spans)
    end = max((line, column) for _, line, _, column in spans)
    lines = [linecache.getline(code.co_filename, at).encode() for at in range(start[0], end[0] + 1)]  # type: ignore[arg-type,operator]  # the same
    if not all(lines):
        return None
    lines[-1] = lines[-1][: end[1]]
    lines[0] = lines[0][start[1] :]
    return " ".join(b"".join(lines).decode(errors="replace").split())
