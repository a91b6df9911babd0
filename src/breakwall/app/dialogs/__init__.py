"""Dialogs: rows on a sheet over the panes, which go on living below them."""
