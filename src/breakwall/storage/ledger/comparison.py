"""The books beside what is true: what the exchange has, or what the journal makes of itself."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import fixed
from breakwall.storage.ledger.books import Books

ZERO = Decimal(0)
EXACT = Decimal("1e-8")
"""How far cash may differ, USDT."""
NAMED = 5
"""How many things are named one by one in a difference."""


class Truth(Struct, frozen=True):
    """Signed quantities held by symbol, all executions by their ids, our orders that work by client id.

    `fees_usdt` and `funding_usdt` are sums over all executions, positive where they were paid.
    """

    positions: Mapping[str, Decimal]
    executions: frozenset[str]
    fees_usdt: Decimal
    funding_usdt: Decimal
    open_orders: frozenset[str]


def booked(books: Books) -> Truth:
    """As the books have it."""
    fills = books.fills()
    funding = sum((fill.fee_usdt for fill in fills if fill.exec_kind == "Funding"), ZERO)
    return Truth(
        positions={position.symbol: position.qty for position in books.held()},
        executions=frozenset(fill.exec_id for fill in fills),
        fees_usdt=sum((fill.fee_usdt for fill in fills), -funding),
        funding_usdt=funding,
        open_orders=frozenset(order.client_id for order in books.open_orders()),
    )


def differences(books: Truth, true: Truth, of_whom: str = "the exchange") -> list[str]:
    """Where the books are wrong, in words; empty where they agree."""
    found = [
        f"position {symbol}: the books have {fixed(ours)}, {of_whom} has {fixed(theirs)}"
        for symbol in sorted({*books.positions, *true.positions})
        if (ours := books.positions.get(symbol, ZERO)) != (theirs := true.positions.get(symbol, ZERO))
    ]
    found += [
        f"{what}: the books have {fixed(ours)}, {of_whom} has {fixed(theirs)} USDT"
        for what, ours, theirs in (
            ("fees", books.fees_usdt, true.fees_usdt),
            ("funding", books.funding_usdt, true.funding_usdt),
        )
        if abs(ours - theirs) > EXACT
    ]
    for what, ours_, theirs_ in (
        ("executions", books.executions, true.executions),
        ("open orders", books.open_orders, true.open_orders),
    ):
        found += _sets(what, ours_ - theirs_, f"only in the books, not with {of_whom}")
        found += _sets(what, theirs_ - ours_, f"only with {of_whom}, not in the books")
    return found


def _sets(what: str, names: frozenset[str], where: str) -> list[str]:
    if not names:
        return []
    shown = ", ".join(sorted(names)[:NAMED])
    return [f"{what}: {len(names)} {where}: {shown}{', ...' if len(names) > NAMED else ''}"]
