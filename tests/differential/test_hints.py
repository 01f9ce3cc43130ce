"""What is read from the annotations of a state: the same reducers and refusals as LangGraph's, whatever the hint."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import pytest
from pydantic import Field, create_model
from typing_extensions import ReadOnly

from tests.differential.engines import Engine, ours, reference

REFERENCE, OURS = reference(), ours()


def two(a: Any, b: Any) -> Any:
    return ["two", a, b]


def three(a: Any, b: Any, c: Any) -> Any:
    return [a, b, c]


class Called:
    def __call__(self, a: Any, b: Any) -> Any:
        return ["called", a, b]

    def method(self, a: Any, b: Any) -> Any:
        return ["method", a, b]

    @staticmethod
    def static(a: Any, b: Any) -> Any:
        return ["static", a, b]


class Pair(list[Any]):
    def __init__(self, a: Any = None, b: Any = None, *, c: Any = None) -> None:
        super().__init__([a, b])


CALLABLES: dict[str, Any] = {
    "two": two,
    "three": three,
    "one": lambda a: a,
    "none": lambda: None,
    "default": lambda a, b=2: ["default", a, b],
    "two and a default": lambda a, b, c=3: a,
    "star": lambda *each: [*each],
    "one and star": lambda a, *each: [a, *each],
    "two and star": lambda a, b, *each: [a, b, *each],
    "two and names": lambda a, b, **names: [a, b],
    "positional only": lambda a, b, /: [a, b],
    "one positional only": lambda a, /, b: [a, b],
    "only by name": lambda *, a, b: a,
    "by name": lambda a, b, *, c=1: [a, b, c],
    "object": Called(),
    "method": Called().method,
    "unbound": Called.method,
    "static": Called.static,
    "class": Pair,
    "class of nothing": object,
    "partial": functools.partial(three, 1),
    "partial of too few": functools.partial(two, 1),
    "partial by name": functools.partial(three, c=1),
    "partial by the last name": functools.partial(two, b=1),
    "wrapped": functools.wraps(two)(lambda *each: [*each]),
    "cached": functools.lru_cache(two),
    "add": operator.add,
    "or": operator.or_,
    "pow": pow,
    "sum": sum,
    "list": list,
    "list add": list.__add__,
    "join": "".join,
}
HINTS: dict[str, Any] = {
    "plain": int,
    "bare list": list,
    "doc first": Annotated[int, "doc", two],
    "doc last": Annotated[int, two, "doc"],
    "two reducers": Annotated[int, three, two],
    "two reducers, the last is none": Annotated[int, two, three],
    "nested": Annotated[Annotated[int, two], "doc"],
    "nested last": Annotated[Annotated[int, "doc"], two],
    "nested both": Annotated[Annotated[list, operator.add], two],
    "required": Required[Annotated[list, operator.add]],
    "not required": NotRequired[Annotated[list, operator.add]],
    "read only": ReadOnly[Annotated[list, operator.add]],
    "required read only": Required[ReadOnly[Annotated[list, operator.add]]],
    "required inside": Annotated[Required[list], operator.add],
    "not required inside": Annotated[NotRequired[list], operator.add],
    "read only inside": Annotated[ReadOnly[list], operator.add],
    "not required between": Annotated[NotRequired[Annotated[list, operator.add]], "doc"],
    "optional": Annotated[int, two] | None,
    "union": Annotated[int, two] | str,
    "union inside": Annotated[list | None, operator.add],
    "any": Annotated[Any, two],
    "literal": Annotated[Literal["a"], two],
    "sequence": Annotated[Sequence[int], operator.add],
    "mapping": Annotated[Mapping, operator.or_],
    "function": Annotated[Callable[..., Any], two],
    "tuple": Annotated[tuple[int, ...], operator.add],
    "text inside": Annotated["list", operator.add],
    "text": "Annotated[list, operator.add]",
    "field first": Annotated[list, Field(default=[3]), operator.add],
    "field last": Annotated[list, operator.add, Field(default=[3])],
    "dict": Annotated[int, {"description": "text"}],
    "None": Annotated[int, None],
}
VALUES: tuple[Any, ...] = (1, [1], (1,), "a", {"a": 1})


def behaviour(engine: Engine, schema: Any) -> list[Any]:
    """What becomes of values that two nodes write to `x`, one after the other and at once."""
    found = []
    for value in VALUES:
        for beside in (False, True):
            try:
                g = engine.StateGraph(schema)
                g.add_node("a", lambda _, value=value: {"x": value}).add_node("b", lambda _, value=value: {"x": value})
                g.add_edge(engine.START, "a").add_edge(engine.START if beside else "a", "b")
                found.append(g.compile().invoke({"y": 1}).get("x", "nothing"))
            except Exception as error:
                found.append((type(error).__name__, str(error).split(" of ")[0][:60] if not found else ""))
    return found


ONLY_TYPED_DICT = frozenset(name for name in HINTS if "require" in name or "read only" in name)
CASES = [
    (kind, name)
    for kind in ("TypedDict", "dataclass", "Pydantic")
    for name in (*CALLABLES, *HINTS)
    if kind == "TypedDict" or name not in ONLY_TYPED_DICT
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_hint_is_read_as_in_langgraph(kind: str, name: str) -> None:
    hint = Annotated[list, CALLABLES[name]] if name in CALLABLES else HINTS[name]
    if kind == "TypedDict":
        schema: Any = TypedDict("Schema", {"x": hint, "y": int}, total=False)  # type: ignore[operator]  # made at runtime
    elif kind == "dataclass":
        schema = dataclasses.make_dataclass("Schema", [("y", int, 0), ("x", hint, None)])
    else:
        schema = create_model("Schema", y=(int, 0), x=(Any if name == "text" else hint, None))
    assert behaviour(OURS, schema) == behaviour(REFERENCE, schema)
