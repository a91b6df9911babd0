"""`breakwall demo`: the whole program on the embedded exchange, with no account and no internet."""

import asyncio
import contextlib
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from breakwall.cli.streams import why_no_screen
from breakwall.exit_codes import NOT_FLAT
from breakwall.settings import Settings

if TYPE_CHECKING:
    from breakwall.cli.calls import Calls
    from breakwall.cli.runplace import RunPlace
    from breakwall.cli.screen import Screen
    from breakwall.cli.session import Ended
    from breakwall.cli.voice import Voice
    from breakwall.headless import Receipt
    from breakwall.modes import Run
    from breakwall.ports import Clock

SCENARIOS = ("tour", "calm", "breakout", "bounce", "spoof")
_BEFORE_THE_END_S = 0.2
"""When the picture is taken: what is held is closed at the end."""


class DemoWish(Struct, frozen=True):
    """What was asked on the command line; `seed` None: any, or that of an exchange that is still alive."""

    scenario: str = "tour"
    seed: int | None = None
    seconds: float | None = None
    as_json: bool = False
    no_ui: bool = False
    safe: bool = False
    config: Path | None = None
    state: Path | None = None
    picture: Path | None = None
    size: tuple[int, int] = (160, 48)


def demo(
    scenario: Annotated[str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}")] = "tour",
    seed: Annotated[int | None, typer.Option(help="the market's seed; the same seed is the same market")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="plain lines, no screen")] = False,
    for_: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="how long: 90s, 5m, 1h")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the receipt as one JSON line on stdout")] = False,
    safe: Annotated[bool, typer.Option("--safe", help="start SAFE: nothing is opened until you arm")] = False,
    config: Annotated[Path | None, typer.Option(help="settings file; defaults where absent")] = None,
    state: Annotated[Path | None, typer.Option(help="run folder to use again; a fresh one where absent")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="no terminal: draw the screen, and write it to this SVG when --for is over")
    ] = None,
    size: Annotated[str, typer.Option(metavar="COLUMNSxROWS", help="of the picture")] = "160x48",
) -> None:
    """Trade the embedded exchange (badge SIM): no account, no internet, no money."""
    from breakwall.spans import seconds_of

    if scenario not in SCENARIOS:
        raise typer.BadParameter(
            f"expected one of {', '.join(SCENARIOS)}, found {scenario!r}", param_hint="--scenario"
        )
    try:
        seconds = None if for_ is None else seconds_of(for_)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    if picture is not None and (seconds is None or no_ui):
        raise typer.BadParameter("expected --for with it, and no --no-ui", param_hint="--picture")
    wish = DemoWish(scenario, seed, seconds, as_json, no_ui, safe, config, state, picture, _size_of(size))
    raise typer.Exit(run_demo(wish))


