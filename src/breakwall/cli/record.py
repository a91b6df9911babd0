"""`breakwall record`: the public market of a venue, frame by frame, into files."""

import asyncio
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from breakwall.cli.options import ForOption, ReceiptOption, names_in, span
from breakwall.cli.streams import hand_out, remark
from breakwall.clock import SystemClock
from breakwall.exit_codes import DONE, INTERRUPTED, REFUSED

if TYPE_CHECKING:
    from breakwall.ports import Transport
    from breakwall.settings import Settings
    from breakwall.storage.recording_market import MarketRecorder
    from breakwall.venues.bybit.whole_market import WholeMarket

_STATUS_S = 10.0
_LOOK_S = 0.5
ALL = "all"


class Receipt(Struct, frozen=True):
    """What was recorded, as one JSON object; see `storage.recording_market.Sums`."""

    venue: str
    symbols: tuple[str, ...]
    depth: int
    seconds: float
    parts: tuple[str, ...]
    bytes: int
    frames: int
    book_messages: int
    trades: int
    tickers: int
    gaps: int
    lost: int
    exit_reason: str


def record(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="folder of the files; made where it is not there")
    ],
    symbols: Annotated[str, typer.Option(help="joined by commas, or `all`; those of the settings where absent")] = "",
    depth: Annotated[
        int | None, typer.Option(help="levels of each book: 1, 50, 200 or 1000; as [venue] says where absent")
    ] = None,
    for_: ForOption = None,
    as_json: ReceiptOption = False,
    config: Annotated[Path | None, typer.Option(help="settings file; defaults where absent")] = None,
) -> None:
    """Record order books, trades and tickers of the venue in the settings; no key is needed.

    Files are parted by size and day ([record]), each can be used alone. Ends with --for, Ctrl-C or SIGTERM; a new
    start goes on in a new file. Exit code 6 where the disk became too full.
    """
    from breakwall.cli.config import load_checked

    if depth not in {None, 1, 50, 200, 1000}:
        raise typer.BadParameter(f"expected 1, 50, 200 or 1000, found {depth}", param_hint="--depth")
    settings = load_checked(config)
    asked = tuple(dict.fromkeys(names_in(symbols)))
    recording = _Recording(settings, out, asked or settings.symbols, depth or settings.venue.first_depth)
    code, receipt = asyncio.run(recording.run(span(for_)))
    remark("; ".join((f"{receipt.frames} frames in {len(receipt.parts)} files", receipt.exit_reason)))
    for path in receipt.parts:
        remark(f"  {path}")
    if as_json:
        import msgspec

        hand_out(msgspec.json.encode(receipt).decode())
    raise typer.Exit(code)


