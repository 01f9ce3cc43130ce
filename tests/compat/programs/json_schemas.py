"""The JSON Schemas and Pydantic models of graphs, for states of every kind."""

# ruff: noqa: UP007, UP035, UP045  programs write their types in every form

import collections
import datetime
import decimal
import enum
import json
import operator
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, Optional, TypeVar, Union

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage, BaseMessage
from langgraph.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.managed import IsLastStep, RemainingSteps
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as checked_dataclass
from typing_extensions import NotRequired, ReadOnly, Required, TypedDict

T = TypeVar("T")
U = TypeVar("U")
SCHEMAS: dict[str, Any] = {}


def schema(kind: Any) -> Any:
    SCHEMAS[kind.__name__] = kind
    return kind


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Strange:
    pass


class Inner(TypedDict):
    """Of others."""

    a: int
    b: NotRequired[str]


class InnerModel(BaseModel):
    """Of others, and itself."""

    x: int = 3
    y: Optional["InnerModel"] = None


@dataclass
class InnerData:
    """Of others too."""

    p: int
    q: str = "q"


# TypedDicts


@schema
class Plain(TypedDict):
    a: int
    b: str


@schema
class Documented(TypedDict):
    """What it is.

    And more.
    """

    a: int


@schema
class NotTotal(TypedDict, total=False):
    a: Required[int]
    b: str


@schema
class Optionals(TypedDict):
    a: NotRequired[int]
    b: Required[str]
    c: NotRequired[Annotated[list[Any], operator.add]]
    d: ReadOnly[int]


@schema
class Derived(Plain, total=False):
    c: str


@schema
class Reduced(TypedDict):
    a: Annotated[list[int], operator.add]
    b: Annotated[set[str], operator.or_]
    c: Annotated[list[int], Field(description="with more"), operator.add]
    d: Annotated[list[int], operator.add, "more"]


@schema
class Annotations(TypedDict):
    a: Annotated[int, "said"]
    b: Annotated[str, Field(description="the b", min_length=2)]
    c: Annotated[int, Field(gt=1, title="Cee")]


@schema
class Channels(TypedDict):
    a: Annotated[list[int], Topic(int)]
    b: Annotated[int, UntrackedValue]
    c: Annotated[int, LastValue(int)]
    d: Annotated[int, EphemeralValue]
    e: Annotated[list[Any], BinaryOperatorAggregate(list, operator.add)]
    f: Annotated[int, AnyValue(str)]
    g: Annotated[str, Topic]
    h: Annotated[list[str], Topic(str, accumulate=True)]


@schema
class Managed(TypedDict):
    a: int
    last: IsLastStep
    remaining: RemainingSteps


@schema
class Types(TypedDict, total=False):
    a: int
    b: float
    c: bool
    d: bytes
    e: None
    f: Any
    g: object
    h: Optional[int]
    i: Union[int, str]
    j: int | None
    k: Literal["x", 1, None]
    m: list[int]
    n: dict[str, Any]
    o: tuple[int, str]
    p: tuple[int, ...]
    q: set[str]
    r: frozenset[int]
    s: collections.deque[int]
    t: Color
    u: datetime.datetime
    v: datetime.timedelta
    w: uuid.UUID
    x: decimal.Decimal
    y: Sequence[int]
    z: Mapping[str, Any]


@schema
class MoreTypes(TypedDict, total=False):
    a: Iterable[int]
    b: type[int]
    c: MutableMapping[str, int]
    d: collections.OrderedDict[str, int]
    e: collections.defaultdict[str, list[int]]
    f: Optional[list[dict[str, int | None]]]
    g: "Optional[int]"
    h: list
    i: dict
    j: tuple
    k: set


@schema
class Nested(TypedDict):
    a: Inner
    b: list[Inner]
    c: dict[str, Inner]
    d: Optional[Inner]
    e: InnerModel
    f: InnerData
    g: list[InnerModel]
    h: Inner | InnerModel


@schema
class Forward(TypedDict):
    a: "Inner"
    b: "list[InnerModel]"
    c: "Annotated[list[int], operator.add]"


@schema
class Recursive(TypedDict):
    a: int
    kids: "list[Recursive]"


@schema
class Functions(TypedDict):
    a: Callable[[int], int]


@schema
class Strangers(TypedDict):
    a: Strange
    b: list[Strange]
    c: int


