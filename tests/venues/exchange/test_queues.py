"""Where our orders stand among the sizes of a market outside, and what they get of its trades."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Side
from breakwall.venues.exchange.matching import ACCOUNT, MatchingBook, RestingOrder
from breakwall.venues.exchange.queues import OUTSIDE, OutsideBook

BUY, SELL = Side.BUY, Side.SELL
Levels = dict[int, int]


class Floor:
    """Bids 100, 99 and 98, asks 101, 102 and 103, ten lots each, all of a window of three; two a side: full."""

    def __init__(self, depth: int = 3) -> None:
        self.book = MatchingBook("BTCUSDT")
        self.outside = OutsideBook(self.book)
        self.seq = 10
        self.whole([(100, 10), (99, 10), (98, 10)], [(101, 10), (102, 10), (103, 10)], depth)

    def whole(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]], depth: int = 3) -> None:
        self.seq += 1
        self.outside.replace(bids, asks, depth, self.seq, 0)

    def bids(self, *levels: tuple[int, int]) -> None:
        self.told(list(levels), [])

    def asks(self, *levels: tuple[int, int]) -> None:
        self.told([], list(levels))

    def told(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        self.seq += 1
        self.outside.apply(bids, asks, self.seq, 0)

    def ours(self, side: Side, ticks: int, lots: int) -> RestingOrder:
        order = self.book.add(ACCOUNT, side, ticks, lots, now_ms=0).order
        assert order is not None
        return order

    def trade(self, side: Side, ticks: int, lots: int, *, late: bool = False) -> None:
        self.outside.trade(side, ticks, lots, self.seq if late else self.seq + 1, 0)

    def ahead(self, order: RestingOrder) -> int:
        """Lots that are served before ours."""
        queue = self.book.queue(order.side, order.ticks)
        return sum(other.lots for other in queue[: queue.index(order)])

    def filled(self) -> list[tuple[int, int]]:
        return [(match.trade.ticks, match.trade.lots) for match in self.book.take_fills()]


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_we_join_the_end_of_the_queue_and_trades_move_us_up(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    assert floor.ahead(order) == 10
    floor.trade(SELL, 100, 4)
    assert (floor.ahead(order), floor.filled()) == (6, [])
    floor.trade(SELL, 100, 8)
    assert (floor.ahead(order), floor.filled(), order.lots) == (0, [(100, 2)], 3)
    floor.trade(SELL, 100, 9)
    assert (floor.filled(), order.lots) == ([(100, 3)], 0)


def test_a_trade_and_the_book_that_tells_of_it_count_once(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.trade(SELL, 100, 4)
    floor.bids((100, 6))
    assert floor.ahead(order) == 6


def test_a_size_that_is_not_told_again_after_a_trade_is_as_it_was(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.trade(SELL, 100, 10)
    floor.trade(BUY, 101, 10)
    assert floor.book.best_ask == 102
    floor.bids((99, 11))
    assert floor.book.depth(SELL, 1) == [(101, 10)], "as many have come as were taken"
    assert (floor.ahead(order), floor.book.level_lots(BUY, 100)) == (0, 15), "they stand behind us"
    floor.bids((99, 12))
    assert floor.book.level_lots(BUY, 100) == 15


def test_what_was_traded_is_not_told_by_an_older_book(floor: Floor) -> None:
    floor.outside.trade(BUY, 101, 10, floor.seq + 2, 0)
    floor.bids((99, 11))
    assert floor.book.best_ask == 102
    floor.bids((99, 12))
    assert floor.book.best_ask == 101


def test_a_trade_that_comes_after_its_book_still_moves_us_up(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.trade(SELL, 100, 4, late=True)
    assert (floor.ahead(order), floor.book.level_lots(BUY, 100)) == (6, 15)


def test_cancels_are_spread_over_the_queue_and_newcomers_stand_behind(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.bids((100, 20))
    assert floor.ahead(order) == 10
    floor.bids((100, 10))
    assert floor.ahead(order) == 5
    floor.bids((100, 7))
    assert floor.ahead(order) == 4, "what cannot be divided goes from the end: we are not favoured"


def test_a_queue_that_we_have_left_is_one_again(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.bids((100, 20))
    floor.book.cancel(order)
    floor.bids((100, 12), (99, 0))
    assert floor.book.depth(BUY, 9) == [(100, 12), (98, 10)]
    assert floor.ahead(floor.ours(BUY, 100, 5)) == 12


def test_an_empty_price_leaves_us_first(floor: Floor) -> None:
    order = floor.ours(BUY, 100, 5)
    floor.bids((100, 0))
    assert floor.ahead(order) == 0
    floor.bids((100, 8))
    assert floor.ahead(order) == 0


def test_who_trades_through_us_trades_with_us_first(floor: Floor) -> None:
    far, near = floor.ours(BUY, 99, 5), floor.ours(BUY, 100, 3)
    floor.trade(SELL, 98, 4)
    assert (floor.filled(), near.lots, far.lots) == ([(100, 3), (99, 1)], 0, 4)


def test_a_trade_elsewhere_gives_us_nothing(floor: Floor) -> None:
    order = floor.ours(BUY, 99, 5)
    floor.trade(SELL, 100, 50)
    floor.trade(BUY, 101, 50)
    assert (floor.filled(), order.lots) == ([], 5)


def test_the_tape_is_the_recorded_one(floor: Floor) -> None:
    floor.ours(BUY, 100, 3)
    floor.trade(SELL, 99, 5)
    floor.trade(BUY, 101, 4)
    told = [(trade.ticks, trade.lots, trade.side) for trade in floor.book.take_trades()]
    assert told == [(100, 3, SELL), (99, 2, SELL), (101, 4, BUY)]
    assert floor.book.last_ticks == 101


def test_what_comes_across_us_meets_us_at_our_price_once(floor: Floor) -> None:
    floor.bids((100, 0), (99, 0))
    order = floor.ours(BUY, 100, 12)
    floor.asks((99, 4))
    assert (floor.filled(), floor.book.best_ask) == ([(100, 4)], 101)
    floor.asks((99, 4))
    assert floor.filled() == [], "told again is not come again"
    floor.asks((99, 7))
    assert (floor.filled(), order.lots) == ([(100, 3)], 5)
    floor.asks((99, 20))
    assert floor.filled() == [(100, 5)]
    assert floor.book.depth(SELL, 1) == [(99, 15)], "told of again, the price has back what we took before"


def test_what_we_take_is_missing_until_the_price_is_told_of_again(floor: Floor) -> None:
    placed = floor.book.market(ACCOUNT, BUY, 14, 102, 0)
    assert [(match.trade.ticks, match.trade.lots) for match in placed.matches] == [(101, 10), (102, 4)]
    assert floor.book.depth(SELL, 9) == [(102, 6), (103, 10)]
    floor.asks((103, 11))
    assert floor.book.depth(SELL, 9) == [(102, 6), (103, 11)]
    floor.asks((101, 10), (102, 9))
    assert floor.book.depth(SELL, 9) == [(101, 10), (102, 9), (103, 11)]


def test_a_price_that_leaves_the_window_keeps_its_queue(floor: Floor) -> None:
    order = floor.ours(BUY, 98, 5)
    floor.bids((97, 0), (98, 0), (100, 9), (101, 0))  # 98 is really empty: the window of three is not full
    assert floor.ahead(order) == 0
    floor = Floor()
    order = floor.ours(BUY, 98, 5)
    floor.asks((101, 0))
    floor.bids((101, 6), (98, 0))
    assert floor.ahead(order) == 10, "it only slid out"
    floor.bids((101, 0), (98, 14))
    assert floor.ahead(order) == 14, "what came meanwhile stands before us: nobody knows better"
    floor.bids((99, 0), (97, 3))
    assert floor.ahead(order) == 14


def test_a_price_seen_for_the_first_time_stands_before_us(floor: Floor) -> None:
    order = floor.ours(BUY, 97, 5)
    floor.bids((98, 0), (97, 8))
    assert floor.ahead(order) == 8
    floor.bids((97, 9))
    assert floor.ahead(order) == 8


def test_an_empty_price_that_comes_into_view_is_empty(floor: Floor) -> None:
    order = floor.ours(BUY, 98, 5)
    floor.asks((101, 0))
    floor.bids((101, 6), (98, 0))
    floor.bids((101, 0), (97, 4))
    assert floor.ahead(order) == 0


def test_after_a_gap_older_prices_that_newer_ones_cross_go(floor: Floor) -> None:
    floor.bids((102, 5))
    assert (floor.book.best_bid, floor.book.best_ask) == (102, 103)
    floor.asks((99, 5))
    assert (floor.book.best_bid, floor.book.best_ask) == (98, 99)


def test_a_market_that_stands_still_matches_nothing(floor: Floor) -> None:
    floor.book.still = True
    for flags in ({"ioc": True}, {"fok": True}, {}):
        placed = floor.book.add(ACCOUNT, BUY, 101, 5, now_ms=0, **flags)
        assert (placed.order, placed.matches, placed.reason) == (None, (), "EC_NoImmediateQtyToFill")
    assert floor.ours(BUY, 100, 5).lots == 5


LEVEL = st.tuples(st.integers(96, 105), st.integers(0, 20))
SIDE = st.sampled_from([BUY, SELL])
LOTS = st.integers(0, 20)
STEP = st.one_of(
    *[st.tuples(st.just("rest"), st.just(BUY), st.tuples(st.integers(97, 100), LOTS))] * 2,
    *[st.tuples(st.just("rest"), st.just(SELL), st.tuples(st.integers(101, 104), LOTS))] * 2,
    *[st.tuples(st.sampled_from(["trade", "late"]), SIDE, LEVEL)] * 3,
    st.tuples(st.just("take"), SIDE, LEVEL),
    *[st.tuples(st.just("told"), st.lists(LEVEL, max_size=4), st.lists(LEVEL, max_size=4))] * 2,
    st.tuples(st.just("whole"), st.lists(LEVEL, max_size=6), st.lists(LEVEL, max_size=6)),
    st.tuples(st.just("cancel"), SIDE, LEVEL),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, min_size=8, max_size=40))
def test_nobody_gets_more_than_the_market_had(steps: list[tuple[str, Any, Any]]) -> None:
    """Never better than the visible book for a taker; for a maker never more than traded or came at his price."""
    floor = Floor()
    shown: dict[Side, Levels] = {BUY: {100: 10, 99: 10, 98: 10}, SELL: {101: 10, 102: 10, 103: 10}}
    resting: list[RestingOrder] = []
    for what, first, second in steps:
        floor.book.take_fills()
        offered = 0
        reach: dict[Side, Levels] = {BUY: {}, SELL: {}}
        if what in {"told", "whole"}:
            bids, asks = _uncrossed(dict(first), dict(second))
            before = {BUY: {}, SELL: {}} if what == "whole" else {side: dict(shown[side]) for side in shown}
            for side, levels in ((BUY, bids), (SELL, asks)):
                for ticks, lots in levels.items():
                    reach[side][ticks] = max(0, lots - before[side].get(ticks, 0))
            _tell(floor, shown, what, bids, asks)
        elif what in {"trade", "late"}:
            ticks, offered = second
            if offered:
                floor.trade(first, ticks, offered, late=what == "late")
                reach[first][ticks] = offered
        elif what == "cancel":
            for order in resting[: second[1] % 3]:
                floor.book.cancel(order)
        else:
            ticks, lots = second
            _enter(floor, first, ticks, lots, resting, ioc=what == "take")
            continue
        _check_makers(floor, resting, reach)
        bid, ask = floor.book.best_bid, floor.book.best_ask
        assert bid is None or ask is None or bid < ask


def _uncrossed(bids: Levels, asks: Levels) -> tuple[Levels, Levels]:
    """A venue's own levels never cross each other."""
    best = min((ticks for ticks, lots in asks.items() if lots), default=1000)
    return {ticks: lots for ticks, lots in bids.items() if ticks < best or not lots}, asks


