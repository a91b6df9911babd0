"""REST answers about positions and their settings. Source: Bybit v5 position pages."""

from decimal import Decimal

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.closed_trades import closed_trades
from breakwall.venues.exchange.fields import bad, number, text
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.market_routes import listings_of, paged
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.positions import LONG_IDX, Position
from breakwall.venues.exchange.records import Record, position_record
from breakwall.venues.exchange.risk_tiers import largest_usdt
from breakwall.venues.exchange.stop_terms import mode_of
from breakwall.venues.exchange.trading_routes import time_window

_ONE_WAY, _HEDGE = "0", "3"
_MARGIN_DECIMALS = Decimal("0.0001")


def position_list(floor: Floor, ask: Ask) -> Record:
    """By symbol also flat positions, else only the open ones."""
    if ask.text("category") == "linear" and not (ask.text("symbol") or ask.text("settleCoin")):
        raise bad("params error: one of symbol, settleCoin is required")
    rows = [
        position_record(position, floor.account, listing)
        for listing in listings_of(floor, ask)
        for position in floor.account.of(listing.instrument.symbol)
        if position.lots or ask.text("symbol")
    ]
    page, cursor = paged(rows, ask, 20, 200, lambda row: f"{row['symbol']}.{row['positionIdx']}")
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
    floor.stops.set(ask.params, ask.now_ms)
    return {}


def symbol_info(floor: Floor, ask: Ask) -> Record:
    """Leverage and modes of a contract, with or without a position."""
    rows = [
        {
            "symbol": listing.instrument.symbol,
            "positionIdx": position.idx,
            "leverage": f"{position.leverage:f}",
            "marginMode": floor.account.margin_mode,
            "positionMode": "BothSide" if position.idx else "MergedSingle",
        }
        for listing in listings_of(floor, ask)
        for position in floor.account.of(listing.instrument.symbol)
    ]
    page, cursor = paged(rows, ask, 20, 200, lambda row: f"{row['symbol']}.{row['positionIdx']}")
    return {"category": ask.text("category"), "list": page, "nextPageCursor": cursor}


def set_leverage(floor: Floor, ask: Ask) -> Record:
    """One value for both sides; each side its own where both exist with margin of their own."""
    listing = checks.listing_of(ask.params, floor.listings)
    account, symbol = floor.account, listing.instrument.symbol
    positions = account.of(symbol)
    wanted = [
        _leverage(ask, "buyLeverage" if one.idx in {0, LONG_IDX} else "sellLeverage", listing) for one in positions
    ]
    apart = symbol in account.hedging and not account.cross
    if not apart and _leverage(ask, "sellLeverage", listing) != wanted[0]:
        raise bad("buy leverage must equal sell leverage in one-way mode and in cross margin")
    before = [position.leverage for position in positions]
    if wanted == before:
        raise Refusal(110043, "leverage not modified")
    for position, leverage in zip(positions, wanted, strict=True):
        if position.qty * position.entry > largest_usdt(listing.instrument, leverage):
            raise Refusal(110090, "The position is too large for this leverage")
    _apply_leverage(positions, wanted)
    if any(new < old for new, old in zip(wanted, before, strict=True)) and account.available(floor.log.live()) < 0:
        _apply_leverage(positions, before)
        raise Refusal(110044, "available margin is not enough for this leverage")
    floor.log.touched.add(symbol)
    return {}


def _apply_leverage(positions: tuple[Position, ...], leverages: list[Decimal]) -> None:
    for position, leverage in zip(positions, leverages, strict=True):
        position.leverage = leverage


def _leverage(ask: Ask, key: str, listing: Listing) -> Decimal:
    instrument = listing.instrument
    leverage = number(ask.params, key)
    if leverage < 1 or leverage % instrument.leverage_step:
        raise bad(f"leverage invalid: expected steps of {instrument.leverage_step} from 1")
    if leverage > instrument.max_leverage:
        raise Refusal(110013, f"cannot set leverage gt maxLeverage {instrument.max_leverage}")
    return leverage


