"""The panes of the trade screen, one file each."""
