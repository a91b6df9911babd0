"""REST answers about the market. Source: Bybit v5 market pages."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from breakwall.model.units import Side, fixed
from breakwall.venues.exchange.candles import INTERVALS
from breakwall.venues.exchange.checks import band
from breakwall.venues.exchange.fields import bad
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.instruments import instrument_record
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.records import Record
from breakwall.venues.exchange.risk_tiers import tiers_of

T = TypeVar("T")
_FOREVER_MS = 10**14
_CATEGORIES = {"linear", "inverse", "spot", "option"}


def server_time(_floor: Floor, ask: Ask) -> Record:
    return {"timeSecond": str(ask.now_ms // 1000), "timeNano": str(ask.now_ms * 1_000_000)}


def instruments_info(floor: Floor, ask: Ask) -> Record:
    wanted = ask.text("status") or "Trading"
    base = ask.text("baseCoin")
    rows = [
        instrument_record(listing.instrument)
        for listing in listings_of(floor, ask)
        if listing.instrument.status == wanted and base in {"", listing.instrument.symbol.removesuffix("USDT")}
    ]
    page, cursor = paged(rows, ask, 500, 1000, lambda row: str(row["symbol"]))
    return {"category": ask.text("category"), "list": page, "nextPageCursor": cursor}


def tickers(floor: Floor, ask: Ask) -> Record:
    extra = {"basis": "", "basisRate": "", "predictedDeliveryPrice": "", "deliveryFeeRate": "", "deliveryTime": "0"}
    quoted = [listing for listing in listings_of(floor, ask) if listing.instrument.status != "Closed"]
    rows = [listing.ticker() | extra | {"deliveryTime": str(listing.instrument.delivery_ms)} for listing in quoted]
    return {"category": ask.text("category"), "list": rows}


def orderbook(floor: Floor, ask: Ask) -> Record:
    listing = one_listing(floor, ask)
    levels = ask.whole("limit", 25, 1, 1000)
    instrument, book = listing.instrument, listing.book

    def side(which: Side) -> list[tuple[str, str]]:
        return [
            (instrument.price_text(ticks), instrument.qty_text(lots)) for ticks, lots in book.depth(which, levels)
        ]

    return {
        "s": instrument.symbol,
        "b": side(Side.BUY),
        "a": side(Side.SELL),
        "ts": ask.now_ms,
        "u": floor.publisher.update_id(instrument.symbol),
        "seq": book.seq,
        "cts": ask.now_ms,
    }


def recent_trade(floor: Floor, ask: Ask) -> Record:
    listing = one_listing(floor, ask)
    instrument = listing.instrument
    newest = list(listing.tape)[: -ask.whole("limit", 500, 1, 1000) - 1 : -1]
    rows = [
        {
            "execId": trade.trade_id,
            "symbol": instrument.symbol,
            "price": instrument.price_text(trade.ticks),
            "size": instrument.qty_text(trade.lots),
            "side": trade.side.value,
            "time": str(trade.at_ms),
            "isBlockTrade": trade.block,
            "isRPITrade": trade.rpi,
            "seq": str(trade.seq),
        }
        for trade in newest
    ]
    return {"category": "linear", "list": rows}


def kline(floor: Floor, ask: Ask) -> Record:
    """Candles of the exchange's own trades, newest first; nothing is told of the time before it began."""
    listing = one_listing(floor, ask)
    interval = ask.text("interval")
    if interval not in INTERVALS:
        raise bad(f"params error: interval: expected one of {', '.join(INTERVALS)}, found {interval[:40]!r}")
    since, until = ask.whole("start", 0, 0, _FOREVER_MS), ask.whole("end", _FOREVER_MS, 0, _FOREVER_MS)
    limit = ask.whole("limit", 200, 1, 1000)
    candles = [one for one in listing.candles.of(interval, ask.now_ms) if since <= one.start_ms <= until]
    rows = [(str(one.start_ms), *one.texts(listing.instrument)) for one in candles[-limit:]]
    return {"category": "linear", "symbol": listing.instrument.symbol, "list": rows[::-1]}


def risk_limit(floor: Floor, ask: Ask) -> Record:
    """The tiers of 15 contracts a page; rates as fractions."""
    page, cursor = paged(listings_of(floor, ask), ask, 15, 15, lambda listing: listing.instrument.symbol)
    rows = [
        {
            "id": tier.tier_id,
            "symbol": listing.instrument.symbol,
            "riskLimitValue": fixed(tier.limit_usdt),
            "maintenanceMargin": fixed(tier.maintenance),
            "initialMargin": f"{1 / tier.max_leverage:.4f}",
            "isLowestRisk": int(tier.tier_id == 1),
            "maxLeverage": f"{tier.max_leverage:.2f}",
            "mmDeduction": fixed(tier.deduction_usdt) if tier.deduction_usdt else "",
        }
        for listing in page
        for tier in tiers_of(listing.instrument)
    ]
    return {"category": ask.text("category"), "list": rows, "nextPageCursor": cursor}


def funding_history(floor: Floor, ask: Ask) -> Record:
    """Settled funding rates since the exchange began, newest first."""
    listing = one_listing(floor, ask)
    since, until = ask.whole("startTime", 0, 0, _FOREVER_MS), ask.whole("endTime", 0, 0, _FOREVER_MS)
    if since and not until:
        raise bad("params error: startTime without endTime: expected both or endTime only")
    settled = [row for row in listing.funding_history if since <= row[0] <= (until or _FOREVER_MS)]
    rows = [
        {"symbol": listing.instrument.symbol, "fundingRate": fixed(rate), "fundingRateTimestamp": str(at_ms)}
        for at_ms, rate in settled[: -ask.whole("limit", 200, 1, 200) - 1 : -1]
    ]
    return {"category": "linear", "list": rows}


def price_limit(floor: Floor, ask: Ask) -> Record:
    """The highest buy and the lowest sell limit that would be taken now."""
    listing = one_listing(floor, ask)
    lowest_sell, highest_buy = map(listing.instrument.price_text, band(listing))
    return {
        "symbol": listing.instrument.symbol,
        "buyLmt": highest_buy,
        "sellLmt": lowest_sell,
        "ts": str(ask.now_ms),
    }


def system_status(floor: Floor, ask: Ask) -> Record:
    """Announced maintenance, newest first."""
    return {"list": floor.bulletin.rows(ask.text("id"), ask.text("state"))}


def listings_of(floor: Floor, ask: Ask) -> list[Listing]:
    """The listings a category and symbol name; the other categories exist and are empty here."""
    category, symbol = ask.text("category"), ask.text("symbol")
    if category not in _CATEGORIES:
        raise bad(f"params error: Category is invalid: {category!r}")
    if category != "linear":
        return []
    if symbol:
        return [one_listing(floor, ask)]
    return list(floor.listings.values())


def one_listing(floor: Floor, ask: Ask) -> Listing:
    listing = floor.listings.get(ask.text("symbol")) if ask.text("category") in {"linear", ""} else None
    if listing is None:
        raise bad(f"params error: Symbol Is Invalid: {ask.text('symbol')!r}")
    return listing


def paged(rows: Sequence[T], ask: Ask, default: int, most: int, name: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """One page of the rows and the cursor of the next; a cursor names the last row already seen."""
    limit = ask.whole("limit", default, 1, most)
    _, _, seen = ask.text("cursor").replace("%3D", "=").partition("=")
    start = next((place + 1 for place, row in enumerate(rows) if seen and name(row) == seen), 0)
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return page, f"after%3D{name(page[-1])}" if more else ""
