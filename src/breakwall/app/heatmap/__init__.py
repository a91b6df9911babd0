"""The heat map, from what the markets were to cells of text; the pane is in `widgets`."""
