"""The receipt of a crisis: what struck, what the program and the trader did about it, and how it ended.

Times are milliseconds since the stroke, of the exchange's clock; quantities in coins, negative where short.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from msgspec import Struct

from breakwall.model.units import average

_DAY_S = 86_400
_LINES = 60
"""How many lines of what happened are told; the rest is in the log."""


class Deed(Struct):
    """Something the program asked the exchange for, in words, and the answer it was given."""

    after_ms: int
    text: str
    answer: str = "no answer"


class Held(Struct, frozen=True):
    """A position as the exchange has it; `stop` None where there is none."""

    symbol: str
    qty: Decimal
    entry: Decimal
    stop: Decimal | None


class Done(Struct, frozen=True):
    """An execution: `kind` Trade, or what the exchange did by itself; `ours`: by an order of the program."""

    after_ms: int
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    kind: str
    ours: bool


class Story(Struct, frozen=True):
    """What the exchange saw of it. `phase` is waiting, struck or over; `struck_ms` 0: not yet."""

    name: str
    text: str
    phase: str
    waits_for: str
    symbol: str = ""
    struck_ms: int = 0
    seconds: float = 0.0
    before: tuple[Held, ...] = ()
    after: tuple[Held, ...] = ()
    deeds: tuple[Deed, ...] = ()
    fills: tuple[Done, ...] = ()
    unprotected_ms: int = 0
    equity_before: Decimal = Decimal(0)
    equity_after: Decimal = Decimal(0)


class Said(Struct, frozen=True):
    """A line of the program's log."""

    after_ms: int
    text: str


class CrisisReceipt(Struct, frozen=True):
    """The exchange's story, and the program's own.

    `commands` are what the trader asked for. `books` is empty where the ledger agrees with the exchange, else where
    it differs; `reacted_ms` None: there was nothing to ask the exchange for.
    """

    story: Story
    reacted_ms: int | None
    said: tuple[Said, ...]
    commands: tuple[Said, ...]
    gaps: int
    resyncs: int
    orders_sent: int
    breaker_trips: int
    books: tuple[str, ...]
    books_agree: bool


def summary(receipt: CrisisReceipt) -> str:
    """How it ended, in one line."""
    story = receipt.story
    books = "ledger and exchange agree" if receipt.books_agree else f"NOT PROVEN: {receipt.books[0]}"
    return (
        f"{story.name} is over after {story.seconds:.1f} s: {story.unprotected_ms} ms without a stop, "
        f"{held_words(story.after)}; {books}"
    )


def lines(receipt: CrisisReceipt) -> tuple[str, ...]:
    """The receipt for people: a headline, facts by name, then what happened, in its order."""
    story = receipt.story
    seconds = story.struck_ms // 1000 % _DAY_S
    at = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    reacted = "nothing to ask for" if receipt.reacted_ms is None else f"asked first after {receipt.reacted_ms} ms"
    commands = "; ".join(f"{_when(said.after_ms)} {said.text}" for said in receipt.commands) or "no command"
    facts = {
        "struck": f"{story.symbol or 'the account'} at {at} UTC, over after {story.seconds:.1f} s",
        "before": held_words(story.before),
        "after": held_words(story.after),
        "program": f"{reacted}; {len(story.deeds)} requests, {len(story.fills)} fills, {receipt.gaps} gaps, "
        f"{receipt.resyncs} resyncs, {receipt.breaker_trips} breaker trips",
        "safety": f"{story.unprotected_ms} ms without a stop",
        "trader": commands,
        "equity": f"{story.equity_before:.2f} -> {story.equity_after:.2f} USDT",
        "books": "ledger and exchange agree" if receipt.books_agree else "; ".join(receipt.books),
    }
    happened = sorted(_happened(receipt), key=lambda said: said.after_ms)
    more = [f"  ... and {len(happened) - _LINES} more, see the log"] if len(happened) > _LINES else []
    return (
        f"CRISIS {story.name}: {story.text}",
        *(f"  {name:8} {text}" for name, text in facts.items()),
        *(f"  {_when(said.after_ms):>9} {said.text}" for said in happened[:_LINES]),
        *more,
    )


def held_words(held: tuple[Held, ...]) -> str:
    """Positions in a few words."""
    return "; ".join(map(_position, held)) or "flat"


def _position(held: Held) -> str:
    stop = "NO STOP" if held.stop is None else f"stop {held.stop:f}"
    return f"{held.symbol} {held.qty:+f} @ {average(held.entry.normalize())}, {stop}"


def _happened(receipt: CrisisReceipt) -> Iterator[Said]:
    for deed in receipt.story.deeds:
        yield Said(deed.after_ms, f"asked {deed.text}: {deed.answer}")
    yield from map(_fills, _together(receipt.story.fills))
    yield from receipt.said


def _together(fills: tuple[Done, ...]) -> Iterator[tuple[Done, ...]]:
    """Executions of one moment are told in one line."""
    for _, group in groupby(fills, lambda fill: (fill.after_ms, fill.symbol, fill.side, fill.kind, fill.ours)):
        yield tuple(group)


def _fills(group: tuple[Done, ...]) -> Said:
    first, qty = group[0], sum((fill.qty for fill in group), Decimal(0))
    prices = [fill.price for fill in group]
    at = f"{first.price:f}" if len({*prices}) == 1 else f"{min(prices):f} to {max(prices):f}"
    kind, whose = "fill" if first.kind == "Trade" else first.kind, "" if first.ours else ", not by an order of ours"
    return Said(first.after_ms, f"{kind} {first.symbol} {first.side} {qty:f} at {at}{whose}")


def _when(after_ms: int) -> str:
    return f"{after_ms / 1000:+.3f} s"
