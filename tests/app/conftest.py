"""A sample market, a desk that stands still, and the screen as plain text: what the tests of the cockpit share.

The moment is 12:04:33 UTC. BTCUSDT is selected (tick 0.1, lot 0.001) with a full book, walls in all states, one
proven long; ETHUSDT is resyncing and holds a short whose stop is not proven; SOLUSDT is stale and paused.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest
from msgspec.structs import replace
from textual.app import App

from breakwall.app.look import Look
from breakwall.app.rows.row import Row
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import Ink
from breakwall.model.events import Event
from breakwall.model.view import (
    CheckView,
    Counters,
    DensityView,
    DensityWall,
    FlattenView,
    LogLine,
    OrderView,
    PositionView,
    RuleView,
    SignalView,
    SymbolView,
    TradeView,
    View,
    WallView,
)

NOW_MS = int(datetime(2026, 11, 20, 12, 4, 33, tzinfo=UTC).timestamp() * 1000)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
BID, ASK = 641_174, 641_175
TICK, LOT = Decimal("0.1"), Decimal("0.001")
DEPTH = 200

MakeView = Callable[..., View]
Frame = Callable[[App[object]], str]
Plain = Callable[[Sequence[Row]], str]


class StillDesk:
    """A desk whose engine does nothing: shows `shown` and remembers what was submitted."""

    def __init__(self, shown: View) -> None:
        self.shown = shown
        self.asked: list[str] = []
        self.submitted: list[Event] = []

    def view(self, symbol: str = "") -> View:
        self.asked.append(symbol)
        return self.shown

    def market(self, symbol: str) -> SymbolView | None:
        return self.shown.market(symbol)

    def density(self) -> tuple[DensityView, ...]:
        wall = DensityWall(1, bid=False, away=0.0042, notional_usdt=2_410_000.0, age_ms=64_000, eroded=0.31)
        small = replace(wall, wall_id=2, bid=True, away=-0.001, notional_usdt=750_000.0, eroded=0.0)
        walls = [(small,), (wall, small), *[(small,)] * len(self.shown.symbols)]
        return tuple(
            DensityView(market.symbol, market.status, 1.0, market.change_24h, found)
            for market, found in zip(self.shown.symbols, walls, strict=False)
        )

    def submit(self, command: Event) -> None:
        self.submitted.append(command)


@pytest.fixture
def make_view() -> MakeView:
    """The sample view; keyword arguments take the place of its fields."""
    return lambda **changes: replace(sample(), **changes)


@pytest.fixture
def make_market() -> Callable[..., SymbolView]:
    """The sample BTCUSDT; keyword arguments take the place of its fields."""
    return lambda **changes: replace(_bitcoin(), **changes)


@pytest.fixture
def view() -> View:
    return sample()


@pytest.fixture
def desk() -> StillDesk:
    return StillDesk(sample())


@pytest.fixture
def look() -> Look:
    return Look(SYMBOLS, Decimal(0))


@pytest.fixture
def ink() -> Ink:
    """The default theme's colours."""
    return Ink(packaged())


@pytest.fixture
def frame() -> Frame:
    """What stands on the screen now, row by row, without colours and without blanks at the right."""
    return _frame


@pytest.fixture
def plain() -> Plain:
    """Rows of a pane as text, without blanks at the right."""
    return lambda rows: "\n".join("".join(text for text, _ in row).rstrip() for row in rows)


def _frame(app: App[object]) -> str:
    # The compositor is Textual's own name; what it holds is exactly what the terminal was sent.
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


@cache
def sample() -> View:
    """Built once: a view is frozen, and so are all its parts."""
    return View(
        at_ms=NOW_MS,
        mode="SIM",
        trading_state="ACTIVE",
        why="",
        armed=True,
        blind=False,
        equity_usdt=Decimal("10014.22"),
        available_usdt=Decimal("9480.10"),
        symbols=(_bitcoin(), _ether(), _solana()),
        positions=_positions(),
        orders=_orders(),
        counters=_counters(),
        loop_delay_p99_ms=2.1,
        event_latency_p99_ms=0.3,
        rest_ms=94,
        read_back_age_ms=1_800,
        day_pnl_usdt=Decimal("14.22"),
        signals=_signals(),
        breaker=_breaker(),
        flattens=_flattens(),
        log=_log(),
    )


