from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.market.screener import Screener
from breakwall.model.listings import Listed
from breakwall.settings import ScreenerSettings

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
TWO = ScreenerSettings(enabled=True, gainers=2, losers=2, keep_ranks=1)
FIT = Listed("AUSDT", Decimal(30_000_000), Decimal("0.1"), Decimal(100), Decimal("100.05"))


def row(symbol: str, change: str, turnover: int = 30_000_000) -> Listed:
    return replace(FIT, symbol=symbol, change=Decimal(change), turnover_usdt=Decimal(turnover))


def chosen(screener: Screener, rows: list[Listed], settings: ScreenerSettings = TWO) -> list[str]:
    screener.rank(rows, settings, NOW_MS)
    return list(screener.chosen)


def test_the_best_and_the_worst_are_chosen_and_nobody_who_does_not_move() -> None:
    rows = [row("A", "0.01"), row("B", "0.30"), row("C", "-0.02"), row("D", "-0.20"), row("E", "0"), row("F", "0.2")]
    screener = Screener()
    assert chosen(screener, rows) == ["B", "F", "D", "C"]
    assert (screener.listed, screener.eligible) == (6, 6)
    assert screener.chosen["D"] == Decimal("-0.20")


def test_few_movers_leave_places_empty() -> None:
    assert chosen(Screener(), [row("A", "0.01"), row("B", "0")]) == ["A"]


def test_equal_changes_are_ranked_by_turnover_then_name() -> None:
    rows = [row("B", "0.1"), row("A", "0.1"), row("C", "0.1", 40_000_000)]
    assert chosen(Screener(), rows) == ["C", "A"]


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"tradable": False}, {}),
        ({"kind": "stock"}, {}),
        ({"symbol": "XUSDT"}, {"exclude": ("XUSDT",)}),
        ({"turnover_usdt": Decimal(19_999_999)}, {}),
        ({"bid": None}, {}),
        ({"ask": None}, {}),
        ({"ask": Decimal(100)}, {}),
        ({"ask": Decimal("100.11")}, {}),
        ({"launched_ms": NOW_MS - 3 * DAY_MS + 1}, {}),
    ],
)
def test_who_is_not_fit_is_not_ranked(changes: dict, settings: dict) -> None:
    rules = ScreenerSettings.model_validate({"enabled": True, **settings})
    assert chosen(Screener(), [FIT], rules) == ["AUSDT"]
    assert chosen(Screener(), [replace(FIT, **changes)], rules) == []


@pytest.mark.parametrize(
    "changes", [{"launched_ms": 0}, {"launched_ms": NOW_MS - 3 * DAY_MS}, {"kind": "innovation"}]
)
def test_who_is_old_enough_or_of_unknown_age_is_ranked(changes: dict) -> None:
    assert chosen(Screener(), [replace(FIT, **changes)]) == ["AUSDT"]


def test_who_is_in_stays_a_little_beyond_the_last_place() -> None:
    screener = Screener()
    assert chosen(screener, [row("A", "0.3"), row("B", "0.2"), row("C", "0.1")]) == ["A", "B"]
    passed = [row("A", "0.3"), row("B", "0.1"), row("C", "0.2")]
    assert chosen(screener, passed) == ["A", "C", "B"], "third of two places and one more"
    assert chosen(screener, [*passed, row("D", "0.4"), row("E", "0.15")]) == ["D", "A", "C"], "fifth is too far"
    assert chosen(Screener(), passed) == ["A", "C"], "a newcomer needs a place"


def test_who_is_in_may_trade_half_as_much_with_twice_the_spread() -> None:
    screener = Screener()
    quiet = replace(FIT, turnover_usdt=Decimal(10_000_000), ask=Decimal("100.2"))
    assert chosen(screener, [quiet]) == []
    assert chosen(screener, [FIT]) == ["AUSDT"]
    assert chosen(screener, [quiet]) == ["AUSDT"]
    assert chosen(screener, [replace(quiet, turnover_usdt=Decimal(9_999_999))]) == []


def test_no_places_on_a_side_are_none() -> None:
    settings = ScreenerSettings(enabled=True, gainers=0, losers=1, keep_ranks=5)
    screener = Screener()
    screener.chosen = {"A": Decimal("0.1")}
    assert chosen(screener, [row("A", "0.1"), row("B", "-0.1")], settings) == ["B"]


changes = st.lists(st.integers(-30, 30), min_size=1, max_size=40)


@given(looks=st.lists(changes, min_size=1, max_size=5), places=st.integers(0, 6), keep=st.integers(0, 4))
def test_whatever_moves_each_place_is_taken_and_nobody_sits_too_far_behind(
    looks: list[list[int]], places: int, keep: int
) -> None:
    settings = ScreenerSettings(enabled=True, gainers=places, losers=places, keep_ranks=keep)
    screener = Screener()
    before: set[str] = set()
    for look in looks:
        rows = [row(f"S{number:02d}", str(Decimal(change) / 100)) for number, change in enumerate(look)]
        found = chosen(screener, rows, settings)
        for sign in (1, -1):
            ranked = sorted((r for r in rows if r.change * sign > 0), key=lambda r: (-r.change * sign, r.symbol))
            names = [r.symbol for r in ranked]
            seated = [name for name in found if name in names]
            assert seated[:places] == names[:places]
            assert set(seated[places:]) == set(names[places : places + keep if places else 0]) & before
        assert len(found) == len(set(found))
        before = set(found)
