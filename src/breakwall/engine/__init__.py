"""The engine: one inbox, one deterministic core, one executor, and the tasks that feed them."""
