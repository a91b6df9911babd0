"""Tables and bars that fit: columns and words are dropped whole, the least important first."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from breakwall.app.rows.row import Cell, Row, clean, left, right, width_of


class Column(NamedTuple):
    """`rank`: higher ones are dropped first. Numbers stand to the right; a `free` column (one at most) takes
    what is left and may be cut with an ellipsis, but not below `least` columns.
    """

    head: str
    rank: int = 0
    number: bool = False
    free: bool = False
    least: int = 0


class Table(NamedTuple):
    """The heads of the columns that fit, and the rows under them."""

    heads: tuple[str, ...]
    rows: list[Row]


def table(columns: Sequence[Column], lines: Sequence[Sequence[Cell]], width: int) -> Table:
    """Lay out lines of one cell per column in `width`; columns are as wide as their widest text.

    The gap to the next column belongs to each cell's own ink, so that a whole row can be inverted.
    """
    wide = [
        max([len(column.head), column.least, *_lengths(column, lines, place)]) for place, column in enumerate(columns)
    ]
    kept = _kept(columns, wide, width)
    rest = width - sum(wide[place] for place in kept) - max(0, len(kept) - 1)
    for place in kept:
        if columns[place].free or len(kept) == 1:
            wide[place] += rest
    heads = tuple(_put(columns[place].head, columns[place].number, wide[place]) for place in kept)
    return Table(heads, [_row(columns, line, kept, wide, width) for line in lines])


def _lengths(column: Column, lines: Sequence[Sequence[Cell]], place: int) -> list[int]:
    return [] if column.free else [cell_len(clean(line[place][0])) for line in lines]


def _kept(columns: Sequence[Column], wide: list[int], width: int) -> list[int]:
    """Places of the columns that fit, in their order; the most important one always stays."""
    kept = sorted(range(len(columns)), key=lambda place: columns[place].rank)
    while len(kept) > 1 and sum(wide[place] for place in kept) + len(kept) - 1 > width:
        kept.pop()
    return sorted(kept)


def _row(columns: Sequence[Column], line: Sequence[Cell], kept: list[int], wide: list[int], width: int) -> Row:
    cells: list[Cell] = []
    for place in kept:
        text, ink = line[place]
        gap = "" if place == kept[-1] else " "
        cells.append((_put(text, columns[place].number, wide[place]) + gap, ink))
    return filled(tuple(cells), width, line[kept[-1]][1])


def _put(text: str, number: bool, width: int) -> str:
    return right(text, width) if number else left(text, width)


class Word(NamedTuple):
    """A piece of a bar: cells that stand or fall together. `rank`: higher ones are dropped first."""

    rank: int
    cells: Row


def fit(words: Sequence[Word], width: int, ink: str, gap: int = 2) -> Row:
    """The most important words that fit in `width`, in their order, `gap` blanks between them, then blanks."""
    room, chosen = width + gap, set[int]()
    for place, word in sorted(enumerate(words), key=lambda ranked: ranked[1].rank):
        if width_of(word.cells) + gap <= room or not chosen:
            chosen.add(place)
            room -= width_of(word.cells) + gap
    kept = [word for place, word in enumerate(words) if place in chosen]
    cells: list[Cell] = []
    for word in kept:
        cells += [(" " * gap, ink)] if cells else []
        cells += word.cells
    return filled(tuple(cells), width, ink)


def filled(row: Row, width: int, ink: str) -> Row:
    """The row in exactly `width` columns: cut from the right, or filled up with blanks in `ink`."""
    cells: list[Cell] = []
    room = width
    for text, name in row:
        take = min(room, cell_len(clean(text)))
        cells.append((left(text, take), name))
        room -= take
    return (*cells, (" " * room, ink)) if room else tuple(cells)
