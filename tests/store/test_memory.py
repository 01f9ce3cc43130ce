"""The store in memory: the contract, and the same answers as LangGraph's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from langgraph.store import base as theirs
from langgraph.store.memory import InMemoryStore as Reference

from stepgraph import store as ours
from stepgraph.store import BaseStore, InMemoryStore
from stepgraph.store.meaning import texts_at, tokens
from tests.contract.store import StoreContract, embed


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> BaseStore:
        return InMemoryStore()

    @pytest.fixture
    def indexed(self) -> BaseStore:
        return InMemoryStore(index={"dims": 3, "embed": embed, "fields": ["text"]})


def test_nothing_is_forgotten_so_a_ttl_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="TTL is not supported by InMemoryStore"):
        InMemoryStore().put(("a",), "k", {}, ttl=5)
    InMemoryStore().put(("a",), "k", {}, ttl=None)


def test_an_embedding_must_be_one_vector_a_text() -> None:
    store = InMemoryStore(index={"dims": 1, "embed": lambda texts: [[1.0]] * (len(texts) + 1)})
    with pytest.raises(ValueError, match="does not match number of indices"):
        store.put(("a",), "k", {"t": "x"})
    with pytest.raises(ValueError, match="give a function from a list of texts"):
        InMemoryStore(index={"dims": 1, "embed": 5})


VALUE = {
    "a": {"b": "deep", "n": 1, "none": None},
    "list": [{"c": "x", "d": 1}, {"c": "y"}, "z"],
    "flag": True,
    "words": ["p", "q"],
}


@pytest.mark.parametrize("path", [
    "", "$", "a", "a.b", "a.none", "list", "list[0].c", "list[-1]", "list[9]", "list[*].c", "list[x]", "words[*]", "*",
    "a.*", "list.*", "{a.b,flag}", "{words, a}", "a.{b,n}", "unknown", "flag", "words[0]", "a[0]", "list[*].{c,d}",
])  # fmt: skip
def test_paths_lead_to_the_texts_that_langgraph_finds(path: str) -> None:
    assert tokens(path) == (theirs.tokenize_path(path) if path != "$" else ["$"])
    assert texts_at(VALUE, path) == theirs.get_text_at_path(VALUE, path)


@pytest.mark.parametrize("seed", range(20))
def test_random_operations_give_what_langgraph_gives(seed: int) -> None:
    rng = random.Random(seed)
    index: Any = {"dims": 3, "embed": embed, "fields": ["text"]} if seed % 2 else None
    one, other = InMemoryStore(index=index), Reference(index=index)
    used: set[tuple[Any, str]] = set()
    for _ in range(40):
        known = set(used)
        batch = [operation(rng, used, known) for _ in range(rng.randint(1, 5))]
        got = one.batch([getattr(ours, name)(*args) for name, args in batch])
        want = other.batch([getattr(theirs, name)(*args) for name, args in batch])
        assert [shown(each) for each in got] == [shown(each) for each in want], batch


def operation(
    rng: random.Random, used: set[tuple[Any, str]], known: set[tuple[Any, str]]
) -> tuple[str, tuple[Any, ...]]:
    """An operation's name and arguments. Each place is put once: LangGraph keeps vectors of values that are gone.

    Only what is there is read: LangGraph makes a namespace when somebody looks for something in it.
    """
    place = tuple(rng.choice("ab") for _ in range(rng.randint(1, 3)))
    key = rng.choice("klm")
    match rng.choice(["put", "put", "put", "get", "search", "search", "list"]):
        case "put" if (place, key) not in used:
            used.add((place, key))
            text = f"{rng.choice(['cat', 'dog dog cat', 'none'])} {len(used)}"  # LangGraph embeds none twice
            value = {"n": rng.randint(0, 5), "text": text}
            return "PutOp", (place, key, value, rng.choice([None, None, False, ["text"]]))
        case "search":
            query = rng.choice([None, "cat", "dog"])
            wanted = rng.choice([None, {"n": 3}, {"n": {"$gte": 2}}, {"n": {"$ne": 1}}])
            return "SearchOp", (place[:-1], wanted, rng.randint(1, 6), rng.randint(0, 3), query)
        case "list":
            conditions = rng.choice([None, (("prefix", ("a", "*")),), (("suffix", ("b",)),)])
            return "ListNamespacesOp", (conditions and tuple(map(_condition, conditions)), rng.choice([None, 1, 2]))
    return "GetOp", (place if (place, key) in known else ("unknown",), key)


def _condition(given: Any) -> Any:
    return ours.MatchCondition(*given)


def shown(result: Any) -> Any:
    if isinstance(result, list):
        return [shown(each) for each in result if each != ("unknown",)]
    if hasattr(result, "value"):
        score = getattr(result, "score", None)
        return result.namespace, result.key, result.value, score and round(score, 5)
    return result
