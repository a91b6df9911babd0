"""Nothing a wall loses is unaccounted for, whatever happens in whatever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.market import erosion
from breakwall.market.walls import Wall


def accounted(wall: Wall) -> int:
    return wall.lots + wall.eaten_lots + wall.pulled_lots + wall.undecided_lots


steps = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(1, 60), st.integers(-15, 15)),
        st.tuples(st.just("book"), st.integers(0, 200), st.integers(1, 10)),
        st.tuples(st.just("decide"), st.integers(0, 1_500), st.integers(0, 20)),
        st.tuples(st.just("unseen"), st.integers(0, 200), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_peak_is_what_is_left_plus_eaten_plus_pulled_plus_undecided(story):
    wall = Wall(1, True, 10, 10, 100, 0)
    now, seq, tape, traded, lost = 0, 1_000, 0, 0, 0
    for what, amount, offset in story:
        if what == "trade":
            traded += amount
            tape = max(tape, seq + offset)
            erosion.traded(wall, amount, seq + offset, seq, now)
        elif what == "book":
            lost += max(0, wall.lots - amount)
            erosion.changed(wall, amount, seq, seq + offset, now)
            seq += offset
        elif what == "decide":
            now += amount
            erosion.decide(wall, seq, tape, now, 1_000)
        else:
            erosion.rebase(wall, amount)
        assert accounted(wall) == wall.peak_lots
        assert min(wall.lots, wall.eaten_lots, wall.pulled_lots, wall.undecided_lots) >= 0
        assert wall.eaten_lots <= min(traded, lost)
        assert 0.0 <= wall.eroded <= 1.0


def test_the_deadline_decides_when_no_trade_comes():
    wall = Wall(1, True, 10, 10, 100, 0)
    erosion.changed(wall, 30, 1, 2, at_ms=0)
    erosion.decide(wall, 2, 0, 999, 1_000)
    assert wall.undecided_lots == 70
    erosion.decide(wall, 2, 0, 1_000, 1_000)
    assert (wall.pulled_lots, wall.undecided_lots) == (70, 0)


def test_a_trade_the_book_never_shows_is_forgotten_at_the_deadline():
    wall = Wall(1, True, 10, 10, 100, 0)
    erosion.traded(wall, 40, seq=5, book_seq=1, at_ms=0)
    erosion.decide(wall, 1, 5, 1_000, 1_000)
    erosion.changed(wall, 60, 1, 6, at_ms=1_100)
    assert (wall.eaten_lots, wall.undecided_lots) == (0, 40)
