"""Results that nodes need not compute again, for programs that run where langgraph-checkpoint is not installed."""