@schema
class Talk(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@schema
class Papers(TypedDict):
    messages: Annotated[list[BaseMessage], add_messages]
    papers: list[Document]


@schema
class MoreThanMessages(MessagesState):
    extra: str


@schema
class Generics(TypedDict, Generic[T]):
    a: T
    b: list[T]


@schema
class OfGenerics(Generics[str]):
    c: int


@schema
class TwoGenerics(TypedDict, Generic[T, U]):
    a: Annotated[list[T], operator.add]
    b: NotRequired[U]


@schema
class WithGenerics(TypedDict):
    a: Generics[int]
    b: list[Generics[str]]
    c: TwoGenerics[int, Inner]


# Dataclasses


@schema
@dataclass
class Data:
    a: int
    b: str = "x"
    c: list[Any] = field(default_factory=list)


@schema
@dataclass
class MoreData:
    """What it is."""

    a: Annotated[list[int], operator.add] = field(default_factory=list)
    b: Optional[InnerData] = None
    c: InnerData = field(default_factory=lambda: InnerData(1))
    d: Annotated[int, Field(gt=1, description="more than 1")] = 2


@schema
@dataclass(kw_only=True, frozen=True)
class FrozenData:
    a: int
    b: "str" = "x"
    c: ClassVar[int] = 3


@schema
@dataclass
class DerivedData(Data):
    d: int = 4


@schema
@dataclass
class GenericData(Generic[T]):
    a: T
    b: Optional[T] = None


@schema
@dataclass
class NamesOfModels:
    copy: int
    model_id: str
    _hidden: int = 1
    json: str = "j"


@schema
@checked_dataclass
class CheckedData:
    a: int
    b: str = Field("x", description="bee")


# Pydantic models


@schema
class Model(BaseModel):
    a: int
    b: str = "x"


@schema
class Titled(BaseModel):
    """What it is."""

    model_config = ConfigDict(extra="forbid", title="Titled by it")
    a: int = Field(description="the a", ge=0)
    b: str = Field("x", alias="bee")
    c: Optional[InnerModel] = None


@schema
class Aliases(BaseModel):
    model_config = ConfigDict(populate_by_name=True, extra="allow")
    a: int = Field(alias="aa")
    b: str = Field(validation_alias="bb", serialization_alias="cc")
    c: str = Field("d", validation_alias=AliasChoices("x", "y"))


@schema
class Validated(BaseModel):
    a: int
    b: list[int] = []

    @field_validator("a")
    @classmethod
    def check(cls, value: int) -> int:
        return value

    @model_validator(mode="after")
    def check_all(self) -> "Validated":
        return self


@schema
class Computed(BaseModel):
    a: Annotated[list[int], operator.add] = []
    secret: SecretStr = SecretStr("x")

    @computed_field
    def computed(self) -> int:
        return 1


@schema
class DerivedModel(Model):
    c: float = 2.5


@schema
class GenericModel(BaseModel, Generic[T]):
    a: T
    b: list[T] = []


@schema
class Defaults(BaseModel):
    a: Literal["x", "y"] = "x"
    b: Color = Color.RED
    c: dict[str, InnerModel] = {}
    d: tuple[int, str] = (1, "a")
    e: "Optional[Defaults]" = None


@schema
class Examples(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"a": 1}]}, arbitrary_types_allowed=True)
    a: int = Field(1, json_schema_extra={"x-y": 1}, examples=[1, 2], deprecated=True)
    b: Any = None


@schema
class Roots(RootModel[list[int]]):
    pass


@schema
class OfRoots(BaseModel):
    a: Roots
    b: RootModel[dict[str, int]] = RootModel({})


# Others


@schema
class Ordinary:
    a: int
    b: str = "x"


@schema
class Pairs(NamedTuple):
    a: int
    b: str


SCHEMAS |= {
    str(kind): kind
    for kind in (
        Generics[int], Generics[Inner], TwoGenerics[int, str], GenericData[int], GenericModel[int],
        GenericModel[InnerModel], int, list, list[int], dict, str, Union[int, str], Optional[int], tuple[int, str],
        Literal["a"], Annotated[list[int], operator.add],
    )
}  # fmt: skip


class Some(TypedDict):
    a: int


class Others(TypedDict):
    b: str


class Context(TypedDict, total=False):
    user: str
    n: int


@dataclass
class ContextData:
    user: str
    n: int = 3


class ContextModel(BaseModel):
    user: str = "u"
    n: int | None = None


def graph_of(kind: Any, **options: Any) -> Any:
    builder = StateGraph(kind, **options)
    builder.add_node("node", lambda state: state)
    builder.add_edge(START, "node")
    return builder.compile()


def attempt(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def described(call: Any) -> Any:
    return attempt(lambda: json.dumps(call(), default=str))


def fields(call: Any) -> Any:
    """A Pydantic model's name, documentation and fields."""
    model = attempt(call)
    if isinstance(model, str):
        return model
    return model.__name__, model.__doc__, {name: str(each) for name, each in model.model_fields.items()}


def of_every_kind_of_state(show: Any) -> None:
    for name, kind in SCHEMAS.items():
        graph = attempt(lambda kind=kind: graph_of(kind))
        if isinstance(graph, str):
            show(name, graph)
            continue
        show(name, described(graph.get_input_jsonschema), described(graph.get_output_jsonschema))
        show(described(graph.get_context_jsonschema), str(graph.InputType), str(graph.OutputType))
        if "messages" not in graph.channels:  # their reducer has another name
            show(fields(graph.get_input_schema), fields(graph.get_output_schema))


def of_input_output_and_context(show: Any) -> None:
    for given in (Some, Model, Data, Plain, None):
        for result in (Others, DerivedModel, None):
            graph = graph_of(Plain, input_schema=given, output_schema=result)
            show(described(graph.get_input_jsonschema), described(graph.get_output_jsonschema))
            show(fields(graph.get_input_schema), fields(graph.get_output_schema))
    for context in (None, Context, ContextData, ContextModel, dict):
        graph = graph_of(Plain, context_schema=context)
        show(described(graph.get_context_jsonschema))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            show(described(graph.get_config_jsonschema), fields(graph.config_schema))
            show(described(lambda graph=graph: graph.get_config_jsonschema(include=["tags", "configurable"])))