def _size_of(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if not (columns.isdecimal() and rows.isdecimal() and 20 <= int(columns) <= 500 and 5 <= int(rows) <= 200):
        raise typer.BadParameter(f"expected a size such as 160x48, found {text!r}", param_hint="--size")
    return int(columns), int(rows)


def run_demo(wish: DemoWish) -> int:
    """Run it and print the receipt; returns the exit code."""
    from breakwall.cli.calls import LeftEarly
    from breakwall.cli.config import load_checked

    settings = load_checked(wish.config)
    try:
        return asyncio.run(_run(wish, settings))
    except LeftEarly as early:
        print(f"breakwall: ended before it had started ({early}); nothing was done", file=sys.stderr)
        return early.code


async def _run(wish: DemoWish, settings: Settings) -> int:
    from breakwall.cli import runplace
    from breakwall.cli.calls import Calls, unless_called_off
    from breakwall.cli.voice import Voice
    from breakwall.clock import SystemClock
    from breakwall.headless import receipt_json, receipt_text

    clock, voice = SystemClock(), Voice(settings)
    with contextlib.closing(voice):
        async with contextlib.AsyncExitStack() as stack:
            finding = asyncio.create_task(runplace.find(runplace.Market(wish.scenario, wish.seed), wish.state))
            stack.callback(finding.cancel)
            await asyncio.sleep(0)  # the exchange comes up beside the screen
            screen = (
                await stack.enter_async_context(_screen(wish, settings, clock, voice))
                if _wants_screen(wish)
                else None
            )
            calls = Calls(voice, clock, screen)
            place = await unless_called_off(finding, calls, screen)
            if screen is not None:
                await screen.seen()  # the first picture comes before what only the engine needs
            run = await _prepare(place, settings, clock, voice, stack)
            ended = await _conduct(wish, place, run, voice, calls, screen)
        receipt = _receipt(
            place, run, ended, voice.bytes_written + (screen.bytes_written if screen is not None else 0)
        )
        voice.receipt(clock.now_ms(), receipt_text(receipt), receipt_json(receipt))
    if wish.as_json:  # the last line on stdout, whatever else goes to the same terminal
        with contextlib.suppress(OSError, ValueError):  # its reader may have gone
            print(receipt_json(receipt), flush=True)
    return ended.code


def _wants_screen(wish: DemoWish) -> bool:
    """Whether a screen is wanted and possible; says why where it is not possible."""
    why = "" if wish.no_ui or wish.picture is not None else why_no_screen()
    if why:
        print(f"breakwall: no screen, {why}; plain lines instead, as with --no-ui", file=sys.stderr)
    return not (wish.no_ui or why)


def _screen(wish: DemoWish, settings: Settings, clock: "Clock", voice: "Voice") -> "Screen":
    from breakwall.cli.screen import Screen

    if wish.picture is not None:
        return Screen(settings, clock, wish.size)
    screen = Screen(settings, clock)
    voice.covered = lambda: screen.covers
    return screen


async def _prepare(
    place: "RunPlace", settings: Settings, clock: "Clock", voice: "Voice", stack: contextlib.AsyncExitStack
) -> "Run":
    """Make the engine; what must be given back at the end, the lock last of all, goes to `stack`."""
    from breakwall import modes
    from breakwall.logs.python import PythonsOwn
    from breakwall.redaction import hide
    from breakwall.venues.transport import AiohttpTransport

    stack.callback(place.lock.release)
    transport = AiohttpTransport()
    stack.push_async_callback(transport.close)
    try:
        hide(place.access.api_key, place.access.api_secret)
        voice.log.open(place.folder.logs)
        stack.enter_context(PythonsOwn(voice.log, clock))
        voice.line(clock.now_ms(), "info", place.words)
        run = await modes.on_bybit(settings, place.folder, place.lock, place.access, clock, transport, voice.log)
    except BaseException:
        if place.fresh:
            place.stop_exchange()
        raise
    voice.log.bind(run=run.engine.run_number, mode=run.engine.mode)
    return run


async def _conduct(
    wish: DemoWish, place: "RunPlace", run: "Run", voice: "Voice", calls: "Calls", screen: "Screen | None"
) -> "Ended":
    """From the engine's start to its end; the exchange goes with it, unless something is still held there:
    then it waits a minute to be taken up again.
    """
    from breakwall.cli.pulse import Pulse
    from breakwall.cli.session import Session
    from breakwall.model.events import Command, CommandKind

    if screen is not None:
        screen.show(run.engine)
        if wish.picture is not None and wish.seconds is not None:
            screen.draw(wish.picture, wish.seconds - _BEFORE_THE_END_S)
    if wish.safe:  # before the account is read: it may trade from then on
        run.engine.submit(Command(CommandKind.DISARM, who="command line", why="--safe"))
    try:
        pulse = Pulse(run.engine, place.folder.path, place.marks)
        ended = await Session(run.engine, voice, calls, screen, pulse).conduct(wish.seconds)
    except BaseException:
        if place.fresh and run.engine.core.recovered_ms is None:  # nothing was traded on it
            place.stop_exchange()
        raise
    if ended.code != NOT_FLAT and not run.engine.view().positions:
        place.stop_exchange()
    return ended


def _receipt(place: "RunPlace", run: "Run", ended: "Ended", terminal_bytes: int) -> "Receipt":
    from breakwall import modes

    return modes.receipt(
        run,
        seed=place.exchange.seed,
        scenario=place.exchange.scenario,
        seconds=ended.seconds,
        began_ms=ended.began_ms,
        rss_mb=_rss_mb(),
        terminal_bytes=terminal_bytes,
        exit_reason=ended.reason,
    )


def _rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
