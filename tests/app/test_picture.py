"""The picture of the screen: exact rectangles, harmless texts, the same each time."""

import re
from xml.etree import ElementTree as ET

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from breakwall.app.picture import picture
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import Ink

SVG = "{http://www.w3.org/2000/svg}"


def strip(*cells: tuple[str, str]) -> Strip:
    return Strip([Segment(text, Style.parse(style)) for text, style in cells])


def drawn(*rows: Strip, depth: Depth = Depth.TRUECOLOR) -> ET.Element:
    return ET.fromstring(picture(rows, Ink(packaged(), depth)))  # noqa: S314 - our own text


def rectangles(svg: ET.Element) -> set[tuple[str, int, int, int, int]]:
    """Colour, x, y, width and height of all there are."""
    found = set()
    for path in svg.iter(f"{SVG}path"):
        for numbers in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", path.attrib["d"]):
            found.add((path.attrib["fill"], *map(int, numbers)))
    return found


def texts(svg: ET.Element) -> list[tuple[str | None, str, str]]:
    return [(text.text, text.attrib["x"], text.attrib["textLength"]) for text in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([("▀▀", "#ff0000 on #00ff00")], {("#ff0000", 0, 0, 16, 8), ("#00ff00", 0, 8, 16, 8)}),
        ([("▄", "#ff0000 on #00ff00")], {("#00ff00", 0, 0, 8, 8), ("#ff0000", 0, 8, 8, 8)}),
        ([("█", "#ff0000 on #00ff00")], {("#ff0000", 0, 0, 8, 16)}),
        ([(" ", "#ff0000 on #00ff00")], {("#00ff00", 0, 0, 8, 16)}),
        ([(" ", "#ff0000 on #00ff00 reverse")], {("#ff0000", 0, 0, 8, 16)}),
        ([("  ", ""), ("▂", "#ff0000")], {("#ff0000", 16, 12, 8, 4)}),
        ([("▌", "#ff0000")], {("#ff0000", 0, 0, 4, 16)}),
        ([("ab", "#ff0000 underline")], {("#ff0000", 0, 14, 8, 1), ("#ff0000", 8, 14, 8, 1)}),
        ([("   ", "")], set()),
    ],
)
def test_blocks_are_rectangles(row: list[tuple[str, str]], expected: set[tuple[str, int, int, int, int]]) -> None:
    assert rectangles(drawn(strip(*row))) == expected


def test_equal_stretches_below_each_other_are_one() -> None:
    block = strip(("█", "#ff0000"), ("  ", "on #0000ff"))
    assert rectangles(drawn(block, block, block)) == {("#ff0000", 0, 0, 8, 48), ("#0000ff", 8, 0, 16, 48)}


def test_texts_stand_in_their_columns() -> None:
    svg = drawn(strip((" BTCUSDT  64 117.5 ", ""), ("●✓", "#ff0000"), ("中x", "")))
    assert texts(svg) == [
        ("BTCUSDT", "8", "56"),
        ("64 117.5", "80", "64"),
        ("中", "168", "16"),
        ("x", "184", "8"),
        ("●", "152", "8"),
        ("✓", "160", "8"),
    ]


def test_foreign_text_stays_text() -> None:
    source = picture([strip(("<script>&\x1b]52;c;x\x07", ""))], Ink(packaged()), title="<b>")
    svg = ET.fromstring(source)  # noqa: S314 - our own text
    assert [text for text, _, _ in texts(svg)] == ["<script>&]52;c;x"]
    assert "\x1b" not in source


def test_nothing_outside_is_referred_to() -> None:
    source = picture([strip(("text ▀", "bold italic"))], Ink(packaged()))
    assert re.findall(r"href|url\(|@import|<script|<image|<style", source) == []
    assert source.count("http") == 1  # the name of SVG itself


@pytest.mark.parametrize("depth", Depth)
def test_every_depth_has_a_picture(depth: Depth) -> None:
    ink = Ink(packaged(), depth)
    row = Strip([Segment(" bid ", ink["bid"]), Segment(" wall ", ink["bid-wall"]), Segment(" dim ", ink["dim"])])
    assert [text for text, _, _ in texts(drawn(row, depth=depth))] == ["bid", "wall", "dim"]


def test_the_same_screen_gives_the_same_picture() -> None:
    rows = [strip(("▀" * 40, "#ff0000 on #00ff00"), ("text", "bold"))] * 20
    assert picture(rows, Ink(packaged())) == picture(rows, Ink(packaged()))
    assert len(picture(rows, Ink(packaged()))) < 6_000
