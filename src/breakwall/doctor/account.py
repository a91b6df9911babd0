"""What the exchange says of key, account and markets, judged. Nothing here asks; see `examination`.

The rules are those of `venues.bybit.admission`, which a start obeys; here all of them are told at once, and in words.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from breakwall.doctor.finding import Finding, bad, doubtful, good
from breakwall.model.text import sanitise
from breakwall.model.units import Instrument, fixed
from breakwall.settings import RiskSettings, Settings
from breakwall.venues.bybit.admission import ISOLATED, UNIFIED_2
from breakwall.venues.bybit.key_audit import audit
from breakwall.venues.bybit.reports import Record, dict_in, number, text, whole

_SHORT_OF_LIMIT = Decimal("0.2")
_TOLD = 4
"""How many markets of a kind are named; the others are counted."""


def whose(account: str, expected: str) -> Finding:
    """The account's number, beside the one that the settings name; empty: they name none."""
    if expected and expected != account:
        remedy = f"give a key of account {expected}, or name this one in [venue] account"
        return bad("account", f"expected {expected}, found {account}", remedy)
    named = ", as the settings say" if expected else "; [venue] account can name it, so that no other is taken"
    return good("account", f"{account}{named}")


def key(record: Record) -> list[Finding]:
    """Permissions, addresses, expiry. Raises RecordError."""
    found = audit(record)
    if found.fault is not None:
        return [bad("key", f"expected {found.fault.expected}, found {found.fault.found}", found.fault.remedy)]
    remarks = [
        doubtful("key", what.strip(), remedy.strip())
        for what, _, remedy in (warning.partition(":") for warning in found.warnings)
    ]
    return [good("key", found.words.removeprefix("API key: ")), *remarks]


def account(record: Record, *, holds: bool) -> list[Finding]:
    """Type and margin mode; `holds`: something is open, so that nothing can be changed."""
    status, mode = whole(record, "unifiedMarginStatus"), text(record, "marginMode")
    findings = [
        good("account type", f"Unified Trading Account 2.0 (status {status})")
        if status in UNIFIED_2
        else bad(
            "account type", f"expected a Unified Trading Account 2.0, found status {status}", "upgrade it at Bybit"
        )
    ]
    if mode == ISOLATED:
        findings.append(good("margin mode", "isolated"))
    elif holds:
        remedy = "close what is open, then start again: it is set to isolated where nothing is open"
        findings.append(bad("margin mode", f"{sanitise(mode, 30)}, with something open", remedy))
    else:
        findings.append(
            doubtful("margin mode", sanitise(mode, 30), "the start sets isolated margin, for the account")
        )
    return findings


def position_mode(rows: Mapping[str, list[Record]]) -> Finding:
    hedged = [symbol for symbol, found in rows.items() if any(whole(row, "positionIdx") for row in found)]
    if hedged:
        return bad(
            "position mode", f"hedge in {some(hedged)}", "switch it to one-way at Bybit; it is never switched here"
        )
    return good("position mode", "one-way")


def leverage(wanted: Decimal, rows: Mapping[str, list[Record]], rules: Mapping[str, Instrument]) -> Finding:
    """What is set where, what a start would change, and what it could not."""
    above = [symbol for symbol, rule in rules.items() if wanted > rule.max_leverage]
    if above:
        most = min(rules[symbol].max_leverage for symbol in above)
        return bad(
            "leverage", f"{fixed(wanted)} is more than {some(above)} allows", f"[risk] leverage at most {most}"
        )
    uneven = [symbol for symbol, rule in rules.items() if wanted % rule.leverage_step]
    if uneven:
        step = fixed(rules[uneven[0]].leverage_step)
        return bad("leverage", f"{fixed(wanted)} is off the steps of {some(uneven)}", f"a multiple of {step}")
    other = {symbol: [row for row in found if number(row, "leverage") != wanted] for symbol, found in rows.items()}
    held = [symbol for symbol, found in other.items() if any(number(row, "size") for row in found)]
    if held:
        remedy = "close it, or set [risk] leverage to what it is"
        return bad("leverage", f"not {fixed(wanted)} in {some(held)}, with an open position", remedy)
    changed = [symbol for symbol, found in other.items() if found]
    after = f"; the start sets it in {some(changed)}" if changed else ""
    return good("leverage", f"{fixed(wanted)}{after}")


