"""What `demo` and `run` share: from the first picture over the engine's start to the receipt."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from breakwall.cli.streams import can_show, hand_out
from breakwall.exit_codes import NOT_FLAT
from breakwall.settings import Settings

if TYPE_CHECKING:
    from breakwall.cli.calls import Calls
    from breakwall.cli.place import Place
    from breakwall.cli.screen import Screen
    from breakwall.cli.session import Ended
    from breakwall.cli.stage import Stage
    from breakwall.cli.voice import Voice
    from breakwall.headless import Receipt
    from breakwall.modes import Run
    from breakwall.ports import Clock

_BEFORE_THE_END_S = 0.2
"""When the picture is taken: what is held is closed at the end."""


class Asked(Struct, frozen=True):
    """What the command line says about a run, wherever it trades; `seconds` None: until it is ended."""

    seconds: float | None = None
    as_json: bool = False
    no_ui: bool = False
    safe: bool = False
    picture: Path | None = None
    size: tuple[int, int] = (160, 48)


Find = Callable[[], Coroutine[Any, Any, "Place"]]


def trade(asked: Asked, settings: Settings, find: Find) -> int:
    """Trade at the place that `find` gives, and print the receipt; returns the exit code."""
    from breakwall.cli.calls import LeftEarly

    try:
        return asyncio.run(_trade(asked, settings, find))
    except LeftEarly as early:
        print(f"breakwall: ended before it had started ({early}); nothing was done", file=sys.stderr)
        return early.code


async def _trade(asked: Asked, settings: Settings, find: Find) -> int:
    from breakwall.cli.calls import Calls, unless_called_off
    from breakwall.cli.voice import Voice
    from breakwall.clock import SystemClock
    from breakwall.headless import receipt_json, receipt_text

    clock, voice = SystemClock(), Voice(settings)
    with contextlib.closing(voice):
        async with contextlib.AsyncExitStack() as stack:
            finding = asyncio.create_task(find())
            stack.callback(finding.cancel)
            await asyncio.sleep(0)  # an exchange comes up, or is asked, beside the screen
            screen = (
                await stack.enter_async_context(_screen(asked, settings, clock, voice))
                if asked.picture is not None or (not asked.no_ui and can_show())
                else None
            )
            calls = Calls(voice, clock, screen)
            place = await unless_called_off(finding, calls, screen)
            if screen is not None:
                await screen.seen()  # the first picture comes before what only the engine needs
            run, stage = await _prepare(place, settings, clock, voice, stack)
            ended = await _conduct(asked, place, run, stage, voice, calls, screen)
        written = voice.bytes_written + (screen.bytes_written if screen is not None else 0)
        receipt = _receipt(place, run, ended, written, stage)
        voice.receipt(clock.now_ms(), receipt_text(receipt), receipt_json(receipt))
    if asked.as_json:
        hand_out(receipt_json(receipt))
    return ended.code


def _screen(asked: Asked, settings: Settings, clock: "Clock", voice: "Voice") -> "Screen":
    from breakwall.cli.screen import Screen

    if asked.picture is not None:
        return Screen(settings, clock, asked.size)
    screen = Screen(settings, clock)
    voice.covered = lambda: screen.covers
    return screen


async def _prepare(
    place: "Place", settings: Settings, clock: "Clock", voice: "Voice", stack: contextlib.AsyncExitStack
) -> tuple["Run", "Stage | None"]:
    """Make the engine and its stage; what must be given back at the end, the lock last of all, goes to `stack`."""
    from breakwall.logs.python import PythonsOwn
    from breakwall.venues.transport import AiohttpTransport

    stack.callback(place.release)
    transport = AiohttpTransport()
    stack.push_async_callback(transport.close)
    try:
        voice.log.open(place.folder.logs)
        stack.enter_context(PythonsOwn(voice.log, clock))
        voice.line(clock.now_ms(), "info", place.words)
        for warning in place.warnings:
            voice.line(clock.now_ms(), "warning", warning)
        run = await place.begin(settings, clock, transport, voice.log)
    except BaseException:
        place.abandon()
        raise
    voice.log.bind(run=run.engine.run_number, mode=run.engine.mode)
    stage = place.stage(run, settings, clock, transport)
    if stage is not None:
        stage.tell = lambda receipt: voice.crisis(clock.now_ms(), receipt)
    return run, stage


async def _conduct(
    asked: Asked,
    place: "Place",
    run: "Run",
    stage: "Stage | None",
    voice: "Voice",
    calls: "Calls",
    screen: "Screen | None",
) -> "Ended":
    """From the engine's start to its end."""
    from breakwall.cli.pulse import Pulse
    from breakwall.cli.session import Session
    from breakwall.model.events import Command, CommandKind

    if screen is not None:
        screen.show(run.engine, stage=stage)
        if asked.picture is not None and asked.seconds is not None:
            screen.draw(asked.picture, asked.seconds - _BEFORE_THE_END_S)
    if asked.safe or place.safe:  # before the account is read: it may trade from then on
        who, why = ("command line", "--safe") if asked.safe else ("the start", place.safe)
        run.engine.submit(Command(CommandKind.DISARM, who=who, why=why))
    try:
        pulse = Pulse(run.engine, place.folder.path, place.marks)
        async with contextlib.AsyncExitStack() as playing:
            if stage is not None:
                await playing.enter_async_context(stage)
            ended = await Session(run.engine, voice, calls, screen, pulse).conduct(asked.seconds)
    except BaseException:
        if run.engine.core.recovered_ms is None:
            place.abandon()
        raise
    if ended.code != NOT_FLAT and not run.engine.view().positions:
        place.finish()
    return ended


def _receipt(place: "Place", run: "Run", ended: "Ended", terminal_bytes: int, stage: "Stage | None") -> "Receipt":
    from breakwall import modes

    receipt = modes.receipt(
        run,
        seed=place.seed,
        scenario=place.scenario,
        seconds=ended.seconds,
        began_ms=ended.began_ms,
        rss_mb=rss_mb(),
        terminal_bytes=terminal_bytes,
        exit_reason=ended.reason,
    )
    return receipt if stage is None else structs.replace(receipt, crises=stage.receipts)


def rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
