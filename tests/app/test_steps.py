"""Round steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakwall.app.steps import at_least, nearest


@given(st.floats(0, 10**6))
def test_the_first_step_that_is_not_below(number: float) -> None:
    step = at_least(number)
    assert step >= number
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert step == 1 or step <= 2.5 * number


@pytest.mark.parametrize(
    ("number", "expected"), [(0.2, 1), (1, 1), (1.6, 2), (3.1, 2), (3.3, 5), (7, 5), (7.2, 10), (160, 200), (40, 50)]
)
def test_the_nearest_step_by_ratio(number: float, expected: int) -> None:
    assert nearest(number) == expected
