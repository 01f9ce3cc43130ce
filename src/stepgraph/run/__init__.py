"""Drivers: what turns the engine's effects into calls, threads, awaits and saved checkpoints."""
