"""The packaged themes are readable, tell the sides apart for every eye, and survive the loss of colours."""

from itertools import pairwise
from math import dist
from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from breakwall.app.themes.colour import oklab
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import load_all, packaged
from breakwall.app.themes.ink import INKS, Ink
from breakwall.app.themes.theme import of_textual

COLOURED = ("contrast", "daylight", "harbor", "midnight")
RICH = (Depth.TRUECOLOR, Depth.EIGHT_BIT)

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# 2009: full severity, on linear red, green and blue.
EYES = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> list[float]:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def seen(colour: str, eye: str) -> str:
    """The colour as such an eye sees it."""
    shares = [sum(m * c for m, c in zip(row, linear(colour), strict=True)) for row in EYES[eye]]
    cut = [min(1.0, max(0.0, share)) for share in shares]
    curved = [12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055 for share in cut]
    return "#" + "".join(f"{round(255 * share):02x}" for share in curved)


def apart(one: str, other: str, eye: str = "usual") -> float:
    """Distance in OKLab, times 100: about 2 is just visible."""
    return 100 * dist(oklab(seen(one, eye)), oklab(seen(other, eye)))


def contrast(one: str, other: str) -> float:
    """WCAG 2: 1 is none, 21 black on white."""
    low, high = sorted(
        0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (linear(one), linear(other))
    )
    return (high + 0.05) / (low + 0.05)


def shown(color: Color | None) -> str:
    assert color is not None
    return color.get_truecolor().hex


def test_all_five_are_there_and_nothing_is_said_about_them(tmp_path: Path) -> None:
    themes, notices = load_all(tmp_path)
    assert {*COLOURED, "terminal"} <= set(themes)
    assert notices == []


@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_every_ink_can_be_read(name: str, depth: Depth) -> None:
    ink = Ink(packaged(name), depth)
    on_background, on_others = (7.0, 5.5) if name == "contrast" else (4.5, 4.0)
    hard = {}
    for word in INKS:
        ratio = contrast(shown(ink[word].color), shown(ink[word].bgcolor))
        if ratio < (on_background if ink[word].bgcolor == ink.background else on_others):
            hard[word] = round(ratio, 1)
    assert hard == {}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_the_sides_are_apart_for_every_eye(name: str, depth: Depth, eye: str) -> None:
    colours = packaged(name).at(depth).market
    assert apart(colours["bid"], colours["ask"], eye) >= 12
    assert apart(colours["bid"], colours["bid-wall"], eye) >= 8
    assert apart(colours["ask"], colours["ask-wall"], eye) >= 8


@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_more_is_never_less_in_the_ramps(name: str, depth: Depth) -> None:
    theme = packaged(name).at(depth)
    sign = 1 if theme.dark else -1
    assert len(theme.cool) >= 8
    assert len(theme.warm) == 4
    assert theme.cool[0] == theme.base["background"]
    for ramp in (theme.cool, theme.warm):
        steps = [sign * (oklab(after)[0] - oklab(before)[0]) for before, after in pairwise(ramp)]
        assert min(steps) > 0.01, ramp
        assert min(apart(*pair) for pair in pairwise(ramp)) > 2, ramp


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_a_wall_is_never_taken_for_ordinary_size(name: str, depth: Depth, eye: str) -> None:
    theme = packaged(name).at(depth)
    assert min(apart(warm, cool, eye) for warm in theme.warm for cool in theme.cool) >= 8


@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_what_lies_on_the_heat_map_is_seen_on_it(name: str, depth: Depth) -> None:
    """The line of the price and the trades of both sides, on every level of ordinary liquidity."""
    theme = packaged(name).at(depth)
    for key in ("price", "bid", "ask"):
        assert min(apart(theme.market[key], cool) for cool in theme.cool) >= 8, key
    assert min(apart(theme.market["price"], warm) for warm in theme.warm) >= 4


@pytest.mark.parametrize("depth", RICH)
@pytest.mark.parametrize("name", COLOURED)
def test_panels_and_bars_differ_from_the_background(name: str, depth: Depth) -> None:
    theme = packaged(name).at(depth)
    assert apart(theme.base["panel"], theme.base["background"]) >= 3
    for side in ("bid", "ask"):
        assert apart(theme.market[f"{side}-bar"], theme.base["background"]) >= 8


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("name", [*COLOURED, "terminal"])
def test_every_ink_is_there_in_what_the_terminal_can_show(name: str, depth: Depth) -> None:
    ink = Ink(packaged(name), depth)
    shows: dict[Depth, set[str]] = {
        Depth.TRUECOLOR: {"TRUECOLOR"},
        Depth.EIGHT_BIT: {"EIGHT_BIT"},
        Depth.SIXTEEN: {"STANDARD", "DEFAULT"},
        Depth.NONE: {"DEFAULT"},
    }
    kinds = shows[Depth.SIXTEEN] if name == "terminal" and depth is not Depth.NONE else shows[depth]
    for word in INKS:
        used = {color.type.name for color in (ink[word].color, ink[word].bgcolor) if color is not None}
        assert used <= kinds, word
    assert bool(ink.cool) is bool(ink.warm) is (depth in RICH and name != "terminal")
    assert [len(ink.shades), len(ink.wall_shades)] == [4, 4]


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_textuals_themes_become_ours(name: str) -> None:
    builtin = BUILTIN_THEMES[name]
    variables = builtin.to_color_system().generate() | builtin.variables
    own = of_textual(builtin, variables, packaged("midnight" if builtin.dark else "daylight"))
    assert own.colours.keys() == packaged().colours.keys()
    for depth in Depth:
        ink = Ink(own, depth)
        assert all(isinstance(ink[word], Style) for word in INKS)
        ramp = own.at(depth).cool
        assert len(set(ramp)) == len(ramp)
