"""A theme: every colour of the screen by name, in each depth of colours. Files: `breakwall.app.themes.files`."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from breakwall.app.themes.colour import climb, mix, nearest, oklab, ramp, xterm
from breakwall.app.themes.depth import Depth

DEFAULT = "midnight"
LIGHT_DEFAULT = "daylight"
"""What fills the gaps of a light theme that is not ours."""

BASE = (
    *("background", "surface", "panel", "foreground", "primary", "secondary"),
    *("accent", "success", "warning", "error"),
)
MARKET = ("bid", "ask", "bid-wall", "ask-wall", "stale")
MARKET_OPTIONAL = ("price", "bid-bar", "ask-bar")
SIDES = ("bid", "ask")
MODE = ("live", "paper", "replay", "halted")
COOL_LEVELS, WARM_LEVELS = 12, 4
FAINTEST = 0.03
"""How much a level must differ from the background in lightness (OKLab) to be seen at all."""

_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI = ("ansi_default", *(f"ansi_{hue}" for hue in _HUES), *(f"ansi_bright_{hue}" for hue in _HUES))
"""The terminal's own colours, as Textual names them."""

_SIXTEEN = dict.fromkeys(BASE, "ansi_default") | {
    "primary": "ansi_cyan",
    "accent": "ansi_yellow",
    "success": "ansi_green",
    "warning": "ansi_yellow",
    "error": "ansi_bright_red",
    "bid": "ansi_green",
    "ask": "ansi_bright_red",
    "bid-wall": "ansi_bright_green",
    "ask-wall": "ansi_bright_red",
    "bid-bar": "ansi_green",
    "ask-bar": "ansi_red",
    "stale": "ansi_default",
    "live": "ansi_bright_red",
    "paper": "ansi_cyan",
    "replay": "ansi_magenta",
    "halted": "ansi_yellow",
}
"""16 colours by meaning, not by likeness: the nearest of sixteen would make most of a theme grey or black."""


class BreakwallTheme(msgspec.Struct, frozen=True, dict=True):
    """Colours by name: `#rrggbb`, or names out of ANSI when `ansi` says that the terminal's own are used.

    `cool` are the heat map's levels of ordinary liquidity from the background on, `warm` those of a wall, weakest
    first; both empty with `ansi`. `cool256` (above the background) and `warm256` are the same picked by hand for
    256 colours, empty where the nearest will do; `sixteen` what differs from the usual choice in 16.
    """

    name: str
    dark: bool
    ansi: bool
    base: dict[str, str]
    market: dict[str, str]
    mode: dict[str, str]
    cool: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    cool256: tuple[int, ...] = ()
    warm256: tuple[int, ...] = ()
    sixteen: dict[str, str] = {}

    @cached_property
    def variables(self) -> dict[str, str]:
        """What style sheets know beside Textual's own names: `market-bid`, `mode-live` ..."""
        market = {f"market-{key}": colour for key, colour in self.market.items()}
        return market | {f"mode-{key}": colour for key, colour in self.mode.items()}

    @cached_property
    def colours(self) -> dict[str, str]:
        """All colours by variable name."""
        return self.base | self.variables

    def at(self, depth: Depth) -> "BreakwallTheme":
        """The theme as a terminal of this depth can show it: rounded to the 256, or in the terminal's own 16."""
        if self.ansi or depth is Depth.TRUECOLOR:
            return self
        if depth is Depth.EIGHT_BIT:
            return self._rounded()
        own = _SIXTEEN | self.sixteen
        base = {key: own[key] for key in BASE}
        return msgspec.structs.replace(
            self,
            ansi=True,
            base=base,
            market=complete(base, {key: own[key] for key in MARKET + MARKET_OPTIONAL if key in own}, ansi=True),
            mode={key: own[key] for key in MODE},
            cool=(),
            warm=(),
        )

    def to_textual(self) -> Theme:
        """The same for Textual. It needs more names of a theme in the terminal's own colours than of others."""
        variables = self.variables
        if self.ansi:
            variables = BUILTIN_THEMES["ansi-dark" if self.dark else "ansi-light"].variables | variables
        base = self.base
        return Theme(
            name=self.name,
            dark=self.dark,
            ansi=self.ansi,
            variables=variables,
            background=base["background"],
            surface=base["surface"],
            panel=base["panel"],
            foreground=base["foreground"],
            primary=base["primary"],
            secondary=base["secondary"],
            accent=base["accent"],
            success=base["success"],
            warning=base["warning"],
            error=base["error"],
        )

    def _rounded(self) -> "BreakwallTheme":
        """Every colour as the nearest of the 256; ramps as picked by hand, where they are."""

        def near(colours: Mapping[str, str]) -> dict[str, str]:
            return {key: xterm(nearest(colour)) for key, colour in colours.items()}

        base = near(self.base)
        cool = map(xterm, self.cool256 or map(nearest, self.cool[1:]))
        return msgspec.structs.replace(
            self,
            base=base,
            market=near(self.market),
            mode=near(self.mode),
            cool=tuple(climb([base["background"], *cool])),
            warm=tuple(map(xterm, self.warm256 or map(nearest, self.warm))),
        )


def complete(base: Mapping[str, str], market: Mapping[str, str], *, ansi: bool) -> dict[str, str]:
    """`[market]` with what may be left out: the price like text, size bars like their side, sunk into the ground."""
    bars = {f"{side}-bar": market[side] if ansi else mix(base["background"], market[side], 0.36) for side in SIDES}
    return {"price": base["foreground"]} | bars | dict(market)


def cool_ramp(base: Mapping[str, str], stops: Sequence[str] = ()) -> tuple[str, ...]:
    """The levels of ordinary liquidity: the background, then from the first stop through the others to the last.

    Stops that would be lost in the background are left out; without two of them it goes to the primary colour.
    """
    background = base["background"]
    ground, end = oklab(background)[0], oklab(stops[-1] if stops else base["primary"])[0]
    seen = [stop for stop in stops if (oklab(stop)[0] - ground) * (1 if end > ground else -1) >= FAINTEST]
    if len(seen) < 2:
        seen = [mix(background, base["primary"], share) for share in (0.1, 0.7)]
    return (background, *ramp(seen, COOL_LEVELS - 1))


def warm_ramp(base: Mapping[str, str]) -> tuple[str, ...]:
    """The levels of a wall where a theme does not pick them: through the accent to the text's own colour."""
    weak = mix(base["background"], base["accent"], 0.75)
    return ramp((weak, base["accent"], base["foreground"]), WARM_LEVELS)


def of_textual(theme: Theme, variables: Mapping[str, str], fill: BreakwallTheme) -> BreakwallTheme:
    """One of Textual's own themes as one of ours, from the variables that the app made of it.

    What we have and it has not (sides, modes, ramps) is of `fill`. Its secondary colour is for surfaces, often
    too dark for text; ours is for what is less important to read, so it is the text's, nearer the background.
    """
    if theme.ansi:
        own = fill.at(Depth.SIXTEEN)
        base = {key: variables[key] if variables[key] in ANSI else own.base[key] for key in BASE}
        return msgspec.structs.replace(own, name=theme.name, base=base)
    background = Color.parse(variables["background"])
    base = {key: (background + Color.parse(variables[key])).hex6.lower() for key in BASE}
    base["secondary"] = mix(base["foreground"], base["background"], 0.3)
    market = complete(base, {key: fill.market[key] for key in MARKET}, ansi=False)
    return msgspec.structs.replace(
        fill, name=theme.name, base=base, market=market, cool=cool_ramp(base, fill.cool[1:]), cool256=(), sixteen={}
    )
