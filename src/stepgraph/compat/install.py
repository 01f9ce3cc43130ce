"""`import stepgraph.compat.install` makes every later `import langgraph…` give this engine.

As a pytest plugin: `pytest -p stepgraph.compat.install`.
"""

from __future__ import annotations

from stepgraph.compat.hook import install

install()
