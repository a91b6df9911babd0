"""`breakwall exchange`: the embedded exchange alone, for any client that speaks Bybit v5."""

from typing import Annotated

import typer

from breakwall.cli.demo import SCENARIOS


def exchange(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")] = 0,
    seed: Annotated[int, typer.Option(help="the market's seed; the same seed is the same market")] = 1,
    scenario: Annotated[str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}")] = "tour",
    symbols: Annotated[
        str, typer.Option(help="the markets to open, joined by commas")
    ] = "BTCUSDT,ETHUSDT,SOLUSDT,DOGEUSDT",
    linger: Annotated[float, typer.Option(min=0, help="leave so many seconds after the last client; 0: stay")] = 0,
) -> None:
    """Serve the Bybit v5 interface on loopback until SIGTERM; prints one JSON line when it listens."""
    import asyncio

    from breakwall.ports import VenueError
    from breakwall.venues.exchange.server import PortError, serve

    if scenario not in SCENARIOS:
        raise typer.BadParameter(
            f"expected one of {', '.join(SCENARIOS)}, found {scenario!r}", param_hint="--scenario"
        )
    names = tuple(filter(None, map(str.strip, symbols.split(","))))
    if not names:
        raise typer.BadParameter("expected markets such as BTCUSDT,ETHUSDT, found none", param_hint="--symbols")
    try:
        asyncio.run(serve(port, seed, scenario, symbols=names, linger_s=linger))
    except (PortError, ValueError) as error:
        raise VenueError(str(error), code=2) from error
