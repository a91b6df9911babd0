"""The other reader of the view: a few status lines now and then, a receipt at the end."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from breakwall.model.crisis import CrisisReceipt, summary
from breakwall.model.units import average
from breakwall.model.view import PositionView, SymbolView, View, WallView

_MARKETS = 8  # markets with a line of their own
_LARGEST = 3
_WHOLE = 0.1  # a wall that has lost less is called whole


def status_lines(view: View) -> tuple[str, ...]:
    """The state at a glance: money, then each market with its nearest walls, then each position with its stop."""
    sums = view.counters
    state = view.trading_state + (" BLIND" if view.blind else "")
    held = {0: "flat", 1: "1 position"}.get(len(view.positions), f"{len(view.positions)} positions")
    open_pnl = sum((position.pnl_usdt for position in view.positions), Decimal(0))
    head = (
        f"{state} | equity {view.equity_usdt:.2f} | closed {sums.realised_pnl_usdt:+.2f} open {open_pnl:+.2f} "
        f"fees {sums.fees_usdt:.2f} | {held} | walls {sums.walls_eaten} eaten {sums.walls_pulled} pulled"
    )
    why = (f"  no entries: {view.why}",) if view.why else ()
    limits = tuple([f"  requests to {limit.group}: {limit.words}" for limit in view.limits if limit.is_pressed])
    shown = _worth_a_line(view)
    more = len(view.symbols) - len(shown)
    rest = (f"  and {more} markets more",) if more else ()
    markets = (*map(_market_line, shown), *rest, *_screener_line(view), *_largest_walls(view))
    return head, *why, *limits, *markets, *map(_position_line, view.positions)


def _worth_a_line(view: View) -> list[SymbolView]:
    """The first markets and all in which something is held: of hundreds nobody reads each line."""
    held = {position.symbol for position in view.positions}
    return [market for place, market in enumerate(view.symbols) if place < _MARKETS or market.symbol in held]


def _screener_line(view: View) -> tuple[str, ...]:
    scan = view.screener
    if scan is None:
        return ()
    if scan.age_ms is None:
        return (f"  screener: {scan.trouble or 'has not looked yet'}",)
    found = f"{len(scan.chosen)} chosen, {scan.eligible} fit, {scan.listed} listed {scan.age_ms / 1000:.0f} s ago"
    return (f"  screener: {found}" + (f"; now: {scan.trouble}" if scan.trouble else ""),)


def _largest_walls(view: View) -> tuple[str, ...]:
    """Of all markets, where there are more than can be taken in line by line."""
    if len(view.symbols) <= _MARKETS:
        return ()
    walls = [(wall, market) for market in view.symbols for wall in market.walls if wall.in_view and market.mid]
    walls.sort(key=lambda found: found[0].notional_usdt, reverse=True)
    words = [
        f"{market.symbol} {'bid' if wall.bid else 'ask'} {wall.notional_usdt / 1_000_000:.1f}M "
        f"{(wall.price - market.mid) / market.mid:+.2%} {wall.age_ms / 1000:.0f} s"
        for wall, market in walls[:_LARGEST]
        if market.mid is not None
    ]
    return (f"  largest walls: {', '.join(words)}",) if words else ()


def _market_line(market: SymbolView) -> str:
    """Price, trend and the nearest wall of each side; walls are judged by what is left of them."""
    price = "-" if market.bid is None else f"{market.bid}"
    head = f"  {market.symbol:8} {price:>8} {market.trend:4} {market.status}{_reach(market)}"
    walls: list[str] = []
    for word, bid in (("ask", False), ("bid", True)):
        side = sorted((wall for wall in market.walls if wall.bid is bid), key=lambda wall: wall.price, reverse=bid)
        if side and market.bid:
            more = f" +{len(side) - 1}" if len(side) > 1 else ""
            walls.append(f"{word} {_wall_words(side[0], market.bid)}{more}")
    ends = f" | no entries: {market.reducing}" if market.reducing else ""
    return (f"{head} | wall {', '.join(walls)}" if walls else f"{head} | no walls") + ends


def _reach(market: SymbolView) -> str:
    """How far the book is known on its shorter side, per cent."""
    return f" ±{min(market.reach):.2%}" if market.reach is not None else ""


def _wall_words(wall: WallView, price: Decimal) -> str:
    millions = wall.notional_usdt / 1_000_000
    loss = max(("eaten", wall.eaten), ("pulled", wall.pulled), key=lambda part: part[1])
    words = f"{loss[1]:.0%} {loss[0]}" if wall.eroded >= _WHOLE else "whole"
    away = (wall.price - price) / price
    return f"{wall.price.quantize(price)} {away:+.2%} {millions:.1f}M {words if wall.in_view else 'out of view'}"


def _position_line(position: PositionView) -> str:
    now = "" if position.mark is None else f" now {position.mark}"
    if position.stop is None:
        badge = "NO STOP"
    else:
        age_ms = position.proof_age_ms
        read = "never read" if age_ms is None else f"read {max(0, age_ms) / 1000:.1f} s ago"
        badge = f"{'PROTECTED' if position.is_protected else 'STOP UNPROVEN'} {position.stop}, {read}"
    return (
        f"  {position.symbol:8} {position.side} {abs(position.qty)} @ {average(position.entry)}{now} | "
        f"{position.pnl_usdt:+.2f} USDT | {badge} | {position.strategy or 'adopted'}"
    )


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
    loop_delay_max_ms: float
    event_latency_p99_ms: float
    first_book_s: float | None
    recovered_s: float | None
    rss_mb: float
    terminal_bytes: int
    actions_digest: str
    recording: str
    exit_reason: str
    crises: tuple[CrisisReceipt, ...] = ()


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
        "machine": f"loop delay p99 {receipt.loop_delay_p99_ms:.1f}, max {receipt.loop_delay_max_ms:.1f} ms, event "
        f"latency p99 {receipt.event_latency_p99_ms:.1f} ms, {receipt.rss_mb:.0f} MB",
        "ended": f"{receipt.exit_reason}; recording {receipt.recording or 'none'}",
    }
    if receipt.crises:
        rows["crises"] = "; ".join(map(summary, receipt.crises))
    head = f"{receipt.mode} on {receipt.venue}: {receipt.seconds:.0f} s, {', '.join(receipt.symbols)}"
    return "\n".join([head, *(f"  {name:8} {text}" for name, text in rows.items())])
