"""What panes are made of: rows of cells, as plain data.

A cell is a text and the name of its ink (see `breakwall.app.themes.ink`); a row is a tuple of cells. Rows compare
by value, so that a pane repaints only those that changed. Texts pass the sanitiser where they become strips.
"""

from rich.cells import cell_len, set_cell_size

from breakwall.model.text import sanitise

Cell = tuple[str, str]
Row = tuple[Cell, ...]


def clean(text: str) -> str:
    """A text that no terminal can be harmed by; printable text, which is nearly all, passes as it is."""
    return text if text.isprintable() else sanitise(text)


def left(text: str, width: int) -> str:
    """The text in exactly `width` columns, from the left; what does not fit ends in an ellipsis."""
    text = clean(text)
    if cell_len(text) > width > 1:
        return set_cell_size(set_cell_size(text, width - 1).rstrip(), width - 1) + "…"
    return set_cell_size(text, width)


def right(text: str, width: int) -> str:
    """The text in exactly `width` columns, to the right; a number that does not fit shows `#`, never wrong digits."""
    text = clean(text)
    length = cell_len(text)
    return "#" * width if length > width else " " * (width - length) + text


def width_of(row: Row) -> int:
    """Columns of a row."""
    return sum(cell_len(clean(text)) for text, _ in row)
