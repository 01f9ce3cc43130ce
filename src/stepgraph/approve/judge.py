"""The judge of edited values: what a key's type accepts, as a JSON Schema for forms and as a check with typed results.

Pydantic judges when it is installed; else `plain.PlainJudge`, which knows the types of the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any, Protocol

from stepgraph.core.errors import DecisionError
from stepgraph.core.types import MISSING


class Problem(dict[str, Any]):
    """One thing wrong with an edited value: `path` from the key inwards, and `message`."""

    def __init__(self, path: Iterable[str | int], message: str) -> None:
        super().__init__(path=list(path), message=message)


STILL_PENDING = "The request is still pending: decide again with a corrected value."


class EditError(DecisionError):
    """A value that the state's types refuse; `errors` has a path and a message each. Nothing was changed by it."""

    def __init__(self, where: str, errors: list[Problem], mend: str = STILL_PENDING) -> None:
        self.errors = errors
        found = "; ".join(f"{show_path(each['path']) or 'value'}: {each['message']}" for each in errors)
        super().__init__(f"{where}: {found}. {mend}")


class Judge(Protocol):
    """Knows the types of some keys."""

    def schema(self, keys: Iterable[str]) -> dict[str, Any]:
        """A JSON Schema of an object with `keys` as its properties, none of them required."""

    def check(self, key: str, value: Any) -> tuple[Any, list[Problem]]:
        """`value` as the key's type wants it (a dict made the dataclass it describes), and what is wrong with it."""


class LazyJudge:
    """A judge made on first use: importing Pydantic takes longer than a node, and most runs are never edited."""

    def __init__(self, types: Mapping[str, Any], model: type[Any] | None = None) -> None:
        self._types = types
        self._model = model
        self._judge: Judge | None = None

    def schema(self, keys: Iterable[str]) -> dict[str, Any]:
        return self._made().schema(keys)

    def check(self, key: str, value: Any) -> tuple[Any, list[Problem]]:
        return self._made().check(key, value)

    def _made(self) -> Judge:
        if self._judge is None:
            self._judge = judge_of(self._types, self._model)
        return self._judge


def judge_of(types: Mapping[str, Any], model: type[Any] | None = None) -> Judge:
    """The judge for keys of the given types; `model` is the state's Pydantic class if it has one."""
    if model is not None or find_spec("pydantic") is not None:
        from stepgraph.approve.typed import PydanticJudge

        return PydanticJudge(types, model)
    from stepgraph.approve.plain import PlainJudge

    return PlainJudge(types)


def judge_type(kind: Any) -> tuple[dict[str, Any] | None, Judge]:
    """Schema and judge of a single value, known to the judge as `value`; no schema when anything goes."""
    judge = judge_of({"value": Any if kind is None else kind})
    if kind is None or kind is Any:
        return None, judge
    whole = judge.schema(["value"])
    inner = dict(whole["properties"]["value"])
    if "$defs" in whole:
        inner["$defs"] = whole["$defs"]
    return inner, judge


def show_path(path: Iterable[str | int]) -> str:
    """`messages[0].content` for ("messages", 0, "content")."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def describe(value: Any) -> str:
    """A value in an error message: its type and a bounded repr."""
    if value is MISSING:
        return "nothing"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '…'}"
