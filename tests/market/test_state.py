"""One symbol: status, resync, depth, ticker, samples and view."""

from decimal import Decimal

import pytest

from breakwall.market.state import Market, Status
from breakwall.model.candles import Candle
from breakwall.model.events import BookDelta, BookSnapshot, Ticker

SYMBOL = "TESTUSDT"


def test_nothing_is_known_before_the_first_snapshot(stage):
    market = stage.market
    assert stage.delta(bids=[(9_999, 5)]) == ""
    market.on_tick(stage.now)
    assert (market.status, market.best_bid, market.mid_half_ticks, market.atr_ticks) == (
        Status.WAITING,
        None,
        None,
        None,
    )
    assert (market.live, market.duplicates, market.clusters(), market.wants_depth) == (False, 1, [], 0)


def test_a_snapshot_makes_it_live(stage):
    assert stage.open() == ""
    market = stage.market
    assert (market.status, market.status_reason, market.live) == (Status.LIVE, "", True)
    assert (market.best_bid, market.best_ask, market.mid_half_ticks) == (9_999, 10_001, 20_000)
    assert (market.width_ticks, market.reach_ticks) == (10, 199)


def test_a_gap_asks_once_for_a_new_subscription(stage):
    stage.open()
    assert "103" in stage.delta(skip=2)
    assert stage.delta() == ""
    market = stage.market
    assert (market.status, market.gaps, market.resyncs) == (Status.RESYNC, 1, 1)
    assert "missing" in market.status_reason
    assert stage.open() == ""
    assert market.status is Status.LIVE


def test_a_tolerated_gap_goes_on(stage):
    stage.market.use(
        stage.settings.model_copy(update={"venue": stage.settings.venue.model_copy(update={"gaps": "warn"})})
    )
    stage.open()
    assert stage.delta(skip=2) == ""
    assert (stage.market.status, stage.market.gaps, stage.market.resyncs) == (Status.LIVE, 1, 0)


def test_a_crossed_book_asks_for_a_new_subscription(stage):
    stage.open()
    assert "10001" in stage.delta(bids=[(10_001, 1)])
    assert stage.market.status is Status.RESYNC


def test_duplicates_are_counted_and_harmless(stage):
    stage.open()
    stage.update_id -= 1
    assert stage.delta(bids=[(9_999, 50)]) == ""
    assert (stage.market.duplicates, stage.market.book.bids.levels[9_999]) == (1, 1)


def test_update_one_is_a_snapshot_whatever_its_type(stage):
    stage.open()
    event = BookDelta(SYMBOL, [(50, 1), (49, 2)], [(52, 1)], 1, 5, stage.now, 200)
    assert stage.market.on_book(event, stage.now) == ""
    assert stage.market.book.bids.top(5) == ((50, 1), (49, 2))
    assert stage.market.book.update_id == 1


def test_a_snapshot_with_an_empty_side_is_not_traded_on(stage):
    event = BookSnapshot(SYMBOL, [], [(52, 1)], 1, 5, stage.now, 200)
    assert "empty side" in stage.market.on_book(event, stage.now)
    assert not stage.market.live


def test_a_lost_book_waits_for_a_snapshot(stage):
    stage.open()
    stage.market.lose("the link is down", stage.now)
    stage.market.lose("again", stage.now)
    assert (stage.market.status, stage.market.status_reason) == (Status.RESYNC, "the link is down")
    assert stage.market.resyncs == 1
    assert stage.delta() == ""
    assert stage.market.status is Status.RESYNC


def test_silence_makes_it_stale_and_a_message_live_again(stage):
    stage.open()
    stage.wait(5_000, alive=False)
    assert stage.market.live
    stage.wait(100, alive=False)
    assert stage.market.status is Status.STALE
    assert "no book for 5 s" in stage.market.status_reason
    stage.delta()
    assert stage.market.live


def test_a_book_that_comes_far_too_late_is_stale_though_messages_flow(stage):
    stage.open()
    stage.wait(1_000)
    stage.delta(late_ms=6_000)
    assert stage.market.status is Status.STALE
    assert "6.0 s late" in stage.market.status_reason
    stage.delta(late_ms=0)
    assert stage.market.live


def test_a_venue_clock_ahead_of_ours_is_no_trouble(stage):
    stage.open()
    for _ in range(20):
        stage.delta(late_ms=-90_000)
    assert stage.market.live


