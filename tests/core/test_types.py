"""Values that users make and read."""

from __future__ import annotations

import pytest

from stepgraph.core.types import Interrupt


def test_a_question_takes_what_it_had_before_and_nothing_that_nobody_knows() -> None:
    """Else a misspelt schema of the answer would be no schema, and nobody would hear of it."""
    assert Interrupt("why?", resumable=True, when="during").value == "why?"
    with pytest.raises(TypeError, match="unexpected keyword argument 'respons_schema'"):
        Interrupt("why?", respons_schema={})


def test_a_question_can_be_changed_by_whoever_shows_it() -> None:
    asked = Interrupt("who is 12-34?", id="x")
    asked.value = "who?"

    assert asked == Interrupt("who?", id="x")
    with pytest.raises(TypeError, match="unhashable"):
        hash(asked)
