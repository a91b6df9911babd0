"""The tape's memory: nothing twice, nothing silently lost."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.book.prints import KEPT, Prints
from breakwall.model.view import SymbolView, TradeView


def market(trades: list[TradeView], seen: int, symbol: str = "BTCUSDT") -> SymbolView:
    return SymbolView(symbol, "LIVE", None, None, None, 0, "flat", trades=tuple(trades), trades_seen=seen)


def trade(at_ms: int, ticks: int = 100, lots: int = 1, buy: bool = True) -> TradeView:
    return TradeView(at_ms, ticks, lots, buy)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_trade_is_a_print_or_counted_as_missed(bursts: list[int]) -> None:
    """A view carries the last ten trades only; each is a second from the next, so that none are gathered."""
    prints, run = Prints(), [trade(1_000)]
    prints.take(market(run[-10:], len(run)))
    for burst in bursts:
        run += [trade(1_000 * (len(run) + place + 1)) for place in range(burst)]
        prints.take(market(run[-10:], len(run)))
    kept = list(prints.newest_first())
    assert len(kept) + sum(print_.missed for print_ in kept) == len(run)
    assert [print_.at_ms for print_ in kept] == sorted({print_.at_ms for print_ in kept}, reverse=True)


def test_a_sweep_is_one_print() -> None:
    prints = Prints()
    sweep = [trade(1_000), trade(1_050), trade(1_100), trade(1_101), trade(1_102, buy=False), trade(1_103, ticks=99)]
    prints.take(market(sweep, 6))
    assert [(print_.usdt, print_.buy) for print_ in prints.newest_first()] == [
        (99.0, True),
        (100.0, False),
        (100.0, True),
        (300.0, True),
    ]


def test_the_first_look_counts_nothing_as_missed() -> None:
    prints = Prints()
    prints.take(market([trade(1), trade(2_000)], 900))
    assert [print_.missed for print_ in prints.newest_first()] == [0, 0]


@pytest.mark.parametrize(("symbol", "seen"), [("ETHUSDT", 900), ("BTCUSDT", 1)], ids=["another symbol", "a new run"])
def test_starts_over(symbol: str, seen: int) -> None:
    prints = Prints()
    prints.take(market([trade(1), trade(2_000)], 300))
    prints.take(market([trade(5_000)], seen, symbol))
    assert [(print_.at_ms, print_.missed) for print_ in prints.newest_first()] == [(5_000, 0)]


def test_big_is_measured_against_the_others_and_memory_is_bounded() -> None:
    prints = Prints()
    run = [trade(1_000 * place) for place in range(KEPT + 50)] + [trade(10**7, lots=40)]
    prints.take(market(run, len(run)))
    kept = list(prints.newest_first())
    assert len(kept) == KEPT
    assert [print_.big for print_ in kept] == [True] + [False] * (KEPT - 1)


def test_the_balance_is_that_of_the_last_minute() -> None:
    prints = Prints()
    assert prints.buy_share(0) is None
    run = [trade(1_000, lots=500, buy=False), trade(100_000, lots=3), trade(101_000, lots=1, buy=False)]
    prints.take(market(run, 3))
    assert prints.buy_share(102_000) == pytest.approx(0.75)


def test_amounts_are_usdt() -> None:
    prints = Prints()
    row = SymbolView("BTCUSDT", "LIVE", None, None, None, 0, "flat", usdt_per_tick_lot=Decimal("0.0001"))
    prints.take(row)
    prints.take(market([trade(1, 641_175, 20)], 1))
    assert next(prints.newest_first()).usdt == 641_175 * 20
