"""A recording as the market of an embedded exchange."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from breakwall.model.events import BookSnapshot, Event, Ticker
from breakwall.model.units import Instrument
from breakwall.replay.tape import Heard, Rules
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.exchange.outside import OutsideMarket


class RecordedMarket:
    """`exchange.Market`: plays frames into a market outside, as far apart as they came.

    It waits at its first order books until somebody has `heard` of it, so that no client misses the beginning. With
    `loop` it begins again at its end, which readers see as a gap; else `ended` is told, once, and the market stands
    at its last prices: what is held can be closed there, no book is sent any more. Iterating the tape may raise
    RecordingError.
    """

    def __init__(
        self,
        tape: Iterable[Heard | Rules],
        instruments: Mapping[str, Instrument],
        outside: OutsideMarket,
        start_ms: int,
        *,
        heard: Callable[[], bool] = lambda: True,
        loop: bool = False,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._tape = tape
        self._codec = PublicCodec(instruments)
        self._outside = outside
        self._heard = heard
        self._loop = loop
        self._ended = ended
        self._waits = True
        self._shift_ms = 0
        self._frames: Iterator[Heard] = iter(())
        self._next: Heard | None = None
        self._wind(start_ms)
        booked: set[str] = set()
        while self._next is not None and len(booked) < len(instruments):
            event = self._play(self._next, start_ms)
            if isinstance(event, BookSnapshot):
                booked.add(event.symbol)

    def step(self, now_ms: int) -> None:
        """Play what is due; nothing before somebody listens."""
        frame = self._next
        if frame is None or (self._waits and not self._heard()):
            return
        if self._waits:
            self._waits = False
            self._shift_ms = now_ms - _ms(frame)
        while frame is not None and _ms(frame) + self._shift_ms <= now_ms:
            self._play(frame, now_ms)
            frame = self._next
        if frame is None and self._loop:
            self._wind(now_ms)
        elif frame is None:
            self._outside.end()
            self._ended()

    def _play(self, frame: Heard, now_ms: int) -> Event:
        event = self._codec.decode(frame.data)
        if isinstance(event, Ticker) and event.next_funding_ms is not None:
            event = replace(event, next_funding_ms=event.next_funding_ms + self._shift_ms)
        self._outside.take(event, now_ms)
        self._next = next(self._frames, None)
        return event

    def _wind(self, now_ms: int) -> None:
        self._frames = (item for item in self._tape if isinstance(item, Heard))
        self._next = next(self._frames, None)
        if self._next is not None:
            self._shift_ms = now_ms - _ms(self._next)


def _ms(frame: Heard) -> int:
    return frame.at_ns // 1_000_000
