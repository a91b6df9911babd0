"""What a screen is told: positions with their plan, orders with their reason, signals with their card."""

from decimal import Decimal

from msgspec import structs

from breakwall.model.events import Link, LinkChanged, Ticker

BTC, ETH = "BTCUSDT", "ETHUSDT"


def hold(floor):
    floor.order("pause", ETH)
    entry = floor.enter()
    floor.deliver(entry)
    floor.tell()
    floor.read_back(late_ms=39)
    return entry


def test_only_the_selected_market_has_its_depth(floor):
    view = floor.view(ETH)
    assert [(market.symbol, len(market.bids)) for market in view.symbols] == [(BTC, 0), (ETH, 1)]
    assert floor.core.market(ETH, floor.now) == view.market(ETH)
    assert floor.core.market("XRPUSDT", floor.now) is None


def test_who_only_asks_about_the_account_gets_no_market(floor):
    hold(floor)
    without, whole = floor.view(None), floor.view()
    assert (without.symbols, len(without.positions)) == ((), 1)
    assert structs.replace(without, symbols=whole.symbols) == whole


def test_an_order_says_what_it_is_for(floor):
    entry = floor.enter()
    floor.pass_time(200)
    order = next(order for order in floor.view().orders if order.symbol == BTC)
    assert (order.client_id, order.side, order.reduce_only, order.filled_qty) == (entry.client_id, "Buy", False, 0)
    assert (order.qty, order.age_ms, order.why) == (Decimal("0.001") * entry.lots, 200, "breakout: it breaks")


def test_a_position_shows_its_plan_its_risk_and_its_stop(floor):
    entry = hold(floor)
    floor.say(Ticker(BTC, 2, mark=Decimal(60_120)))
    floor.tick()
    (position,) = floor.view().positions
    qty = Decimal("0.001") * entry.lots
    assert (position.target, position.risk_usdt, position.r) == (61_200, 120 * qty, 1)
    assert (position.stop, position.naked_ms, position.reason) == (59_880, None, "")
    assert floor.view().day_pnl_usdt == 120 * qty
    floor.order("flatten", BTC)
    (position,) = floor.view().positions
    assert (position.state, position.reason) == ("CLOSING", "flatten by person")


def test_a_position_without_a_stop_shows_since_when(floor):
    floor.order("pause", ETH)
    floor.deliver(floor.enter())
    floor.news.pop()  # the position's report, which would prove the stop
    floor.tell()
    opened_ms = floor.view().positions[0].opened_ms
    floor.pass_time(200)
    position = floor.view().positions[0]
    assert (position.stop, position.naked_ms) == (None, floor.now - opened_ms)


def test_signals_show_their_card_and_what_came_of_them_once_each(floor):
    for _ in range(3):
        floor.tick()
    ordered = [signal for signal in floor.view().signals if not signal.refused_by]
    assert [signal.symbol for signal in ordered] == [BTC, ETH]
    signal = ordered[0]
    assert (signal.side, signal.entry, signal.stop, signal.target) == ("Buy", Decimal("60000.1"), 59_880, 61_200)
    assert (len(signal.checks), signal.reasons) == (10, ("it breaks", "trend up"))
    assert signal.qty > 0
    assert signal.loss_at_stop_usdt > 0


def test_how_fresh_the_account_is_and_that_it_is_doubted_is_told(floor):
    floor.read_back(late_ms=39)
    floor.say(LinkChanged(Link.PRIVATE, up=False, reason="gone"), 10)
    view = floor.view()
    assert (view.rest_ms, view.read_back_age_ms, view.blind) == (40, 50, True)
    assert "private link down: gone" in view.why
    assert [rule.rule for rule in view.breaker][:2] == ["daily loss", "drawdown"]
