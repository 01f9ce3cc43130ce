"""What other packages use of LangGraph's internals."""
