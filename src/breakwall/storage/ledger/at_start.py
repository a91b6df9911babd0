"""What people set for single coins (`breakwall ledger params`), read once at start into the settings of the run.

With plain sqlite3: SQLAlchemy would cost a fifth of a second before the first book.
"""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.text import sanitise
from breakwall.settings import Settings

_BUSY_S = 0.5
_QUERY = "SELECT symbol, enabled, floor_usdt FROM coin_parameters ORDER BY symbol"


class Coin(Struct, frozen=True):
    """One symbol; None: as the settings say."""

    symbol: str
    enabled: bool | None
    floor_usdt: Decimal | None


def with_coins(settings: Settings, target: Path | str) -> tuple[Settings, Note | None]:
    """The settings with what was set for coins, and what that is, for the log (None: nothing).

    Where the ledger cannot be read, the settings are as they were, and a warning says so.
    """
    try:
        coins = _from_file(target) if isinstance(target, Path) else _from_server(target)
    except Exception as error:
        text = f"the coins' parameters are not in force: the ledger cannot be read ({sanitise(error, 500)}): {target}"
        return settings, Note("ledger", text, level="warning")
    coins = [coin for coin in coins if coin.symbol in settings.symbols]
    floors = {coin.symbol: coin.floor_usdt for coin in coins if coin.floor_usdt is not None}
    disabled = {coin.symbol: not coin.enabled for coin in coins if coin.enabled is not None}
    if not (floors or disabled):
        return settings, None
    off = tuple(symbol for symbol in settings.symbols if disabled.get(symbol, symbol in settings.disabled))
    walls = settings.walls.model_copy(update={"floor_usdt": settings.walls.floor_usdt | floors})
    words = [f"{symbol} {'not traded' if is_off else 'traded'}" for symbol, is_off in disabled.items()]
    words += [f"{symbol} walls from {floor} USDT" for symbol, floor in floors.items()]
    changed = settings.model_copy(update={"walls": walls, "disabled": off})
    return changed, Note("ledger", f"coin parameters of the ledger: {', '.join(words)}")


def _from_file(path: Path) -> list[Coin]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)) as db:
        rows = db.execute(_QUERY).fetchall()
    return [
        Coin(symbol, None if enabled is None else bool(enabled), None if floor is None else Decimal(floor))
        for symbol, enabled, floor in rows
    ]


def _from_server(url: str) -> list[Coin]:
    from breakwall.storage.ledger.books import opened  # noqa: PLC0415 - SQLAlchemy, only where there is a server
    from breakwall.storage.ledger.database import EmptyLedgerError  # noqa: PLC0415 - as the next one

    try:
        with opened(url) as books:
            return [Coin(coin.symbol, coin.enabled, coin.floor_usdt) for coin in books.coins()]
    except EmptyLedgerError:
        return []
