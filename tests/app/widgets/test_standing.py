"""What stands over the panes: danger and trouble in one line each, for as long as they last."""

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.banner import Banner
from breakwall.app.widgets.standing import standing_rows

SHOWN = frozenset()


@pytest.fixture
def safe(view):
    return replace(view, positions=view.positions[:1])


def test_where_all_is_well_nothing_stands(safe, plain) -> None:
    assert standing_rows(safe, 80, SHOWN) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"proof_age_ms": 14_000}, " ! STOP UNPROVEN: BTCUSDT LONG 0.021, read back 14s ago"),
        ({"proof_age_ms": None}, " ! STOP UNPROVEN: BTCUSDT LONG 0.021, never read back"),
        ({"stop": None, "naked_ms": 900}, " ! NO STOP 0.9s: BTCUSDT LONG 0.021, it is closed unless a stop stands"),
    ],
)
def test_a_position_in_danger_is_named(safe, plain, changes, words) -> None:
    rows = standing_rows(replace(safe, positions=(replace(safe.positions[0], **changes),)), 80, SHOWN)
    assert plain(rows) == words
    assert rows[0][0][1] == "alarm"


def test_a_position_just_opened_may_wait_for_its_first_proof(safe) -> None:
    for age_ms, rows in ((2_000, 0), (2_001, 1)):
        young = replace(safe.positions[0], proof_age_ms=None, opened_ms=safe.at_ms - age_ms)
        assert len(standing_rows(replace(safe, positions=(young,)), 80, SHOWN)) == rows


def test_the_worst_is_said_first(view, plain) -> None:
    both = replace(view, positions=(replace(view.positions[0], proof_age_ms=12_000), view.positions[1]))
    assert plain(standing_rows(both, 200, SHOWN)).startswith(" ! NO STOP 1.7s: ETHUSDT SHORT 0.5, it is closed")
    assert "; STOP UNPROVEN: BTCUSDT" in plain(standing_rows(both, 200, SHOWN))


def test_trouble_is_told_with_what_is_safe(safe, plain) -> None:
    full = "No space left on device"
    ill = replace(safe, journal_trouble=full, ledger_trouble="database is locked", log_trouble="full, 37 lines lost")
    assert plain(standing_rows(ill, 120, SHOWN)).splitlines() == [
        " JOURNAL NOT WRITTEN: no entries; stops, closes and cancels go on (No space left on device)",
        " LEDGER NOT WRITTEN: trading goes on; `breakwall ledger rebuild` later (database is locked)",
        " LOG FILES NOT WRITTEN: trading goes on; journal and ledger are whole (full, 37 lines lost)",
    ]
    assert [len(standing_rows(ill, 80, frozenset(away))) for away in ([], ["LEDGER"], ["LEDGER", "JOURNAL"])] == [
        3,
        2,
        1,
    ]


def test_trouble_is_put_away_until_it_comes_again_and_danger_is_not(safe, look, ink) -> None:
    banner, ill = Banner(ink, look), replace(safe, ledger_trouble="full")
    naked = replace(ill, positions=(replace(ill.positions[0], stop=None),))

    def standing(view) -> int:
        banner.update_lines(view, view.at_ms, 80, 20)
        return banner.standing

    assert [standing(safe), standing(ill), standing(naked)] == [0, 1, 2]
    assert banner.clear()
    assert not banner.clear()
    assert [standing(naked), standing(ill), standing(safe), standing(ill)] == [1, 0, 0, 1]
