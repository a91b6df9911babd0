"""`breakwall exchange`: the embedded exchange alone, for any client that speaks Bybit v5."""

from pathlib import Path
from typing import Annotated

import typer

from breakwall.cli.demo import CRISES, PLAYED, SCENARIOS


def exchange(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")] = 0,
    seed: Annotated[int, typer.Option(help="the market's seed; the same seed is the same market")] = 1,
    scenario: Annotated[
        str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}; or a crisis: {', '.join(CRISES)}")
    ] = "tour",
    symbols: Annotated[
        str, typer.Option(help="the markets to open, joined by commas, or how many")
    ] = "BTCUSDT,ETHUSDT,SOLUSDT,DOGEUSDT",
    linger: Annotated[float, typer.Option(min=0, help="leave so many seconds after the last client; 0: stay")] = 0,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what goes wrong and when, TOML or JSON: docs/faults.md")
    ] = None,
) -> None:
    """Serve the Bybit v5 interface on loopback until SIGTERM; prints one JSON line when it listens.

    Its key is what BREAKWALL_SIM_KEY and BREAKWALL_SIM_SECRET say, else a new one. `control` in the line is where
    its weather is asked for and made: GET, POST and DELETE with the line's api_secret in the header
    X-Breakwall-Secret; without it, or from a browser, nothing is told and nothing done.
    """
    import asyncio
    import os

    from breakwall.keys import LOOPBACK
    from breakwall.ports import VenueError
    from breakwall.venues.exchange.forecast import forecast_of_file
    from breakwall.venues.exchange.server import PortError, serve
    from breakwall.venues.exchange.universe import first_symbols

    if scenario not in PLAYED:
        raise typer.BadParameter(f"expected one of {', '.join(PLAYED)}, found {scenario!r}", param_hint="--scenario")
    names = tuple(filter(None, map(str.strip, symbols.split(","))))
    if not names:
        raise typer.BadParameter("expected markets such as BTCUSDT,ETHUSDT, found none", param_hint="--symbols")
    key, secret = (os.environ.pop(name, "") for name in LOOPBACK)
    try:
        listed = first_symbols(int(symbols)) if symbols.isdecimal() and len(symbols) < 9 else names
        forecast = None if faults is None else forecast_of_file(faults)
        asyncio.run(
            serve(
                port,
                seed,
                scenario,
                symbols=listed,
                linger_s=linger,
                api_key=key,
                api_secret=secret,
                forecast=forecast,
            )
        )
    except (PortError, ValueError) as error:
        raise VenueError(str(error), code=2) from error
