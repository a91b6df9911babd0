from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.events import BookDelta, BookSnapshot
from breakwall.replay.mending import Arrival, MendedBook

Levels = list[tuple[int, int]]


def snapshot(bids: Levels, asks: Levels, u: int = 1) -> BookSnapshot:
    return BookSnapshot("X", bids, asks, u, u, u, 200)


def delta(u: int, bids: Levels, asks: Levels) -> BookDelta:
    return BookDelta("X", bids, asks, u, u, u, 200)


def book() -> MendedBook:
    found = MendedBook()
    assert found.take(snapshot([(99, 1), (98, 2)], [(101, 1), (102, 2)], 10)) is Arrival.BEGUN
    return found


def test_a_message_before_the_first_snapshot_is_early() -> None:
    assert MendedBook().take(delta(3, [(1, 1)], [])) is Arrival.EARLY


def test_what_is_missing_may_come_next() -> None:
    found = book()
    assert found.take(delta(12, [(99, 5)], [])) is Arrival.GAP
    assert found.waits
    assert found.take(delta(11, [(99, 4), (97, 3)], [])) is Arrival.LATE
    assert not found.waits
    assert found.bids == {99: 5, 98: 2, 97: 3}
    assert found.take(delta(12, [(99, 9)], [])) is Arrival.REPEATED
    assert found.update_id == 12


def test_a_price_that_a_newer_one_crosses_was_deleted_in_what_is_missing() -> None:
    found = book()
    assert found.take(delta(12, [(101, 7)], [])) is Arrival.GAP
    assert (max(found.bids), min(found.asks)) == (101, 102)
    assert found.dropped == [(False, 101)]
    assert found.take(delta(13, [], [(100, 3)])) is Arrival.NEXT
    assert found.dropped == [(True, 101)]
    assert (max(found.bids), min(found.asks)) == (99, 100)


def test_a_restarted_venue_begins_the_book_anew() -> None:
    found = book()
    assert found.take(delta(1, [(50, 1)], [(51, 1)])) is Arrival.BEGUN
    assert (found.bids, found.asks, found.update_id) == ({50: 1}, {51: 1}, 1)


MESSAGES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(90, 99), st.integers(0, 5)), max_size=4, unique_by=lambda level: level[0]),
        st.lists(st.tuples(st.integers(101, 110), st.integers(0, 5)), max_size=4, unique_by=lambda level: level[0]),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, data=st.data())
def test_two_that_changed_places_make_the_same_book(
    messages: list[tuple[Levels, Levels]], data: st.DataObject
) -> None:
    deltas = [delta(11 + number, bids, asks) for number, (bids, asks) in enumerate(messages)]
    place = data.draw(st.integers(0, len(deltas) - 2))
    swapped = [*deltas[:place], deltas[place + 1], deltas[place], *deltas[place + 2 :]]
    true, found = book(), book()
    for event in deltas:
        true.take(event)
    for event in swapped:
        found.take(event)
    assert (found.bids, found.asks, found.update_id) == (true.bids, true.asks, true.update_id)
