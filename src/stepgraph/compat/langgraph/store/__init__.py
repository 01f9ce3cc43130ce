"""Long-term memory, for programs that run where langgraph-checkpoint is not installed."""
