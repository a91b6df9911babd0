"""REST answers about positions, money and the account. Source: Bybit v5 position, account and user pages."""

from zlib import crc32

from breakwall.model.units import fixed
from breakwall.venues.exchange import checks
from breakwall.venues.exchange.closed_trades import closed_trades
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.market_routes import listings_of, paged
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record, position_record, wallet_record
from breakwall.venues.exchange.trading_routes import time_window

_UTA2 = 5
_ONE_WAY, _HEDGE = "0", "3"


def position_list(floor: Floor, ask: Ask) -> Record:
    """By symbol also flat positions, else only the open ones."""
    if ask.text("category") == "linear" and not (ask.text("symbol") or ask.text("settleCoin")):
        raise checks.bad("params error: one of symbol, settleCoin is required")
    positions = (floor.account.positions[listing.instrument.symbol] for listing in listings_of(floor, ask))
    rows = [
        position_record(position, floor.listings[position.instrument.symbol], floor.account.taker_fee)
        for position in positions
        if position.lots or ask.text("symbol")
    ]
    page, cursor = paged(rows, ask, 20, 200, lambda row: str(row["symbol"]))
    return {"category": ask.text("category"), "list": page, "nextPageCursor": cursor}


def closed_pnl(floor: Floor, ask: Ask) -> Record:
    since, until = time_window(ask)
    rows = [
        row
        for row in closed_trades(floor.log.executions)
        if since <= row.updated_ms <= until and ask.text("symbol") in {"", row.symbol}
    ]
    page, cursor = paged(rows, ask, 50, 100, lambda row: row.order_id)
    return {
        "category": ask.text("category"),
        "list": [row.record(floor.account.positions[row.symbol].leverage) for row in page],
        "nextPageCursor": cursor,
    }


def trading_stop(floor: Floor, ask: Ask) -> Record:
    floor.entry.set_stops(ask.params, ask.now_ms)
    return {}


def set_leverage(floor: Floor, ask: Ask) -> Record:
    listing = checks.listing_of(ask.params, floor.listings)
    symbol = listing.instrument.symbol
    if ask.text("buyLeverage") != ask.text("sellLeverage"):
        raise checks.bad("buy leverage must equal sell leverage in one-way mode")
    leverage = checks.number(ask.params, "buyLeverage")
    if leverage < 1 or leverage % listing.instrument.leverage_step:
        raise checks.bad(f"leverage invalid: expected steps of {listing.instrument.leverage_step} from 1")
    if leverage > listing.instrument.max_leverage:
        raise Refusal(110013, f"cannot set leverage gt maxLeverage {listing.instrument.max_leverage}")
    position = floor.account.positions[symbol]
    if leverage == position.leverage:
        raise Refusal(110043, "leverage not modified")
    before, position.leverage = position.leverage, leverage
    if leverage < before and floor.account.available(floor.log.live()) < 0:
        position.leverage = before
        raise Refusal(110044, "available margin is not enough for this leverage")
    floor.log.touched.add(symbol)
    return {}


def switch_mode(_floor: Floor, ask: Ask) -> Record:
    if ask.text("mode") == _ONE_WAY:
        raise Refusal(110025, "Position mode is not modified")
    if ask.text("mode") == _HEDGE:
        raise Refusal(110029, "hedge mode is not supported by the embedded exchange")
    raise checks.bad(f"params error: mode: expected 0 or 3, found {ask.text('mode')!r}")


def set_margin_mode(floor: Floor, ask: Ask) -> Record:
    mode = ask.text("setMarginMode")
    if mode == floor.account.margin_mode:
        return {"reasons": []}
    reason = {"reasonCode": "3400045", "reasonMsg": "the embedded exchange only has ISOLATED_MARGIN"}
    raise Refusal(3400045, "Set margin mode failed", {"reasons": [reason]})


def set_limit_px_action(floor: Floor, ask: Ask) -> Record:
    if not isinstance(ask.params.get("modifyEnable"), bool):
        raise checks.bad("params error: modifyEnable: expected true or false")
    floor.account.reprice = checks.flag(ask.params, "modifyEnable")
    return {}


def account_info(floor: Floor, ask: Ask) -> Record:
    return {
        "unifiedMarginStatus": _UTA2,
        "marginMode": floor.account.margin_mode,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "updatedTime": str(ask.now_ms),
    }


def wallet_balance(floor: Floor, ask: Ask) -> Record:
    if ask.text("accountType") != "UNIFIED":
        raise checks.bad(f"params error: accountType: expected UNIFIED, found {ask.text('accountType')!r}")
    wallet = wallet_record(floor.account, floor.listings, floor.log.live())
    coins = ask.text("coin")
    if coins and "USDT" not in coins.split(","):
        wallet["coin"] = []
    return {"list": [wallet]}


def fee_rate(floor: Floor, ask: Ask) -> Record:
    rows = [
        {
            "symbol": listing.instrument.symbol,
            "takerFeeRate": fixed(floor.account.taker_fee),
            "makerFeeRate": fixed(floor.account.maker_fee),
            "baseCoin": "",
        }
        for listing in listings_of(floor, ask)
    ]
    return {"category": ask.text("category"), "list": rows}


def query_api(floor: Floor, _ask: Ask) -> Record:
    """The key may trade and never withdraw; the user id tells one embedded account from another."""
    user = crc32(floor.keys.api_key.encode())
    return {
        "id": str(user),
        "note": "embedded exchange",
        "apiKey": floor.keys.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Derivatives": ["DerivativesTrade"],
            "Wallet": [],
            "Spot": [],
            "Options": [],
            "Exchange": [],
        },
        "ips": ["127.0.0.1"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2100-01-01T00:00:00Z",
        "createdAt": "2024-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": user,
        "vipLevel": "No VIP",
        "isMaster": True,
        "parentUid": "0",
    }


def coin_info(_floor: Floor, _ask: Ask) -> Record:
    """No deposits or withdrawals here, so no coins to describe."""
    return {"rows": []}
