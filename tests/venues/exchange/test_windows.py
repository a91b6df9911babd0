"""A window tells the same changes as two looks at the whole book."""

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Side
from breakwall.venues.exchange.matching import MatchingBook, RestingOrder

STEP = st.tuples(
    st.sampled_from(list(Side)), st.integers(90, 110), st.integers(1, 5), st.sampled_from(["add", "cut", "look"])
)


@settings(max_examples=100, deadline=None)
@given(depth=st.integers(1, 6), steps=st.lists(STEP, max_size=60))
def test_a_window_follows_the_book(depth: int, steps: list[tuple[Side, int, int, str]]) -> None:
    book = MatchingBook("X")
    windows = {side: book.window(side, depth) for side in Side}
    known: dict[Side, dict[int, int]] = {side: {} for side in Side}
    resting: list[RestingOrder] = []
    for side, ticks, lots, what in [*steps, (Side.BUY, 1, 1, "look")]:
        if what == "add":
            placed = book.add("x", side, ticks, lots, now_ms=0)
            resting += [placed.order] if placed.order is not None else []
        elif what == "cut":
            there = [order for order in resting if order.lots]
            if there:
                book.reduce(there[ticks % len(there)], 1)
        else:
            for half in Side:
                changes = windows[half].changes()
                assert all(known[half].get(price, 0) != now for price, now in changes.items())
                known[half] = {price: now for price, now in (known[half] | changes).items() if now}
                assert known[half] == windows[half].lots == dict(book.depth(half, depth))


def test_a_closed_window_costs_nothing() -> None:
    book = MatchingBook("X")
    window = book.window(Side.BUY, 5)
    window.close()
    book.add("x", Side.BUY, 10, 1, now_ms=0)
    assert window.changes() == {}
