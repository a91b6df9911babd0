"""The ladder as the trader reads it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.rows.figures import UNKNOWN
from breakwall.app.widgets.ladder import Ladder
from breakwall.clock import SystemClock
from breakwall.settings import Settings
from tests.patience import until

COMPACT = """
 LADDER           0.5 a row
▲▌64122.5 2.40M O? 64140.1
        29.9K 64119.0   170K
        78.7K 64118.5   140K
        64.5K 64118.0    65K
          769 64117.5    769
   spread 0.1 64117.45
        51.3K 64117.0    51K
        71.0K 64116.5   120K
 O      44.7K 64116.0   170K
        47.7K 64115.5   210K
▼S 63980.0 ▌64107.0 1.44M +1
"""
MEDIUM = """
 LADDER                 0.5 a row
▲▌64122.5 2.40M O? 64140.1
        21.1K 64120.5        260K
        18.0K 64120.0        240K
        48.2K 64119.5        220K
        29.9K 64119.0        170K
        78.7K 64118.5        140K
        64.5K 64118.0         65K
          769 64117.5         769
   spread 0.1 64117.45
        51.3K 64117.0         51K
        71.0K 64116.5        120K
 O      44.7K 64116.0        170K
        47.7K 64115.5        210K
        15.6K 64115.0        230K
        14.7K 64114.5        240K
        84.2K 64114.0        330K
        54.5K 64113.5        380K
▼S 63980.0 ▌64107.0 1.44M +1
"""
WIDE = """
 LADDER                     0.5 a row
▲▌64140.2 1.20M O? 64140.1
            44.4K 64125.0        3.2M
            81.6K 64124.5        3.1M
            44.2K 64124.0        3.0M
            97.0K 64123.5        3.0M
            14.9K 64123.0        2.9M
▌           2.42M 64122.5  ▼31% eaten
            64.9K 64122.0        460K
            37.0K 64121.5        390K
            94.3K 64121.0        360K
            21.1K 64120.5        260K
            18.0K 64120.0        240K
            48.2K 64119.5        220K
            29.9K 64119.0        170K
            78.7K 64118.5        140K
            64.5K 64118.0         65K
              769 64117.5         769
       spread 0.1 64117.45
            51.3K 64117.0         51K
            71.0K 64116.5        120K
 O          44.7K 64116.0        170K
            47.7K 64115.5        210K
            15.6K 64115.0        230K
            14.7K 64114.5        240K
            84.2K 64114.0        330K
            54.5K 64113.5        380K
            63.2K 64113.0        450K
            22.7K 64112.5        470K
            31.4K 64112.0        500K
            68.7K 64111.5        570K
            64.4K 64111.0        630K
            78.7K 64110.5        710K
            29.9K 64110.0        740K
            48.1K 64109.5        790K
            17.9K 64109.0        810K
