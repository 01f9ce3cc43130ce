"""The interface of stores: operations, items, and the methods that wrap one operation each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple, TypedDict

from stepgraph.core import registry

Namespace = tuple[str, ...]


class _NotProvided:
    """Stands for an argument that was left out, where None means something."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_PROVIDED = _NotProvided()


class Item:
    """A stored value, where it is kept, and when it was made and last changed."""

    __slots__ = ("created_at", "key", "namespace", "updated_at", "value")

    def __init__(
        self, *, value: dict[str, Any], key: str, namespace: Sequence[str], created_at: Any, updated_at: Any
    ) -> None:
        self.value = value
        self.key = key
        self.namespace = tuple(namespace)
        self.created_at: datetime = _time(created_at)
        self.updated_at: datetime = _time(updated_at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.dict() == other.dict()

    def __hash__(self) -> int:
        return hash((self.namespace, self.key))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.dict().items())
        return f"Item({shown})"

    def dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "namespace": list(self.namespace),
            "key": self.key,
            "value": self.value,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class SearchItem(Item):
    """An item that a search found; `score` says how near its meaning is to the query, None without a query."""

    __slots__ = ("score",)

    def __init__(
        self,
        namespace: Sequence[str],
        key: str,
        value: dict[str, Any],
        created_at: Any,
        updated_at: Any,
        score: float | None = None,
    ) -> None:
        super().__init__(value=value, key=key, namespace=namespace, created_at=created_at, updated_at=updated_at)
        self.score = score

    def dict(self) -> dict[str, Any]:
        return {**super().dict(), "score": self.score}


def _time(given: Any) -> Any:
    return datetime.fromisoformat(given) if isinstance(given, str) else given


class GetOp(NamedTuple):
    """Read one item."""

    namespace: Namespace
    key: str
    refresh_ttl: bool = True


