"""Executions of our own form that are not in our books: which of them need a person to look."""

from decimal import Decimal

import pytest

from breakwall.engine.observing import left_unwritten
from breakwall.model.events import Fill
from breakwall.model.units import Side


@pytest.mark.parametrize(
    ("client_id", "closed", "expected"),
    [
        ("bw-3-5-x", 10, True),
        ("bw-3-5-f", 10, True),
        ("bw-3-5-k-1", 12, True),
        ("bw-3-5-x", 9, False),  # it opened something: no close of ours does
        ("bw-3-5-e", 10, False),  # an entry never leaves before the journal has it
        ("manual", 10, False),
        ("", 10, False),
    ],
)
def test_only_a_close_may_have_left_before_the_journal_had_it(client_id: str, closed: int, expected: bool) -> None:
    fill = Fill("x1", "v1", client_id, "BTCUSDT", Side.SELL, 600_000, 10, Decimal(1), 1_000, closed_lots=closed)
    assert left_unwritten(fill) is expected
