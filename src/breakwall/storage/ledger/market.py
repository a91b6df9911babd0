"""Facts of the market as rows: walls, pictures of the books, figures of the minute."""

from decimal import Decimal

import msgspec
from msgspec.structs import asdict

from breakwall.model.records import BookShot, MarketFact, MarketStats, WallLife
from breakwall.storage.ledger.batch import Batch, Row
from breakwall.storage.ledger.tables import BOOKS, STATS, WALLS
from breakwall.storage.lines import zstd

Levels = tuple[tuple[Decimal, Decimal], ...]
_LEVEL = 3


def add(fact: MarketFact, batch: Batch) -> None:
    """A wall that ended, a picture of a book, or a symbol's last minute."""
    match fact:
        case WallLife():
            row = asdict(fact)
            row["ending"] = row.pop("end")
            batch.add(WALLS, row)
        case BookShot():
            batch.add(BOOKS, _book_row(fact))
        case MarketStats():
            batch.add(STATS, asdict(fact))


def packed(bids: Levels, asks: Levels) -> bytes:
    """Both sides, best first, as zstd of msgpack: [[price, qty, price, qty, ...], [the asks likewise]], as texts."""
    flat = [[format(number, "f") for level in side for number in level] for side in (bids, asks)]
    return zstd.compress(msgspec.msgpack.encode(flat), _LEVEL)


def unpacked(levels: bytes) -> tuple[Levels, Levels]:
    """What `packed` was given."""
    bids, asks = msgspec.msgpack.decode(zstd.decompress(levels), type=list[list[Decimal]])
    return _pairs(bids), _pairs(asks)


def _pairs(numbers: list[Decimal]) -> Levels:
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _book_row(shot: BookShot) -> Row:
    return {
        "symbol": shot.symbol,
        "at_ms": shot.at_ms,
        "bid": shot.bids[0][0] if shot.bids else None,
        "ask": shot.asks[0][0] if shot.asks else None,
        "levels": packed(shot.bids, shot.asks),
    }
