from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.model.units import Instrument
from breakwall.trading.delivery import due_out, ending

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000
BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"delivery_ms": NOW_MS + 200 * MINUTE_MS}, "the exchange ends this contract in 3 h 20 min"),
        ({"delivery_ms": NOW_MS + 3000 * MINUTE_MS}, "the exchange ends this contract in 2 d 2 h 0 min"),
        ({"delivery_ms": NOW_MS - 1}, "the exchange ends this contract in 0 h 0 min"),
        ({"status": "Closed"}, "expected a living USDT perpetual, the exchange says Closed, LinearPerpetual, USDT"),
        ({"status": "PreLaunch"}, "PreLaunch"),
        ({"settle": "USDC"}, "Trading, LinearPerpetual, USDC"),
    ],
)
def test_a_contract_that_is_not_to_be_opened_says_why(changes: dict, words: str) -> None:
    said = ending(replace(BTC, **changes), NOW_MS)
    assert words in said
    assert bool(said) is bool(words)


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, False),
        ({"delivery_ms": NOW_MS + 61 * MINUTE_MS}, False),
        ({"delivery_ms": NOW_MS + 60 * MINUTE_MS}, True),
        ({"delivery_ms": NOW_MS - 1}, True),
        ({"delivery_ms": NOW_MS - 1, "status": "Delivering"}, False),
        ({"status": "Closed"}, False),
    ],
)
def test_a_position_is_due_out_an_hour_before_while_it_can_be_closed(changes: dict, due: bool) -> None:
    assert bool(due_out(replace(BTC, **changes), 60, NOW_MS)) is due
