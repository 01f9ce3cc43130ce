"""Values keep their types; reading imports nothing that a text merely names; mistakes are named with their path."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import math
import pathlib
import re
import subprocess
import sys
import textwrap
import types
import typing
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from stepgraph.core import registry
from stepgraph.core.types import MISSING, Command, Decision, Interrupt, Overwrite, Send
from stepgraph.persist import fast
from stepgraph.persist.classes import StoredError
from stepgraph.persist.codec import Codec, Unreadable, Unstorable
from tests.contract.checkpointer import same, values


@pytest.fixture(params=["json", "orjson"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "dumps", None)
    if request.param == "orjson":
        fast.accelerate()


def round_trip(value: Any, codec: Codec | None = None) -> Any:
    codec = codec or Codec()
    return codec.loads(codec.dumps(value))


class Colour(enum.Enum):
    RED = 1
    ROT = RED


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Flags(enum.Flag):
    A = 1
    B = 2


class Pair(typing.NamedTuple):
    left: Any
    right: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: Any
    b: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Strict:
    n: int

    def __post_init__(self) -> None:
        raise AssertionError("reading must not run the constructor")


@attrs.define
class Attributes:
    a: Any
    b: int = 2


class Inner(pydantic.BaseModel):
    when: datetime.datetime
    tags: set[str] = set()


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", arbitrary_types_allowed=True)
    inner: Inner
    pair: Pair | None = None
    many: list[Inner] = []
    _private: int = pydantic.PrivateAttr(default=3)


class Root(pydantic.RootModel[list[int]]):
    pass


class Tag(str):
    __slots__ = ()


class Bag(dict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None:
        raise AssertionError("reading must not run overridden methods")


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    __hash__ = None  # type: ignore[assignment]  # compared by value only


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MODEL = Model(inner=Inner(when=datetime.datetime(2024, 1, 2, tzinfo=BERLIN)), extra=(1,))  # type: ignore[call-arg]  # it allows more

PLAIN = [
    None,
    True,
    0,
    -(10**40),
    1.5,
    -0.0,
    math.inf,
    "",
    'quote " and {"~"',
    "lone \ud800 pair \ud83d\ude00 astral \U0001f600",
    [],
    {},
    [1, [2, {"a": []}]],
    {"~": 1},
    {"a": 1, "~": 2},
    {"x": {"~": []}},
]
TYPED = [
    (),
    (1,),
    (1, (2, [3, {"a": ()}])),
    {1, 2, 3},
    {(1, 2), "x"},
    frozenset({"a", frozenset({1})}),
    b"\x00\xff",
    bytearray(b"abc"),
    {1: "int", "1": "str", None: 0, 1.5: 1, (1,): {"~": 1}},
    3 + 4j,
    range(1, 9, 2),
    slice(1, None, 2),
    ...,
    MISSING,
    datetime.datetime(2024, 10, 27, 2, 30, 1, 7, tzinfo=BERLIN, fold=1),
    datetime.datetime(1, 1, 1),  # noqa: DTZ001  naive ones are values too
    datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    datetime.date(2024, 2, 29),
    datetime.time(23, 59, 59, 999999, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, seconds=5), "odd")),
    datetime.timedelta(days=-2, seconds=3, microseconds=4),
    datetime.UTC,
    BERLIN,
    decimal.Decimal("1.10"),
    decimal.Decimal("-Infinity"),
    fractions.Fraction(1, 3),
    uuid.UUID(int=5),
    pathlib.Path("a/b"),
    pathlib.PureWindowsPath("c:/x"),
    re.compile("a.b", re.IGNORECASE | re.DOTALL),
    re.compile(rb"\x00"),
    collections.deque([1, (2,)], maxlen=5),
    collections.deque(),
    collections.Counter("abca"),
    collections.OrderedDict([("b", 1), ("a", (2,))]),
    collections.defaultdict(list, {1: [2]}),
    types.SimpleNamespace(a=(1,)),
    array.array("d", [1.5, 2]),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_address("::1"),
    Colour.RED,
    Level.LOW,
    Word.YES,
    Flags.A | Flags.B,
    Pair((1,), Pair(2)),
    Frozen((1,), [Frozen({2})]),
    Attributes((1,)),
    MODEL,
    Root([1, 2]),
    Tag("word"),
    Send("node", (1, {2}), timeout=2.5),
    Command(update={"a": (1,)}, goto=[Send("x", 1), "y"]),
    Interrupt({"q": (1,)}, "id"),
    Overwrite([1]),
    Decision("edit", {"a": 1}, by="me"),
    StoredError("ValueError", "boom"),
]
ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.asfortranarray(np.ones((2, 3), dtype="f4")),
    np.array([1, None, (2,)], dtype=object),
    np.zeros((0, 3)),
    np.array("2020-01-01", dtype="M8[D]"),
    np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8", (2,))]),
    np.array(["ab", "c"]),
    np.arange(10)[::-3],
]
SCALARS = [np.float64(1.5), np.int8(-3), np.bool_(True), np.datetime64("2020-01-01", "ns"), np.str_("abc")]


def shown(value: Any) -> str:
    """The same in every process: sets have no order."""
    return f"{type(value).__name__} {sorted(value, key=repr) if isinstance(value, set | frozenset) else value!r}"[:40]


@pytest.mark.usefixtures("encoder")
class TestRoundTrip:
    @pytest.mark.parametrize("value", PLAIN, ids=shown)
    def test_json_values_are_plain_json(self, value: Any) -> None:
        assert same(round_trip(value), value)

    def test_whole_numbers_have_no_largest(self) -> None:
        for number in (10**6000, -(2**200_000), 2**10_000 - 1):
            assert round_trip({"a": [number]}) == {"a": [number]}

    def test_not_a_number_is_one_still(self) -> None:
        assert math.isnan(round_trip([math.nan])[0])

    @pytest.mark.parametrize("value", TYPED, ids=shown)
    def test_other_values_keep_their_type(self, value: Any) -> None:
        found = round_trip(value)
        assert type(found) is type(value)
        assert found == value
        assert repr(found) == repr(value) or isinstance(value, set | frozenset)

    @pytest.mark.parametrize("value", TYPED, ids=shown)
    def test_other_values_inside_containers(self, value: Any) -> None:
        assert round_trip({"a": [value, {"b": (value,)}]}) == {"a": [value, {"b": (value,)}]}

    @settings(deadline=None)
    @given(values)
    def test_any_nesting(self, value: Any) -> None:
        assert same(round_trip(value), value)

    @settings(deadline=None)
    @given(values)
    def test_the_text_of_a_value_is_the_same_each_time(self, value: Any) -> None:
        text = Codec().dumps(value)
        assert Codec().dumps(round_trip(value)) == text

    def test_details_of_a_pydantic_model(self) -> None:
        MODEL._private = 7
        found = round_trip(MODEL)
        assert (found._private, found.model_extra, found.model_fields_set) == (7, {"extra": (1,)}, {"inner", "extra"})
        assert found.inner.when.tzinfo is BERLIN

    def test_reading_runs_no_constructor(self) -> None:
        made = object.__new__(Strict)
        made.n = 3
        assert round_trip(made) == made

    def test_reading_runs_no_overridden_method(self) -> None:
        bag = Bag(a=(1,))
        found = round_trip(bag)
        assert type(found) is Bag
        assert found == bag

    @pytest.mark.parametrize(
        "message",
        [
            HumanMessage("hi", id="1"),
            AIMessage("x", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "2"}], response_metadata={"m": [1]}),
            ToolMessage("r", tool_call_id="2", artifact=(1, {2})),
            AIMessageChunk("part"),
        ],
    )
    def test_langchain_messages(self, message: Any) -> None:
        found = round_trip([message])[0]
        assert type(found) is type(message)
        assert found == message
        assert found.model_fields_set == message.model_fields_set

    @pytest.mark.parametrize("value", ARRAYS, ids=shown)
    def test_arrays(self, value: Any) -> None:
        found = round_trip(value)
        assert (found.dtype, found.shape, found.flags.f_contiguous) == (
            value.dtype,
            value.shape,
            np.array(value, copy=True, order="K").flags.f_contiguous,
        )
        np.testing.assert_array_equal(found, value)
        assert found.flags.writeable

    @pytest.mark.parametrize("value", SCALARS, ids=shown)
    def test_scalars_of_numpy(self, value: Any) -> None:
        found = round_trip({"a": value})["a"]
        assert type(found) is type(value)
        assert found == value

    def test_errors_become_something_to_show(self) -> None:
        error = ValueError("no such thing")
        error.add_note("in node a")
        found = round_trip({"error": error})["error"]
        assert isinstance(found, StoredError)
        assert str(found) == "ValueError: no such thing"
        assert found.__notes__ == ["in node a"]


def frames() -> Iterator[Any]:
    moments = pd.date_range("2020", periods=3, tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "int": [1, 2, 3],
            "text": ["x", None, "z"],
            "category": pd.Categorical(["u", "v", None], categories=["v", "u", "w"], ordered=True),
            "date": pd.to_datetime(["2020-01-01", "2020-02-01", None]),
            "Int": pd.array([1, None, 3], dtype="Int8"),
            "Bool": pd.array([True, None, False], dtype="boolean"),
            "Float": pd.array([0.5, None, 1], dtype="Float32"),
            "zone": moments,
            "float": [1.5, np.nan, 2],
            "object": [[1], {"a": (2,)}, None],
            "string": pd.array(["a", None, "b"], dtype="string"),
            "period": pd.period_range("2020", periods=3, freq="M"),
            "interval": pd.interval_range(0, 3),
            "delta": pd.to_timedelta(["1s", None, "2h"]),
        }
    )
    frame.attrs = {"source": ("a", 1)}
    yield frame
    yield frame.set_index(["int", "category"])
    yield frame.set_index("zone")
    yield frame.set_index("interval")
    yield frame.iloc[::2]
    yield frame[["int", "int"]]
    yield pd.DataFrame()
    yield pd.DataFrame(index=[1, 2])
    yield pd.DataFrame({1: [1], (2, "b"): [2], None: [3]})
    yield pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]))
    yield pd.DataFrame({"a": range(3)}, index=pd.date_range("2020", periods=3, freq="D", name="day"))


@pytest.mark.usefixtures("encoder")
class TestPandas:
    @pytest.mark.parametrize("frame", list(frames()), ids=lambda frame: str(list(frame.columns))[:40])
    def test_frames(self, frame: pd.DataFrame) -> None:
        found = round_trip(frame)
        pd.testing.assert_frame_equal(found, frame, check_freq=True)
        assert found.attrs == frame.attrs

    def test_series_of_every_kind(self) -> None:
        frame = next(frames())
        for name in frame:
            pd.testing.assert_series_equal(round_trip(frame[name]), frame[name])

    def test_scalars_and_arrays(self) -> None:
        for value in (
            pd.Timestamp("2020-01-01 01:02:03.123456789", tz="Europe/Berlin"),
            pd.Timestamp("2020"),
            pd.Timedelta("1s"),
            pd.Period("2020-01", "M"),
            pd.Interval(0, 1, closed="left"),
        ):
            found = round_trip([value])[0]
            assert (type(found), found, getattr(found, "unit", None)) == (
                type(value),
                value,
                getattr(value, "unit", None),
            )
        assert round_trip(pd.NaT) is pd.NaT
        assert round_trip(pd.NA) is pd.NA
        pd.testing.assert_index_equal(round_trip(pd.Index(["a", "b"], name="n")), pd.Index(["a", "b"], name="n"))
        masked = pd.array([1, None], dtype="Int64")
        pd.testing.assert_extension_array_equal(round_trip(masked), masked)


def local_class() -> Any:
    @dataclasses.dataclass
    class Local:
        n: int

    return Local


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "path", "what"),
        [
            ({"messages": [{}, {"content": len}]}, ".messages[1].content", "type builtins.builtin_function_or_method"),
            ({"a b": [lambda: 0]}, "['a b'][0]", "type builtins.function cannot be stored"),
            (Frozen(1, [Frozen(object())]), ".b[0].a", "type builtins.object cannot be stored"),
            (Pair(1, open), ".right", "builtin_function_or_method"),
            ({(1,): Point(1, 2)}, "[(1,)]", "test_codec.Point cannot be stored"),
            (Send("x", {"k": Point(1, 2)}), ".arg.k", "test_codec.Point cannot be stored"),
            (collections.deque([1, Point(1, 2)]), "[1]", "test_codec.Point cannot be stored"),
            (collections.defaultdict(lambda: 1), "", "defaultdict's factory '<lambda>' cannot be stored"),
            (types.SimpleNamespace, "", "type builtins.type cannot be stored"),
            (np.ma.array([1]), "", "arrays of class MaskedArray are not stored"),
        ],
        ids=lambda each: each if isinstance(each, str) else type(each).__name__,
    )
    def test_what_cannot_be_stored_is_named_with_its_path(self, value: Any, path: str, what: str) -> None:
        codec = Codec()
        with pytest.raises(Unstorable):
            codec.dumps(value)
        found = codec.why(value)
        assert found.path == path
        assert what in found.what

    def test_the_mend_for_a_class_works(self, codecs: None) -> None:
        with pytest.raises(Unstorable) as caught:
            Codec().dumps(Point(1, 2))
        assert "`stepgraph.core.registry.register_type(Point, encode, decode)`" in caught.value.mend
        registry.register_type(Point, lambda point: (point.x, point.y), lambda pair: Point(*pair))
        assert round_trip([Point(1, 2)]) == [Point(1, 2)]

    def test_a_registered_codec_may_be_named_and_loaded_on_use(self, codecs: None) -> None:
        registry.register_type(f"{__name__}:Point", "operator:attrgetter", "operator:itemgetter", name="point")
        assert "point" in registry.type_codecs
        registry.register_type(Point, lambda point: {"x": point.x, "y": point.y}, lambda v: Point(**v), name="point")
        text = Codec().dumps(Point(1, 2))
        assert text == '{"~":"x","c":"point","v":{"x":1,"y":2}}'
        registry.type_codecs.clear()
        with pytest.raises(Unreadable, match="stored by a codec named 'point'"):
            Codec().loads(text)

    def test_an_error_in_a_users_codec_is_told_with_its_path(self, codecs: None) -> None:
        registry.register_type(Point, lambda point: point.z, Point)
        found = Codec().why({"p": [Point(1, 2)]})
        assert (found.path, type(found.__cause__)) == (".p[0]", AttributeError)
        assert "encoding a " in found.what
        assert "raised AttributeError: 'Point' object has no attribute 'z'" in found.what

    def test_a_class_inside_a_function_is_only_for_this_process(self) -> None:
        first, second = local_class(), local_class()
        with pytest.raises(Unstorable) as caught:
            Codec().dumps(first(1))
        assert "not inside a function" in caught.value.mend
        private = Codec(private=True)
        found = [round_trip(kind(1), private) for kind in (first, second)]
        assert [type(each) for each in found] == [first, second]

    def test_a_value_that_contains_itself(self) -> None:
        cycle: dict[str, Any] = {}
        cycle["a"] = [cycle]
        with pytest.raises(RecursionError):
            Codec().dumps(cycle)
        found = Codec().why(cycle)
        assert (found.path, found.what) == (".a[0]", "the value contains itself")

    def test_a_value_nested_too_deeply(self) -> None:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(RecursionError):
            Codec().dumps(deep)
        assert Codec().why(deep).what == "the value is nested too deeply"

    def test_a_subclass_with_attributes_of_its_own(self) -> None:
        class Loud(str):
            pass

        word = Loud("hey")
        word.volume = 11  # type: ignore[attr-defined]  # what is tested
        with pytest.raises(Unstorable, match="would be lost"):
            Codec(private=True).dumps(word)


@pytest.fixture
def codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registrations that end with the test."""
    monkeypatch.setattr(registry, "type_codecs", {})
    monkeypatch.setattr("stepgraph.persist.codec.type_codecs", registry.type_codecs)
    monkeypatch.setattr("stepgraph.persist.classes.type_codecs", registry.type_codecs)
    monkeypatch.setattr(registry, "codec_names", {})
    monkeypatch.setattr("stepgraph.persist.codec.codec_names", registry.codec_names)


