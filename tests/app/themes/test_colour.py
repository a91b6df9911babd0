"""Colours by their look."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.themes.colour import climb, mix, nearest, oklab, ramp, rgb_of, xterm

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ("#000000", (0, 0, 0)),
        ("#ffffff", (1, 0, 0)),
        ("#ff0000", (0.62796, 0.22486, 0.12585)),
        ("#00ff00", (0.86644, -0.23389, 0.17950)),
        ("#0000ff", (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_is_ottossons(colour: str, lab: tuple[float, ...]) -> None:
    assert oklab(colour) == pytest.approx(lab, abs=2e-4)


@settings(max_examples=100, deadline=None)
@given(colours, colours)
def test_a_blend_starts_at_the_one_and_ends_at_the_other(one: str, other: str) -> None:
    for share, end in ((0, one), (1, other)):
        assert max(abs(a - b) for a, b in zip(rgb_of(mix(one, other, share)), rgb_of(end), strict=True)) <= 1


def test_every_index_of_the_256_is_nearest_to_itself() -> None:
    assert [nearest(xterm(index)) for index in range(16, 256)] == list(range(16, 256))


@pytest.mark.parametrize(("colour", "index"), [("#0b0e14", 233), ("#5d2230", 52), ("#808080", 244), ("#00d7af", 43)])
def test_what_has_a_hue_never_becomes_grey(colour: str, index: int) -> None:
    assert nearest(colour) == index


def test_a_ramp_goes_one_way_in_even_steps() -> None:
    colours = ramp(["#0f1c2c", "#5fa3a8", "#12304f", "#d0e0f0"], 9)
    steps = [oklab(after)[0] - oklab(before)[0] for before, after in pairwise(colours)]
    assert (colours[0], colours[-1]) == ("#0f1c2c", "#d0e0f0")
    assert max(steps) - min(steps) < 0.02
    assert ramp(["#808080", "#808080"], 3) == ("#808080",) * 3


def test_a_climb_leaves_out_what_turns_back() -> None:
    assert climb(["#000000", "#808080", "#404040", "#ffffff"]) == ["#000000", "#808080", "#ffffff"]
    assert climb(["#ffffff", "#808080", "#909090", "#000000"]) == ["#ffffff", "#808080", "#000000"]
