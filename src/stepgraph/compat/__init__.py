"""Programs written for LangGraph, unchanged, on this engine: module mirrors and an import hook."""
