"""The look over all contracts, and making more of them ready, against a scripted venue."""

import asyncio
from decimal import Decimal

import pytest
from msgspec import structs

from breakwall.model.listings import Admitted, Listed, Listings
from breakwall.ports import HttpAnswer
from tests.venues.bybit.scripts import FLAT, LEVERAGE, LONG, POSITIONS, RULES

INSTRUMENTS, TICKERS = "/v5/market/instruments-info", "/v5/market/tickers"
BTC = {
    "symbol": "BTCUSDT",
    "turnover24h": "123456789.5",
    "price24hPcnt": "-0.0312",
    "bid1Price": "60000.00",
    "ask1Price": "60000.10",
    "curPreListingPhase": "",
}


@pytest.fixture
def scan(venue, broker, notebook, virtual):
    """Run the scanner for a while, with `symbols` asked for after a second; what it has told."""

    def run(seconds: float = 5, symbols: tuple[str, ...] = (), refresh_s: float = 30) -> list:
        async def main() -> None:
            scanner = broker.scanner(refresh_s)
            task = asyncio.ensure_future(scanner.run())
            await asyncio.sleep(1)
            if symbols:
                scanner.admit(symbols)
            await asyncio.sleep(seconds - 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        if not venue.answers[TICKERS]:
            venue.say(TICKERS, {"list": [BTC]})
        virtual(main())
        return [event for event in notebook.events if isinstance(event, Listings | Admitted)]

    return run


def test_all_contracts_are_told_at_once_and_again(scan, venue) -> None:
    looks = scan(seconds=65)
    row = Listed("BTCUSDT", Decimal("123456789.5"), Decimal("-0.0312"), Decimal("60000.00"), Decimal("60000.10"))
    assert looks == [Listings((row,))] * 3
    assert (len(venue.asked(TICKERS)), len(venue.asked(INSTRUMENTS))) == (3, 1)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"deliveryTime": "1800000000000"}, {"tradable": False}),
        ({"contractType": "LinearFutures"}, {"tradable": False}),
        ({"settleCoin": "USDC", "quoteCoin": "USDC"}, {"tradable": False}),
        ({"symbolType": "stock"}, {"kind": "stock"}),
        ({"launchTime": "1700000000000"}, {"launched_ms": 1_700_000_000_000}),
        ({"priceFilter": None}, {"tradable": False}),
    ],
)
def test_what_the_rules_say_is_told(scan, venue, rules: dict, told: dict) -> None:
    venue.say(INSTRUMENTS, {"list": [RULES | rules]})
    (row,) = scan()[0].rows
    assert {name: getattr(row, name) for name in told} == told


def test_an_empty_side_and_missing_figures_are_none_and_nothing(scan, venue) -> None:
    venue.say(TICKERS, {"list": [{"symbol": "BTCUSDT", "bid1Price": ""}]})
    (row,) = scan()[0].rows
    assert (row.bid, row.ask, row.turnover_usdt, row.change) == (None, None, 0, 0)


def test_a_new_contract_is_known_at_the_next_look_and_one_before_its_market_is_not_asked_for(scan, venue) -> None:
    early = BTC | {"symbol": "PREUSDT", "curPreListingPhase": "CallAuction"}
    new = BTC | {"symbol": "NEWUSDT"}
    venue.say(TICKERS, {"list": [BTC, early]}, {"list": [BTC, early]}, {"list": [BTC, new]})
    venue.say(INSTRUMENTS, {"list": [RULES]}, {"list": [RULES, RULES | {"symbol": "NEWUSDT"}]})
    looks = scan(seconds=65)
    assert len(venue.asked(INSTRUMENTS)) == 2
    assert [[row.tradable for row in look.rows] for look in looks] == [[True, False], [True, False], [True, True]]


def test_a_list_that_cannot_be_read_is_told_and_asked_for_again(scan, venue) -> None:
    venue.say(TICKERS, (10016, "server error"))
    looks = scan(seconds=65)
    assert len(looks) > 1
    assert all(look.rows == () and "server error" in look.reason for look in looks)


def test_a_symbol_is_made_ready_with_its_leverage(scan, venue, broker) -> None:
    venue.say(POSITIONS, {"list": [FLAT | {"leverage": "3"}]})
    admitted = scan(symbols=("BTCUSDT",))[-1]
    assert [instrument.symbol for instrument in admitted.instruments] == ["BTCUSDT"]
    assert broker.instruments["BTCUSDT"] is admitted.instruments[0]
    assert [body["buyLeverage"] for body in venue.asked(LEVERAGE)] == ["10"]


def test_rules_that_change_while_others_are_made_ready_are_the_ones_that_are_told(scan, venue, broker) -> None:
    """Whoever decides in old ticks while the broker writes prices in new ones sends wrong prices."""

    def change(_request) -> HttpAnswer:
        broker.instruments["BTCUSDT"] = structs.replace(broker.instruments["BTCUSDT"], tick=Decimal(5), version=2)
        return HttpAnswer(200, b'{"retCode":0,"retMsg":"OK","result":{}}')

    venue.say(POSITIONS, {"list": [FLAT]}, {"list": [FLAT | {"symbol": "ETHUSDT", "leverage": "3"}]})
    venue.say(LEVERAGE, change)
    admitted = scan(symbols=("BTCUSDT", "ETHUSDT"))[-1]
    assert [(one.symbol, one.tick) for one in admitted.instruments] == [
        ("BTCUSDT", Decimal(5)),
        ("ETHUSDT", Decimal("0.10")),
    ]


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        (POSITIONS, {"list": [LONG | {"leverage": "3"}]}, "3 with an open position"),
        (POSITIONS, {"list": [FLAT | {"positionIdx": 1}, FLAT | {"positionIdx": 2}]}, "one-way, found hedge"),
        (POSITIONS, (10016, "server error"), "BTCUSDT position"),
        (INSTRUMENTS, {"list": [RULES | {"deliveryTime": "1800000000000"}]}, "a living USDT perpetual"),
        (INSTRUMENTS, {"list": [RULES | {"leverageFilter": {"maxLeverage": "5"}}]}, "at most 5"),
    ],
)
def test_who_cannot_be_traded_is_told_why_and_stays_unknown(scan, venue, broker, path, answer, words) -> None:
    venue.say(path, answer)
    admitted = scan(symbols=("BTCUSDT", "NOPEUSDT"))[-1]
    assert admitted.instruments == ()
    reasons = dict(admitted.refused)
    assert words in reasons["BTCUSDT"]
    assert "no such symbol" in reasons["NOPEUSDT"]
    assert broker.instruments == {}
