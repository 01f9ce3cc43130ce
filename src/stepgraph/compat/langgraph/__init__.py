"""LangGraph 1.2's module tree over this engine, one module for each of its modules.

Nothing runs here: a module names what its counterpart names. `stepgraph.compat.hook` lets programs import these
modules as `langgraph…`.
"""
