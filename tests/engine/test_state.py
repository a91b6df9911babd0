"""What the core knows, and whom time passes for."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from breakwall.engine.state import State


@pytest.mark.parametrize(("markets", "ticks"), [(1, 1), (100, 1), (101, 2), (300, 2), (301, 3), (600, 3)])
def test_every_market_has_its_turn_once_in_so_many_ticks(markets: int, ticks: int) -> None:
    state = State(1)
    state.markets = cast(Any, {str(number): SimpleNamespace(number=number) for number in range(markets)})
    for round_ in range(3):
        seen = []
        for tick in range(ticks):
            state.ticks = round_ * ticks + tick
            seen += [cast(Any, market).number for market in state.in_turn]
        assert sorted(seen) == list(range(markets))
