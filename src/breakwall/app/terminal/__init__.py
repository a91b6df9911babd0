"""The terminal under the cockpit: what is written to it, and what is typed."""
