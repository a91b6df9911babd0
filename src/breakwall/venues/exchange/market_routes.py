"""REST answers about the market. Source: Bybit v5 market pages."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from breakwall.model.units import Side
from breakwall.venues.exchange.checks import bad
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.instruments import instrument_record
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.records import Record

T = TypeVar("T")
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
    rows = [listing.ticker() | extra for listing in listings_of(floor, ask)]
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
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(trade.seq),
        }
        for trade in newest
    ]
    return {"category": "linear", "list": rows}


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