def real_depth(stage, reach: int) -> Market:
    """A BTC-like market whose full window reaches so many ticks."""
    market = Market(stage.market.instrument, stage.settings, 200)
    bids = [(650_000 - n * reach // 199, 1) for n in range(200)]
    asks = [(650_001 + n * reach // 199, 1) for n in range(200)]
    market.on_book(BookSnapshot(SYMBOL, bids, asks, 7, 7, 0, 200), 1_000)
    return market


@pytest.mark.parametrize(("reach", "wanted"), [(280, 1_000), (20_000, 0)])
def test_a_window_that_reaches_too_near_wants_a_deeper_one(stage_with, reach, wanted):
    assert real_depth(stage_with(bucket_bp=2, min_buckets=30), reach).wants_depth == wanted


def test_a_side_that_is_not_full_cannot_be_seen_deeper(stage_with):
    market = Market(stage_with(bucket_bp=2, min_buckets=30).market.instrument, stage_with().settings, 200)
    market.on_book(BookSnapshot(SYMBOL, [(650_000, 1)], [(650_001, 1)], 7, 7, 0, 200), 1_000)
    assert market.wants_depth == 0


def test_another_depth_chooses_the_grid_again_and_keeps_wall_ids(stage):
    wall = stage.build()
    before = stage.market.width_ticks
    stage.market.use(
        stage.settings.model_copy(update={"walls": stage.settings.walls.model_copy(update={"bucket_bp": 5})})
    )
    assert stage.market.width_ticks == before
    stage.market.lose("deeper", stage.now)
    stage.open(asks={10_051: 100}, depth=400)
    assert (stage.market.width_ticks, stage.market.depth) == (5, 400)
    assert stage.market.live_walls() == (wall,)


def test_ticker_fields_are_merged(stage):
    market = stage.market
    market.on_ticker(Ticker(SYMBOL, 1, mark=Decimal("9.5"), index=Decimal("9.4"), funding_rate=Decimal("0.0001")), 1)
    market.on_ticker(Ticker(SYMBOL, 2, mark=Decimal("9.6"), next_funding_ms=99), 2)
    assert (market.mark, market.index, market.funding_rate) == (Decimal("9.6"), Decimal("9.4"), Decimal("0.0001"))
    assert (market.next_funding_ms, market.last, market.last_ticker_ms) == (99, None, 2)


def test_a_rising_bought_market_is_in_an_up_trend(stage):
    stage.open()
    for n in range(30):
        for _ in range(10):
            stage.wait(100)
        stage.delta(bids=[(10_001 + n, 1)], asks=[(10_001 + n, 0)])
        stage.trade(10_001 + n, 5, buy=True)
    assert stage.market.trend_now == 1
    assert len(stage.market.samples.points) == 31
    stage.market.lose("gone", stage.now)
    stage.wait(1_000)
    assert stage.market.trend_now == 0


def test_average_true_range_is_in_ticks(stage):
    stage.open()
    stage.wait(10_000)
    stage.delta(bids=[(9_999, 0), (9_998, 0)], asks=[])
    stage.wait(120_000)
    assert stage.market.atr_ticks == pytest.approx(0.5)  # the mid fell by one, then nothing: (1 + 0) / 2


def test_events_tell_what_became_of_a_wall(stage):
    wall = stage.build()
    stage.trade(10_051, 100, buy=True)
    stage.delta(asks=[(10_051, 0)])
    stage.wait(100)
    (event,) = stage.events()
    assert (event.kind, event.wall_id, event.bid, event.at_ms) == ("eaten", wall.wall_id, False, stage.now)
    assert (event.peak_lots, event.lots, event.eaten_lots, event.pulled_lots) == (109, 9, 100, 0)
    assert stage.events() == ()


def test_bars_of_before_give_a_range_at_once_and_once(stage_with) -> None:
    market = Market(stage_with().market.instrument, stage_with().settings, 200)
    candles = [Candle(n * 60_000, 600_000, 600_300, 599_900, 600_000) for n in range(20)]
    assert market.atr_ticks is None
    market.warm(candles)
    assert market.atr_ticks == 400
    market.warm([Candle(0, 600_000, 700_000, 500_000, 600_000)])
    assert market.atr_ticks == 400
