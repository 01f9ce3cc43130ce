"""Values as bytes, for programs that run where langgraph-checkpoint is not installed."""