def smallest_order(
    risk: RiskSettings, equity: Decimal | None, rules: Mapping[str, Instrument], prices: Mapping[str, Decimal]
) -> list[Finding]:
    """The smallest order of each market beside the largest that the settings and the equity allow, both in USDT.

    `equity` None: not known.
    """
    most = min(risk.max_order_usdt, risk.max_exposure_usdt, risk.net_exposure_usdt)
    if equity is not None:
        most = min(most, equity * risk.position_margin_percent / 100 * risk.leverage)
    least = {
        symbol: max(rule.min_lots * rule.lot * prices[symbol], rule.min_notional_usdt, risk.min_order_usdt)
        for symbol, rule in rules.items()
        if symbol in prices
    }
    small = {symbol: usdt for symbol, usdt in least.items() if usdt > most}
    findings = []
    if small:
        named = some(f"{symbol} {usdt:.2f}" for symbol, usdt in small.items())
        remedy = "take it from `symbols`, or raise [risk] max_order_usdt, position_margin_percent, or the balance"
        found = f"{named} USDT at least, {most:.2f} at most: never traded"
        findings.append((bad if len(small) == len(least) else doubtful)("smallest order", found, remedy))
    if len(small) < len(least):
        named = some(f"{symbol} {usdt:.2f}" for symbol, usdt in least.items() if symbol not in small)
        findings.append(good("smallest order", f"{named} USDT; the largest allowed is {most:.2f}"))
    return findings


def markets(symbols: Iterable[str], rules: Mapping[str, Instrument]) -> Finding:
    """Whether each market is a living perpetual."""
    strange = [
        f"{symbol} ({'no such symbol' if symbol not in rules else rules[symbol].status})"
        for symbol in symbols
        if symbol not in rules or not rules[symbol].tradable
    ]
    if strange:
        return bad("markets", f"{some(strange)}: expected living USDT perpetuals", "take them from `symbols`")
    return good("markets", some(symbols))


def balance(risk: RiskSettings, wallet: list[Record]) -> tuple[Finding, Decimal]:
    """The equity in USDT, and whether anything is opened with it."""
    coins = [coin for row in wallet for coin in _rows(row.get("coin")) if text(coin, "coin") == "USDT"]
    equity = number(coins[0], "equity") if coins else Decimal(0)
    if equity < risk.min_balance_usdt:
        remedy = "bring USDT into the Unified Trading Account, or lower [risk] min_balance_usdt"
        return bad("balance", f"{equity:.2f} USDT; below {risk.min_balance_usdt} nothing is opened", remedy), equity
    return good("balance", f"{equity:.2f} USDT"), equity


def fees(settings: Settings, rows: list[Record]) -> Finding:
    """The highest rates of our markets, in bp, beside those of the settings."""
    ours = [row for row in rows if text(row, "symbol") in settings.symbols]
    if not ours:
        return doubtful("fees", "not told for these markets", "the start takes those of [venue]")
    taker, maker = (max(number(row, name) for row in ours) for name in ("takerFeeRate", "makerFeeRate"))
    words = f"taker {fixed(taker * 10_000)} bp, maker {fixed(maker * 10_000)} bp"
    if taker > settings.venue.taker_fee:
        remedy = "nothing: what the exchange tells is what counts"
        return doubtful(
            "fees", f"{words}; [venue] taker_fee says {fixed(settings.venue.taker_fee * 10_000)} bp", remedy
        )
    return good("fees", words)


def limits(told: Mapping[str, tuple[int, int]]) -> Finding:
    """What the exchange allows of each question in a second, and what was left; others may use the same key."""
    if not told:
        return doubtful("limits", "the exchange told none", "nothing: ours are those of its documents")
    short = [name for name, (cap, left) in told.items() if left < cap * _SHORT_OF_LIMIT]
    if short:
        found = some(f"{name.removeprefix('get_')} {told[name][1]} of {told[name][0]} left" for name in short)
        return doubtful("limits", found, "end what else uses this account's keys")
    least = min(told, key=lambda name: told[name][1] / max(told[name][0], 1))
    cap, left = told[least]
    return good("limits", f"at least {left} of {cap} a second left ({least.removeprefix('get_')})")


def dead_man(told: Record) -> Finding:
    """Whether the exchange withdraws working orders when we are gone; it does so for some accounts only."""
    infos = [info for info in _rows(told.get("dcpInfos")) if text(info, "product") == "DERIVATIVES"]
    on = [info for info in infos if text(info, "dcpStatus") == "ON"]
    if not on:
        return good("disconnect", "working orders stay when we are gone, as for most accounts; stops stay always")
    return good("disconnect", f"working orders are withdrawn {whole(on[0], 'timeWindow')} s after; stops stay")


def some(names: Iterable[str]) -> str:
    """The first of them, and how many more."""
    told = [sanitise(name, 60) for name in names]
    return ", ".join(told[:_TOLD]) + (f" and {len(told) - _TOLD} more" if len(told) > _TOLD else "")


def _rows(value: object) -> list[Record]:
    return [dict_in(row) for row in value] if isinstance(value, list) else []