▼S 63980.0 ▌64107.0 1.44M E 64087.5
"""


@pytest.fixture
def ladder(ink, look) -> Ladder:
    return Ladder(ink, look)


@pytest.mark.parametrize(("width", "height", "expected"), [(28, 12, COMPACT), (34, 19, MEDIUM), (38, 37, WIDE)])
def test_frames(ladder, view, plain, width: int, height: int, expected: str) -> None:
    assert plain(ladder.rows(view, width, height)) == expected.strip("\n")


def test_marks_by_colour_and_by_glyph(ladder, view) -> None:
    rows = {"".join(text for text, _ in row).strip(): row for row in ladder.rows(view, 38, 37)}
    wall = next(row for text, row in rows.items() if text.startswith("▌"))
    assert {ink for _, ink in wall} == {"ask-wall"}
    inks = [ink for text, row in rows.items() if "64118.5" in text for _, ink in row]
    assert inks == ["ask", "ask-bar", "ask"]  # the bar is a part of the row itself
    assert [ink for text, row in rows.items() if text.startswith("O") for _, ink in row][1] == "own"


def test_own_entry_and_stop_share_a_rung(ladder, view, make_view, plain) -> None:
    held = replace(view.positions[0], entry=Decimal("64116.53"), stop=Decimal("64116.5"))
    frame = plain(ladder.rows(make_view(positions=(held,)), 28, 12))
    assert " SE     71.0K 64116.5" in frame


@pytest.mark.parametrize(
    "changes",
    [{"proof_age_ms": None}, {"proof_age_ms": 60_000}, {"naked_ms": 100}],
    ids=["never read", "read long ago", "naked"],
)
def test_a_stop_that_is_not_proven_is_questioned(ladder, view, make_view, plain, changes) -> None:
    held = replace(view.positions[0], **changes)
    assert "▼S? 63980.0" in plain(ladder.rows(make_view(positions=(held,)), 38, 12))


def test_an_order_that_may_not_rest_is_questioned(ladder, view, make_view, plain) -> None:
    order = replace(view.orders[0], state="UNKNOWN")
    assert " O?     44.7K 64116.0" in plain(ladder.rows(make_view(orders=(order,)), 28, 12))


@pytest.mark.parametrize("status", ["RESYNC", "STALE"])
def test_a_book_that_is_not_live_does_not_look_alive(ladder, make_view, make_market, plain, status: str) -> None:
    view = make_view(symbols=(make_market(status=status, age_ms=7_300),))
    title, *rows = ladder.rows(view, 28, 12)
    assert plain([title]).split() == ["LADDER", status, "7.3s"]
    alive = {"bid", "ask", "bid-bar", "ask-bar", "bid-wall", "ask-wall", "price"}
    assert not alive & {ink for row in rows for _, ink in row}


def test_locking_moves_nothing_whatever_the_heat_map_has_in_its_middle(ladder, look, view, plain) -> None:
    before = plain(ladder.rows(view, 28, 12)).splitlines()
    look.shown = (200, 640_000)  # the heat map lets the price wander through half of its height
    look.lock()
    assert plain(ladder.rows(view, 28, 12)).splitlines()[1:] == before[1:]


def test_a_locked_axis_says_where_the_price_went(ladder, look, view, plain) -> None:
    ladder.rows(view, 28, 8)
    look.shown = (200, 640_000)
    ladder.action_scroll_price(166)
    title, above, *rungs, below = plain(ladder.rows(view, 28, 8)).splitlines()
    assert title == " LADDER    locked 0.5 a row"
    assert above == "▲ no wall above"
    assert [rung.split() for rung in rungs] == [[UNKNOWN, f"{price / 10}"] for price in range(642_010, 641_989, -5)]
    assert below == "▼ 64117.45  S 63980.0 +4"


@pytest.mark.parametrize("width", range(13, 40))
@pytest.mark.parametrize("tick", ["0.1", "1"])
def test_the_price_is_never_cut(ladder, make_view, make_market, plain, width: int, tick: str) -> None:
    view = make_view(symbols=(make_market(tick=Decimal(tick)),))
    spread = next(row for row in ladder.rows(view, width, 12) if "price" in {ink for _, ink in row})
    shown = next(text for text, ink in spread if ink == "price")
    assert shown.strip() == ("64117.45" if tick == "0.1" else "641174.5")


def test_behind_the_book_nothing_is_known_and_within_it_nothing_rests(ladder, make_view, make_market, plain) -> None:
    view = make_view(symbols=(make_market(asks=((641_175, 5), (641_190, 5)), walls=()),))
    rows = plain(ladder.rows(view, 28, 12)).splitlines()
    assert [row.split() for row in rows[2:6]] == [
        ["321", "64119.0", "641"],
        ["64118.5"],
        ["64118.0"],
        ["321", "64117.5", "321"],
    ]
    shallow = make_view(symbols=(make_market(asks=((641_175, 5),), walls=()),))
    assert plain(ladder.rows(shallow, 28, 12)).splitlines()[2].split() == [UNKNOWN, "64119.0"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "WAITING", "status_reason": "no snapshot yet", "bids": ()}, "no snapshot yet"),
        ({"asks": ()}, "no book yet"),
        ({"symbol": "XRPUSDT"}, "BTCUSDT is not followed"),
    ],
)
def test_without_a_book_it_says_why(ladder, make_view, make_market, plain, changes, words: str) -> None:
    assert plain(ladder.rows(make_view(symbols=(make_market(**changes),)), 28, 12)).endswith(f" {words}")


def test_one_level_changes_its_row_and_the_sums_behind_it(ladder, make_view, make_market) -> None:
    book = make_market()
    far = max(ticks for ticks, _ in book.asks if ticks <= 641_240)  # three rungs below the upper edge
    asks = tuple((ticks, lots + 90 if ticks == far else lots) for ticks, lots in book.asks)
    before = ladder.rows(make_view(symbols=(book,)), 38, 37)
    after = ladder.rows(make_view(symbols=(replace(book, asks=asks),)), 38, 37)
    changed = {place for place in range(37) if before[place] != after[place]}
    assert {4} <= changed <= {2, 3, 4}


def test_a_step_of_the_price_moves_no_row(ladder, make_view, make_market) -> None:
    book = make_market()
    before = ladder.rows(make_view(symbols=(book,)), 38, 37)
    after = ladder.rows(make_view(symbols=(replace(book, asks=book.asks[1:]),)), 38, 37)
    prices = [["".join(text for text, _ in row)[18:25] for row in rows[2:-1]] for rows in (before, after)]
    assert "64120.0" in prices[0]
    assert prices[0][:16] == prices[1][:16]
    assert prices[0][17:] == prices[1][17:]


@pytest.mark.asyncio
async def test_arrows_scroll_the_prices_and_recentring_follows_again(desk, frame) -> None:
    app = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.look.shown[1])
        ladder = app.trade.query_one(Ladder)
        ladder.focus()
        await pilot.press("up", "up")
        await until(lambda: "locked" in frame(app))
        assert app.look.centre_ticks == app.look.shown[1]
        app.look.recentre()
        await until(lambda: "locked" not in frame(app))
