"""`breakwall exchange`: the embedded exchange alone, for any client that speaks Bybit v5."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from breakwall.cli.demo import CRISES, PLAYED, SCENARIOS

_SYMBOLS = "BTCUSDT,ETHUSDT,SOLUSDT,DOGEUSDT"


def exchange(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")] = 0,
    seed: Annotated[int, typer.Option(help="the market's seed; the same seed is the same market")] = 1,
    scenario: Annotated[
        str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}; or a crisis: {', '.join(CRISES)}")
    ] = "tour",
    symbols: Annotated[str, typer.Option(help="the markets to open, joined by commas, or how many")] = _SYMBOLS,
    linger: Annotated[float, typer.Option(min=0, help="leave so many seconds after the last client; 0: stay")] = 0,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what goes wrong and when, TOML or JSON: docs/faults.md")
    ] = None,
    recording: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="the market of a recording, instead of a played one; again for more files"),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="begin the recording again at its end")] = False,
) -> None:
    """Serve the Bybit v5 interface on loopback until SIGTERM; prints one JSON line when it listens.

    Its key is what BREAKWALL_SIM_KEY and BREAKWALL_SIM_SECRET say, else a new one. `control` in the line is where
    its weather is asked for and made: GET, POST and DELETE with the line's api_secret in the header
    X-Breakwall-Secret; without it, or from a browser, nothing is told and nothing done.

    A recording begins when the first client subscribes. At its end, which is told on stderr, the market stands still:
    what is held can be closed at the last prices, no book is sent any more.
    """
    import asyncio
    import os
    from functools import partial

    from breakwall.keys import LOOPBACK
    from breakwall.ports import VenueError
    from breakwall.venues.exchange.forecast import forecast_of_file
    from breakwall.venues.exchange.server import PortError, serve
    from breakwall.venues.exchange.universe import first_symbols

    if scenario not in PLAYED:
        raise typer.BadParameter(f"expected one of {', '.join(PLAYED)}, found {scenario!r}", param_hint="--scenario")
    if recording and scenario != SCENARIOS[0]:
        raise typer.BadParameter("expected one of the two, found both", param_hint="--scenario, --recording")
    names = tuple(filter(None, map(str.strip, symbols.split(","))))
    if not names:
        raise typer.BadParameter("expected markets such as BTCUSDT,ETHUSDT, found none", param_hint="--symbols")
    key, secret = (os.environ.pop(name, "") for name in LOOPBACK)
    forecast = None
    try:
        if faults is not None:
            forecast = forecast_of_file(faults)
        settled = partial(serve, port, seed, linger_s=linger, api_key=key, api_secret=secret, forecast=forecast)
        if recording:
            wanted = () if symbols == _SYMBOLS else names
            asyncio.run(_play(settled, recording, wanted, loop=loop))
        else:
            listed = first_symbols(int(symbols)) if symbols.isdecimal() and len(symbols) < 9 else names
            asyncio.run(settled(scenario, symbols=listed))
    except (PortError, ValueError) as error:
        raise VenueError(str(error), code=2) from error


async def _play(
    serve: Callable[..., Coroutine[Any, Any, None]], paths: list[Path], symbols: tuple[str, ...], *, loop: bool
) -> None:
    """Serve a recording. Raises RecordingError."""
    import sys

    from breakwall.replay.contents import contents
    from breakwall.replay.recorded import RecordedMarket

    found = contents(paths, symbols)
    for note in found.notes:
        print(f"breakwall: {note}", file=sys.stderr, flush=True)

    def ended() -> None:
        print("breakwall: the recording has ended; its market stands still", file=sys.stderr, flush=True)

    await serve(
        None,
        instruments=found.instruments.values(),
        market=lambda exchange: RecordedMarket(found, exchange, loop=loop, ended=ended),
    )
