"""What a key may do, judged before it is used. Source: Bybit v5, user/apikey-info.

A key for this program trades derivatives and nothing else: whoever steals it must not be able to take money away.
"""

from msgspec import Struct

from breakwall.model.text import sanitise
from breakwall.venues.bybit.reports import Record, dict_in, flag, text, whole

DAYS_WARNED = 14
_MOVES_MONEY = ("withdraw", "transfer")
_NEEDED = ("Order", "Position")
_UNIFIED_TRADE = "Derivatives.DerivativesTrade"
_ANYWHERE = {"", "*", "0.0.0.0", "0.0.0.0/0"}  # noqa: S104 - what the venue answers, nothing is bound to it


class Fault(Struct, frozen=True):
    """Why a key is not taken."""

    expected: str
    found: str
    remedy: str


class KeyAudit(Struct, frozen=True):
    """`fault` None: the key may be used. `warnings` are for the log, `words` say what the key is."""

    fault: Fault | None
    warnings: tuple[str, ...]
    words: str


def audit(key: Record) -> KeyAudit:
    """Judge the answer to `query-api`. Raises RecordError where it cannot be read."""
    granted = _granted(key)
    days, bound = whole(key, "deadlineDay"), _addresses(key)
    expiry = f"expires in {days} days ({_short(key, 'expiredAt')})" if days > 0 else "does not expire"
    warnings = []
    if "ips" in key and not bound:
        warnings.append("the API key works from every address: bind it to yours, it then does not expire either")
    if 0 < days < DAYS_WARNED:
        warnings.append(f"the API key expires in {days} days: renew it, or bind it to an address")
    where = f"bound to {', '.join(bound)}" if bound else "not bound to an address"
    rights = ", ".join(sanitise(name, 40) for name in granted) or "no permissions"
    return KeyAudit(_fault(key, granted), tuple(warnings), f"API key: {rights}; {where}; {expiry}")


def _fault(key: Record, granted: list[str]) -> Fault | None:
    money = [sanitise(name, 60) for name in granted if any(word in name.lower() for word in _MOVES_MONEY)]
    if money:
        return Fault(
            "no withdrawal permission and none to transfer", ", ".join(money), "make a key that can only trade"
        )
    if flag(key, "readOnly"):
        return Fault("permission to trade", "a read-only key", "make a key with Contract Orders and Positions")
    contract = {name.partition(".")[2] for name in granted if name.startswith("ContractTrade.")}
    missing = [name for name in _NEEDED if name not in contract]
    if missing and (contract or _UNIFIED_TRADE not in granted):
        return Fault(
            f"permission ContractTrade.{missing[0]}",
            sanitise(", ".join(granted)) or "no permissions",
            "add Contract Orders and Positions",
        )
    if "uta" in key and not whole(key, "uta"):
        return Fault("a key of a Unified Trading Account", "one of a classic account", "upgrade the account")
    return None


def _granted(key: Record) -> list[str]:
    """`group.name` of all that the key may do."""
    permissions = dict_in(key.get("permissions"))
    return sorted(
        f"{group}.{name}" for group, names in permissions.items() if isinstance(names, list) for name in names
    )


def _addresses(key: Record) -> list[str]:
    found = key.get("ips")
    names = [str(one) for one in found] if isinstance(found, list) else []
    return [] if set(names) & _ANYWHERE else [sanitise(name, 40) for name in names]


def _short(key: Record, name: str) -> str:
    return sanitise(text(key, name), 30) if name in key else "date not told"
