"""Plain lines: the state of a trader's world at a glance, in 120 columns."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.headless import status_lines
from breakwall.model.view import Counters, LimitView, PositionView, ScreenerView, SymbolView, View, WallView

STAMP = len("10:35:31.278 INFO    ")
ASK = WallView(
    wall_id=7,
    bid=False,
    near_ticks=652_701,
    far_ticks=652_710,
    price=Decimal("65270.1234"),
    lots=1_800,
    peak_lots=13_000,
    notional_usdt=Decimal(1_250_000),
    age_ms=34_000,
    eroded=0.88,
    eaten=0.86,
    pulled=0.02,
    touches=3,
    in_view=True,
)
BID = replace(ASK, bid=True, price=Decimal(65100), notional_usdt=Decimal(9_000_000), eroded=0.05, eaten=0.05)
BTC = SymbolView("BTCUSDT", "LIVE", Decimal("65266.60"), Decimal("65266.70"), None, 5, "up")
SHORT = PositionView(
    symbol="SOLUSDT",
    state="OPEN",
    lots=-332,
    qty=Decimal("-33.2"),
    entry=Decimal("149.570"),
    mark=Decimal("149.330"),
    pnl_usdt=Decimal("6.137"),
    stop=Decimal("149.950"),
    liquidation=None,
    strategy="bounce",
    proof_age_ms=4_320,
)


def view(**changes: object) -> View:
    plain = View(
        at_ms=0,
        mode="SIM",
        trading_state="ACTIVE",
        why="",
        armed=True,
        blind=False,
        equity_usdt=Decimal("10012.345"),
        available_usdt=Decimal(9_000),
        symbols=(BTC,),
        positions=(),
        orders=(),
        counters=Counters(
            walls_eaten=1, walls_pulled=3, realised_pnl_usdt=Decimal("12.345"), fees_usdt=Decimal("5.4")
        ),
    )
    return replace(plain, **changes)


def test_money_markets_and_positions() -> None:
    lines = status_lines(view(symbols=(replace(BTC, walls=(BID, ASK)),), positions=(SHORT,)))
    assert lines == (
        "ACTIVE | equity 10012.34 | closed +12.34 open +6.14 fees 5.40 | 1 position | walls 1 eaten 3 pulled",
        "  BTCUSDT  65266.60 up   LIVE | wall ask 65270.12 +0.01% 1.2M 86% eaten, bid 65100.00 -0.26% 9.0M whole",
        "  SOLUSDT  SHORT 33.2 @ 149.570 now 149.330 | +6.14 USDT | PROTECTED 149.950, read 4.3 s ago | bounce",
    )
    assert len(lines[0]) + STAMP <= 120
    assert max(map(len, lines[1:])) <= 120


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "| flat |"),
        ({}, "LIVE | no walls"),
        ({"blind": True}, "ACTIVE BLIND |"),
        ({"trading_state": "REDUCING", "why": "daily loss"}, "\n  no entries: daily loss\n"),
        ({"symbols": (replace(BTC, status="WAITING", bid=None),)}, "  BTCUSDT         - up   WAITING | no walls"),
        (
            {"symbols": (replace(BTC, walls=(ASK, replace(ASK, price=Decimal(65300)))),)},
            "65270.12 +0.01% 1.2M 86% eaten +1",
        ),
        ({"symbols": (replace(BTC, walls=(replace(ASK, in_view=False),)),)}, "1.2M out of view"),
        ({"positions": (replace(SHORT, stop=None),)}, "| NO STOP |"),
        ({"positions": (replace(SHORT, proof_age_ms=None),)}, "| STOP UNPROVEN 149.950, never read |"),
        ({"positions": (replace(SHORT, proof_age_ms=44_000),)}, "| STOP UNPROVEN 149.950, read 44.0 s ago |"),
        ({"positions": (replace(SHORT, qty=Decimal(2), lots=2, strategy=""),)}, "LONG 2 @ 149.570"),
        ({"positions": (SHORT, SHORT)}, "| 2 positions |"),
    ],
)
def test_what_a_trader_must_not_miss(changes: dict[str, object], words: str) -> None:
    assert words in "\n".join(status_lines(view(**changes)))


@pytest.mark.parametrize(("left", "wait_ms", "told"), [(4.0, 0, False), (3.9, 0, True), (8.0, 50, True)])
def test_a_request_budget_is_told_once_half_of_it_is_gone(left: float, wait_ms: int, told: bool) -> None:
    limit = LimitView("orders", "/v5/order/create", cap=10, size=8.0, left=left, reserve=2.4, wait_ms=wait_ms)
    lines = status_lines(view(limits=(limit,)))
    assert any(line.startswith("  requests to orders: ") for line in lines) is told
    assert all(len(line) + STAMP <= 120 for line in lines)


def test_the_reach_and_why_a_market_is_only_left_are_told() -> None:
    market = replace(BTC, reach=(0.00061, 0.00052), reducing="the exchange ends this contract in 0 h 59 min")
    line = status_lines(view(symbols=(market,)))[1]
    assert line == (
        "  BTCUSDT  65266.60 up   LIVE ±0.05% | no walls | no entries: the exchange ends this contract in 0 h 59 min"
    )


def test_of_many_markets_the_first_the_held_and_the_largest_walls_are_told() -> None:
    markets = [replace(BTC, symbol=f"M{number:02d}USDT", walls=(BID,)) for number in range(20)]
    markets[18] = replace(markets[18], symbol="SOLUSDT")
    markets[19] = replace(markets[19], walls=(replace(ASK, notional_usdt=Decimal(12_000_000)),))
    lines = status_lines(view(symbols=tuple(markets), positions=(SHORT,)))
    named = [line.split()[0] for line in lines[1:-1]]
    assert named == [*(f"M{number:02d}USDT" for number in range(8)), "SOLUSDT", "and", "largest"]
    assert "  and 11 markets more" in lines
    assert lines[-2].startswith("  largest walls: M19USDT ask 12.0M +0.01% 34 s, M00USDT bid 9.0M -0.26% 34 s, ")
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "  screener: 1 chosen, 212 fit, 612 listed 12 s ago"),
        ({"trouble": "HTTP 502"}, "listed 12 s ago; now: HTTP 502"),
        ({"age_ms": None}, "  screener: has not looked yet"),
    ],
)
def test_how_the_movers_were_found_is_told(changes: dict[str, object], words: str) -> None:
    scan = replace(ScreenerView(12_000, 612, 212, (("DOGEUSDT", Decimal("0.31")),)), **changes)
    assert words in "\n".join(status_lines(view(screener=scan)))
    assert "screener" not in "\n".join(status_lines(view()))
