"""The arrangement: the whole screen, no pane over another, at any size."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.layout import COMPACT, DRAWER, MEDIUM, WIDE, Place, arrange, kind_of
from breakwall.app.screens.trade import PANES

NAMES = {pane.__name__.lower() for pane in PANES}


def covered(places: dict[str, Place]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for place in places.values()
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    ]


@given(
    width=st.integers(1, 230),
    height=st.integers(1, 70),
    maximised=st.sampled_from(["", "heatmap", "ladder", "log"]),
    drawer=st.sampled_from(DRAWER),
    standing=st.integers(0, 4),
)
@settings(max_examples=100, deadline=None)
def test_panes_fill_the_screen_and_never_overlap(
    width: int, height: int, maximised: str, drawer: str, standing: int
) -> None:
    places = arrange(width, height, maximised, drawer, standing)
    cells = covered(places)
    free = max(0, min(standing, height - 3))
    assert len(cells) == len(set(cells)) == width * (height - free)
    assert set(places) <= NAMES


@pytest.mark.parametrize(
    ("width", "height", "kind"), [(80, 24, COMPACT), (120, 40, MEDIUM), (200, 60, WIDE), (200, 40, MEDIUM)]
)
def test_the_three_sizes(width: int, height: int, kind: str) -> None:
    assert kind_of(width, height) == kind


@pytest.mark.parametrize("drawer", DRAWER)
def test_a_small_screen_shows_one_pane_of_the_drawer(drawer: str) -> None:
    places = arrange(80, 24, drawer=drawer)
    assert set(places) == {"status", "heatmap", "ladder", "positions", "footer", drawer}
    assert places["ladder"].width == 28


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
def test_larger_ones_show_them_all(size: tuple[int, int]) -> None:
    assert set(arrange(*size)) >= NAMES - {"card"}


def test_a_maximised_pane_leaves_status_and_footer() -> None:
    assert arrange(80, 24, "tape") == {
        "status": Place(0, 0, 80, 2),
        "footer": Place(0, 23, 80, 1),
        "tape": Place(0, 2, 80, 21),
    }
