"""What every store does: a class of tests that a store's own test file inherits, as tests/store/test_memory.py does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stepgraph.store import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

PEOPLE = {
    "ann": {"age": 30, "city": "Bern", "tags": ["a", "b"], "home": {"rooms": 3}},
    "bob": {"age": 40, "city": "Rome", "tags": ["b"], "home": {"rooms": 5}},
    "eve": {"age": 50, "city": "Bern", "tags": [], "home": {}},
}
FILTERS: list[tuple[Any, list[str]]] = [
    (None, ["ann", "bob", "eve"]),
    ({}, ["ann", "bob", "eve"]),
    ({"city": "Bern"}, ["ann", "eve"]),
    ({"city": "Bern", "age": 50}, ["eve"]),
    ({"age": {"$gt": 30}}, ["bob", "eve"]),
    ({"age": {"$gte": 30, "$lt": 50}}, ["ann", "bob"]),
    ({"age": {"$lte": 30}}, ["ann"]),
    ({"age": {"$ne": 40}}, ["ann", "eve"]),
    ({"age": {"$eq": 40}}, ["bob"]),
    ({"home": {"rooms": 3}}, ["ann"]),
    ({"home": {"rooms": {"$gt": 2}}}, None),  # type: ignore[list-item]  # None: eve has no rooms to compare
    ({"tags": ["a", "b"]}, ["ann"]),
    ({"tags": ["b", "a"]}, []),
    ({"unknown": None}, ["ann", "bob", "eve"]),
]


class StoreContract:
    """Subclasses have a fixture `store`, an empty one without an index, and `indexed`, one that embeds `text`."""

    @pytest.fixture
    def people(self, store: BaseStore) -> BaseStore:
        for name, value in PEOPLE.items():
            store.put(("people", "staff"), name, value)
        return store

    def test_a_value_is_kept_until_it_is_replaced_or_deleted(self, store: BaseStore) -> None:
        place = ("docs", "u1")
        assert store.get(place, "k") is None
        store.put(place, "k", {"a": 1, "b": [None, 2.5, "ü"]})
        first = store.get(place, "k")
        assert first is not None
        assert (first.namespace, first.key, first.value) == (place, "k", {"a": 1, "b": [None, 2.5, "ü"]})
        assert first.created_at.tzinfo is not None
        store.put(place, "k", {"a": 2})
        second = store.get(place, "k")
        assert second is not None
        assert second.value == {"a": 2}
        assert second.updated_at >= first.updated_at
        store.delete(place, "k")
        store.delete(place, "k")
        assert store.get(place, "k") is None
        assert store.search(place) == []

    @pytest.mark.parametrize(
        "namespace", [("a.b",), ("",), ("a", 3), ("a\0",)], ids=["period", "empty", "number", "null"]
    )
    def test_labels_that_no_namespace_has_are_refused_wherever_they_are_given(
        self, store: BaseStore, namespace: Any
    ) -> None:
        async def awaited(call: Any) -> Any:
            return await call()

        calls: dict[str, tuple[Any, Any]] = {
            "get": (lambda: store.get(namespace, "k"), lambda: store.aget(namespace, "k")),
            "put": (lambda: store.put(namespace, "k", {}), lambda: store.aput(namespace, "k", {})),
            "delete": (lambda: store.delete(namespace, "k"), lambda: store.adelete(namespace, "k")),
            "search": (lambda: store.search(namespace), lambda: store.asearch(namespace)),
            "prefix": (
                lambda: store.list_namespaces(prefix=namespace),
                lambda: store.alist_namespaces(prefix=namespace),
            ),
            "suffix": (
                lambda: store.list_namespaces(suffix=namespace),
                lambda: store.alist_namespaces(suffix=namespace),
            ),
        }
        for now, later in calls.values():
            with pytest.raises(InvalidNamespaceError, match="amespace label"):
                now()
            with pytest.raises(InvalidNamespaceError, match="amespace label"):
                asyncio.run(awaited(later))

    def test_a_namespace_is_its_own(self, store: BaseStore) -> None:
        for place in (("a",), ("a", "b"), ("ab",), ("a_",), ("A",)):
            store.put(place, "k", {"place": list(place)})
        for place in (("a",), ("a", "b"), ("ab",), ("a_",), ("A",)):
            found = store.get(place, "k")
            assert found is not None
            assert found.value == {"place": list(place)}
        assert [item.namespace for item in store.search(("a",))] == [("a",), ("a", "b")]
        assert len(store.search(())) == 5

    @pytest.mark.parametrize(("namespace", "why"), [
        ((), "cannot be empty"),
        (("a.b",), "cannot contain periods"),
        (("a", ""), "cannot be empty strings"),
        (("a\0",), "NUL bytes"),
        (("langgraph", "x"), 'cannot be "langgraph"'),
        (("a", 5), "must be strings, but got int"),
    ])  # fmt: skip
    def test_a_bad_namespace_is_refused(self, store: BaseStore, namespace: Any, why: str) -> None:
        with pytest.raises(InvalidNamespaceError, match=why):
            store.put(namespace, "k", {})

    @pytest.mark.parametrize(("wanted", "found"), FILTERS)
    def test_a_search_filters(self, people: BaseStore, wanted: Any, found: list[str] | None) -> None:
        if found is None:
            with pytest.raises(TypeError):
                people.search(("people",), filter=wanted)
            return
        assert [item.key for item in people.search(("people",), filter=wanted)] == found

    def test_an_unknown_operator_is_refused(self, people: BaseStore) -> None:
        with pytest.raises(ValueError, match="Unsupported operator: \\$in"):
            people.search(("people",), filter={"age": {"$in": [1]}})

    def test_a_search_has_pages(self, store: BaseStore) -> None:
        for number in range(15):
            store.put(("n",), str(number), {"n": number})
        assert [item.value["n"] for item in store.search(("n",))] == list(range(10))
        assert [item.value["n"] for item in store.search(("n",), limit=3, offset=13)] == [13, 14]
        assert [item.value["n"] for item in store.search(("n",), filter={"n": {"$gt": 5}}, limit=2, offset=1)] == [7, 8]
        assert all(item.score is None for item in store.search(("n",)))

    def test_reads_of_a_batch_see_what_was_before_it(self, store: BaseStore) -> None:
        place = ("b",)
        store.put(place, "old", {"v": 0})
        results = store.batch([
            PutOp(place, "k", {"v": 1}),
            GetOp(place, "k"),
            PutOp(place, "k", {"v": 2}),
            SearchOp(place),
            ListNamespacesOp(),
            PutOp(place, "old", None),
            GetOp(place, "old"),
        ])  # fmt: skip
        assert results[0] is results[1] is results[2] is None
        assert [item.key for item in results[3]] == ["old"]
        assert results[4] == [place]
        assert results[6].value == {"v": 0}
        last = store.get(place, "k")
        assert last is not None
        assert last.value == {"v": 2}
        assert store.get(place, "old") is None
        with pytest.raises(ValueError, match="Unknown operation type"):
            store.batch([5])  # type: ignore[list-item]  # what is refused

    def test_namespaces_are_listed(self, store: BaseStore) -> None:
        for place in (("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("z",)):
            store.put(place, "k", {})
            store.put(place, "l", {})
        assert store.list_namespaces() == [("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("z",)]
        assert store.list_namespaces(prefix=("a", "b")) == [("a", "b", "c"), ("a", "b", "d")]
        assert store.list_namespaces(suffix=("c",)) == [("a", "b", "c"), ("a", "x", "c")]
        assert store.list_namespaces(prefix=("a", "*", "c")) == [("a", "b", "c"), ("a", "x", "c")]
        assert store.list_namespaces(prefix=("a",), suffix=("x", "*")) == [("a", "x", "c")]
        assert store.list_namespaces(max_depth=2) == [("a", "b"), ("a", "x"), ("z",)]
        assert store.list_namespaces(limit=2, offset=1) == [("a", "b", "d"), ("a", "x", "c")]
        wrong = ListNamespacesOp((MatchCondition("middle", ("a",)),))  # type: ignore[arg-type]  # what is refused
        with pytest.raises(ValueError, match="Unsupported match type: middle"):
            store.batch([wrong])

    def test_coroutines_have_the_same(self, store: BaseStore) -> None:
        async def use() -> Any:
            await store.aput(("a",), "k", {"v": 1})
            await store.aput(("a",), "l", {"v": 2})
            await store.adelete(("a",), "l")
            item = await store.aget(("a",), "k")
            found = await store.asearch(("a",), filter={"v": 1})
            return item.value, [each.key for each in found], await store.alist_namespaces()  # type: ignore[union-attr]  # it is there

        assert asyncio.run(use()) == ({"v": 1}, ["k"], [("a",)])

    def test_a_search_ranks_by_meaning(self, indexed: BaseStore) -> None:
        indexed.put(("d",), "cats", {"text": "cat cat cat"})
        indexed.put(("d",), "both", {"text": "cat dog"})
        indexed.put(("d",), "dogs", {"text": "dog dog"})
        indexed.put(("d",), "hidden", {"text": "cat"}, index=False)
        indexed.put(("d",), "title", {"text": "dog", "title": "cat"}, index=["title"])
        found = indexed.search(("d",), query="cat")
        assert [item.key for item in found] == ["cats", "title", "both", "dogs", "hidden"]
        scores = [item.score for item in found]
        assert scores[-1] is None
        assert scores[0] == pytest.approx(1.0)
        assert scores[3] == pytest.approx(0.0)
        assert [item.key for item in indexed.search(("d",), query="cat", limit=2, offset=1)] == ["title", "both"]
        assert [item.key for item in indexed.search(("d",), query="dog", filter={"title": "cat"})] == ["title"]
        assert [item.score for item in indexed.search(("d",))] == [None] * 5

    def test_a_new_value_has_new_vectors(self, indexed: BaseStore) -> None:
        indexed.put(("d",), "k", {"text": "cat"})
        indexed.put(("d",), "k", {"text": "dog"})
        assert indexed.search(("d",), query="dog")[0].score == pytest.approx(1.0)
        indexed.put(("d",), "k", {"text": "dog"}, index=False)
        assert indexed.search(("d",), query="dog")[0].score is None

    def test_coroutines_search_by_meaning(self, indexed: BaseStore) -> None:
        async def use() -> list[str]:
            await indexed.aput(("d",), "dogs", {"text": "dog"})
            await indexed.aput(("d",), "cats", {"text": "cat"})
            return [item.key for item in await indexed.asearch(("d",), query="cat")]

        assert asyncio.run(use()) == ["cats", "dogs"]


def embed(texts: list[str]) -> list[list[float]]:
    """Vectors that count cats and dogs."""
    return [[text.count("cat"), text.count("dog"), 0.0] for text in texts]
