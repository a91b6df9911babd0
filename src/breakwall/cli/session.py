"""One run of an engine from the command line: start, wait for the end, leave in order, say how it went."""

import asyncio
import gc
import re
import signal
from typing import Any

from msgspec import Struct

from breakwall.engine.loop import Engine
from breakwall.engine.supervise import GaveUp
from breakwall.headless import Lines

_STATUS_EVERY_S = 10.0
_PATIENCE_S = 15.0
_SPANS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Ended(Struct, frozen=True):
    """How a run ended: the exit code, its reason in words, when it began (engine time), how long it lasted."""

    code: int
    reason: str
    began_ms: int
    seconds: float


def seconds_of(text: str) -> float:
    """Seconds of '90s', '500ms', '5m', '1h' or a plain number; raises ValueError naming what was found."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*", text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"expected a span such as 90s, 5m or 1h, found {text!r}")
    return float(match[1]) * _SPANS[match[2] or "s"]


async def conduct(engine: Engine, lines: Lines, seconds: float | None, *, flatten: bool) -> Ended:
    """Run until the time is over, a signal comes or the engine gives up; then leave and close.

    Exit codes: 0 done, 1 a critical task gave up, 4 not flat although asked, 130 interrupted.
    """
    began = engine.clock.now_ms()
    stopped = _signals(lines, engine)
    running: asyncio.Task[None] = asyncio.create_task(_start_and_run(engine))
    telling = asyncio.create_task(_tell(engine, lines))
    try:
        waited: set[asyncio.Future[Any]] = {running, stopped}
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            code, reason = _verdict_of(running)
        elif stopped.done():
            code, reason = (130 if stopped.result() == "SIGINT" else 0), stopped.result()
        else:
            code, reason = 0, "time is over"
        flat = await engine.leave(flatten=flatten, patience_s=_PATIENCE_S)
        if not flat:
            code, reason = 4, f"{reason}; not flat: {_remains(engine)}"
    finally:
        telling.cancel()
        running.cancel()
        await asyncio.gather(telling, running, return_exceptions=True)
        await engine.close()
    return Ended(code, reason, began, (engine.clock.now_ms() - began) / 1000)


async def _start_and_run(engine: Engine) -> None:
    await engine.start()
    gc.freeze()  # what was made until now stays for the whole run: no need to look at it again and again
    await engine.run()


def _verdict_of(running: asyncio.Task[None]) -> tuple[int, str]:
    error = running.exception()
    if isinstance(error, GaveUp):
        return 1, f"gave up: {error}"
    if error is not None:
        raise error
    return 0, "ended"


def _signals(lines: Lines, engine: Engine) -> asyncio.Future[str]:
    """Done with the name of the first signal; further ones are only answered: leaving takes its time."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[str] = loop.create_future()

    def note(name: str) -> None:
        if not stopped.done():
            stopped.set_result(name)
        else:
            patience = f"already leaving; it takes at most {_PATIENCE_S:.0f} s, the stops stay on the exchange"
            lines.line(engine.clock.now_ms(), "warning", patience)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, note, number.name)
    return stopped


async def _tell(engine: Engine, lines: Lines) -> None:
    while True:
        await engine.clock.sleep(_STATUS_EVERY_S)
        lines.status(engine.view(), engine.clock.now_ms())


def _remains(engine: Engine) -> str:
    view = engine.view()
    positions = [f"{position.symbol} {position.qty:+f}" for position in view.positions]
    orders = [f"order {order.client_id} {order.state}" for order in view.orders]
    return ", ".join(positions + orders) or "not proven by the venue"
