"""The account's state in the venue's words: order, execution, position and wallet records.

Source: Bybit v5 order, execution, position and wallet pages. Decimals are strings, record times
are milliseconds as strings, "nothing" is "" on REST.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from breakwall.model.units import Instrument, fixed
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.positions import Position

Record = dict[str, object]
_FAST_FIELDS = (
    *("category", "symbol", "orderId", "orderLinkId", "execId", "execPrice"),
    *("execQty", "side", "isMaker", "execTime", "seq"),
)


def order_record(order: Order) -> Record:
    """The order as REST tells it; the socket adds its own few fields with `order_push`."""
    instrument = order.instrument
    leaves = order.remaining
    average = order.average
    return {
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "parentOrderLinkId": order.parent_link,
        "blockTradeId": "",
        "symbol": order.symbol,
        "side": order.side.value,
        "positionIdx": order.position_idx,
        "orderType": order.kind,
        "timeInForce": order.tif,
        "price": instrument.price_text(order.limit_ticks) if order.limit_ticks else "",
        "qty": instrument.qty_text(order.lots),
        "orderStatus": order.status,
        "createType": order.create_type,
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "avgPrice": "" if average is None else _text(average),
        "leavesQty": instrument.qty_text(leaves),
        "leavesValue": _text(instrument.notional(order.limit_ticks or order.trigger_ticks, leaves)),
        "cumExecQty": instrument.qty_text(order.filled_lots),
        "cumExecValue": _text(order.filled_usdt),
        "cumExecFee": _text(order.fees_usdt),
        "cumFeeDetail": {"USDT": _text(order.fees_usdt)} if order.filled_lots else {},
        "stopOrderType": order.stop_kind,
        "triggerPrice": _price(instrument, order.trigger_ticks),
        "triggerDirection": order.trigger_direction,
        "triggerBy": order.trigger_by,
        "takeProfit": _price(instrument, order.take_profit_ticks),
        "stopLoss": _price(instrument, order.stop_loss_ticks),
        "tpTriggerBy": order.tp_by,
        "slTriggerBy": order.sl_by,
        "tpslMode": order.tpsl_mode,
        "tpLimitPrice": _price(instrument, order.tp_limit_ticks),
        "slLimitPrice": _price(instrument, order.sl_limit_ticks),
        "lastPriceOnCreated": _text(order.last_on_created),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_on_trigger,
        "smpType": order.smp,
        "smpGroup": 0,
        "smpOrderId": "",
        "isLeverage": "",
        "orderIv": "",
        "placeType": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms or order.created_ms),
    }


def order_push(order: Order) -> Record:
    return order_record(order) | {
        "category": "linear",
        "feeCurrency": "USDT",
        "closedPnl": _text(order.closed_pnl),
        "slippageToleranceType": order.slippage[0],
        "slippageTolerance": order.slippage[1],
    }


def execution_record(execution: Execution) -> Record:
    qty = execution.instrument.qty_text
    return {
        "symbol": execution.symbol,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "side": execution.side.value,
        "orderPrice": _text(execution.order_price),
        "orderQty": qty(execution.order_lots),
        "leavesQty": qty(execution.leaves_lots),
        "orderType": execution.order_kind,
        "stopOrderType": execution.stop_kind or "UNKNOWN",
        "createType": execution.create_type,
        "execFee": _text(execution.fee_usdt),
        "execId": execution.exec_id,
        "execPrice": _text(execution.price),
        "execQty": qty(execution.lots),
        "execType": execution.exec_type,
        "execValue": _text(execution.value_usdt),
        "execTime": str(execution.at_ms),
        "feeCurrency": "USDT",
        "feeRate": _text(execution.fee_rate),
        "isMaker": execution.maker,
        "markPrice": _text(execution.mark),
        "closedSize": qty(execution.closed_lots),
        "seq": execution.seq,
        "extraFees": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "isLeverage": "0",
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
    }


def execution_push(execution: Execution) -> Record:
    return execution_record(execution) | {"category": "linear", "execPnl": _text(execution.pnl_usdt)}


def execution_fast(push: Record) -> Record:
    """The few fields of the fast topic, from a full push; a maker's fill does not tell its client id."""
    return {name: push[name] for name in _FAST_FIELDS} | ({"orderLinkId": ""} if push["isMaker"] else {})


