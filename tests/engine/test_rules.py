"""Trading rules that change while we trade."""

from decimal import Decimal

from msgspec.structs import replace

from breakwall.model.actions import Approved, CancelOrder, Note, Resubscribe
from breakwall.model.events import BookDelta, BookSnapshot, Instruments
from breakwall.trading.order import OrderState
from tests.engine.conftest import ASK, BID, Floor, orders, rules_of

MINUTE_MS = 60_000


def change(floor: Floor, symbol: str = "BTCUSDT", **changes: object) -> list:
    return floor.say(Instruments((replace(rules_of(symbol), version=2, **changes),)))


def in_position(floor: Floor) -> None:
    """Long in BTCUSDT; nobody enters anything any more."""
    floor.deliver(floor.enter())
    floor.tell()
    floor.state.strategies = ()
    floor.tick()
    assert [position.symbol for position in floor.view().positions if position.lots] == ["BTCUSDT"]


def test_a_contract_that_ends_takes_no_entries_and_withdraws_those_under_way(floor: Floor) -> None:
    entry = floor.enter()
    ends = {"delivery_ms": floor.now + 200 * MINUTE_MS}
    actions = change(floor, **ends)
    cancels = [a.intent for a in actions if isinstance(a, Approved) and isinstance(a.intent, CancelOrder)]
    withdrawn = floor.state.orders.get(entry.client_id)
    assert cancels or (withdrawn is not None and withdrawn.state is OrderState.CANCELLED)
    assert floor.core.gate(entry, floor.now), "what was not sent yet never leaves"
    told = [a for a in actions if isinstance(a, Note) and a.kind == "closing"]
    assert told[0].durable
    assert "3 h 19 min" in told[0].text
    assert "ends this contract" in floor.view().market("BTCUSDT").reducing
    assert not floor.view().market("ETHUSDT").reducing
    assert not change(floor, **ends), "the same again is no news"


def test_its_signals_are_refused_by_name(floor: Floor) -> None:
    change(floor, delivery_ms=floor.now + 200 * MINUTE_MS)
    assert [order.symbol for order in orders(floor.tick())] == ["ETHUSDT"]
    refused = next(signal for signal in floor.view().signals if signal.symbol == "BTCUSDT")
    assert (refused.refused_by, "ends this contract" in refused.reason) == ("symbol active", True)


def test_its_position_stays_and_is_closed_in_time(floor: Floor) -> None:
    in_position(floor)
    change(floor, delivery_ms=floor.now + 60 * MINUTE_MS + 250)
    assert not orders(floor.tick() + floor.tick())
    closes = [order for order in orders(floor.tick()) if order.reduce_only]
    assert [order.symbol for order in closes] == ["BTCUSDT"]
    assert "ends this contract" in closes[0].why


def test_what_is_no_longer_traded_is_not_sent_orders(floor: Floor) -> None:
    in_position(floor)
    change(floor, status="Delivering", delivery_ms=floor.now)
    assert not orders(floor.tick())
    assert "Delivering" in floor.view().market("BTCUSDT").reducing


def test_a_new_tick_and_lot_convert_what_is_held_and_ask_for_the_book_again(floor: Floor) -> None:
    in_position(floor)
    before = floor.view().positions[0]
    counted = floor.view().counters
    actions = change(floor, tick=Decimal("0.05"), lot=Decimal("0.0005"))
    assert [action.symbol for action in actions if isinstance(action, Resubscribe)] == ["BTCUSDT"]
    after = floor.view().positions[0]
    assert (after.qty, after.stop, after.entry) == (before.qty, before.stop, before.entry)
    assert (after.lots, after.lots // 2) == (2 * before.lots, before.lots)
    market = floor.view().market("BTCUSDT")
    assert (market.status, market.bid, market.walls) == ("RESYNC", None, ())
    assert floor.view().counters.book_messages == counted.book_messages
    floor.say(BookDelta("BTCUSDT", [(BID, 5)], [], 99, 99, floor.now, 200))
    assert floor.view().market("BTCUSDT").bid is None, "no delta is believed before the snapshot"
    floor.say(BookSnapshot("BTCUSDT", [(2 * BID, 5)], [(2 * ASK, 5)], 1, 100, floor.now, 200))
    assert floor.view().market("BTCUSDT").bid == Decimal("60000.00")


def test_rules_of_a_symbol_nobody_follows_make_no_market(floor: Floor) -> None:
    floor.say(Instruments((rules_of("DOGEUSDT"),)))
    assert floor.view().market("DOGEUSDT") is None
