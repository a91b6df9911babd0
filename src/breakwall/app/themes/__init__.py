"""Colours: theme files, what they become in each depth, and the inks that panes ask for."""
