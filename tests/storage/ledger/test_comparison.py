from dataclasses import dataclass
from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.storage.ledger.comparison import Truth, booked, differences
from breakwall.storage.ledger.inline import InlineLedger
from tests.storage.ledger.diary import SYMBOL, Diary

TRUE = Truth({SYMBOL: Decimal("-33.2")}, frozenset({"t-1"}), Decimal("2.73"), Decimal(0), frozenset())


@dataclass(frozen=True)
class Wrong:
    truth: Truth
    words: str


def test_the_books_of_a_position_that_is_open_agree_with_the_exchange(diary: Diary) -> None:
    diary.trades()
    until = next(place for place, entry in enumerate(diary.entries) if "t-2" in entry.body)
    ledger = InlineLedger()
    ledger.take(diary.entries[:until])
    with ledger.read() as books:
        assert booked(books) == TRUE
    assert differences(TRUE, TRUE) == []


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(replace(TRUE, positions={}), "position SOLUSDT: the books have -33.2, the exchange has 0"),
        Wrong(replace(TRUE, executions=frozenset()), "executions: 1 only in the books, not with the exchange: t-1"),
        Wrong(
            replace(TRUE, fees_usdt=Decimal("2.72999998")), "fees: the books have 2.73, the exchange has 2.72999998"
        ),
        Wrong(replace(TRUE, funding_usdt=Decimal(1)), "funding: the books have 0, the exchange has 1 USDT"),
        Wrong(
            replace(TRUE, open_orders=frozenset("e")), "open orders: 1 only with the exchange, not in the books: e"
        ),
    ],
    ids=lambda wrong: wrong.words.partition(":")[0],
)
def test_each_difference_is_named(wrong: Wrong) -> None:
    (text,) = differences(TRUE, wrong.truth)
    assert text.startswith(wrong.words)


def test_cash_is_exact_to_a_hundred_millionth() -> None:
    assert differences(TRUE, replace(TRUE, fees_usdt=Decimal("2.73000001"))) == []
