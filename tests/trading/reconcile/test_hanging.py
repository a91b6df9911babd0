"""Which orders hang, and what is told of each."""

import msgspec
import pytest
from msgspec.structs import replace

from breakwall.model.actions import TimeInForce
from breakwall.model.events import IntentSent, OrderReport, OrderReports
from breakwall.trading.blotter import Blotter
from breakwall.trading.origin import Origin

BORN = 1_005_000
MINUTE = 60_000


@pytest.fixture
def look(make, make_look):
    return make_look(Blotter(make.settings(), make.instruments))


def sent(look, make, *reports, tif=TimeInForce.IOC):
    """An order that has just left, and what was told of it since."""
    intent = replace(make.entry("bw-2-1-e"), decided_ms=look.now, tif=tif)
    look.blotter.decided(intent, Origin(2, 1, look.now))
    look.blotter.apply(IntentSent("bw-2-1-e"), Origin(2, 1, look.now))
    look.blotter.apply(OrderReports(tuple(reports)), Origin(2, 2, look.now))


def test_an_order_that_has_just_left_does_not_hang(make, look):
    sent(look, make)
    assert look.read(purpose="periodic", after_ms=1_000).hanging == ()


def test_one_the_exchange_does_not_show_is_asked_for(make, look):
    sent(look, make)
    (order,) = look.read(purpose="periodic", after_ms=2_500).hanging
    assert (order.kind, order.our_state, order.exchange_state, order.raw) == ("not-found", "SENT", "", "")


def test_one_that_was_in_doubt_and_is_found_is_a_mismatch_with_the_exchanges_own_words(make, diary, make_look):
    look = make_look(diary.restored(cut=3).blotter)
    report = make.report("PartiallyFilled", 4, lots=10)
    (order,) = look.read([report]).hanging
    assert (order.client_id, order.order_id, order.symbol) == ("bw-1-1-e", "v-bw-1-1-e", "BTCUSDT")
    assert (order.kind, order.our_state, order.exchange_state) == ("mismatch", "UNKNOWN", "PartiallyFilled")
    assert msgspec.json.decode(order.raw, type=OrderReport) == report


@pytest.mark.parametrize(
    ("tif", "status", "minutes", "hangs"),
    [
        (TimeInForce.GTC, "New", 300, False),
        (TimeInForce.POST_ONLY, "PartiallyFilled", 300, False),
        (TimeInForce.IOC, "New", 29, False),
        (TimeInForce.IOC, "New", 30, True),
    ],
)
def test_what_rests_in_the_book_does_not_hang_and_what_is_on_its_way_for_too_long_does(
    make, look, tif, status, minutes, hangs
):
    report = make.report(status, 3 if status == "PartiallyFilled" else 0, client_id="bw-2-1-e")
    sent(look, make, report, tif=tif)
    found = look.read([report], [make.position_report(3)], purpose="periodic", after_ms=minutes * MINUTE)
    assert [order.kind for order in found.hanging] == (["stuck"] if hangs else [])
