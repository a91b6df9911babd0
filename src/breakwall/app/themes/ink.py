"""Inks: the names under which panes ask for colours, and the styles they become in a theme and colour depth.

Panes bypass Textual's own filters, so what comes from here is already right for the terminal: 24 bit, an index
of the 256, one of the terminal's own 16 chosen by meaning, or attributes alone.
"""

from functools import cached_property

from rich.color import Color
from rich.style import Style

from breakwall.app.themes.colour import nearest
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.theme import BreakwallTheme

INKS: dict[str, tuple[str, str, str, str]] = {
    # name: (foreground, background, attributes, attributes without colours); the first two are colours of the theme
    "": ("foreground", "background", "", ""),
    "dim": ("secondary", "background", "", "dim"),
    "bold": ("foreground", "background", "bold", "bold"),
    "title": ("foreground", "panel", "", "underline"),
    "title-focus": ("background", "primary", "bold", "reverse bold"),
    "title-dim": ("secondary", "panel", "", "underline"),
    "bar": ("foreground", "panel", "", ""),  # status and footer
    "bar-dim": ("secondary", "panel", "", "dim"),
    "bar-bold": ("foreground", "panel", "bold", "bold"),
    "bar-stale": ("market-stale", "panel", "", "dim underline"),
    "bar-good": ("success", "panel", "bold", "bold"),
    "bar-warn": ("warning", "panel", "bold", "bold underline"),
    "bar-bad": ("error", "panel", "bold", "reverse bold"),
    "key": ("accent", "panel", "bold", "reverse"),
    "bid": ("market-bid", "background", "", ""),
    "ask": ("market-ask", "background", "", ""),
    "bid-bold": ("market-bid", "background", "bold", "bold"),  # a big print
    "ask-bold": ("market-ask", "background", "bold", "bold"),
    "bid-wall": ("background", "market-bid-wall", "bold", "reverse bold"),
    "ask-wall": ("background", "market-ask-wall", "bold", "reverse bold"),
    "bid-bar": ("foreground", "market-bid-bar", "", "reverse"),  # the filled part of a size bar behind its number
    "ask-bar": ("foreground", "market-ask-bar", "", "reverse"),
    "gain": ("success", "background", "", ""),
    "loss": ("error", "background", "", ""),
    "good": ("success", "background", "bold", "bold"),
    "warn": ("warning", "background", "bold", "bold underline"),
    "bad": ("error", "background", "bold", "reverse"),
    "alarm": ("background", "error", "bold", "reverse bold underline"),
    "stale": ("market-stale", "background", "", "dim underline"),
    "tag": ("background", "accent", "bold", "reverse"),  # a wall's price tag
    "price": ("background", "market-price", "bold", "reverse bold"),  # the price's own tag
    "own": ("primary", "background", "bold", "bold"),  # our orders and entry
    "stop": ("background", "error", "", "reverse underline"),
    "select": ("foreground", "panel", "bold", "underline bold"),
    "live": ("background", "mode-live", "bold", "reverse bold underline"),
    "paper": ("background", "mode-paper", "bold", "reverse"),
    "replay": ("background", "mode-replay", "bold", "reverse"),
    "halted": ("background", "mode-halted", "bold", "reverse underline"),
    "armed": ("background", "success", "bold", "reverse bold"),
    "safe": ("background", "warning", "bold", "reverse"),
}


_BARE = {
    "title": "underline",
    "title-dim": "underline",
    "dim": "dim",
    "bar-dim": "dim",
    "stale": "dim",
    "key": "reverse",
    "select": "underline",
}
"""What is added in the terminal's own colours, where panels look like the background and dimmed text like text."""

_ORDINARY, _WALLS = " ░▒▓", "▂▄▆█"
"""Without ramps: ordinary liquidity is a shade, a wall is a bar whose height is its strength."""


class Ink:
    """Styles by ink name for one theme and colour depth; an unknown name is a bug and raises KeyError.

    The heat map combines colours itself: `cool` are the levels of ordinary liquidity, the first of them the
    background, `warm` those of a wall, weakest first. In the terminal's own colours and without any, both are
    empty and it draws `shades` and `wall_shades`, glyphs with their styles, from nothing to most.
    """

    def __init__(self, theme: BreakwallTheme, depth: Depth = Depth.TRUECOLOR) -> None:
        self.theme = theme.at(depth)
        self.depth = depth
        self.cool = tuple(map(self._colour_of, self.theme.cool))
        self.warm = tuple(map(self._colour_of, self.theme.warm))
        self._styles: dict[str, Style] = {}

    def __getitem__(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._make(name)
        return style

    def colour(self, name: str) -> Color:
        """A colour of the theme by its variable name, such as `market-bid`, as this terminal shows it."""
        return self._colour_of(self.theme.colours[name])

    @cached_property
    def background(self) -> Color:
        """What panes are drawn on."""
        return self.colour("background")

    @cached_property
    def bid(self) -> Color:
        """The bid side and buys."""
        return self.colour("market-bid")

    @cached_property
    def ask(self) -> Color:
        """The ask side and sells."""
        return self.colour("market-ask")

    @cached_property
    def price(self) -> Color:
        """The line of the price."""
        return self.colour("market-price")

    @cached_property
    def own(self) -> Color:
        """Our orders and entry."""
        return self.colour("primary")

    @cached_property
    def stop(self) -> Color:
        """Our stop."""
        return self.colour("error")

    @cached_property
    def tag(self) -> Color:
        """Price tags of walls."""
        return self.colour("accent")

    @cached_property
    def shades(self) -> tuple[tuple[str, Style], ...]:
        """Levels of ordinary liquidity where there are no ramps: glyph and style."""
        style = Style(dim=True) if self.depth is Depth.NONE else Style(color="blue")
        return tuple((glyph, style) for glyph in _ORDINARY)

    @cached_property
    def wall_shades(self) -> tuple[tuple[str, Style], ...]:
        """Levels of a wall where there are no ramps: glyph and style."""
        style = Style(bold=True, color=None if self.depth is Depth.NONE else self.tag)
        return tuple((glyph, style) for glyph in _WALLS)

    def _colour_of(self, colour: str) -> Color:
        if self.depth is Depth.NONE:
            return Color.default()
        if self.theme.ansi:
            return Color.parse(colour.removeprefix("ansi_"))
        return Color.from_ansi(nearest(colour)) if self.depth is Depth.EIGHT_BIT else Color.parse(colour)

    def _make(self, name: str) -> Style:
        fore, back, attributes, bare = INKS[name]
        if self.depth is Depth.NONE:
            return Style.parse(bare or "none")
        if self.theme.ansi:
            return self._bare(fore, back, f"{attributes} {_BARE.get(name, '')}")
        return Style.from_color(self.colour(fore), self.colour(back)) + Style.parse(attributes or "none")

    def _bare(self, fore: str, back: str, attributes: str) -> Style:
        """In the terminal's own colours: text in the unknown background's colour is the other way round, reversed."""
        style = Style.parse(attributes.strip() or "none")
        ground = self.colour(back)
        if back == "background" or (ground.is_default and fore != "background"):
            return Style(color=self.colour(fore), bgcolor=ground) + style
        return Style(color=ground, bgcolor=self.background, reverse=True) + style
