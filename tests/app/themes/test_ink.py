"""Inks without colours: what must be told apart still is."""

from itertools import combinations

import pytest
from rich.style import Style

from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import INKS, Ink

TOLD_APART = [
    ("", "dim", "bold"),
    ("title", "title-focus"),
    ("bar", "bar-dim", "bar-bad"),
    ("bid", "bid-bar", "bid-wall"),
    ("ask", "ask-bar", "ask-wall"),
    ("", "good", "warn", "bad", "alarm"),
    ("price", "tag", "own", "stop"),
    ("armed", "safe"),
    ("live", "paper", "halted"),
    ("", "select"),
    ("", "stale"),
]
"""Sides, gains and most words are told apart by place, sign and text; these are not always."""


@pytest.mark.parametrize("depth", [Depth.SIXTEEN, Depth.NONE])
@pytest.mark.parametrize("name", ["contrast", "daylight", "harbor", "midnight", "terminal"])
@pytest.mark.parametrize("inks", TOLD_APART, ids="-".join)
def test_attributes_say_what_colours_cannot(inks: tuple[str, ...], name: str, depth: Depth) -> None:
    ink = Ink(packaged(name), depth)
    same = [pair for pair in combinations(inks, 2) if ink[pair[0]] == ink[pair[1]]]
    assert same == []


def test_text_in_the_unknown_backgrounds_colour_is_reversed() -> None:
    ink = Ink(packaged(), Depth.SIXTEEN)
    assert ink["tag"].reverse
    assert ink["tag"].color is not None
    assert ink["tag"].color.name == "yellow"
    assert ink["bid"].bgcolor is not None
    assert ink["bid"].bgcolor.is_default


def test_without_colours_nothing_has_one() -> None:
    ink = Ink(packaged(), Depth.NONE)
    styles = [ink[word] for word in INKS] + [style for _, style in (*ink.shades, *ink.wall_shades)]
    assert {(style.color, style.bgcolor) for style in styles} == {(None, None)}
    for colour in (ink.background, ink.bid, ink.ask, ink.price, ink.own, ink.stop, ink.tag):
        assert colour.is_default


def test_a_wall_has_glyphs_of_its_own() -> None:
    ink = Ink(packaged(), Depth.NONE)
    assert not {glyph for glyph, _ in ink.shades} & {glyph for glyph, _ in ink.wall_shades}


def test_styles_are_made_once_and_only_for_known_inks() -> None:
    ink = Ink(packaged())
    assert ink["bid"] is ink["bid"]
    assert ink["bid"] == Style.parse("#48d1b0 on #0b0e14")
    with pytest.raises(KeyError):
        ink["no such ink"]
