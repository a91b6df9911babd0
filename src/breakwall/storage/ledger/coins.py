"""The coins' parameters as people change them: one version after the other, each change audited."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from breakwall.ports import LedgerError
from breakwall.storage.ledger.database import Target, connect, explained
from breakwall.storage.ledger.tables import AUDIT, COINS


class StaleVersionError(LedgerError):
    """Somebody else has changed it meanwhile: nothing was written. The text says what is there now."""


class Wish(Struct, frozen=True):
    """What is to be set for one symbol (only what is named), by whom and why.

    `version` is the one that was looked at; None: whatever is there.
    """

    symbol: str
    values: dict[str, bool | Decimal | None]
    version: int | None
    who: str
    why: str


def change(target: Target, wish: Wish, now_ms: int) -> int:
    """Write it, with a line in the audit, in one transaction; returns the new version.

    Raises StaleVersionError where the parameters are not of `wish.version` any more, LedgerError where they cannot
    be written.
    """
    engine = connect(target)
    try:
        with engine.connect() as connection, connection.begin():
            return _change(connection, wish, now_ms)
    except Exception as error:
        raise explained(target, error) from error
    finally:
        engine.dispose()


def _change(connection: Connection, wish: Wish, now_ms: int) -> int:
    one = COINS.c.symbol == wish.symbol
    found = connection.execute(select(COINS).where(one)).mappings().one_or_none()
    there = 0 if found is None else found["version"]
    row = {**wish.values, "version": there + 1, "changed_ms": now_ms, "who": wish.who, "why": wish.why}
    written = 0
    if wish.version in {None, there}:
        if found is None:
            written = connection.execute(insert(COINS).values(symbol=wish.symbol, **row)).rowcount
        else:  # on a server somebody else may have been faster since we looked
            written = connection.execute(update(COINS).where(one, COINS.c.version == there).values(**row)).rowcount
    if not written:
        now = "never set" if found is None else f"{_text(found)} by {found['who']}"
        raise StaleVersionError(
            f"{wish.symbol}: expected version {wish.version}, found version {there} ({now}). Nothing was changed; "
            f"look at it, then ask again with --version {there}."
        )
    before = {} if found is None else dict(found)
    audited = {
        "at_ms": now_ms,
        "action": "params",
        "entity": "symbol",
        "entity_id": wish.symbol,
        "symbol": wish.symbol,
        "before": _text({name: before.get(name) for name in wish.values}),
        "after": _text(wish.values),
        "who": wish.who,
        "why": wish.why,
        "success": True,
        "error": "",
        "trace": "",
        "context": "{}",
    }
    connection.execute(insert(AUDIT).values(**audited))
    return there + 1


def _text(values: Any) -> str:
    known = {name: values[name] for name in ("enabled", "floor_usdt") if name in values}
    return msgspec.json.encode(known).decode()
