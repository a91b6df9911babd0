"""What a recording holds, found in one reading: its symbols with their rules, its books, its span.

Rules come from the venue's own answer where the recording has it, else from the contracts we know, where all that was
recorded lies on their grid, else from the recorded numbers themselves.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import gcd
from pathlib import Path

import msgspec
from msgspec import Struct, field

from breakwall.model.units import Instrument, UnitError, fixed
from breakwall.replay import forms
from breakwall.replay.books import BookMessage
from breakwall.replay.forms import UNREADABLE, RecordingError
from breakwall.replay.tables import TradeMessage
from breakwall.replay.tape import Heard, Rules, Tape
from breakwall.venues.bybit.reports import RecordError, instrument_of
from breakwall.venues.exchange.instruments import INSTRUMENTS

DEPTHS = (50, 200, 1000)
_LOOKED_AT = 2000
"""Frames of each symbol whose numbers are looked at for its grid."""
_MOST_LOTS = 10**12
_DIGITS = 20
"""A number with more before or behind its point is no price and no size."""


class Held(Struct):
    """What is there of one symbol: frames by topic, and the numbers its grid is found in."""

    symbol: str
    topics: Counter[str] = field(default_factory=Counter)
    prices: set[Decimal] = field(default_factory=set)
    sizes: set[Decimal] = field(default_factory=set)

    @property
    def book(self) -> str:
        """The book that has the most messages, the deepest of equals; "" where there is none."""
        books = [topic for topic in self.topics if topic.startswith("orderbook.") and _depth(topic)]
        return max(books, key=lambda topic: (self.topics[topic], _depth(topic)), default="")

    @property
    def depth(self) -> int:
        return _depth(self.book)

    def look(self, heard: Heard) -> None:
        kind = heard.topic.partition(".")[0]
        self.topics[heard.topic] += 1
        if kind not in {"orderbook", "publicTrade"} or self.topics[heard.topic] > _LOOKED_AT:
            return
        try:
            message = forms.frame(heard.data)
        except UNREADABLE:
            return
        levels = [(price, size) for price, size, _ in message.trades] if isinstance(message, TradeMessage) else []
        if isinstance(message, BookMessage):
            levels = [*message.bids, *message.asks]
        self.prices.update(price for price, _ in levels if abs(price.adjusted()) < _DIGITS)
        self.sizes.update(size for _, size in levels if size and abs(size.adjusted()) < _DIGITS)


class Contents(Struct, frozen=True):
    """A recording before it is played. `notes` say in plain words what had to be made up and what breaks off."""

    paths: tuple[Path, ...]
    held: dict[str, Held]
    instruments: dict[str, Instrument]
    began_ns: int
    ended_ns: int
    notes: tuple[str, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those that can be traded, the busiest first."""
        return tuple(self.instruments)

    @property
    def seconds(self) -> float:
        return (self.ended_ns - self.began_ns) / 1e9


def contents(paths: Sequence[Path], symbols: Iterable[str] = (), *, booked: bool = True) -> Contents:
    """Read it once. Raises RecordingError where a symbol asked for, or any, is not there; with `booked` also where it
    has no order book, without which nothing can be traded.
    """
    wanted = tuple(symbols)
    tape = Tape(paths, wanted)
    held: dict[str, Held] = {}
    listed: dict[str, Instrument] = {}
    began = ended = 0
    for item in tape:
        if isinstance(item, Rules):
            listed |= _listed(item.data)
            continue
        known = held.get(item.symbol)
        if known is None:
            known = held[item.symbol] = Held(item.symbol)
        known.look(item)
        began = began or item.at_ns
        ended = item.at_ns
    good = sorted(
        (name for name in held if held[name].book or not booked), key=lambda name: -held[name].topics[held[name].book]
    )
    lacking = [name for name in wanted if name not in good] or ([] if good else ["any symbol"])
    if lacking:
        raise _nothing_to_trade(paths, lacking, good, held)
    notes: list[str] = []
    rules = {name: _rules(held[name], listed, notes) for name in good if held[name].prices or name in INSTRUMENTS}
    if tape.unreadable:
        notes.append(f"lines that could not be read, and are left out: {tape.unreadable}")
    return Contents(tape.paths, held, rules, began, ended, (*notes, *tape.cuts))


def _nothing_to_trade(
    paths: Sequence[Path], lacking: list[str], good: list[str], held: dict[str, Held]
) -> RecordingError:
    found = ", ".join(good or sorted(held)) or "none"
    return RecordingError(
        f"{', '.join(map(str, paths))}: expected an order book of {', '.join(lacking)}, found {found}"
        f"{'' if good else ' without one'}. Join one with `breakwall import BOOKS TRADES --out FILE`."
    )


def _rules(held: Held, listed: dict[str, Instrument], notes: list[str]) -> Instrument:
    known = listed.get(held.symbol)
    if known is not None:
        return known
    namesake = INSTRUMENTS.get(held.symbol)
    if namesake is not None and _fits(held, namesake):
        notes.append(f"{held.symbol}: the recording has no rules; those of today's contract fit and are used")
        return namesake
    found = _derived(held)
    notes.append(
        f"{held.symbol}: the recording has no rules; tick {fixed(found.tick)} and lot {fixed(found.lot)} are "
        "found in its numbers"
    )
    return found


def _fits(held: Held, instrument: Instrument) -> bool:
    try:
        for price in held.prices:
            instrument.ticks(price)
        for size in held.sizes:
            instrument.lots(size)
    except UnitError:
        return False
    return True


def _derived(held: Held) -> Instrument:
    tick, lot = _step(held.prices), _step(held.sizes)
    exponent = tick.normalize().as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return Instrument(held.symbol, tick, lot, 1, _MOST_LOTS, _MOST_LOTS, price_decimals=decimals)


def _step(numbers: set[Decimal]) -> Decimal:
    """The largest step of which all are multiples, made no coarser than the venue could write it: 1, 2 or 5."""
    exponents = [number.normalize().as_tuple().exponent for number in numbers]
    scale = min((exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    common = gcd(*(int(number.scaleb(-scale)) for number in numbers)) or 1
    step = 1
    for factor in (2, 5) * 12:
        step *= factor if common % (step * factor) == 0 else 1
    return Decimal(step).scaleb(scale)


def _listed(answer: bytes) -> dict[str, Instrument]:
    """The rules of an answer; what cannot be read of it is as if it were not there."""
    try:
        rows = msgspec.json.decode(answer)["result"]["list"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return {}
    found: dict[str, Instrument] = {}
    for row in rows if isinstance(rows, list) else []:
        try:
            instrument = instrument_of(row)
        except (RecordError, AttributeError, TypeError):
            continue
        found[instrument.symbol] = instrument
    return found


def _depth(topic: str) -> int:
    part = topic.split(".")[1] if topic.count(".") == 2 else ""
    return int(part) if part.isdecimal() else 0
