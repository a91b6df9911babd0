"""Breakwall: a terminal trading cockpit for the walls of crypto perpetual futures."""

__version__ = "0.1.0"
