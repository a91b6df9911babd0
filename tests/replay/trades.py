"""Trades for reports: one with any change, and a fixed day of them."""

from decimal import Decimal

from breakwall.replay.attribution import Trade
from breakwall.replay.report import Failure, Hanging, Recovery, Rows, Signal

HOUR_MS = 3_600_000
NOW = 1_763_740_800_000
"""2025-11-21 16:00 UTC."""


def trade(net="1.00", **changes: object) -> Trade:
    """Sold 0.01 at 60,000 with the stop at 60,150."""
    fields: dict[str, object] = {
        "symbol": "BTCUSDT",
        "strategy": "breakout",
        "side": "Sell",
        "qty": Decimal("0.01"),
        "entry": Decimal(60_000),
        "exit": Decimal(59_834),
        "fees_usdt": Decimal("0.66"),
        "funding_usdt": Decimal(0),
        "net_usdt": Decimal(net),
        "planned_stop": Decimal(60_150),
        "entry_slippage_usdt": Decimal("0.02"),
        "exit_slippage_usdt": None,
        "best": Decimal(170),
        "worst": Decimal(-20),
        "reason": "stop",
        "opened_ms": 1_000_000,
        "closed_ms": 1_060_000,
        "entry_id": "bw-1-1-e",
        "trace": "1-1",
    }
    return Trade(**{**fields, **changes})


def a_day() -> Rows:
    """Twelve trades of the day before `NOW`, their signals, and one trouble of each kind."""
    nets = ("4.10", "-1.90", "7.25", "0", "-1.85", "12.40", "-2.05", "3.30", "-1.95", "-8.60", "5.55", "2.15")
    reasons = ("take-profit: target reached", "stop", "take-profit: momentum slowed down", "time stop: 900 s")
    trades = [
        trade(
            net,
            symbol=("BTCUSDT", "ETHUSDT", "SOLUSDT")[n % 3],
            strategy=("breakout", "bounce")[n % 2],
            side=("Sell", "Buy")[n % 2],
            planned_stop=Decimal(60_150 if n % 2 == 0 else 59_850),
            funding_usdt=Decimal("0.05") if n == 5 else Decimal(0),
            reason="stop" if net.startswith("-") else reasons[n % 4],
            opened_ms=NOW - (14 - n) * HOUR_MS,
            closed_ms=NOW - (14 - n) * HOUR_MS + 60_000 + n * 15_000,
            entry_id=f"bw-1-{n}-e",
            trace=f"1-{n}",
        )
        for n, net in enumerate(nets)
    ]
    ordered = [
        Signal(each.opened_ms, each.symbol, each.strategy, 0.3 + n / 20, each.entry_id, "")
        for n, each in enumerate(trades)
    ]
    refused = [
        Signal(NOW - HOUR_MS, "BTCUSDT", "bounce", 0.5, "", check) for check in ("cooldown", "cooldown", "armed")
    ]
    error = "would trigger at once (code 110061)"
    return Rows(
        trades,
        [*ordered, *refused],
        [Failure(NOW - HOUR_MS, "stop answered", "position", "bw-1-77-s", "BTCUSDT", "exchange", error)],
        [Hanging(NOW - 2 * HOUR_MS, "bw-1-3-e", "abc", "BTCUSDT", "UNKNOWN", "not-found", "not known there", "")],
        [Recovery(NOW - 2 * HOUR_MS, 1, "start", True, "all agrees; 1 position taken over with its history")],
    )