# The market


def _bitcoin() -> SymbolView:
    walls = _walls()
    heavy = {ticks_of(wall.price): wall.lots for wall in walls if wall.in_view}
    return SymbolView(
        symbol="BTCUSDT",
        status="LIVE",
        bid=BID * TICK,
        ask=ASK * TICK,
        mark=Decimal("64117.43"),
        age_ms=18,
        trend="up",
        late_ms=18.0,
        change_24h=Decimal("0.0042"),
        funding_rate=Decimal("0.0001"),
        next_funding_ms=NOW_MS + 14_127_000,
        tick=TICK,
        lot=LOT,
        usdt_per_tick_lot=TICK * LOT,
        reach=(0.00052, 0.00061),
        bids=_levels(BID, -1, heavy),
        asks=_levels(ASK, 1, heavy),
        walls=walls,
        ended=_ended_walls(),
        trades=_trades(),
        trades_seen=18_342,
    )


def ticks_of(price: Decimal) -> int:
    return int(price / TICK)


def _levels(best: int, step: int, heavy: dict[int, int]) -> tuple[tuple[int, int], ...]:
    """200 levels with gaps of one to three ticks and uneven sizes; walls lie where they are said to."""
    levels, ticks = [], best
    for place in range(DEPTH):
        levels.append((ticks, 12 + place * 7919 % 997 // (1 + place % 5)))
        ticks += step * (1 + place * place % 3)
    rim = levels[-1][0]
    own = {ticks: lots for ticks, lots in heavy.items() if (ticks - best) * step >= 0 and (rim - ticks) * step >= 0}
    return tuple(sorted((dict(levels) | own).items(), key=lambda level: level[0] * step))


def wall(wall_id: int, price: str, lots: int, peak: int, **changes: object) -> WallView:
    """A wall of BTCUSDT in a bucket of 64 ticks; what it has lost was eaten unless `pulled` says otherwise."""
    ticks = ticks_of(Decimal(price))
    bid = ticks <= BID
    low = ticks - ticks % 64
    eroded = 1 - lots / peak
    standing = WallView(
        wall_id=7_100_000_000 + wall_id,
        bid=bid,
        near_ticks=low + 63 if bid else low,
        far_ticks=low if bid else low + 63,
        price=Decimal(price),
        lots=lots,
        peak_lots=peak,
        notional_usdt=lots * ticks * TICK * LOT,
        age_ms=45_000,
        eroded=eroded,
        eaten=eroded,
        pulled=0.0,
        touches=0,
        in_view=True,
    )
    return replace(standing, **changes)


def _walls() -> tuple[WallView, ...]:
    """Eroding ask near the price, whole ask, half-pulled bid, fresh whole bid, and one out of view."""
    return (
        wall(41_764, "64122.5", 37_480, 54_319, age_ms=132_000, touches=3),
        wall(41_771, "64140.2", 18_700, 18_700, age_ms=64_000),
        wall(41_758, "64107.0", 22_460, 40_836, age_ms=301_000, touches=1, eaten=0.05, pulled=0.40),
        wall(41_790, "64098.3", 41_000, 41_000, age_ms=6_400),
        wall(41_702, "63950.0", 60_900, 64_100, age_ms=3_720_000, in_view=False),
    )


def _ended_walls() -> tuple[WallView, ...]:
    return (
        wall(41_688, "64119.0", 1_200, 31_000, end="eaten", ended_ms=NOW_MS - 95_000, touches=6),
        wall(41_733, "64112.4", 0, 28_500, end="pulled", ended_ms=NOW_MS - 8_000, eaten=0.02, pulled=0.98),
    )


def _trades() -> tuple[TradeView, ...]:
    """Sixty trades of the last half minute: small ones, a sweep at one price within 100 ms, one big sell."""
    small = [
        TradeView(NOW_MS - 30_000 + place * 500, ASK - place % 2, 2 + place * 37 % 90, place % 2 == 0)
        for place in range(55)
    ]
    sweep = [TradeView(NOW_MS - 900 + place * 20, ASK, 40 + place, True) for place in range(4)]
    return (*small, *sweep, TradeView(NOW_MS - 120, BID, 2_150, False))


def _ether() -> SymbolView:
    return SymbolView(
        symbol="ETHUSDT",
        status="RESYNC",
        bid=Decimal("3412.15"),
        ask=Decimal("3412.16"),
        mark=Decimal("3412.10"),
        age_ms=2_400,
        trend="flat",
        status_reason="gap: expected update 901, found 905",
        change_24h=Decimal("-0.0131"),
        tick=Decimal("0.01"),
        lot=Decimal("0.01"),
        usdt_per_tick_lot=Decimal("0.0001"),
    )


def _solana() -> SymbolView:
    return SymbolView(
        symbol="SOLUSDT",
        status="STALE",
        bid=Decimal("171.60"),
        ask=Decimal("171.61"),
        mark=None,
        age_ms=7_300,
        trend="down",
        status_reason="no book for 5 s",
        tick=Decimal("0.01"),
        lot=Decimal("0.1"),
        usdt_per_tick_lot=Decimal("0.001"),
        paused=True,
    )


# What is held and asked for


def _positions() -> tuple[PositionView, ...]:
    return (
        PositionView(
            symbol="BTCUSDT",
            state="OPEN",
            lots=21,
            qty=Decimal("0.021"),
            entry=Decimal("64087.5"),
            mark=Decimal("64117.43"),
            pnl_usdt=Decimal("0.63"),
            stop=Decimal("63980.0"),
            liquidation=Decimal("57902.1"),
            strategy="breakout",
            proof_age_ms=1_800,
            opened_ms=NOW_MS - 192_000,
            target=Decimal("65369.2"),
            risk_usdt=Decimal("2.26"),
        ),
        PositionView(
            symbol="ETHUSDT",
            state="CLOSING",
            lots=-50,
            qty=Decimal("-0.50"),
            entry=Decimal("3406.40"),
            mark=Decimal("3412.10"),
            pnl_usdt=Decimal("-2.85"),
            stop=None,
            liquidation=Decimal("3741.02"),
            strategy="",
            proof_age_ms=None,
            opened_ms=NOW_MS - 41_000,
            naked_ms=1_700,
            reason="no stop after 2 s",
        ),
    )


def _orders() -> tuple[OrderView, ...]:
    return (
        OrderView(
            client_id="bw-1j-8c2-e",
            symbol="BTCUSDT",
            side="Buy",
            state="PLACED",
            lots=30,
            filled_lots=0,
            price=Decimal("64116.0"),
            qty=Decimal("0.030"),
            age_ms=3_200,
            why="breakout: wall 41764 of asks is 31% eaten",
        ),
        OrderView(
            client_id="bw-1j-8d0-e",
            symbol="BTCUSDT",
            side="Sell",
            state="SENT",
            lots=21,
            filled_lots=0,
            price=Decimal("64140.1"),
            qty=Decimal("0.021"),
            reduce_only=True,
            age_ms=40,
            why="target in front of wall 41771",
        ),
        OrderView(
            client_id="bw-1j-8d1-x",
            symbol="ETHUSDT",
            side="Buy",
            state="UNKNOWN",
            lots=50,
            filled_lots=12,
            price=None,
            qty=Decimal("0.50"),
            filled_qty=Decimal("0.12"),
            reduce_only=True,
            age_ms=1_650,
            why="no stop after 2 s",
        ),
        OrderView(
            client_id="bw-1j-7zz-e",
            symbol="SOLUSDT",
            side="Buy",
            state="CANCELLING",
            lots=120,
            filled_lots=30,
            price=Decimal("171.55"),
            qty=Decimal("12.0"),
            filled_qty=Decimal("3.0"),
            age_ms=61_000,
            why="bounce: wall 90012 of bids holds",
        ),
    )


# What was decided


CHECKS = (
    "symbol enabled",
    "symbol active",
    "signal fresh",
    "not processed before",
    "position limit",
    "no duplicate position",
    "stop sound",
    "entry near the market",
    "wall still stands",
    "balance enough",
)


def _checks(**failed: str) -> tuple[CheckView, ...]:
    reasons = {name.replace("_", " "): reason for name, reason in failed.items()}
    return tuple(CheckView(check, check not in reasons, reasons.get(check, "")) for check in CHECKS)


def _signals() -> tuple[SignalView, ...]:
    ordered = SignalView(
        at_ms=NOW_MS - 3_200,
        trace="1j-8c2",
        symbol="BTCUSDT",
        strategy="breakout",
        side="Buy",
        strength=0.8,
        entry=Decimal("64117.5"),
        stop=Decimal("64010.0"),
        target=Decimal("65399.8"),
        qty=Decimal("0.030"),
        loss_at_stop_usdt=Decimal("5.34"),
        reasons=("wall 41764 of asks is 31% eaten", "trend up", "1.4M behind the wall"),
        checks=_checks(),
        refused_by="",
        reason="",
    )
    refused = replace(
        ordered,
        at_ms=NOW_MS - 1_400,
        trace="1j-8cz",
        symbol="SOLUSDT",
        strategy="bounce",
        side="Sell",
        strength=0.45,
        entry=Decimal("171.60"),
        stop=Decimal("172.02"),
        target=Decimal("169.88"),
        qty=Decimal("11.9"),
        loss_at_stop_usdt=Decimal("5.11"),
        reasons=("wall 90044 of asks holds after 3 touches",),
        checks=_checks(symbol_active="SOLUSDT is not live", signal_fresh="61400 ms old, at most 60000 ms allowed"),
        refused_by="symbol active",
        reason="SOLUSDT is not live",
    )
    return ordered, refused


def _breaker() -> tuple[RuleView, ...]:
    return (
        RuleView("daily loss", Decimal("31.20"), Decimal("300.00"), "USDT"),
        RuleView("drawdown", Decimal("690.00"), Decimal("800.00"), "USDT"),
        RuleView("consecutive losses", Decimal(4), Decimal(4), "losses", True, NOW_MS + 724_000, resettable=True),
        RuleView("trades per day", Decimal(12), Decimal(60), "trades"),
    )


def _flattens() -> tuple[FlattenView, ...]:
    """A panic that is proven, and one symbol still on its way to flat."""
    asked = NOW_MS - 600_000
    proven = FlattenView(
        symbol="",
        panic=True,
        asked_ms=asked,
        cancelled=("BTCUSDT buy 0.030 at 64050.0",),
        closed=("BTCUSDT long 0.021", "SOLUSDT short 12.0"),
        remains=(),
        flat_ms=asked + 310,
        proven_ms=asked + 640,
    )
    under_way = FlattenView(
        symbol="ETHUSDT",
        panic=False,
        asked_ms=NOW_MS - 1_700,
        cancelled=(),
        closed=("ETHUSDT short 0.50",),
        remains=("ETHUSDT short 0.38",),
        flat_ms=None,
        proven_ms=None,
    )
    return proven, under_way


def _log() -> tuple[LogLine, ...]:
    lines = (
        ("debug", "BTCUSDT", "breakout buy: passed the ten checks", "1j-8c2"),
        ("info", "BTCUSDT", "wall 41764 of asks built: 3.48M at 64122.5", "1j-7b0"),
        ("info", "BTCUSDT", "entry buy 0.030 at most 64156.0", "1j-8c2"),
        ("warning", "ETHUSDT", "book lost: gap: expected update 901, found 905", "1j-8cw"),
        ("error", "ETHUSDT", "no stop after 2 s: closing", "1j-8d1"),
    )
    return tuple(
        LogLine(412 + place, NOW_MS - 12_000 + place * 2_500, level, symbol, text, trace)
        for place, (level, symbol, text, trace) in enumerate(lines)
    )


def _counters() -> Counters:
    return Counters(
        book_messages=241_907,
        trades_seen=18_342,
        gaps=1,
        resyncs=1,
        walls_seen=88,
        walls_eaten=31,
        walls_pulled=29,
        signals=14,
        refused=9,
        orders_sent=11,
        fills=8,
        positions_opened=5,
        positions_closed=3,
        opened_by=(("bounce", 2), ("breakout", 3)),
        closed_by=(("bounce", 2), ("breakout", 1)),
        unprotected_ms_max=412,
        proof_delay_ms_max=1_210,
        realised_pnl_usdt=Decimal("16.44"),
        fees_usdt=Decimal("3.18"),
        funding_usdt=Decimal("-0.04"),
    )
