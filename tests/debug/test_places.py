from __future__ import annotations

from typing import TypedDict

import pytest

from stepgraph.core.types import END, START
from stepgraph.debug.places import Spec, graph_paths, matches, node_paths, parse
from stepgraph.graph.builder import StateGraph


class State(TypedDict):
    a: int


@pytest.fixture
def plan():
    def by_size(state: State) -> str:
        return END

    inner = StateGraph(State).add_node("plan", lambda s: {}).add_edge(START, "plan")
    inner.add_conditional_edges("plan", by_size, [END])
    outer = StateGraph(State).add_node("draft", lambda s: {}).add_node("research", inner.compile())
    outer.add_edge(START, "research").add_edge("research", "draft")
    outer.add_conditional_edges("draft", by_size, [END])
    return outer.compile().plan


def test_paths_name_nodes_with_their_subgraphs(plan):
    assert list(node_paths(plan)) == ["draft", "research", "research/plan"]
    assert list(graph_paths(plan)) == ["", "research"]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("after:draft", Spec("after", "draft")),
        (" before : research/plan ", Spec("before", "research/plan")),
        ("error", Spec("error", "**")),
        ("step", Spec("step", "")),
        ("step:research", Spec("step", "research")),
        ("edge:draft/by_size", Spec("edge", "draft", "by_size")),
        ("edge:research/plan", Spec("edge", "research/plan")),
        ("edge:research/plan/by_size", Spec("edge", "research/plan", "by_size")),
        ("after:*", Spec("after", "*")),
    ],
)
def test_a_stop_is_a_place_and_a_pattern(plan, text, spec):
    assert parse(text, plan) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aftr:draft", "did you mean 'after'"),
        ("after:drafd", "did you mean 'draft'"),
        ("after:", "a node's name is wanted after the colon"),
        ("edge:draft/by_sze", "did you mean 'by_size'"),
        ("step:draft", "the graph has no subgraph 'draft'"),
        ("", "no place to stop at"),
    ],
)
def test_a_wrong_stop_says_what_is_known(plan, text, message):
    with pytest.raises(ValueError) as caught:
        parse(text, plan)
    assert message in str(caught.value)


def test_a_sentence_about_a_wrong_stop_ends_once(plan):
    with pytest.raises(ValueError, match=r"'drafd' \(did you mean 'draft'\?\)\. Known: "):
        parse("after:drafd", plan)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("draft", "draft", True),
        ("draft", "research/draft", False),
        ("*", "draft", True),
        ("*", "research/plan", False),
        ("**", "research/plan", True),
        ("**/plan", "plan", True),
        ("**/plan", "a/b/plan", True),
        ("research/*", "research/plan", True),
        ("r?s*", "rest", True),
        ("", "", True),
    ],
)
def test_stars_stand_for_parts_of_a_level_and_for_levels(pattern, path, fits):
    assert matches(pattern, path) is fits