def position_record(position: Position, account: Account, listing: Listing) -> Record:
    """The position as REST tells it."""
    instrument = position.instrument
    mark, taker = listing.mark, account.taker_fee
    liquidation = account.liquidation_price(position)
    tier = position.tier
    initial = _text(position.initial_margin(taker))
    maintenance = _text(position.maintenance_margin(mark, taker))
    trailing = position.trailing
    return {
        "positionIdx": position.idx,
        "riskId": tier.tier_id,
        "riskLimitValue": fixed(tier.limit_usdt),
        "symbol": instrument.symbol,
        "side": position.side.value if position.lots else "",
        "size": instrument.qty_text(abs(position.lots)),
        "avgPrice": _text(position.entry),
        "positionValue": _text(position.qty * position.entry) if position.lots else "",
        "leverage": _text(position.leverage),
        "markPrice": f"{mark:.{instrument.price_decimals}f}",
        "liqPrice": "" if liquidation is None else f"{liquidation:.{instrument.price_decimals}f}",
        "bustPrice": "",
        "breakEvenPrice": _break_even(position, taker),
        "positionIM": initial,
        "positionIMByMp": initial,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "positionBalance": "",
        "takeProfit": _price(instrument, position.take_profit.trigger_ticks if position.take_profit else 0),
        "stopLoss": _price(instrument, position.stop.trigger_ticks if position.stop else 0),
        "trailingStop": instrument.price_text(trailing.trail_ticks) if trailing else "0",
        "tpslMode": "Full",
        "tradeMode": 0,
        "unrealisedPnl": _text(position.unrealised(mark)),
        "curRealisedPnl": _text(position.realised),
        "cumRealisedPnl": _text(position.realised_ever),
        "positionStatus": position.status,
        "autoAddMargin": int(position.auto_add),
        "adlRankIndicator": 2 if position.lots else 0,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "seq": position.seq,
        "createdTime": str(position.created_ms),
        "updatedTime": str(position.updated_ms),
        "openTime": position.opened_ms,
    }


def position_push(position: Position, account: Account, listing: Listing) -> Record:
    """The socket says entryPrice and writes "0" for nothing."""
    record = position_record(position, account, listing)
    record["entryPrice"] = record.pop("avgPrice")
    for field in ("stopLoss", "takeProfit", "positionValue"):
        record[field] = record[field] or "0"
    return record | {"category": "linear", "sessionAvgPrice": ""}


def wallet_record(account: Account, listings: Mapping[str, Listing], orders: Iterable[Order]) -> Record:
    equity = account.equity(listings)
    position_margin = account.position_margin()
    order_margin = account.order_margin(orders)
    maintenance = account.maintenance_margin()
    unrealised = _text(equity - account.balance)
    coin: Record = {
        "coin": "USDT",
        "equity": _text(equity),
        "usdValue": _text(equity),
        "walletBalance": _text(account.balance),
        "locked": "0",
        "totalOrderIM": _text(order_margin),
        "totalPositionIM": _text(position_margin),
        "totalPositionMM": _text(maintenance),
        "unrealisedPnl": unrealised,
        "cumRealisedPnl": _text(account.realised),
        "bonus": "0",
        "borrowAmount": "0",
        "spotBorrow": "0",
        "spotHedgingQty": "0",
        "colRes": "0",
        "accruedInterest": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }
    return {
        "accountType": "UNIFIED",
        "totalEquity": _text(equity),
        "totalWalletBalance": _text(account.balance),
        "totalMarginBalance": "",
        "totalAvailableBalance": "",
        "totalPerpUPL": unrealised,
        "totalInitialMargin": "",
        "totalMaintenanceMargin": "",
        "accountIMRate": "",
        "accountMMRate": "",
        "accountIMRateByMp": "",
        "accountMMRateByMp": "",
        "totalInitialMarginByMp": "",
        "totalMaintenanceMarginByMp": "",
        "accountLTV": "",
        "coin": [coin],
    }


def _text(value: Decimal) -> str:
    """At most ten decimals: averages may have no end."""
    return fixed(round(value, 10))


def _price(instrument: Instrument, ticks: int) -> str:
    return instrument.price_text(ticks) if ticks else ""


def _break_even(position: Position, taker: Decimal) -> str:
    """(entry * q - realised) / (q - |q| * fee), q signed; the venue's formula."""
    if not position.lots:
        return ""
    signed = position.sign * position.qty
    price = (position.entry * signed - position.realised) / (signed - abs(signed) * max(taker, Decimal("0.00055")))
    return f"{price:.{position.instrument.price_decimals}f}"