class SearchOp(NamedTuple):
    """Find items below a namespace, by filter and by meaning."""

    namespace_prefix: Namespace
    filter: dict[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool = True


class MatchCondition(NamedTuple):
    """What a namespace begins or ends with; "*" stands for any one label."""

    match_type: Literal["prefix", "suffix"]
    path: tuple[str, ...]


class ListNamespacesOp(NamedTuple):
    """Name the namespaces that hold items."""

    match_conditions: tuple[MatchCondition, ...] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


class PutOp(NamedTuple):
    """Keep a value, or delete it: None."""

    namespace: Namespace
    key: str
    value: dict[str, Any] | None
    index: Literal[False] | list[str] | None = None  # type: ignore[assignment]  # hides tuple.index: LangGraph's name
    """The paths to embed; None for those of the store's index, False for none."""
    ttl: float | None = None
    """Minutes until it is forgotten."""


Op = GetOp | SearchOp | PutOp | ListNamespacesOp
Result = Any


class InvalidNamespaceError(ValueError):
    """A namespace that no item can be kept under."""


class TTLConfig(TypedDict, total=False):
    """How items are forgotten. Times are minutes."""

    refresh_on_read: bool
    default_ttl: float | None
    sweep_interval_minutes: int | None
    omit_expired: bool


class IndexConfig(TypedDict, total=False):
    """How items are searched by meaning."""

    dims: int
    embed: Any
    """An object with `embed_documents`, a function from texts to vectors (async too), or "provider:model"."""
    fields: list[str] | None
    """The paths to embed; ["$"], the whole value, if left out."""


class BaseStore(ABC):
    """A store does `batch` and `abatch`; everything else is one operation of these."""

    supports_ttl = False
    ttl_config: TTLConfig | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        meet()

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        return True if cls is BaseStore and not meet().isdisjoint(other.__mro__) else NotImplemented

    @abstractmethod
    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """The results of operations, in their order. Reads see what was there before the batch's puts."""

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""

    def get(self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None) -> Item | None:
        """The item under that key, or None."""
        check_labels(namespace)
        found: Item | None = self.batch([GetOp(namespace, str(key), self._refresh(refresh_ttl))])[0]
        return found

    async def aget(self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None) -> Item | None:
        """As `get`."""
        check_labels(namespace)
        found: Item | None = await self._one(GetOp(namespace, str(key), self._refresh(refresh_ttl)))
        return found

    def search(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Items below the namespace: all that pass `filter`, with `query` those nearest in meaning first.

        `filter` compares keys of values: `{"age": 3}`, `{"age": {"$gte": 3}}`; the operators are $eq, $ne, $gt, $gte,
        $lt and $lte.
        """
        check_labels(namespace_prefix)
        op = SearchOp(namespace_prefix, filter, limit, offset, query, self._refresh(refresh_ttl))
        found: list[SearchItem] = self.batch([op])[0]
        return found

    async def asearch(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """As `search`."""
        check_labels(namespace_prefix)
        op = SearchOp(namespace_prefix, filter, limit, offset, query, self._refresh(refresh_ttl))
        found: list[SearchItem] = await self._one(op)
        return found

    def put(
        self,
        namespace: Namespace,
        key: str,
        value: dict[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | _NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Keep `value`, for `ttl` minutes. `index` are the paths to embed for searches, False for none.

        Raises InvalidNamespaceError, and NotImplementedError for a `ttl` where the store forgets nothing.
        """
        self.batch([self._put(namespace, key, value, index, ttl)])

    async def aput(
        self,
        namespace: Namespace,
        key: str,
        value: dict[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | _NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """As `put`."""
        await self._one(self._put(namespace, key, value, index, ttl))

    def delete(self, namespace: Namespace, key: str) -> None:
        """Forget the item."""
        check_labels(namespace)
        self.batch([PutOp(namespace, str(key), None)])

    async def adelete(self, namespace: Namespace, key: str) -> None:
        """As `delete`."""
        check_labels(namespace)
        await self._one(PutOp(namespace, str(key), None))

    def list_namespaces(
        self,
        *,
        prefix: Sequence[str] | None = None,
        suffix: Sequence[str] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """The namespaces that match, sorted; cut to `max_depth` labels."""
        found: list[Namespace] = self.batch([_listing(prefix, suffix, max_depth, limit, offset)])[0]
        return found

    async def alist_namespaces(
        self,
        *,
        prefix: Sequence[str] | None = None,
        suffix: Sequence[str] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """As `list_namespaces`."""
        found: list[Namespace] = await self._one(_listing(prefix, suffix, max_depth, limit, offset))
        return found

    async def _one(self, op: Op) -> Result:
        return (await self.abatch([op]))[0]

    def _refresh(self, given: bool | None) -> bool:
        if given is not None:
            return given
        return True if self.ttl_config is None else self.ttl_config.get("refresh_on_read", True)

    def _put(self, namespace: Namespace, key: str, value: dict[str, Any], index: Any, ttl: Any) -> PutOp:
        check_namespace(namespace)
        if ttl is not NOT_PROVIDED and ttl is not None and not self.supports_ttl:
            raise NotImplementedError(
                f"TTL is not supported by {type(self).__name__}. Leave `ttl` out, or use a store that forgets, "
                "e.g. SqliteStore."
            )
        if ttl is NOT_PROVIDED:
            ttl = (self.ttl_config or {}).get("default_ttl")
        return PutOp(namespace, str(key), value, index, ttl)


def _listing(
    prefix: Sequence[str] | None, suffix: Sequence[str] | None, max_depth: int | None, limit: int, offset: int
) -> ListNamespacesOp:
    check_labels((*(prefix or ()), *(suffix or ())))
    conditions = []
    if prefix:
        conditions.append(MatchCondition("prefix", tuple(prefix)))
    if suffix:
        conditions.append(MatchCondition("suffix", tuple(suffix)))
    return ListNamespacesOp(tuple(conditions), max_depth, limit, offset)


def check_namespace(namespace: Namespace) -> None:
    """Raise InvalidNamespaceError for a namespace that no item can be kept under."""
    if not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    check_labels(namespace)
    if namespace[0] == "langgraph":
        raise InvalidNamespaceError(f'Root label for namespace cannot be "langgraph". Got: {namespace}')


def check_labels(namespace: Iterable[Any]) -> None:
    """Raise InvalidNamespaceError for labels that no namespace has: empty ones, no text, or with a period."""
    for label in namespace:
        wrong = _wrong(label)
        if wrong:
            raise InvalidNamespaceError(f"Invalid namespace label {label!r} found in {namespace}. {wrong}")


def check_operation(op: Any) -> None:
    """Raise InvalidNamespaceError for an operation with labels that no namespace has."""
    match op:
        case GetOp() | PutOp():
            check_labels(op.namespace)
        case SearchOp():
            check_labels(op.namespace_prefix)
        case ListNamespacesOp():
            for condition in op.match_conditions or ():
                check_labels(condition.path)


def _wrong(label: Any) -> str | None:
    if not isinstance(label, str):
        return f"Namespace labels must be strings, but got {type(label).__name__}."
    if "." in label:
        return "Namespace labels cannot contain periods ('.')."
    if "\0" in label:
        return "Namespace labels cannot contain NUL bytes ('\\x00')."
    return None if label else "Namespace labels cannot be empty strings."


meet = partial(registry.kin, "langgraph.store.base")
"""LangGraph's classes of which those here are a kind, as far as they are loaded."""
meet()
