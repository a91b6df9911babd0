"""What panic did, for people and for programs."""

import json
import time
from decimal import Decimal, InvalidOperation
from typing import Any

from breakwall.panic.account import PANIC_IDS, shown
from breakwall.panic.line import Line, LostError, RefusedError, VenueClock
from breakwall.panic.rescue import Rescue
from breakwall.panic.target import Target

EXECUTIONS = "/v5/execution/list"
Facts = dict[str, Any]


def receipt(rescue: Rescue, target: Target, clock: VenueClock, prices: dict[str, Facts], code: int) -> Facts:
    """All of it as plain values; `at_ms` is the exchange's time, `*_s` count from the start of the work."""
    proven = rescue.proven_s is not None
    return {
        "panic": "flat" if proven else "not flat",
        "exchange": target.environment,
        "url": target.url,
        "at_ms": clock.now_ms(),
        "symbol": rescue.wish.symbol,
        "scope": rescue.wish.scope,
        "cancelled": [order.words for order in rescue.cancelled.values()],
        "closed": [
            {
                "symbol": shown(closing.position.symbol),
                "side": "long" if closing.position.side == "Buy" else "short",
                "tries": len(closing.order_ids),
                **_filled(closing.order_ids, prices),
            }
            for closing in rescue.closings.values()
        ],
        "remains": [] if proven else list(rescue.remains()),
        "left_alone": list(rescue.left_alone()),
        "troubles": {shown(symbol) or "account": text for symbol, text in rescue.troubles.items() if not proven},
        "flat_s": _rounded(rescue.flat_s),
        "proven_s": _rounded(rescue.proven_s),
        "clock_offset_ms": clock.offset_ms,
        "exit_code": code,
    }


def as_json(facts: Facts) -> str:
    return json.dumps(facts, separators=(",", ":"))


def as_text(facts: Facts) -> str:
    """The receipt for people."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(facts["at_ms"] / 1000))
    if facts["proven_s"] is not None:
        head = f"FLAT after {facts['flat_s']:.2f} s, proven by a second look after {facts['proven_s']:.2f} s"
    else:
        head = "NOT PROVEN FLAT"
    what = facts["symbol"] or "all symbols"
    lines = [f"panic on {facts['exchange']}, {what}, orders: {facts['scope']}, {stamp} UTC: {head}"]
    lines += [f"  cancelled  {words}" for words in facts["cancelled"]] or ["  cancelled  nothing"]
    lines += [f"  closed     {_closed_words(row)}" for row in facts["closed"]] or ["  closed     nothing"]
    lines += [f"  left alone {words}" for words in facts["left_alone"]]
    lines += [f"  REMAINS    {words}" for words in facts["remains"]]
    lines += [f"  trouble    {name}: {words}" for name, words in facts["troubles"].items()]
    return "\n".join(lines)


def prices_of(line: Line, rescue: Rescue) -> dict[str, Facts]:
    """Filled size, mean price and fee by client id of our closes; empty where the exchange does not tell."""
    found: dict[str, Facts] = {}
    for symbol in sorted({closing.position.symbol for closing in rescue.closings.values()}):
        try:
            rows = line.read(EXECUTIONS, {"category": "linear", "symbol": symbol, "limit": 100})["list"]
            ours = [row for row in rows if str(row.get("orderLinkId", "")).startswith(PANIC_IDS)]
            for row in ours:
                size, price, fee = (Decimal(str(row[name])) for name in ("execQty", "execPrice", "execFee"))
                sums = found.setdefault(
                    row["orderLinkId"], {"size": Decimal(0), "value": Decimal(0), "fee": Decimal(0)}
                )
                sums["size"] += size
                sums["value"] += size * price
                sums["fee"] += fee
        except (LostError, RefusedError, KeyError, TypeError, AttributeError, InvalidOperation):
            continue  # a receipt without a price is still a receipt
    return found


def _filled(client_ids: list[str], prices: dict[str, Facts]) -> Facts:
    sums = [prices[client_id] for client_id in client_ids if client_id in prices]
    size = sum((one["size"] for one in sums), Decimal(0))
    if not size:
        return {"size": None, "price": None, "fee_usdt": None}
    value = sum((one["value"] for one in sums), Decimal(0))
    fee = sum((one["fee"] for one in sums), Decimal(0))
    return {"size": f"{size:f}", "price": f"{(value / size).normalize():.8g}", "fee_usdt": f"{fee:f}"}


def _closed_words(row: Facts) -> str:
    tries = f", {row['tries']} orders" if row["tries"] != 1 else ""
    if row["size"] is None:
        return f"{row['symbol']} {row['side']}, the exchange told no price of ours{tries}"
    return f"{row['symbol']} {row['side']} {row['size']} at {row['price']}, fee {row['fee_usdt']} USDT{tries}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
