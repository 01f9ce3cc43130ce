"""Where threads are kept, for programs that run where langgraph-checkpoint is not installed."""
