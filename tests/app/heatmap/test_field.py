"""From codes to cells to what is sent: the terminal shows what the codes say, in every depth of colours."""

import re
from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style
from textual.strip import Strip

from breakwall.app.heatmap import field, heat
from breakwall.app.heatmap.field import Palette
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import Ink

CODES = [0, 1, 2, 5, 8, heat.WARM + 1, heat.WARM + 4, heat.PRICE, heat.RANGE]
COLOURED = [Depth.TRUECOLOR, Depth.EIGHT_BIT]


def console(depth: Depth) -> Console:
    return Console(file=StringIO(), force_terminal=True, color_system=depth.console)


def strip_of(codes, palette: Palette) -> Strip:
    """The first row of these codes."""
    return field.strip(field.keys_of(palette.cells(codes))[0], palette)


def shown(sequences: str) -> list[tuple[str, str]]:
    """What a terminal shows: upper and lower colour of each cell, or its glyph in its colours."""
    cells: list[tuple[str, str]] = []
    fore = back = "39"
    for sgr, text in re.findall(r"\x1b\[([0-9;]*)m([^\x1b]*)", sequences):
        for colour in re.findall(r"(?:[34]8;(?:5;\d+|2;\d+;\d+;\d+))|\d+", sgr):
            if colour == "0":
                fore = back = "39"
            elif colour.startswith("38"):
                fore = colour[3:]
            else:
                back = colour[3:]
        for char in text:
            upper = {"▀": fore, "█": fore, "▄": back, " ": back}.get(char, f"{char} {fore}")
            lower = {"▀": back, "█": fore, "▄": fore, " ": back}.get(char, back)
            cells.append((upper, lower))
    return cells


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES), st.integers(1, 12)), min_size=1, max_size=40),
    st.sampled_from(COLOURED),
    st.dictionaries(st.integers(0, 30), st.sampled_from(["buy", "sell", "eaten"]), max_size=5),
)
def test_what_is_printed_shows_the_codes(runs, depth: Depth, spots) -> None:
    palette = Palette(Ink(packaged(), depth))
    codes = np.repeat(np.array([[a, b] for a, b, _ in runs], np.uint8).T, [n for _, _, n in runs], axis=1)
    cells = palette.cells(codes)
    for column, kind in spots.items():
        if column < codes.shape[1]:
            field.ground(cells, codes, 0, column)
            palette.spot(cells, heat.Spot(0, column, kind))
    strip = field.strip(field.keys_of(cells)[0], palette)
    printed = strip.render(console(depth))
    from_segments = Strip(list(strip)).render(console(depth))
    assert strip.cell_length == codes.shape[1]
    assert len(printed) <= len(from_segments)
    assert shown(printed) == shown(from_segments)
    for column, (upper, lower) in enumerate(zip(*codes.tolist(), strict=True)):
        if column not in spots:
            colours = palette.fore[upper][3:], palette.fore[lower][3:]
            assert shown(printed)[column] == colours


def test_a_strip_under_a_dialog_is_made_of_its_segments() -> None:
    palette = Palette(Ink(packaged()))
    codes = np.array([[1, 5, 5, 40], [1, 1, 5, 5]], np.uint8)
    strip = strip_of(codes, palette)
    true = console(Depth.TRUECOLOR)
    dimmed = strip.apply_style(Style(dim=True))
    assert dimmed.text == strip.text
    assert dimmed.render(true) != strip.render(true)
    assert strip.crop(1, 3).text == strip.text[1:3]


def test_a_terminal_of_another_depth_gets_its_own_colours() -> None:
    palette = Palette(Ink(packaged()))
    strip = strip_of(np.array([[1, 5], [1, 1]], np.uint8), palette)
    assert "48;2;" in strip.render(console(Depth.TRUECOLOR))
    assert "48;2;" not in strip_of(np.array([[1, 5], [1, 1]], np.uint8), palette).render(console(Depth.EIGHT_BIT))


@pytest.mark.parametrize("depth", [Depth.SIXTEEN, Depth.NONE])
def test_without_ramps_everything_is_told_by_its_glyph(depth: Depth) -> None:
    palette = Palette(Ink(packaged(), depth))
    assert palette.levels == 3
    column = [0, 1, 2, 3, heat.WARM + 1, heat.WARM + 4, heat.PRICE, heat.GAP]
    codes = np.array([column, column], np.uint8)
    cells = palette.cells(codes)
    for place, spot in enumerate(("buy", "sell", "pulled", "eaten")):
        palette.spot(cells, heat.Spot(0, place, spot, 0))
    text = field.strip(field.keys_of(cells)[0], palette).text
    assert text[:4] == "bsxo"
    assert strip_of(codes, palette).text == " ░▒▓▂█─╱"  # noqa: RUF001 - a hatch
    coloured = re.search(
        r"\x1b\[[0-9;]*[34][0-9]", field.strip(field.keys_of(cells)[0], palette).render(console(depth))
    )
    assert bool(coloured) == (depth is Depth.SIXTEEN)


def test_every_code_has_a_colour_in_every_depth() -> None:
    for depth in Depth:
        palette = Palette(Ink(packaged(), depth))
        codes = range(palette.levels + 1) if palette.ramps else [0]
        warm = range(heat.WARM + 1, heat.WARM + 5) if palette.ramps else []
        over = (heat.PRICE, heat.RANGE, field.BUY, field.SELL, field.OWN, field.STOP, field.MARK, field.DIM)
        for code in (*codes, *warm, *over):
            assert palette.fore[code]
            assert palette.back[code]


def test_the_ground_of_a_glyph_is_the_wall_then_the_heat_then_the_line() -> None:
    wall = heat.WARM + 2
    codes = np.array([[heat.PRICE, 3, wall, heat.PRICE], [5, heat.PRICE, 7, heat.PRICE]], np.uint8)
    cells = Palette(Ink(packaged())).cells(codes)
    for column in range(4):
        field.ground(cells, codes, 0, column)
    assert cells.back[0].tolist() == [5, 3, wall, heat.PRICE]


def test_what_sticks_out_of_the_picture_is_cut() -> None:
    cells = Palette(Ink(packaged())).cells(np.zeros((4, 5), np.uint8))
    cells.put(0, 3, "STOP", field.STOP)
    cells.put(2, 0, "below", field.STOP)
    cells.put(-1, 0, "above", field.STOP)
    assert ["".join(map(chr, row)) for row in cells.glyphs.tolist()] == ["   ST", "     "]
