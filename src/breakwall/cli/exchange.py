"""`breakwall exchange`: the embedded exchange alone, for any client that speaks Bybit v5."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from breakwall.cli.demo import ScenarioOption, check_played
from breakwall.cli.options import LoopOption, RecordingOption, names_in
from breakwall.cli.streams import remark

_SYMBOLS = "BTCUSDT,ETHUSDT,SOLUSDT,DOGEUSDT"


def exchange(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")] = 0,
    seed: Annotated[int, typer.Option(help="the market's seed; the same seed is the same market")] = 1,
    scenario: ScenarioOption = "tour",
    symbols: Annotated[str, typer.Option(help="the markets to open, joined by commas, or how many")] = _SYMBOLS,
    linger: Annotated[float, typer.Option(min=0, help="leave so many seconds after the last client; 0: stay")] = 0,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what goes wrong and when, TOML or JSON: docs/faults.md")
    ] = None,
    recording: RecordingOption = None,
    loop: LoopOption = False,
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

    check_played(scenario, recording)
    names = names_in(symbols)
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
    from breakwall.replay.contents import contents
    from breakwall.replay.recorded import RecordedMarket

    found = contents(paths, symbols)
    for note in found.notes:
        remark(f"breakwall: {note}")

    def ended() -> None:
        remark("breakwall: the recording has ended; its market stands still")

    await serve(
        None,
        instruments=found.instruments.values(),
        market=lambda exchange: RecordedMarket(found, exchange, loop=loop, ended=ended),
    )
