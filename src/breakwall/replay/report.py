"""What a stretch of trading made, and why: from rows of the ledger to one frozen report. No I/O."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from breakwall.replay.attribution import ZERO, Parts, Share, Trade, exact, grouped, shares, together
from breakwall.replay.curves import Bin, Point, equity_curve, histogram

TOP = 10
"""How many of the best and of the worst trades are shown."""
_HOUR_MS, _HOURS = 3_600_000, 24


class Signal(Struct, frozen=True):
    """A signal that was decided on; `client_id` of its order, `refused_by` the check that refused it, or empty."""

    at_ms: int
    symbol: str
    strategy: str
    strength: float
    client_id: str
    refused_by: str


class Failure(Struct, frozen=True):
    """Something that was asked for and not done."""

    at_ms: int
    action: str
    entity: str
    entity_id: str
    symbol: str
    who: str
    error: str


class Hanging(Struct, frozen=True):
    """An order whose state here and at the exchange did not fit, when the account was reconciled."""

    at_ms: int
    client_id: str
    order_id: str
    symbol: str
    our_state: str
    kind: str
    reason: str
    exchange_state: str


class Recovery(Struct, frozen=True):
    """One pass of reconciliation."""

    at_ms: int
    number: int
    purpose: str
    clean: bool
    verdict: str


class Rows(Struct, frozen=True):
    """What the ledger has to say; trades in the order in which they were closed, signals also of a while before."""

    trades: Sequence[Trade] = ()
    signals: Sequence[Signal] = ()
    failures: Sequence[Failure] = ()
    hanging: Sequence[Hanging] = ()
    recoveries: Sequence[Recovery] = ()


class Scope(Struct, frozen=True):
    """What is reported on: trades closed in [`since_ms`, `until_ms`), of one symbol and strategy, or of all ("").

    Failures, hanging orders and recoveries are those of the day before `until_ms`, of every strategy.
    """

    since_ms: int
    until_ms: int
    symbol: str = ""
    strategy: str = ""

    @property
    def day_ms(self) -> int:
        """Where the last 24 hours begin."""
        return self.until_ms - _HOURS * _HOUR_MS


class Totals(Struct, frozen=True):
    """`win_rate` 0..1; `profit_factor` None without a loss; expectancies per trade, in R of those with a plan.

    `best_usdt` and `worst_usdt` are the mean of the largest profit and loss seen on the way (MFE, MAE), before
    fees. All are None, or zero, without a trade.
    """

    trades: int
    won: int
    lost: int
    win_rate: float | None
    profit_factor: float | None
    expectancy_usdt: Decimal | None
    expectancy_r: float | None
    max_drawdown_usdt: Decimal
    held_s: float | None
    best_usdt: Decimal | None
    worst_usdt: Decimal | None
    parts: Parts


class Result(Struct, frozen=True):
    """One trade of the best or the worst."""

    symbol: str
    strategy: str
    side: str
    net_usdt: Decimal
    net_r: float | None
    entry: Decimal
    exit: Decimal
    qty: Decimal
    reason: str
    held_s: float
    closed_ms: int
    trace: str


class ExitKind(Struct, frozen=True):
    reason: str
    trades: int
    winners: int
    mean_usdt: Decimal
    net_usdt: Decimal


class SignalKind(Struct, frozen=True):
    """`strength` is the mean of those that became trades, `mean_usdt` of what these made; None where none did."""

    strategy: str
    signals: int
    refused: int
    trades: int
    strength: float | None
    mean_usdt: Decimal | None
    refused_by: dict[str, int]


class Attribution(Struct, frozen=True):
    strategy: tuple[Share, ...]
    symbol: tuple[Share, ...]
    side: tuple[Share, ...]
    hour: tuple[Share, ...]


class Report(Struct, frozen=True):
    """All of it; times are milliseconds since 1970, cash is USDT."""

    scope: Scope
    totals: Totals
    best: tuple[Result, ...]
    worst: tuple[Result, ...]
    exits: tuple[ExitKind, ...]
    signals: tuple[SignalKind, ...]
    attribution: Attribution
    equity: tuple[Point, ...]
    histogram: tuple[Bin, ...]
    failures: tuple[Failure, ...]
    hanging: tuple[Hanging, ...]
    recoveries: tuple[Recovery, ...]


def report_on(rows: Rows, scope: Scope) -> Report:
    """The report on these rows; those outside of the scope are left out."""
    trades = [trade for trade in rows.trades if _within(scope, trade)]
    curve = equity_curve(trades)
    ranked = sorted(trades, key=lambda trade: (-trade.net_usdt, trade.closed_ms))
    return Report(
        scope=scope,
        totals=_totals(trades, curve),
        best=tuple(_result(trade) for trade in ranked if trade.net_usdt > 0)[:TOP],
        worst=tuple(_result(trade) for trade in reversed(ranked) if trade.net_usdt <= 0)[:TOP],
        exits=_exits(trades),
        signals=_signals(rows.signals, trades, scope),
        attribution=Attribution(
            strategy=shares(trades, lambda trade: trade.strategy),
            symbol=shares(trades, lambda trade: trade.symbol),
            side=shares(trades, lambda trade: "long" if trade.side == "Buy" else "short"),
            hour=shares(trades, lambda trade: f"{trade.opened_ms // _HOUR_MS % _HOURS:02}:00"),
        ),
        equity=curve,
        histogram=histogram([trade.net_usdt for trade in trades]),
        failures=tuple(row for row in rows.failures if _of_the_day(scope, row.at_ms, row.symbol)),
        hanging=tuple(row for row in rows.hanging if _of_the_day(scope, row.at_ms, row.symbol)),
        recoveries=tuple(row for row in rows.recoveries if _of_the_day(scope, row.at_ms, "")),
    )


def exit_kind(reason: str) -> str:
    """What exits of one kind have in common: without the numbers of the day and without what a person wrote."""
    head = reason.partition(":")[0]
    text = head if " by " in head else reason
    return re.split(r"[\d%]", text, maxsplit=1)[0].strip(" :;,(").removesuffix(" by") or "not known"


def _within(scope: Scope, trade: Trade) -> bool:
    named = scope.symbol in {"", trade.symbol} and scope.strategy in {"", trade.strategy}
    return named and scope.since_ms <= trade.closed_ms < scope.until_ms


def _of_the_day(scope: Scope, at_ms: int, symbol: str) -> bool:
    """What names no symbol concerns all."""
    return scope.day_ms <= at_ms < scope.until_ms and (not symbol or scope.symbol in {"", symbol})


def _totals(trades: Sequence[Trade], curve: Sequence[Point]) -> Totals:
    nets = [exact(trade.net_usdt) for trade in trades]
    gained = sum((net for net in nets if net > 0), ZERO)
    lost = -sum((net for net in nets if net < 0), ZERO)
    multiples = [trade.net_r for trade in trades if trade.net_r is not None]
    won = sum(net > 0 for net in nets)
    return Totals(
        trades=len(nets),
        won=won,
        lost=sum(net < 0 for net in nets),
        win_rate=won / len(nets) if nets else None,
        profit_factor=float(gained / lost) if lost else None,
        expectancy_usdt=_mean(nets),
        expectancy_r=sum(multiples) / len(multiples) if multiples else None,
        max_drawdown_usdt=max((point.drawdown_usdt for point in curve), default=ZERO),
        held_s=sum(map(_held_s, trades)) / len(trades) if trades else None,
        best_usdt=_mean([trade.best * trade.qty for trade in trades]),
        worst_usdt=_mean([trade.worst * trade.qty for trade in trades]),
        parts=together(trades),
    )


def _exits(trades: Iterable[Trade]) -> tuple[ExitKind, ...]:
    """The most frequent first."""
    kinds = [
        ExitKind(
            reason,
            len(members),
            sum(trade.net_usdt > 0 for trade in members),
            _mean([trade.net_usdt for trade in members]) or ZERO,
            together(members).net_usdt,
        )
        for reason, members in grouped(trades, lambda trade: exit_kind(trade.reason)).items()
    ]
    return tuple(sorted(kinds, key=lambda kind: (-kind.trades, kind.reason)))


def _signals(signals: Sequence[Signal], trades: Iterable[Trade], scope: Scope) -> tuple[SignalKind, ...]:
    """One row per strategy; trades of no signal of ours (taken over) are a row of their own."""
    given: dict[str, list[Signal]] = {}
    strengths = {signal.client_id: signal.strength for signal in signals if signal.client_id}
    for signal in signals:
        named = scope.symbol in {"", signal.symbol} and scope.strategy in {"", signal.strategy}
        if named and scope.since_ms <= signal.at_ms < scope.until_ms:
            given.setdefault(signal.strategy, []).append(signal)
    made = grouped(trades, lambda trade: trade.strategy)
    return tuple(
        _signal_kind(strategy, given.get(strategy, []), made.get(strategy, []), strengths)
        for strategy in sorted(given | made)
    )


def _signal_kind(
    strategy: str, signals: Sequence[Signal], trades: Sequence[Trade], strengths: Mapping[str, float]
) -> SignalKind:
    known = [strengths[trade.entry_id] for trade in trades if trade.entry_id in strengths]
    refusals = Counter(signal.refused_by for signal in signals if signal.refused_by)
    return SignalKind(
        strategy=strategy,
        signals=len(signals),
        refused=refusals.total(),
        trades=len(trades),
        strength=sum(known) / len(known) if known else None,
        mean_usdt=_mean([trade.net_usdt for trade in trades]),
        refused_by=dict(sorted(refusals.items(), key=lambda item: (-item[1], item[0]))),
    )


def _result(trade: Trade) -> Result:
    return Result(
        symbol=trade.symbol,
        strategy=trade.strategy,
        side="long" if trade.side == "Buy" else "short",
        net_usdt=exact(trade.net_usdt),
        net_r=trade.net_r,
        entry=trade.entry,
        exit=trade.exit,
        qty=trade.qty,
        reason=trade.reason,
        held_s=_held_s(trade),
        closed_ms=trade.closed_ms,
        trace=trade.trace,
    )


def _held_s(trade: Trade) -> float:
    return (trade.closed_ms - trade.opened_ms) / 1000


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return exact(sum(values, ZERO) / len(values)) if values else None
