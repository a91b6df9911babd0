"""The four contracts the embedded exchange lists, with the real rules of their namesakes.

Source: `GET /v5/market/instruments-info?category=linear` of Bybit; maintenance rates are those of the
lowest risk tier.
"""

from decimal import Decimal

from breakwall.model.units import Instrument, fixed

_MAX_TICKS = 19_999_998
_LAUNCHED_MS = {
    "BTCUSDT": 1_584_230_400_000,
    "ETHUSDT": 1_615_766_400_000,
    "SOLUSDT": 1_634_256_000_000,
    "DOGEUSDT": 1_622_505_600_000,
}
_SYMBOL_ID = {"BTCUSDT": 5, "ETHUSDT": 6, "SOLUSDT": 56, "DOGEUSDT": 46}
FUNDING_CAP = Decimal("0.005")

INSTRUMENTS: dict[str, Instrument] = {
    instrument.symbol: instrument
    for instrument in (
        Instrument(
            symbol="BTCUSDT",
            tick=Decimal("0.10"),
            lot=Decimal("0.001"),
            min_lots=1,
            max_lots=1_500_000,
            max_market_lots=150_000,
            price_decimals=2,
        ),
        Instrument(
            symbol="ETHUSDT",
            tick=Decimal("0.01"),
            lot=Decimal("0.01"),
            min_lots=1,
            max_lots=1_000_000,
            max_market_lots=200_000,
            price_limit_ratio=Decimal("0.02"),
            price_decimals=2,
        ),
        Instrument(
            symbol="SOLUSDT",
            tick=Decimal("0.010"),
            lot=Decimal("0.1"),
            min_lots=1,
            max_lots=797_700,
            max_market_lots=79_770,
            price_limit_ratio=Decimal("0.05"),
            price_decimals=3,
        ),
        Instrument(
            symbol="DOGEUSDT",
            tick=Decimal("0.00001"),
            lot=Decimal(1),
            min_lots=1,
            max_lots=13_980_000,
            max_market_lots=2_330_000,
            max_leverage=Decimal(75),
            maintenance_rate=Decimal("0.0065"),
            price_limit_ratio=Decimal("0.05"),
            price_decimals=5,
        ),
    )
}


def price_limit_ratio_y(instrument: Instrument) -> Decimal:
    """The wider of the two price limits, twice the narrow one for every listed contract."""
    return 2 * instrument.price_limit_ratio


def instrument_record(instrument: Instrument) -> dict[str, object]:
    """One row of instruments-info."""
    qty = instrument.qty_text
    return {
        "symbol": instrument.symbol,
        "symbolId": _SYMBOL_ID.get(instrument.symbol, 0),
        "contractType": instrument.contract,
        "status": instrument.status,
        "baseCoin": instrument.symbol.removesuffix(instrument.quote),
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.settle,
        "symbolType": instrument.kind,
        "launchTime": str(instrument.launched_ms or _LAUNCHED_MS.get(instrument.symbol, 0)),
        "deliveryTime": str(instrument.delivery_ms),
        "deliveryFeeRate": "",
        "priceScale": str(instrument.price_decimals),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": f"{instrument.max_leverage:.2f}",
            "leverageStep": fixed(instrument.leverage_step),
        },
        "priceFilter": {
            "minPrice": instrument.price_text(1),
            "maxPrice": instrument.price_text(_MAX_TICKS),
            "tickSize": instrument.price_text(1),
        },
        "lotSizeFilter": {
            "minOrderQty": qty(instrument.min_lots),
            "maxOrderQty": qty(instrument.max_lots),
            "maxMktOrderQty": qty(instrument.max_market_lots),
            "qtyStep": qty(1),
            "postOnlyMaxOrderQty": qty(instrument.max_lots),
            "minNotionalValue": fixed(instrument.min_notional_usdt),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": instrument.funding_interval_min,
        "copyTrading": "both",
        "upperFundingRate": fixed(FUNDING_CAP),
        "lowerFundingRate": fixed(-FUNDING_CAP),
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": fixed(instrument.price_limit_ratio),
            "priceLimitRatioY": fixed(price_limit_ratio_y(instrument)),
        },
        "forbidUplWithdrawal": False,
        "displayName": "",
    }
