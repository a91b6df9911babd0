"""The book: exact levels, verdicts on sequence, and what slid out of the window."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.market.book import BookSide, OrderBook, Verdict
from breakwall.model.events import BookDelta, BookSnapshot

S = "BTCUSDT"


def snapshot(bids=((100, 5), (99, 4)), asks=((101, 3), (103, 2)), update_id=10, seq=1_000, depth=200):
    return BookSnapshot(S, list(bids), list(asks), update_id, seq, 0, depth)


def delta(bids=(), asks=(), update_id=11, seq=1_001, depth=200):
    return BookDelta(S, list(bids), list(asks), update_id, seq, 0, depth)


def fresh(**snap):
    book = OrderBook(200)
    assert book.replace(snapshot(**snap)) is Verdict.APPLIED
    return book


def test_a_snapshot_replaces_everything():
    book = fresh()
    book.replace(snapshot(bids=[(90, 1)], asks=[(95, 2), (91, 7)], update_id=3))
    assert (book.bids.top(9), book.asks.top(9)) == (((90, 1),), ((91, 7), (95, 2)))
    assert (book.update_id, book.mid_half_ticks) == (3, 181)


def test_a_delta_sets_inserts_and_deletes_in_any_order():
    book = fresh()
    verdict, bids, asks = book.apply(delta(bids=[(98, 1), (100, 0), (99, 9)], asks=[(102, 6), (103, 1)]))
    assert verdict is Verdict.APPLIED
    assert (book.bids.top(9), book.asks.top(9)) == (((99, 9), (98, 1)), ((101, 3), (102, 6), (103, 1)))
    assert (bids, asks) == ({98, 99, 100}, {102, 103})  # with buckets of one tick: the levels
    assert (book.bids.best, book.asks.best) == (99, 101)


def test_deleting_an_unknown_level_is_normal():
    book = fresh()
    assert book.apply(delta(bids=[(42, 0)])) == (Verdict.APPLIED, set(), set())


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (delta(update_id=10), Verdict.DROPPED),  # seen
        (delta(update_id=9), Verdict.DROPPED),  # old
        (delta(seq=999), Verdict.DROPPED),  # out of order
        (delta(update_id=12), Verdict.GAP),
        (delta(bids=[(101, 1)]), Verdict.CROSSED),
        (delta(bids=[(105, 1)]), Verdict.CROSSED),
        (delta(bids=[(101, 1)], asks=[(101, 0)]), Verdict.APPLIED),
        (delta(seq=1_000), Verdict.APPLIED),
    ],
)
def test_the_verdict_on_a_delta(event, verdict):
    book = fresh()
    assert book.apply(event)[0] is verdict
    assert book.ready is (verdict in {Verdict.APPLIED, Verdict.DROPPED})
    assert (book.gaps, book.dropped) == (int(verdict is Verdict.GAP), int(verdict is Verdict.DROPPED))
    assert bool(book.why) is (verdict is not Verdict.APPLIED)


def test_a_delta_before_the_snapshot_is_dropped():
    book = OrderBook(200)
    assert book.apply(delta())[0] is Verdict.DROPPED
    assert book.dropped == 1


def test_after_a_gap_everything_is_dropped_until_a_snapshot():
    book = fresh()
    book.apply(delta(update_id=15))
    assert book.apply(delta(update_id=16))[0] is Verdict.DROPPED
    book.replace(snapshot(update_id=20))
    assert book.apply(delta(update_id=21))[0] is Verdict.APPLIED


def test_a_tolerant_book_counts_the_gap_and_goes_on():
    book = OrderBook(200, tolerant=True)
    book.replace(snapshot())
    assert book.apply(delta(update_id=15, bids=[(100, 7)]))[0] is Verdict.APPLIED
    assert (book.gaps, book.update_id, book.bids.levels[100]) == (1, 15, 7)


def test_a_crossed_snapshot_is_not_trusted():
    book = OrderBook(200)
    assert book.replace(snapshot(bids=[(101, 1)])) is Verdict.CROSSED
    assert not book.ready


def full_side(bid: bool) -> BookSide:
    side = BookSide(bid, 3)
    side.replace([(100, 1), (99, 2), (98, 3)] if bid else [(100, 1), (101, 2), (102, 3)])
    return side


@pytest.mark.parametrize(
    ("bid", "changes", "left"),
    [
        (True, [(101, 5), (98, 0)], [(98, 3)]),  # an insert inside pushed the last level out
        (False, [(99, 5), (102, 0)], [(102, 3)]),
        (True, [(99, 0), (97, 4)], []),  # a real delete lets a level come in
        (True, [(98, 0), (97, 4)], []),  # the last level itself was deleted: the window now reaches beyond it
        (False, [(102, 0), (103, 4)], []),
        (True, [(98, 0)], []),  # nothing came in: the side is no longer full, so the delete is real
        (True, [(101, 5), (102, 5), (98, 0), (99, 0)], [(98, 3), (99, 2)]),
    ],
)
def test_a_level_that_slid_out_of_the_window_is_told_from_a_deleted_one(bid, changes, left):
    side = full_side(bid)
    side.apply(changes)
    assert side.left == left
    side.apply([(100, 9)])
    assert side.left == []


def test_the_window_never_grows_beyond_its_depth():
    side = full_side(bid=True)
    side.apply([(101, 1), (102, 1)])
    assert side.prices == [100, 101, 102]
    assert sorted(side.left) == [(98, 3), (99, 2)]
    assert sum(side.buckets.sums.values()) == sum(side.levels.values())


def test_weighing_a_range_rounds_to_the_nearest_tick():
    side = full_side(bid=True)
    assert side.weighed(98, 100) == 99  # (100 + 2 * 99 + 3 * 98) / 6 = 98.67
    assert side.weighed(1, 5) is None


def test_reach_is_that_of_the_shorter_side():
    assert fresh(bids=[(100, 1), (60, 1)], asks=[(101, 1), (111, 1)]).reach_ticks == 10


levels = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=12, unique_by=lambda level: level[0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(levels, levels, st.integers(0, 2), st.integers(-1, 3)), max_size=25))
def test_a_gap_is_always_told_and_an_accepted_book_is_never_crossed(steps):
    book = OrderBook(200)
    book.replace(snapshot(bids=[(30, 1)], asks=[(31, 1)], update_id=0, seq=0))
    update_id = seq = 0
    for bids, asks, skip, ahead in steps:
        update_id += 1 + skip
        seq += ahead
        was_ready, in_order = book.ready, seq >= book.seq
        verdict = book.apply(delta(bids, asks, update_id, seq))[0]
        if not was_ready or not in_order:
            assert verdict is Verdict.DROPPED
            seq = book.seq
            update_id = book.update_id
        elif skip:
            assert verdict is Verdict.GAP
        if verdict is Verdict.APPLIED:
            bid, ask = book.bids.best, book.asks.best
            assert bid is None or ask is None or bid < ask
        if verdict in {Verdict.GAP, Verdict.CROSSED}:
            assert not book.ready
            book.replace(snapshot(bids=[(30, 1)], asks=[(31, 1)], update_id=update_id, seq=seq))


@settings(max_examples=100, deadline=None)
@given(st.lists(levels, max_size=20), st.integers(1, 15), st.integers(2, 30), st.booleans())
def test_levels_prices_and_buckets_agree_with_a_plain_recount(steps, width, depth, bid):
    side = BookSide(bid, depth)
    side.regrid(width)
    for changes in steps:
        before = dict(side.levels)
        touched = side.apply(changes)
        assert side.prices == sorted(side.levels)
        assert len(side.prices) <= depth
        assert all(side.levels.values())
        sums: dict[int, int] = {}
        for ticks, lots in side.levels.items():
            sums[ticks // width] = sums.get(ticks // width, 0) + lots
        assert {bucket: lots for bucket, lots in side.buckets.sums.items() if lots} == sums
        changed = {
            ticks for ticks in before.keys() | side.levels.keys() if before.get(ticks) != side.levels.get(ticks)
        }
        assert {ticks // width for ticks in changed} <= touched
