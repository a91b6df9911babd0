"""Inks: the names under which panes ask for colours, and the styles they become in a theme and colour depth."""

from collections.abc import Mapping

from rich.style import Style

INKS: dict[str, tuple[str, str, str]] = {
    # name: (foreground, background, attributes); names are the theme's variables
    "": ("foreground", "background", ""),
    "dim": ("secondary", "background", ""),
    "bold": ("foreground", "background", "bold"),
    "title": ("foreground", "panel", ""),
    "title-focus": ("background", "primary", "bold"),
    "title-dim": ("secondary", "panel", ""),
    "bar": ("foreground", "panel", ""),  # status and footer
    "bar-dim": ("secondary", "panel", ""),
    "bar-good": ("success", "panel", "bold"),
    "bar-warn": ("warning", "panel", "bold"),
    "bar-bad": ("error", "panel", "bold"),
    "key": ("accent", "panel", "bold"),
    "bid": ("market-bid", "background", ""),
    "ask": ("market-ask", "background", ""),
    "bid-wall": ("background", "market-bid-wall", "bold"),
    "ask-wall": ("background", "market-ask-wall", "bold"),
    "bid-bar": ("foreground", "bid-bar", ""),  # the filled part of a size bar behind its number
    "ask-bar": ("foreground", "ask-bar", ""),
    "gain": ("success", "background", ""),
    "loss": ("error", "background", ""),
    "good": ("success", "background", "bold"),
    "warn": ("warning", "background", "bold"),
    "bad": ("error", "background", "bold"),
    "alarm": ("background", "error", "bold"),
    "stale": ("market-stale", "background", ""),
    "tag": ("background", "accent", "bold"),  # a wall's price tag
    "price": ("background", "foreground", "bold"),  # the price's own tag
    "own": ("primary", "background", "bold"),  # our orders and entry
    "stop": ("background", "error", ""),
    "select": ("foreground", "panel", "bold"),
    "live": ("background", "mode-live", "bold"),
    "paper": ("background", "mode-paper", "bold"),
    "replay": ("background", "mode-replay", "bold"),
    "halted": ("background", "mode-halted", "bold"),
    "armed": ("background", "success", "bold"),
    "safe": ("background", "warning", "bold"),
}


class Ink:
    """Styles by ink name for one theme and colour depth; an unknown name is a bug and raises KeyError."""

    def __init__(self, colours: Mapping[str, str]) -> None:
        self._colours = colours
        self._styles: dict[str, Style] = {}

    def __getitem__(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._make(name)
        return style

    def _make(self, name: str) -> Style:
        fore, back, attributes = INKS[name]
        words = f"{attributes} {self._colours[fore]} on {self._colours[back]}"
        return Style.parse(words.strip())
