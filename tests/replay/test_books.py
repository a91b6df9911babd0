from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.replay.books import BinanceBook, Book, BookMessage, BybitBook, Seed, Side, Verdict


def levels(**at: int) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price.removeprefix("p")), Decimal(quantity)) for price, quantity in at.items()]


def bybit(u: int, *, snapshot: bool = False, bids: object = None, asks: object = None) -> BookMessage:
    return BookMessage("orderbook.50.X", "X", 1, u, bids or [], asks or [], snapshot)  # type: ignore[arg-type] # levels


def binance(first: int, u: int, pu: int, **bids: int) -> BookMessage:
    return BookMessage("x@depth", "X", 1, u, levels(**bids), [], first=first, previous=pu)


def state(book: Book) -> dict[str, str]:
    return {str(price): str(book.bids.quantity[price]) for price in book.bids.prices}


def test_bybit_applies_snapshot_and_deltas() -> None:
    book = BybitBook()
    assert not book.take(bybit(9))
    assert book.take(bybit(10, snapshot=True, bids=levels(p1=5, p2=6), asks=levels(p3=1)))
    assert book.take(bybit(11, bids=levels(p2=0, p9=0)))
    assert (book.n, state(book)) == (2, {"1": "5"})
    assert book.verdicts[Verdict.EARLY] == 1


def test_bybit_gap_voids_the_book_until_a_snapshot() -> None:
    book = BybitBook()
    for message, applied in (
        (bybit(10, snapshot=True, bids=levels(p1=5)), True),
        (bybit(12, bids=levels(p1=9)), False),
        (bybit(13, bids=levels(p1=8)), False),
        (bybit(20, snapshot=True, bids=levels(p2=1)), True),
        (bybit(20), False),
        (bybit(21), True),
    ):
        assert book.take(message) is applied
    assert (book.gaps, book.resyncs, book.n, state(book)) == (1, 1, 3, {"2": "1"})
    assert (book.verdicts[Verdict.VOID], book.verdicts[Verdict.REPEATED]) == (2, 1)


def test_bybit_update_one_is_a_snapshot_whatever_it_says() -> None:
    book = BybitBook()
    book.take(bybit(10, snapshot=True, bids=levels(p1=5)))
    assert book.take(bybit(1, bids=levels(p7=7)))
    assert book.take(bybit(2, bids=levels(p8=8)))
    assert state(book) == {"7": "7", "8": "8"}


def seeded(book: BinanceBook, seed: Seed) -> None:
    for message in book.seed(seed):
        book.take(message)


def test_binance_joins_buffered_messages_to_the_snapshot() -> None:
    book = BinanceBook()
    for message in (binance(1, 4, 0, p1=1), binance(5, 9, 4, p1=2), binance(10, 12, 9, p2=3)):
        assert not book.take(message)
    seeded(book, Seed("X", 7, levels(p1=9, p5=5), []))
    assert (book.n, state(book)) == (2, {"1": "2", "2": "3", "5": "5"})
    assert book.take(binance(13, 13, 12, p5=0))
    assert book.verdicts[Verdict.EARLY] == 1


def test_binance_snapshot_older_than_the_stream_is_no_start() -> None:
    book = BinanceBook()
    book.take(binance(10, 12, 9, p1=1))
    seeded(book, Seed("X", 5, levels(p1=9), []))
    assert (book.n, book.gaps) == (0, 1)
    seeded(book, Seed("X", 11, levels(p3=3), []))
    assert (book.n, state(book)) == (1, {"1": "1", "3": "3"})


def test_binance_message_that_continues_the_snapshot_exactly_is_a_start() -> None:
    book = BinanceBook()
    seeded(book, Seed("X", 20, levels(p1=9), []))
    assert book.take(binance(21, 25, 20, p1=7))
    assert (book.gaps, state(book)) == (0, {"1": "7"})


def test_binance_broken_chain_waits_for_a_snapshot() -> None:
    book = BinanceBook()
    seeded(book, Seed("X", 5, levels(p1=9), []))
    assert book.take(binance(4, 6, 3, p1=1))
    assert not book.take(binance(4, 6, 3, p1=2))
    assert not book.take(binance(9, 10, 8, p1=3))
    assert not book.take(binance(11, 12, 10, p1=4))
    assert (book.n, book.gaps, book.verdicts[Verdict.REPEATED], state(book)) == (1, 1, 1, {"1": "1"})
    seeded(book, Seed("X", 11, levels(p2=2), []))
    assert (book.n, book.resyncs, state(book)) == (2, 1, {"1": "4", "2": "2"})
    book.close()
    assert sum(book.verdicts.values()) == 4


def test_a_snapshot_nobody_needs_is_left_alone() -> None:
    book = BinanceBook()
    seeded(book, Seed("X", 5, levels(p1=9), []))
    book.take(binance(4, 6, 3))
    seeded(book, Seed("X", 6, levels(p7=7), []))
    assert (state(book), book.resyncs) == ({"1": "9"}, 0)


def test_messages_that_never_find_a_snapshot_are_counted() -> None:
    book = BinanceBook()
    book.take(binance(1, 2, 0))
    book.close()
    assert book.verdicts[Verdict.EARLY] == 1
    with pytest.raises(ValueError, match="found none"):
        book.checkpoint()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3))))
def test_a_side_is_a_sorted_dictionary(changes: list[tuple[int, int]]) -> None:
    side, model = Side(), dict[int, int]()
    for price, quantity in changes:
        side.set(Decimal(price), Decimal(quantity))
        model[price] = quantity
    left = {price: quantity for price, quantity in model.items() if quantity}
    assert side.prices == sorted(map(Decimal, left))
    assert side.quantity == {Decimal(price): Decimal(quantity) for price, quantity in left.items()}
    assert side.highest() == side.lowest()[::-1]


def test_checkpoint_numbers_are_plain() -> None:
    book = BybitBook()
    asks = [(Decimal("0.00000120"), Decimal("1E+3"))]
    book.take(bybit(1, bids=[], asks=asks))
    point = book.checkpoint()
    assert (point.bid, point.ask, point.nb, point.na) == (None, ("0.0000012", "1000"), 0, 1)
    assert (point.sum_bid50, point.sum_ask50) == ("0", "1000")