@pytest.fixture
def module(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Makes a module `things` of some code; a second call replaces it, as a new version of the program would."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(code: str) -> Any:
        sys.modules.pop("things", None)
        made = types.ModuleType("things")
        sys.modules["things"] = made
        exec(textwrap.dedent(code), vars(made))
        return made

    yield make
    sys.modules.pop("things", None)


class TestReading:
    def test_no_module_is_imported_because_a_text_names_it(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "trap.py").write_text("class Kind: pass\nraise SystemExit('imported')")
        monkeypatch.syspath_prepend(tmp_path)
        for tag in ("dc", "pd", "en", "nt", "sub"):
            text = f'{{"a":[{{"~":"{tag}","c":"trap:Kind","v":{{}},"n":"X","b":"str"}}]}}'
            with pytest.raises(Unreadable) as caught:
                Codec().loads(text)
            assert "module trap is not loaded" in caught.value.what
            assert "`import trap` before reading" in caught.value.mend
            assert Codec().why_not({"a": [{"~": tag, "c": "trap:Kind", "v": {}, "n": "X", "b": "str"}]}).path == ".a[0]"
        assert "trap" not in sys.modules

    def test_a_lazy_attribute_of_a_loaded_module_is_not_touched(self, module: Callable[[str], Any]) -> None:
        module("def __getattr__(name): raise SystemExit('touched')")
        with pytest.raises(Unreadable, match="module things has none of that name"):
            Codec().loads('{"~":"dc","c":"things:Lazy","v":{}}')

    def test_what_a_text_names_must_be_a_class_of_the_stored_kind(self) -> None:
        for name in ("os:system", "subprocess:Popen", "builtins:eval", f"{__name__}:Colour"):
            with pytest.raises(Unreadable):
                Codec().loads(f'{{"~":"dc","c":"{name}","v":{{}}}}')

    def test_an_allowed_module_is_imported(self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / "shelf"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "books.py").write_text("import enum\nclass Kind(enum.Enum):\n    A = 1\n")
        monkeypatch.syspath_prepend(tmp_path)
        text = '{"~":"en","c":"shelf.books:Kind","n":"A"}'
        with pytest.raises(Unreadable):
            Codec(allowed_modules=["shel"]).loads(text)
        assert Codec(allowed_modules=["shelf"]).loads(text).name == "A"
        assert "shelf.books" in sys.modules

    def test_a_module_may_be_allowed_for_all(self, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
        monkeypatch.setattr(registry, "allowed_modules", set(registry.allowed_modules))
        monkeypatch.setattr("stepgraph.persist.classes.allowed_modules", registry.allowed_modules)
        (tmp_path / "papers.py").write_text("import enum\nclass Kind(enum.Enum):\n    A = 1\n")
        monkeypatch.syspath_prepend(tmp_path)
        registry.allow_modules("papers")
        assert Codec().loads('{"~":"en","c":"papers:Kind","n":"A"}').name == "A"

    def test_a_class_with_a_new_field_gets_its_default(self, module: Callable[[str], Any]) -> None:
        head = "import dataclasses, pydantic\nfrom typing import NamedTuple\n"
        old = (
            "@dataclasses.dataclass\nclass D:\n    a: int\n"
            "class P(pydantic.BaseModel):\n    a: int\n"
            "class N(NamedTuple):\n    a: int\n"
        )
        things = module(head + old)
        texts = [Codec().dumps(kind(a=1)) for kind in (things.D, things.P, things.N)]
        things = module(head + old.replace("a: int\n", "a: int\n    b: str = 'new'\n"))
        assert [Codec().loads(text) for text in texts] == [things.D(1), things.P(a=1), things.N(1)]
        assert [Codec().loads(text).b for text in texts] == ["new"] * 3

    def test_a_class_that_lost_a_field_is_made_without_it(self, module: Callable[[str], Any]) -> None:
        head, extra = "import dataclasses, pydantic\n", "    b: int\n"
        plain, model = "@dataclasses.dataclass\nclass D:\n    a: int\n", "class P(pydantic.BaseModel):\n    a: int\n"
        things = module(head + plain + extra + model + extra)
        texts = [Codec().dumps(kind(a=1, b=2)) for kind in (things.D, things.P)]
        things = module(head + plain + model)
        assert [Codec().loads(text) for text in texts] == [things.D(1), things.P(a=1)]

    def test_a_class_that_needs_more_than_was_stored_says_so(self, module: Callable[[str], Any]) -> None:
        head = "import pydantic\nclass P(pydantic.BaseModel):\n    a: int\n"
        text = Codec().dumps({"x": module(head).P(a=1)})
        module(head + "    b: int\n")
        with pytest.raises(pydantic.ValidationError):
            Codec().loads(text)
        found = Codec().why_not({"x": {"~": "pd", "c": "things:P", "v": {"a": 1}}})
        assert found.path == ".x"
        assert "decoding a stored things:P raised ValidationError" in found.what
        assert "If the class has changed since" in found.mend

    def test_a_class_that_is_gone_and_an_enum_without_its_member(self, module: Callable[[str], Any]) -> None:
        things = module("import enum\nclass E(enum.Enum):\n    A = 1\n")
        text = Codec().dumps(things.E.A)
        module("import enum\nclass E(enum.Enum):\n    B = 1\n")
        with pytest.raises(Unreadable, match="has no member 'A' any more"):
            Codec().loads(text)
        module("")
        with pytest.raises(Unreadable, match="class E is needed and module things has none of that name"):
            Codec().loads(text)
        with pytest.raises(Unreadable, match="Run the cell that defines Gone"):
            Codec().loads('{"~":"dc","c":"__main__:Gone","v":{}}')

    def test_a_tag_of_a_newer_version(self) -> None:
        with pytest.raises(Unreadable, match="the stored tag 'later' is unknown"):
            Codec().loads('{"~":"later","v":1}')

    def test_third_party_packages_are_loaded_on_use_only(self) -> None:
        code = """
            import sys
            from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
            from stepgraph.persist.codec import Codec
            codec = Codec()
            text = codec.dumps({"a": (1, {2}), "b": 1.5})
            codec.loads(text)
            loaded = {"numpy", "pandas", "pydantic", "langchain_core", "attrs"} & set(sys.modules)
            assert not loaded, loaded
            array = codec.loads('{"~":"np","t":"<i8","s":[1],"v":"AQAAAAAAAAA="}')
            assert array.tolist() == [1]
            message = codec.loads('{"~":"pd","c":"langchain_core.messages.human:HumanMessage","v":{"content":"hi"}}')
            assert message.content == "hi" and message.type == "human"
        """
        subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
