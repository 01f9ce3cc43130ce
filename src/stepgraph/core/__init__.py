"""The engine: what a superstep is, as pure rules. Standard library only; no I/O, no clock, no thread."""
