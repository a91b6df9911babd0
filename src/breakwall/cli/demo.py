"""`breakwall demo`: the whole program on the embedded exchange, with no account and no internet."""

import asyncio
import resource
import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from breakwall.config import Settings

SCENARIOS = ("tour", "calm", "breakout", "bounce", "spoof")
NOT_FLAT = 4


class DemoWish(Struct, frozen=True):
    """What was asked on the command line; `seed` None: any, or that of an exchange that is still alive."""

    scenario: str = "tour"
    seed: int | None = None
    seconds: float | None = None
    as_json: bool = False
    config: Path | None = None
    state: Path | None = None


def demo(
    scenario: Annotated[str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}")] = "tour",
    seed: Annotated[int | None, typer.Option(help="the market's seed; the same seed is the same market")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="plain lines, no screen")] = True,
    for_: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="how long: 90s, 5m, 1h")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the receipt as one JSON line on stdout")] = False,
    config: Annotated[Path | None, typer.Option(help="settings file; defaults where absent")] = None,
    state: Annotated[Path | None, typer.Option(help="run folder to use again; a fresh one where absent")] = None,
) -> None:
    """Trade the embedded exchange (badge SIM): no account, no internet, no money."""
    from breakwall.cli.session import seconds_of

    del no_ui
    if scenario not in SCENARIOS:
        raise typer.BadParameter(
            f"expected one of {', '.join(SCENARIOS)}, found {scenario!r}", param_hint="--scenario"
        )
    try:
        seconds = None if for_ is None else seconds_of(for_)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    raise typer.Exit(run_demo(DemoWish(scenario, seed, seconds, as_json, config, state)))


def run_demo(wish: DemoWish) -> int:
    """Run it and print the receipt; returns the exit code."""
    from breakwall.config import load

    return asyncio.run(_run(wish, load(wish.config)))


async def _run(wish: DemoWish, settings: Settings) -> int:
    from breakwall import modes
    from breakwall.cli import runplace
    from breakwall.cli.session import conduct
    from breakwall.clock import SystemClock
    from breakwall.headless import Lines, receipt_json, receipt_text
    from breakwall.venues.transport import AiohttpTransport

    clock, transport, lines = SystemClock(), AiohttpTransport(), Lines(settings.log_level)
    try:
        place = await runplace.find(runplace.Market(wish.scenario, wish.seed), wish.state, transport)
        lines.line(clock.now_ms(), "info", place.words)
        run: modes.Run | None = None
        try:
            with place.lock:
                run = await modes.demo(settings, place.folder, place.lock, place.access, clock, transport, lines.note)
                ended = await conduct(run.engine, lines, wish.seconds, flatten=settings.on_exit == "flatten")
                if ended.code != NOT_FLAT:
                    place.stop_exchange()
        except BaseException:
            if place.fresh and (run is None or run.engine.core.recovered_ms is None):  # nothing was traded on it
                place.stop_exchange()
            raise
    finally:
        await transport.close()
    receipt = modes.receipt(
        run,
        seed=place.exchange.seed,
        scenario=place.exchange.scenario,
        seconds=ended.seconds,
        began_ms=ended.began_ms,
        rss_mb=_rss_mb(),
        terminal_bytes=lines.bytes_written,
        exit_reason=ended.reason,
    )
    lines.write(receipt_text(receipt) + "\n")
    if wish.as_json:
        Lines(stream=sys.stdout).write(receipt_json(receipt) + "\n")
    return ended.code


def _rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
