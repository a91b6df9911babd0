"""The matching engine: priority, conservation, never crossed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Side
from breakwall.venues.exchange.matching import ACCOUNT, MatchingBook

BUY, SELL = Side.BUY, Side.SELL


def book_with(*orders: tuple[str, Side, int, int]) -> MatchingBook:
    book = MatchingBook("BTCUSDT")
    for owner, side, ticks, lots in orders:
        book.add(owner, side, ticks, lots, now_ms=0)
    return book


def test_better_price_first_then_older_order() -> None:
    book = book_with(("a", SELL, 101, 5), ("b", SELL, 100, 5), ("c", SELL, 100, 5))
    placed = book.add("t", BUY, 101, 12, now_ms=7)
    assert [(m.maker.owner, m.trade.ticks, m.trade.lots) for m in placed.matches] == [
        ("b", 100, 5),
        ("c", 100, 5),
        ("a", 101, 2),
    ]
    assert (placed.order, placed.reason, placed.filled_lots) == (None, "", 12)
    assert book.depth(SELL, 5) == [(101, 3)]


def test_the_rest_of_a_crossing_limit_stands() -> None:
    book = book_with(("a", SELL, 100, 5))
    placed = book.add("t", BUY, 100, 8, now_ms=0)
    assert placed.order is not None
    assert (placed.order.lots, book.best_bid, book.best_ask) == (3, 100, None)


@pytest.mark.parametrize(
    ("flags", "filled", "reason"),
    [
        ({"ioc": True}, 5, "EC_NoEnoughQtyToFill"),
        ({"fok": True}, 0, "EC_CancelForNoFullFill"),
        ({"post_only": True}, 0, "EC_PostOnlyWillTakeLiquidity"),
    ],
)
def test_orders_that_must_not_rest(flags: dict[str, bool], filled: int, reason: str) -> None:
    book = book_with(("a", SELL, 100, 5))
    placed = book.add("t", BUY, 100, 8, now_ms=0, **flags)
    assert (placed.order, placed.filled_lots, placed.reason) == (None, filled, reason)


def test_ioc_without_counterparty_says_so() -> None:
    assert book_with(("a", SELL, 101, 5)).market("t", BUY, 1, 100, 0).reason == "EC_NoImmediateQtyToFill"


def test_reduce_keeps_time_priority_and_cancel_is_harmless_twice() -> None:
    book = MatchingBook("BTCUSDT")
    first = book.add("a", BUY, 100, 10, now_ms=0).order
    second = book.add("b", BUY, 100, 10, now_ms=0).order
    assert first is not None
    assert second is not None
    book.reduce(first, 6)
    assert [m.maker.owner for m in book.market("t", SELL, 5, 1, 0).matches] == ["a", "b"]
    book.cancel(second)
    book.cancel(second)
    assert (book.best_bid, book.level_lots(BUY, 100)) == (None, 0)


def test_trades_carry_the_seq_of_the_change() -> None:
    book = book_with(("a", SELL, 100, 5), ("b", SELL, 101, 5))
    before = book.seq
    book.market("t", BUY, 7, 101, 55)
    trades = book.take_trades()
    assert [(t.ticks, t.lots, t.side, t.at_ms, t.seq) for t in trades] == [
        (100, 5, BUY, 55, before + 1),
        (101, 2, BUY, 55, before + 1),
    ]
    assert len({t.trade_id for t in trades}) == 2
    assert book.take_trades() == []


def test_only_fills_of_the_account_are_kept_for_it() -> None:
    book = book_with((ACCOUNT, SELL, 100, 5), ("b", SELL, 100, 5))
    book.market("t", BUY, 10, 100, 0)
    assert [fill.trade.lots for fill in book.take_fills()] == [5]


def test_impossible_orders_are_refused() -> None:
    book = MatchingBook("BTCUSDT")
    with pytest.raises(ValueError, match="expected positive"):
        book.add("a", BUY, 0, 1, now_ms=0)
    order = book.add("a", BUY, 5, 2, now_ms=0).order
    assert order is not None
    with pytest.raises(ValueError, match="expected 1 to 2 lots, found 3"):
        book.reduce(order, 3)


STEP = st.tuples(
    st.sampled_from(["limit", "ioc", "fok", "post", "cancel", "reduce"]),
    st.sampled_from([BUY, SELL]),
    st.integers(90, 110),
    st.integers(1, 20),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_lots_are_conserved_and_the_book_never_crosses(steps: list[tuple[str, Side, int, int]]) -> None:
    book = MatchingBook("BTCUSDT")
    resting = []
    asked = matched = dropped = 0
    for what, side, ticks, lots in steps:
        if what in {"cancel", "reduce"}:
            live = [order for order in resting if order.lots]
            if live:
                order = live[ticks % len(live)]
                gone = order.lots if what == "cancel" else min(lots, order.lots)
                dropped += gone
                book.reduce(order, gone)
            continue
        placed = book.add(
            "x", side, ticks, lots, ioc=what == "ioc", fok=what == "fok", post_only=what == "post", now_ms=0
        )
        asked += lots
        matched += placed.filled_lots
        if placed.order is not None:
            resting.append(placed.order)
        else:
            dropped += lots - placed.filled_lots
        if what == "fok":
            assert placed.filled_lots in {0, lots}
        prices = [match.trade.ticks * side.sign for match in placed.matches]
        assert prices == sorted(prices)
        bid, ask = book.best_bid, book.best_ask
        assert bid is None or ask is None or bid < ask
    standing = sum(lots for side in (BUY, SELL) for _, lots in book.depth(side, 1000))
    assert standing == sum(order.lots for order in resting)
    assert asked == 2 * matched + dropped + standing
    assert sum(trade.lots for trade in book.take_trades()) == matched
