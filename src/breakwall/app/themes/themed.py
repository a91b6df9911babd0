"""An app in our themes: registers them, follows the choice of the palette, and keeps to the terminal's colours."""

import os
from textwrap import shorten
from typing import TypeVar

from rich.console import Console
from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

from breakwall.app.themes.depth import Depth, depth_of
from breakwall.app.themes.files import load_all, packaged
from breakwall.app.themes.ink import Ink
from breakwall.app.themes.theme import DEFAULT, LIGHT_DEFAULT, BreakwallTheme, of_textual
from breakwall.mistakes import nearest_name
from breakwall.model.text import sanitise
from breakwall.settings import UiSettings

Result = TypeVar("Result")

_NOTICE_COLUMNS = 160


class Themed(App[Result]):
    """`ink` is what panes draw with; `theme_notices` what the trader should be told about theme files."""

    def __init__(self, ui: UiSettings) -> None:
        # Textual reads the variables' defaults while it is made, so themes and depth come first.
        self.themes, self.theme_notices = load_all()
        self.depth = depth_of(ui.colors, os.environ, Console(force_terminal=True).color_system)
        super().__init__()
        self.console = self._console()
        self.no_color = self.depth is Depth.NONE
        if self.depth in (Depth.SIXTEEN, Depth.NONE):
            self.set_reactive(App.ansi_color, True)
        for theme in self.themes.values():
            self.register_theme(theme.at(self.depth).to_textual())
        name = ui.theme
        if name not in self.available_themes:
            known = nearest_name(name, sorted(self.available_themes))
            self.theme_notices.append(f"[ui] theme: no theme {sanitise(name, 40)!r}, {known} {DEFAULT} is used.")
            name = DEFAULT
        self.ink = self._ink_of(name)
        self.theme = name

    def repaint(self, ink: Ink) -> None:
        """Draw everything that does not go through Textual's style sheets again, in another theme."""

    def on_mount(self) -> None:
        for notice in self.theme_notices:
            self.notify(brief(notice), severity="warning", timeout=20, markup=False)

    def watch_theme(self, name: str) -> None:
        if self.ink.theme.name != name:
            self.ink = self._ink_of(name)
            self.repaint(self.ink)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables for themes that know nothing of them, which are all of Textual's."""
        return self._fill(self.current_theme).at(self.depth).variables

    def get_line_filters(self) -> list[LineFilter]:
        """What Textual does to its own widgets: no colours are none, and greys only where they were asked for."""
        if self.native_ansi_color:
            return [NoColor()] if self.depth is Depth.NONE else []
        return [each for each in super().get_line_filters() if not isinstance(each, NoColor | Monochrome)]

    def _ink_of(self, name: str) -> Ink:
        own = self.themes.get(name)
        if own is None:
            theme = self.available_themes[name]
            variables = theme.to_color_system().generate() | theme.variables
            own = of_textual(theme, variables, self._fill(theme))
        return Ink(own, self.depth)

    def _fill(self, theme: Theme) -> BreakwallTheme:
        return packaged(DEFAULT if theme.dark else LIGHT_DEFAULT)

    def _console(self) -> Console:
        """Textual's console at our depth: it decides how the colours of dialogs are rounded."""
        return Console(
            color_system=self.depth.console,
            no_color=False,
            file=self.console.file,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            force_terminal=True,
            safe_box=False,
        )


def brief(notice: str) -> str:
    """The first mistake of a notice and how many more there are: it lies over the market, so it has to be small."""
    lines = [shorten(line, _NOTICE_COLUMNS, placeholder=" …") for line in notice.splitlines()]
    more = len(lines) - 2
    return "\n".join([*lines[:2], *([f"and {more} more"] if more > 0 else [])])
