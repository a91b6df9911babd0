"""`breakwall run`: trade the venue of the settings: real prices on paper, or an account of Bybit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.cli.options import ForOption, ReceiptOption, names_in, span
from breakwall.cli.trading import Asked, trade

if TYPE_CHECKING:
    from breakwall.settings import Settings


def run(
    config: Annotated[Path | None, typer.Option(help="settings file: mode, venue, symbols")] = None,
    live: Annotated[bool, typer.Option("--live", help="real money: needs a doctor that passes")] = False,
    symbols: Annotated[str, typer.Option(metavar="A,B", help="these markets, not those of the settings")] = "",
    env_file: Annotated[Path | None, typer.Option(metavar="FILE", help="a private file with the key")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="plain lines, no screen")] = False,
    for_: ForOption = None,
    as_json: ReceiptOption = False,
    safe: Annotated[
        bool, typer.Option("--safe", help="start SAFE, as an account always does; on paper if you ask")
    ] = False,
    state: Annotated[Path | None, typer.Option(help="run folder; the account's own where absent")] = None,
) -> None:
    """Trade the venue of the settings, in mode paper or live. An account starts SAFE: you arm it; paper does not."""
    from breakwall.cli import account, paper
    from breakwall.cli.config import load_checked
    from breakwall.cli.guard import guard

    seconds = span(for_)
    settings = _with_symbols(load_checked(config), symbols)
    guard(settings, live=live, source=str(config or "the default settings"))
    asked = Asked(seconds, as_json, no_ui, safe)
    if settings.mode == "paper":
        raise typer.Exit(trade(asked, settings, lambda: paper.find(settings, state)))
    raise typer.Exit(trade(asked, settings, lambda: account.find(settings, state, env_file, strict=live)))


def _with_symbols(settings: "Settings", names: str) -> "Settings":
    """The settings for these markets, joined by commas; as they are where none are named. Raises typer's error."""
    from pydantic import ValidationError

    from breakwall.settings import Settings

    if not names:
        return settings
    wanted = names_in(names)
    disabled = tuple(symbol for symbol in settings.disabled if symbol in wanted)
    try:
        return Settings.model_validate(settings.model_dump(by_alias=True) | {"symbols": wanted, "disabled": disabled})
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"]), param_hint="--symbols") from error
