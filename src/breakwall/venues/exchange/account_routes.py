"""REST answers about money, margin and the key. Source: Bybit v5 account, user and asset pages."""

from decimal import Decimal
from zlib import crc32

from breakwall.model.units import fixed
from breakwall.venues.exchange.account import CROSS, ISOLATED, PORTFOLIO, START_BALANCE
from breakwall.venues.exchange.cash_log import cash_rows
from breakwall.venues.exchange.fields import bad, flag, number
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.market_routes import listings_of, paged
from breakwall.venues.exchange.order import ZERO, Refusal
from breakwall.venues.exchange.records import Record, wallet_record
from breakwall.venues.exchange.trading_routes import time_window

_UTA2 = 5
_DAY_MS = 86_400_000
_LEAST_PORTFOLIO_USDT = 1000
_MOST_DEMO_USDT = 100_000
_MINUTE_MS = 60_000


def set_margin_mode(floor: Floor, ask: Ask) -> Record:
    """Of the whole account; the venue tells why it cannot be, as far as we know its reasons."""
    mode = ask.text("setMarginMode")
    if mode not in {ISOLATED, CROSS, PORTFOLIO}:
        raise bad(f"params error: setMarginMode is invalid: {mode[:40]!r}")
    if mode == floor.account.margin_mode:
        return {"reasons": []}
    reasons = _margin_reasons(floor, mode)
    if reasons:
        raise Refusal(3400045, "Set margin mode failed", {"reasons": reasons})
    floor.account.margin_mode = mode
    return {"reasons": []}


def _margin_reasons(floor: Floor, mode: str) -> list[Record]:
    reasons: list[Record] = []
    if any(position.lots for position in floor.account.all_positions()):
        reasons.append({"reasonCode": "110024", "reasonMsg": "There is an open position"})
    if any(floor.log.live()):
        reasons.append({"reasonCode": "110028", "reasonMsg": "There are open orders"})
    if mode == PORTFOLIO:
        if floor.account.hedging:
            reasons.append({"reasonCode": "3400093", "reasonMsg": "Hedge mode is not supported"})
        if floor.account.balance < _LEAST_PORTFOLIO_USDT:
            reasons.append({"reasonCode": "3400000", "reasonMsg": "Equity needs to be at least 1000 USDC"})
        reasons = reasons or [{"reasonCode": "3400045", "reasonMsg": "Portfolio margin is not offered here"}]
    return reasons


def set_limit_px_action(floor: Floor, ask: Ask) -> Record:
    if not isinstance(ask.params.get("modifyEnable"), bool):
        raise bad("params error: modifyEnable: expected true or false")
    floor.account.reprice = flag(ask.params, "modifyEnable")
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
        raise bad(f"params error: accountType: expected UNIFIED, found {ask.text('accountType')!r}")
    wallet = wallet_record(floor.account, floor.listings, floor.log.live())
    coins = ask.text("coin")
    if coins and "USDT" not in coins.split(","):
        wallet["coin"] = []
    return {"list": [wallet]}


def fee_rate(floor: Floor, ask: Ask) -> Record:
    """ccxt asks without a category and means the contracts."""
    category = ask.text("category") or "linear"
    rows = [
        {
            "symbol": listing.instrument.symbol,
            "takerFeeRate": fixed(floor.account.taker_fee),
            "makerFeeRate": fixed(floor.account.maker_fee),
            "baseCoin": "",
        }
        for listing in listings_of(floor, Ask({**ask.params, "category": category}, ask.now_ms))
    ]
    return {"category": category, "list": rows}


def query_api(floor: Floor, _ask: Ask) -> Record:
    """The key may trade and never withdraw, unless its facts say otherwise. The user id is the account's."""
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
        **floor.keys.facts,
    }


