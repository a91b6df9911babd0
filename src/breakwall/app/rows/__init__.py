"""What panes are made of: rows of cells, tables, figures, and the bytes they become."""
