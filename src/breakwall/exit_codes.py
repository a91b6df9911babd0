"""Exit codes of every command; README and runbook say what each asks for."""

DONE = 0
INTERNAL = 1
"""An error of ours; `replay --check` or `sim` found something."""
USAGE = 2
"""Also settings, recordings and folders that cannot be used."""
UNREACHABLE = 3
NOT_FLAT = 4
UNEXPLAINED = 5
"""Observing only; or books that differ from the journal."""
REFUSED = 6
"""By a safety check."""
INTERRUPTED = 130
