"""Under test, chapters keep their files in a folder of their own: what a reader left is neither seen nor changed."""

from __future__ import annotations

from collections.abc import Generator
from tempfile import TemporaryDirectory
from typing import Any

import pytest

_folder = TemporaryDirectory(prefix="stepgraph-chapters-")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    """The kernel of a notebook starts when its first cell is set up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", _folder.name)
        return (yield)
