"""Theme files: TOML, packaged in `themes/` or the user's own, read strictly and never fatal.

`[base]`, `[market]` and `[mode]` must name every colour; `[heat]` (the ramps of the heat map) and `[sixteen]`
(what a terminal with 16 colours shows instead) are optional. See docs/themes.md.
"""

import re
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from breakwall.app.themes.theme import (
    ANSI,
    BASE,
    DEFAULT,
    MARKET,
    MARKET_OPTIONAL,
    MODE,
    WARM_LEVELS,
    BreakwallTheme,
    complete,
    cool_ramp,
    warm_ramp,
)
from breakwall.mistakes import listed, nearest_name, text_of
from breakwall.model.text import sanitise
from breakwall.places import config_folder

_PACKAGED = Path(__file__).parents[2] / "themes"
_CHECKOUT = Path(__file__).parents[4] / "themes"

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TABLES = {"base": (BASE, ()), "market": (MARKET, MARKET_OPTIONAL), "mode": (MODE, ())}
"""The tables of colours: keys that must be there, and keys that may."""
_HEAT = ("cool", "warm", "cool256", "warm256")
_TOP = ("name", "dark", "ansi", *_TABLES, "heat", "sixteen")


class ThemeError(Exception):
    """A theme cannot be used; the text names the file and every mistake with what was expected."""


def user_folder() -> Path:
    """Where the user's own themes lie."""
    return config_folder() / "themes"


def user_files(folder: Path | None = None) -> list[Path]:
    """The user's own theme files, in the order of their names."""
    return sorted((folder or user_folder()).glob("*.toml"))


def packaged_folder() -> Path:
    """Where ours lie: in the installed package, or beside `src` in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


@cache
def packaged(name: str = DEFAULT) -> BreakwallTheme:
    """One of our own themes. Raises ThemeError."""
    return load(packaged_folder() / f"{name}.toml")


def load_all(folder: Path | None = None) -> tuple[dict[str, BreakwallTheme], list[str]]:
    """Ours and the user's by name, and what the trader should be told: broken files, and ours that were replaced."""
    themes = {path.stem: packaged(path.stem) for path in sorted(packaged_folder().glob("*.toml"))}
    ours = set(themes)
    notices = []
    for path in user_files(folder):
        try:
            theme = load(path)
        except ThemeError as error:
            notices.append(str(error))
            continue
        if theme.name in ours:
            notices.append(f"{path}: theme {theme.name!r} takes the place of the one that came with breakwall")
        elif theme.name in themes:
            notices.append(f"{path}: theme {theme.name!r} was already read from another file; this one is used")
        themes[theme.name] = theme
    return themes, notices


def load(path: Path) -> BreakwallTheme:
    """The theme of a file. Raises ThemeError with every mistake at once."""
    try:
        text = text_of(path)
    except ValueError as error:
        raise ThemeError(f"{path}: cannot be read ({error})") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> BreakwallTheme:
    """The theme of a TOML text; `source` names it in errors. Raises ThemeError with every mistake at once."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{source}: not valid TOML: {error}") from error
    reading = _Reading(table)
    theme = reading.theme()
    if theme is None:
        raise ThemeError(listed(source, reading.mistakes))
    return theme


class _Reading:
    """One theme's table being read; mistakes are collected, so that all are told at once."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.mistakes: list[str] = []
        self._top = table
        self._known("", table, _TOP)
        self._ansi = self._flag("ansi", False)
        self._colour_words = "one of ansi_default, ansi_red, ansi_bright_red ..." if self._ansi else "#rrggbb"

    def theme(self) -> BreakwallTheme | None:
        """The theme, or None when there are mistakes."""
        name = self._top.get("name")
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            self._expected("name", "a text of a-z, 0-9 and dashes", name)
        dark = self._flag("dark", True)
        base, market, mode = (self._colours(table, *keys) for table, keys in _TABLES.items())
        sixteen = self._sixteen()
        heat = self._heat()
        if self.mistakes:
            return None
        return BreakwallTheme(
            name=str(name),
            dark=dark,
            ansi=self._ansi,
            base=base,
            market=complete(base, market, ansi=self._ansi),
            mode=mode,
            cool=() if self._ansi else cool_ramp(base, heat["cool"]),
            warm=() if self._ansi else heat["warm"] or warm_ramp(base),
            cool256=heat["cool256"],
            warm256=heat["warm256"],
            sixteen=sixteen,
        )

    def _expected(self, place: str, expected: str, found: object) -> None:
        what = "nothing" if found is None else sanitise(repr(found), 60)
        self.mistakes.append(f"{place}: expected {expected}, found {what}")

    def _known(self, table: str, found: dict[str, Any], names: tuple[str, ...]) -> None:
        place = f"[{table}] " if table else ""
        self.mistakes += [
            f"{place}{sanitise(key, 40)}: unknown key; {nearest_name(key, sorted(names))}"
            for key in found
            if key not in names
        ]

    def _flag(self, key: str, default: bool) -> bool:
        value = self._top.get(key, default)
        if not isinstance(value, bool):
            self._expected(key, "true or false", value)
            return default
        return value

    def _table(self, name: str, names: tuple[str, ...]) -> dict[str, Any]:
        found = self._top.get(name, {})
        if not isinstance(found, dict):
            self._expected(name, f"a table [{name}]", found)
            return {}
        self._known(name, found, names)
        return found

    def _colours(self, name: str, needed: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, str]:
        table = self._table(name, needed + optional)
        keys = [*needed, *(key for key in optional if key in table)]
        for key in keys:
            if not self._is_colour(table.get(key)):
                self._expected(f"[{name}] {key}", f"a colour ({self._colour_words})", table.get(key))
        return {key: str(table.get(key)).lower() for key in keys}

    def _sixteen(self) -> dict[str, str]:
        table = self._table("sixteen", BASE + MARKET + MARKET_OPTIONAL + MODE)
        for key, value in table.items():
            if value not in ANSI:
                self._expected(f"[sixteen] {key}", "a colour (one of ansi_default, ansi_red ...)", value)
        return table

    def _heat(self) -> dict[str, Any]:
        table = self._table("heat", _HEAT)
        if table and self._ansi:
            self._expected("heat", "no ramps beside ansi = true: the terminal's own colours make none", table)
        return {
            "cool": self._list(table, "cool", "two colours (#rrggbb) or more", self._is_colour, 2),
            "warm": self._list(table, "warm", "four colours (#rrggbb)", self._is_colour, WARM_LEVELS, WARM_LEVELS),
            "cool256": self._list(table, "cool256", "indexes from 16 to 255", _is_index, 1),
            "warm256": self._list(
                table, "warm256", "four indexes from 16 to 255", _is_index, WARM_LEVELS, WARM_LEVELS
            ),
        }

    def _list(
        self,
        table: dict[str, Any],
        key: str,
        expected: str,
        fits: Callable[[object], bool],
        least: int,
        most: int = sys.maxsize,
    ) -> tuple[Any, ...]:
        """A list of what fits; empty where the key is missing."""
        if key not in table:
            return ()
        found = table[key]
        if isinstance(found, list) and least <= len(found) <= most and all(map(fits, found)):
            return tuple(found)
        self._expected(f"[heat] {key}", f"a list of {expected}", found)
        return ()

    def _is_colour(self, value: object) -> bool:
        return value in ANSI if self._ansi else isinstance(value, str) and _HEX.fullmatch(value) is not None


def _is_index(value: object) -> bool:
    return type(value) is int and 16 <= value <= 255
