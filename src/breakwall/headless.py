"""The other reader of the view: plain lines on a stream, one status line now and then, a receipt at the end."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import TextIO

import msgspec
from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.text import sanitise
from breakwall.model.view import PositionView, View

_LEVELS = ("debug", "info", "warning", "error")
_WIDTH = 400


class Lines:
    """Log lines for people. A stream that went away (closed terminal) silences it and nothing else."""

    def __init__(self, level: str = "info", stream: TextIO | None = None) -> None:
        self._threshold = _LEVELS.index(level)
        self._stream = stream if stream is not None else sys.stderr
        self._gone = False
        self.bytes_written = 0

    def note(self, note: Note, at_ms: int) -> None:
        """One line for a note of the core; trace ids ride along so that a line leads to the journal."""
        if _LEVELS.index(note.level) >= self._threshold:
            trace = f" [{note.trace}]" if note.trace else ""
            symbol = f"{note.symbol} " if note.symbol else ""
            self.line(at_ms, note.level, f"{symbol}{note.text}{trace}")

    def line(self, at_ms: int, level: str, text: str) -> None:
        stamp = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        self.write(f"{stamp} {level.upper():7} {sanitise(text, _WIDTH)}\n")

    def write(self, text: str) -> None:
        """Text as it is, a receipt for example."""
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
            self.bytes_written += len(text.encode())
        except (OSError, ValueError):
            self._gone = True


def status_line(view: View) -> str:
    """The state of everything in one line: markets, walls, positions with the age of their stop's proof."""
    markets = " ".join(
        f"{market.symbol} {market.bid if market.bid is not None else '-'} {market.status} {market.trend}"
        f" {len(market.walls)}w"
        for market in view.symbols
    )
    positions = " ".join(_position_text(position) for position in view.positions) or "flat"
    sums = view.counters
    return (
        f"{view.trading_state}{' BLIND' if view.blind else ''} | {markets} | {positions} | "
        f"equity {view.equity_usdt:.2f} realised {sums.realised_pnl_usdt:+.2f} fees {sums.fees_usdt:.2f}"
    )


def _position_text(position: PositionView) -> str:
    proof = "NOT PROVEN" if position.proof_age_ms is None else f"{position.proof_age_ms / 1000:.1f} s ago"
    badge = f"PROTECTED {position.stop} ({proof})" if position.stop is not None else "NO STOP"
    return f"{position.symbol} {position.lots:+d} lots @ {position.entry:f} {position.pnl_usdt:+.2f} {badge}"


class Receipt(Struct, frozen=True):
    """What a run did, as one JSON object; `*_ms_max` are the worst of the run on the venue's timeline."""

    mode: str
    venue: str
    seed: int | None
    scenario: str
    symbols: tuple[str, ...]
    seconds: float
    book_messages: int
    trades_seen: int
    gaps: int
    resyncs: int
    walls_seen: int
    walls_eaten: int
    walls_pulled: int
    signals: int
    refused: int
    orders_sent: int
    fills: int
    positions_opened: int
    positions_closed: int
    positions_open: int
    opened_by: dict[str, int]
    closed_by: dict[str, int]
    unprotected_ms_max: int
    proof_delay_ms_max: int
    realised_pnl_usdt: Decimal
    fees_usdt: Decimal
    funding_usdt: Decimal
    breaker_trips: int
    loop_delay_p99_ms: float
    event_latency_p99_ms: float
    first_book_s: float | None
    recovered_s: float | None
    rss_mb: float
    terminal_bytes: int
    actions_digest: str
    recording: str
    exit_reason: str


def receipt_json(receipt: Receipt) -> str:
    """The receipt for programs: one line, money as plain numbers."""
    return msgspec.json.Encoder(decimal_format="number").encode(receipt).decode()


def receipt_text(receipt: Receipt) -> str:
    """The receipt for people: what was done, what it cost, what was never unprotected."""
    opened = ", ".join(f"{name} {count}" for name, count in receipt.opened_by.items()) or "none"
    rows = {
        "seen": f"{receipt.book_messages} book messages, {receipt.trades_seen} trades, {receipt.walls_seen} walls "
        f"({receipt.walls_eaten} eaten, {receipt.walls_pulled} pulled)",
        "done": f"{receipt.signals} signals ({receipt.refused} refused), {receipt.positions_opened} positions opened "
        f"({opened}), {receipt.positions_closed} closed, {receipt.positions_open} open",
        "money": f"realised {receipt.realised_pnl_usdt:+.4f} USDT after fees of {receipt.fees_usdt:.4f}",
        "safety": f"{receipt.unprotected_ms_max} ms without a stop, stops proven within "
        f"{receipt.proof_delay_ms_max} ms, {receipt.breaker_trips} breaker trips",
        "machine": f"loop delay p99 {receipt.loop_delay_p99_ms:.1f} ms, event latency p99 "
        f"{receipt.event_latency_p99_ms:.1f} ms, {receipt.rss_mb:.0f} MB",
        "ended": f"{receipt.exit_reason}; recording {receipt.recording or 'none'}",
    }
    head = f"{receipt.mode} on {receipt.venue}: {receipt.seconds:.0f} s, {', '.join(receipt.symbols)}"
    return "\n".join([head, *(f"  {name:8} {text}" for name, text in rows.items())])