def _tell(floor: Floor, shown: dict[Side, Levels], what: str, bids: Levels, asks: Levels) -> None:
    if what == "whole":
        floor.whole(list(bids.items()), list(asks.items()), 100)
        shown |= {BUY: {}, SELL: {}}
    else:
        floor.told(list(bids.items()), list(asks.items()))
    shown[BUY] |= bids
    shown[SELL] |= asks
    for side, told in ((BUY, asks), (SELL, bids)):  # of two that cross the older one is gone
        come = [ticks * side.sign for ticks, lots in told.items() if lots]
        for ticks in [ticks for ticks in shown[side] if ticks not in (bids if side is BUY else asks)]:
            if come and ticks * side.sign >= min(come):
                del shown[side][ticks]


def _enter(floor: Floor, side: Side, ticks: int, lots: int, resting: list[RestingOrder], *, ioc: bool) -> None:
    if not lots:
        return
    theirs = {
        price: sum(order.lots for order in floor.book.queue(side.opposite, price) if order.owner == OUTSIDE)
        for price in range(80, 120)
    }
    own_before = {order: order.lots for order in resting}
    placed = floor.book.add(ACCOUNT, side, ticks, lots, ioc=ioc, now_ms=0)
    for price in {match.trade.ticks for match in placed.matches}:
        own = sum(lots - order.lots for order, lots in own_before.items() if order.ticks == price)
        got = sum(match.trade.lots for match in placed.matches if match.trade.ticks == price)
        assert got - own <= theirs[price]
        assert (ticks - price) * side.sign >= 0
    if placed.order is not None:
        resting.append(placed.order)


def _check_makers(floor: Floor, resting: list[RestingOrder], reach: dict[Side, Levels]) -> None:
    for match in floor.book.take_fills():
        assert match.trade.ticks == match.maker.ticks, "at its own price"
        taker = match.maker.side.opposite
        least = [
            ticks for ticks, lots in reach[taker].items() if lots and (match.maker.ticks - ticks) * taker.sign <= 0
        ]
        assert least, "somebody traded or came at its price, or through it"
        reach[taker] = _spent(reach[taker], match.trade.lots, match.maker)


def _spent(reach: Levels, lots: int, maker: RestingOrder) -> Levels:
    """What is left to give; more than there was fails."""
    left = dict(reach)
    for ticks in sorted(left, key=lambda ticks: -ticks * maker.side.sign):
        if (maker.ticks - ticks) * maker.side.sign >= 0:
            taken = min(lots, left[ticks])
            left[ticks] -= taken
            lots -= taken
    assert not lots, "never more than there was"
    return left