def coin_info(floor: Floor, ask: Ask) -> Record:
    """The coins of the contracts; nothing can be deposited or withdrawn."""
    names = ["USDT", *(listing.instrument.symbol.removesuffix("USDT") for listing in floor.listings.values())]
    chain = {
        **dict.fromkeys(("confirmation", "withdrawFee", "depositMin", "withdrawMin", "withdrawPercentageFee"), "0"),
        **dict.fromkeys(("chainDeposit", "chainWithdraw"), "0"),
        "minAccuracy": "8",
    }
    rows = [
        {"name": name, "coin": name, "remainAmount": "0", "chains": [{"chain": name, "chainType": name, **chain}]}
        for name in names
        if ask.text("coin") in {"", name}
    ]
    return {"rows": rows}


def transaction_log(floor: Floor, ask: Ask) -> Record:
    """What changed the cash, newest first; the last day where no time is said."""
    if ask.text("accountType") not in {"", "UNIFIED"}:
        raise bad(f"params error: accountType: expected UNIFIED, found {ask.text('accountType')[:40]!r}")
    said = ask.text("startTime") or ask.text("endTime")
    since, until = time_window(ask) if said else (ask.now_ms - _DAY_MS, ask.now_ms)
    rows = [
        row
        for row in cash_rows(floor.log.executions, floor.account.transfers)
        if since <= int(str(row["transactionTime"])) <= until
        and all(ask.text(key) in {"", str(row[key])} for key in ("category", "currency", "type"))
    ]
    page, cursor = paged(rows, ask, 20, 50, lambda row: str(row["id"]))
    return {"list": page, "nextPageCursor": cursor}


def demo_apply_money(floor: Floor, ask: Ask) -> Record:
    """Play money: up to 100,000 USDT a call, one call a minute; `adjustType` 1 takes some away.

    Without amounts, as pybit asks, it is as much as the account began with.
    """
    granted, _allowance = floor.limits.take("demo money", 1, 1, ask.now_ms, _MINUTE_MS)
    if not granted:
        raise Refusal(10006, "Too many visits. Exceeded the API Rate Limit.")
    asked = ask.params.get("utaDemoApplyMoney") or [{"coin": "USDT", "amountStr": str(START_BALANCE)}]
    coins = [coin for coin in asked if isinstance(coin, dict)] if isinstance(asked, list) else []
    if not coins or any(coin.get("coin") != "USDT" for coin in coins):
        raise bad("params error: utaDemoApplyMoney: expected a list with the coin USDT")
    sign = -1 if ask.text("adjustType") == "1" else 1
    for coin in coins:
        amount = number(coin, "amountStr")
        if not 0 < amount <= _MOST_DEMO_USDT:
            raise bad(f"params error: amountStr: expected up to {_MOST_DEMO_USDT}, found {amount}")
        if sign < 0 and amount > floor.account.available(floor.log.live()):
            raise bad("params error: amountStr: more than is there")
        floor.account.deposit(sign * amount, ask.now_ms)
    return {}


def set_dcp(floor: Floor, ask: Ask) -> Record:
    """disconnected-cancel-all, for accounts that have it."""
    floor.dead_man.set_window(ask.text("product") or "OPTIONS", ask.whole("timeWindow", 0, 0, 10_000))
    return {}


def dcp_info(floor: Floor, _ask: Ask) -> Record:
    return {"dcpInfos": floor.dead_man.facts()}


def smp_group(_floor: Floor, _ask: Ask) -> Record:
    return {"smpGroup": 0}


def user_setting_config(floor: Floor, _ask: Ask) -> Record:
    """What `set-limit-px-action` has set: whether far limit prices are moved (true) or refused."""
    return {"lpaSpot": True, "lpaPerp": floor.account.reprice, "deltaEnable": False}


def coins_balance(floor: Floor, ask: Ask) -> Record:
    """What could be transferred: all that no position and no order holds."""
    free = max(ZERO, floor.account.available(floor.log.live()))
    row = {
        "coin": "USDT",
        "walletBalance": fixed(round(floor.account.balance, 8)),
        "transferBalance": fixed(round(Decimal(free), 8)),
        "bonus": "",
    }
    return {"memberId": "", "accountType": ask.text("accountType") or "UNIFIED", "balance": [row]}