def switch_mode(floor: Floor, ask: Ask) -> Record:
    """One-way (0) or hedge (3): of one symbol, or of all symbols of a coin that have neither position nor order."""
    checks.linear(ask.params)
    mode, coin = ask.text("mode"), ask.text("coin")
    if mode not in {_ONE_WAY, _HEDGE}:
        raise bad(f"params error: mode: expected 0 or 3, found {mode[:40]!r}")
    hedge = mode == _HEDGE
    if ask.text("symbol"):
        symbol = checks.listing_of(ask.params, floor.listings).instrument.symbol
        if (symbol in floor.account.hedging) == hedge:
            raise Refusal(110025, "Position mode is not modified")
        _check_idle(floor, symbol)
        floor.account.switch(symbol, hedge=hedge)
        return {}
    if not coin:
        raise bad("params error: one of symbol, coin is required")
    if coin != "USDT":
        raise Refusal(110029, "Hedge mode is not supported for this coin")
    for symbol in floor.listings:
        if (symbol in floor.account.hedging) != hedge and _idle(floor, symbol):
            floor.account.switch(symbol, hedge=hedge)
    return {}


def _check_idle(floor: Floor, symbol: str) -> None:
    if any(position.lots for position in floor.account.of(symbol)):
        raise Refusal(110024, "You have an existing position, so the position mode cannot be switched")
    if any(True for _ in floor.log.live(symbol)):
        raise Refusal(110028, "You have existing orders, so the position mode cannot be switched")


def _idle(floor: Floor, symbol: str) -> bool:
    return not (any(position.lots for position in floor.account.of(symbol)) or any(floor.log.live(symbol)))


def switch_isolated(_floor: Floor, _ask: Ask) -> Record:
    """The old setting per symbol does not exist for unified accounts."""
    raise Refusal(100028, "The API cannot be accessed by unified account users.")


def add_margin(floor: Floor, ask: Ask) -> Record:
    """Move margin between the balance and an isolated position; the position as it is then."""
    position, listing = _held(floor, ask)
    amount = number(ask.params, "margin")
    if amount % _MARGIN_DECIMALS or not amount:
        raise bad(f"margin invalid: expected up to 4 decimals and not 0, found {ask.text('margin')[:40]}")
    if amount > floor.account.available(floor.log.live()):
        raise Refusal(110045, "Wallet balance is insufficient")
    before = position.extra_margin
    position.extra_margin = before + amount
    liquidation = position.liquidation
    if position.extra_margin < 0 or (liquidation is not None and (listing.mark - liquidation) * position.sign <= 0):
        position.extra_margin = before
        raise Refusal(110046, "The position would be liquidated with so little margin")
    floor.log.touched.add(position.instrument.symbol)
    return {"category": "linear", **position_record(position, floor.account, listing)}


def set_auto_add_margin(floor: Floor, ask: Ask) -> Record:
    position, _listing = _held(floor, ask)
    if ask.text("autoAddMargin") not in {"0", "1"}:
        raise bad(f"autoAddMargin invalid: expected 0 or 1, found {ask.text('autoAddMargin')[:40]!r}")
    position.auto_add = ask.text("autoAddMargin") == "1"
    floor.log.touched.add(position.instrument.symbol)
    return {}


def _held(floor: Floor, ask: Ask) -> tuple[Position, Listing]:
    """The open position of a request that is about its own margin."""
    listing = checks.listing_of(ask.params, floor.listings)
    if floor.account.cross:
        raise Refusal(110076, "Only available in isolated mode")
    position = _position(floor.account, listing, ask)
    if not position.lots:
        raise bad("position size is zero")
    return position, listing


def _position(account: Account, listing: Listing, ask: Ask) -> Position:
    symbol = listing.instrument.symbol
    return account.position(symbol, checks.position_idx(ask.params, hedging=symbol in account.hedging))


def set_tpsl_mode(floor: Floor, ask: Ask) -> Record:
    """The tpslMode of orders that do not name one. This endpoint alone spells it `tpSlMode`."""
    listing = checks.listing_of(ask.params, floor.listings)
    mode = mode_of({"tpslMode": text(ask.params, "tpSlMode")}, "")
    floor.account.tpsl_modes[listing.instrument.symbol] = mode
    return {"tpSlMode": mode}


def set_risk_limit(floor: Floor, ask: Ask) -> Record:
    """Tiers follow the position by themselves; the request changes nothing."""
    listing = checks.listing_of(ask.params, floor.listings)
    tier = _position(floor.account, listing, ask).tier
    return {"category": "linear", "riskId": tier.tier_id, "riskLimitValue": f"{tier.limit_usdt:f}"}


def confirm_pending_mmr(floor: Floor, ask: Ask) -> Record:
    """No contract is made reduce-only by a change of tiers here, so there is nothing to confirm."""
    checks.listing_of(ask.params, floor.listings)
    return {}
