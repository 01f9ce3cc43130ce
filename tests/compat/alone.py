"""Runs a program under the hook as where nothing of LangGraph's is installed: savers, stores and caches are ours."""

import runpy
import sys

from stepgraph.compat import hook

hook.install()
hook._finder.own = frozenset({"cache", "checkpoint", "store"})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
