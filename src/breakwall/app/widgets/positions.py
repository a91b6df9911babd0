"""The positions pane: what is held, what it makes, and whether its stop is proven on the exchange."""

from collections.abc import Sequence

from rich.cells import cell_len

from breakwall.app.rows.figures import UNKNOWN, age, countdown, price, signed
from breakwall.app.rows.row import Cell, Row, clean, left
from breakwall.app.rows.table import Column, Word, filled, fit, table
from breakwall.app.trust import Stop, doubt, endangered, flat_words, is_proven, open_pnl, stop_of
from breakwall.app.widgets.pane import Pane
from breakwall.model.units import fixed
from breakwall.model.view import PositionView, SymbolView, View

COLUMNS = (
    Column(" POSITIONS", rank=0),
    Column("SIDE", rank=1),
    Column("QTY", rank=2, number=True),
    Column("ENTRY", rank=6, number=True),
    Column("MARK", rank=8, number=True),
    Column("PNL USDT", rank=4, number=True),
    Column("R", rank=7, number=True, least=5),
    Column("STOP", rank=5, number=True),
    Column("TARGET", rank=10, number=True),
    Column("LIQ", rank=9, number=True),
    Column("BY", rank=11, least=8),
    Column("STOP ON THE EXCHANGE", rank=3, free=True, least=20),
)


class Positions(Pane, can_focus=True):
    """Those without a proven stop come first, then the selected symbol's; what does not fit is counted."""

    words = "POSITIONS"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        if not view.positions:
            known = is_proven(view.read_back_age_ms)
            said = ((left(f" {flat_words(view)}", width), "dim" if known else "warn"),)
            return [self.title(width, "flat" if known else ""), said]
        selected = self.look.symbol
        held = sorted(view.positions, key=lambda held: (stop_of(held), held.symbol != selected, held.symbol))
        laid = table(COLUMNS, [_line(position, view, selected) for position in held], width)
        pnl, question = open_pnl(view)
        title = self.headed(laid.heads, width, f"{len(held)} open {signed(pnl)}{question}")
        room = height - 1
        if len(held) <= room:
            one = next((position for position in held if position.symbol == selected), held[0])
            return [title, *laid.rows, details(one, view, width)][:height]
        kept = max(0, room - 1)
        more = f" +{len(held) - kept} more: maximise this pane to see all"
        return [title, *laid.rows[:kept], ((left(more, width), "warn"),)]


def details(held: PositionView, view: View, width: int) -> Row:
    """What else is known of a position, in one row."""
    market = view.market(held.symbol)
    tick = market.tick if market else None
    known = (
        ("held", countdown(view.at_ms - held.opened_ms) if held.opened_ms else UNKNOWN),
        ("mark", _mark(held, market)),
        ("target", price(held.target, tick)),
        ("liquidation", price(held.liquidation, tick)),
        ("by", held.strategy or "adopted"),
    )
    symbol = f" {clean(held.symbol)}: "
    words = [Word(rank, ((f"{name} ", "dim"), (text, ""))) for rank, (name, text) in enumerate(known)]
    return filled(((symbol, "dim"), *fit(words, max(0, width - cell_len(symbol)), "")), width, "")


def proof(held: PositionView) -> Cell:
    """What is known of its stop on the exchange, in words; a position being closed says so behind it."""
    closing = f"CLOSING: {held.reason}".rstrip(": ") if held.state == "CLOSING" else ""
    if stop_of(held) is Stop.NONE:
        return " ".join(filter(None, (f"NO STOP {age(held.naked_ms)}", closing))), "alarm"
    if stop_of(held) is Stop.UNPROVEN:
        since = "" if held.proof_age_ms is None else f" {age(held.proof_age_ms)}"
        return " ".join(filter(None, (f"STOP UNPROVEN{since}", closing))), "warn"
    return (closing, "warn") if closing else (f"PROTECTED ✓ {age(held.proof_age_ms)}", "good")


def _mark(held: PositionView, market: SymbolView | None) -> str:
    """A mark is as old as its market's data; where that is not live, what follows from it is doubted."""
    return UNKNOWN if held.mark is None else price(held.mark, market.tick if market else None) + doubt(market)


def _line(held: PositionView, view: View, selected: str) -> tuple[Cell, ...]:
    market = view.market(held.symbol)
    tick = market.tick if market else None
    question = doubt(market)
    marker = "▸" if held.symbol == selected else " "
    worth = "gain" if held.pnl_usdt > 0 else "loss" if held.pnl_usdt < 0 else ""
    pnl = UNKNOWN if held.mark is None else signed(held.pnl_usdt) + question
    gain = UNKNOWN if held.mark is None or held.r is None else f"{signed(held.r, 1)}R"
    line = (
        (f"{marker}{held.symbol}", "bold"),
        (held.side, "bid" if held.lots > 0 else "ask"),
        (fixed(abs(held.qty)), ""),
        (price(held.entry, tick), "own"),
        (_mark(held, market), "stale" if question else ""),
        (pnl, "stale" if question else worth),
        (gain, "stale" if question else worth),
        (price(held.stop, tick), "bold"),
        (price(held.target, tick), "dim"),
        (price(held.liquidation, tick), "dim"),
        (held.strategy or "adopted", "dim"),
        proof(held),
    )
    ink = "alarm" if stop_of(held) is Stop.NONE else "bad" if held in endangered(view) else ""
    return tuple((text, ink) for text, _ in line) if ink else line