class _Recording:
    """One recording from its first part to its receipt."""

    def __init__(self, settings: "Settings", out: Path, asked: tuple[str, ...], depth: int) -> None:
        self._settings = settings
        self._out = out
        self._asked = asked
        self._depth = depth
        self._clock = SystemClock()

    async def run(self, seconds: float | None) -> tuple[int, Receipt]:
        """Exit code and receipt. Raises VenueError or StateError before anything is written."""
        from breakwall.storage.recording_market import MarketRecorder, TappedSockets
        from breakwall.venues.bybit.feed import BybitFeed
        from breakwall.venues.bybit.hosts import checked
        from breakwall.venues.bybit.whole_market import whole_market
        from breakwall.venues.transport import AiohttpTransport

        urls, clock = checked(self._settings.venue), self._clock
        stop = _stop_signal()
        transport = AiohttpTransport()
        try:
            market = await whole_market(transport, urls.rest, self._settings.venue.request_timeout_s)
            symbols = self._chosen(market)
            taps = TappedSockets(transport)
            name = f"bybit-{self._settings.venue.environment}"
            recorder = MarketRecorder(self._out, name, clock, self._settings.record, _warn)
            taps.recorder = recorder
            jitter = random.Random()  # noqa: S311 - spreads reconnects, guards nothing
            feed = BybitFeed(taps, clock, recorder, urls.public, self._settings.venue, market.instruments, jitter)
            recorder.renew = feed.resubscribe
            self._market = market
            await recorder.begin_part(symbols, _beginning(market))
            remark(f"recording {len(symbols)} symbols of {urls.public}, {self._depth} levels, into {self._out}")
            feed.subscribe(dict.fromkeys(symbols, self._depth))
            began_ns = clock.now_ns()
            following = asyncio.create_task(feed.run())
            try:
                reason = await self._keep(recorder, symbols, transport, stop, seconds)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                await recorder.close()
        finally:
            await transport.close()
        reason = recorder.stopped or reason
        code = REFUSED if recorder.stopped else INTERRUPTED if reason == signal.SIGINT.name else DONE
        took_s = (clock.now_ns() - began_ns) / 1e9
        return code, _receipt(recorder, urls.public, symbols, self._depth, took_s, reason)

    def _chosen(self, market: "WholeMarket") -> tuple[str, ...]:
        """The symbols to record; raises ConfigError naming those that the venue does not list."""
        from breakwall.config import ConfigError
        from breakwall.mistakes import nearest_name
        from breakwall.storage.recording_market import names_missing

        if self._asked == (ALL.upper(),):
            return tuple(name for name, rules in market.instruments.items() if rules.tradable)
        missing = names_missing(self._asked, market.instruments)
        if missing:
            near = nearest_name(missing[0], market.instruments)
            raise ConfigError(f"symbols: the venue does not list {', '.join(missing)}; {missing[0]}: {near}")
        return self._asked

    async def _keep(
        self,
        recorder: "MarketRecorder",
        symbols: tuple[str, ...],
        transport: "Transport",
        stop: "asyncio.Future[str]",
        seconds: float | None,
    ) -> str:
        """Record until something ends it; part by part."""
        began_ns = told_ns = self._clock.now_ns()
        told = 0
        while not stop.done() and not recorder.stopped:
            now_ns = self._clock.now_ns()
            left_s = _LOOK_S if seconds is None else min(_LOOK_S, seconds - (now_ns - began_ns) / 1e9)
            if left_s <= 0:
                return "time is over"
            await asyncio.wait({stop}, timeout=left_s)
            await recorder.end_part_before(patient=True)
            if recorder.wants_part:
                await self._part(recorder, symbols, transport)
            since_s = (now_ns - told_ns) / 1e9
            if since_s >= _STATUS_S:
                frames = recorder.sums.frames
                remark(_status(recorder, (now_ns - began_ns) / 1e9, (frames - told) / since_s))
                told_ns, told = now_ns, frames
        return stop.result() if stop.done() else recorder.stopped

    async def _part(self, recorder: "MarketRecorder", symbols: tuple[str, ...], transport: "Transport") -> None:
        """A new part with the instruments as they are now; as they were where the venue does not answer."""
        from breakwall.ports import VenueError
        from breakwall.venues.bybit.endpoints import urls_of
        from breakwall.venues.bybit.whole_market import whole_market

        venue = self._settings.venue
        try:
            self._market = await whole_market(transport, urls_of(venue).rest, venue.request_timeout_s)
        except VenueError as error:
            remark(f"WARNING {error} The new part begins with what was read before.")
        await recorder.begin_part(symbols, _beginning(self._market))
        remark(f"part {len(recorder.paths)}: {recorder.paths[-1]}")


def _stop_signal() -> "asyncio.Future[str]":
    """Done with the name of the first signal that asks it to end."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[str] = loop.create_future()

    def hear(number: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(number.name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, hear, number)
    return stop


def _beginning(market: "WholeMarket") -> list[tuple[str, bytes]]:
    return [(answer.url, answer.body) for answer in market.answers]


def _status(recorder: "MarketRecorder", seconds: float, frames_s: float) -> str:
    sums = recorder.sums
    link = "link up" if recorder.up else "LINK DOWN"
    return (
        f"{seconds:.0f} s: {sums.frames} frames ({frames_s:.0f}/s), {recorder.all_bytes / 1e6:.1f} MB in "
        f"{len(recorder.paths)} files, {sums.gaps} gaps, {link}"
    )


def _receipt(
    recorder: "MarketRecorder", venue: str, symbols: tuple[str, ...], depth: int, seconds: float, reason: str
) -> Receipt:
    sums = recorder.sums
    return Receipt(
        venue=venue,
        symbols=symbols,
        depth=depth,
        seconds=round(seconds, 3),
        parts=tuple(map(str, recorder.paths)),
        bytes=recorder.all_bytes,
        frames=sums.frames,
        book_messages=sums.book_messages,
        trades=sums.trades,
        tickers=sums.tickers,
        gaps=sums.gaps,
        lost=sums.lost,
        exit_reason=reason,
    )


def _warn(level: str, text: str) -> None:
    remark(f"{level.upper():7} {text}")
