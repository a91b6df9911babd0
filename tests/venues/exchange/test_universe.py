"""Contracts that exist only here: enough of them for a venue's paging, each with rules that hold."""

from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.universe import MOST_SYMBOLS, first_symbols, instrument_of

START = 1_800_000_000_000


def test_the_first_four_are_the_real_names() -> None:
    assert first_symbols(5)[:4] == ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
    assert len(set(first_symbols(MOST_SYMBOLS))) == MOST_SYMBOLS


@pytest.mark.parametrize("count", [0, MOST_SYMBOLS + 1])
def test_there_are_not_more_than_that(count: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 to {MOST_SYMBOLS} symbols, found {count}"):
        first_symbols(count)


def test_a_contract_can_be_traded_with_its_rules() -> None:
    for symbol in first_symbols(200):
        instrument = instrument_of(symbol)
        assert instrument.tick == Decimal(instrument.price_text(1))
        assert instrument.tradable
        assert 0 < instrument.maintenance_rate < 1 / instrument.max_leverage


def test_an_invented_market_lives() -> None:
    symbol = first_symbols(9)[-1]
    exchange = Exchange(1, "tour", START, symbols=[symbol])
    exchange.advance(START + 5_000)
    book = exchange.listings[symbol].book
    assert all(len(book.depth(side, 1000)) >= 200 for side in Side)
    assert exchange.listings[symbol].take_trades() or exchange.listings[symbol].tape


def test_more_than_a_page_of_instruments(new_hand: Any) -> None:
    hand = new_hand(symbols=first_symbols(600))
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        answer = hand.get("/v5/market/instruments-info", category="linear", cursor=cursor)["result"]
        seen += [row["symbol"] for row in answer["list"]]
        cursor, pages = answer["nextPageCursor"], pages + 1
    assert (tuple(seen), pages) == (first_symbols(600), 2)
    assert len(hand.get("/v5/market/instruments-info", category="linear", limit=1000)["result"]["list"]) == 600
    assert len(hand.get("/v5/market/tickers", category="linear")["result"]["list"]) == 600
    first = hand.get("/v5/market/risk-limit", category="linear")["result"]
    assert len({row["symbol"] for row in first["list"]}) == 15
    assert first["nextPageCursor"]
