"""Themes: one TOML file each, in `themes/` of the package or of the user."""

import tomllib
from pathlib import Path

_PACKAGED = Path(__file__).parents[1] / "themes"
_CHECKOUT = Path(__file__).parents[3] / "themes"


def colours(name: str) -> dict[str, str]:
    """The theme's variables by name, as inks use them."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    table = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    market = {f"market-{key}": value for key, value in table["market"].items()}
    mode = {f"mode-{key}": value for key, value in table["mode"].items()}
    base: dict[str, str] = table["base"]
    return base | market | mode | {"bid-bar": "#1d4d44", "ask-bar": "#5d2230"}
