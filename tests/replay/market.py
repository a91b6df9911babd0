"""Recordings to play in tests: the synthetic market's frames, and what may be wrong with them."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.instruments import INSTRUMENTS, instrument_record

START_MS = 1_800_000_000_000
SYMBOL = "SOLUSDT"
BOOK = f"orderbook.200.{SYMBOL}"
SECONDS = 25

Line = dict[str, Any]


@cache
def recorded() -> tuple[Line, ...]:
    """Some seconds of one symbol as a recorder would have written them, rules first."""
    exchange = Exchange(5, "sprint", START_MS, symbols=(SYMBOL,), step_ms=50, pace_ms=100)
    lines: list[Line] = [
        {"t": "header", "app": "test", "format": 1},
        {
            "t": "http",
            "conn": "rest",
            "ts": START_MS / 1000,
            "url": "http://x/v5/market/instruments-info?category=linear",
            "data": json.dumps({"retCode": 0, "result": {"list": [instrument_record(INSTRUMENTS[SYMBOL])]}}),
        },
    ]

    def send(text: str) -> None:
        lines.append({"t": "recv", "conn": "public", "ts": exchange.now_ms / 1000, "data": text})

    session = exchange.session("public", send)
    topics = [BOOK, f"publicTrade.{SYMBOL}", f"tickers.{SYMBOL}"]
    session.on_text(json.dumps({"op": "subscribe", "args": topics}), START_MS)
    exchange.advance(START_MS + SECONDS * 1000)
    return tuple(lines)


def deltas(lines: Sequence[Line], book: str = BOOK) -> list[int]:
    """Where the deltas of the book are."""
    return [place for place, line in enumerate(lines) if _is_of(line, book, "delta")]


def places(lines: Sequence[Line], count: int, book: str = BOOK) -> list[int]:
    """Some deltas, evenly spread, the last one first."""
    found = deltas(lines, book)
    return [found[len(found) * (number + 1) // (count + 1)] for number in reversed(range(count))]


def gap(lines: list[Line], place: int, book: str = BOOK) -> None:
    del lines[place]


def repeat(lines: list[Line], place: int, book: str = BOOK) -> None:
    lines.insert(place, lines[place])


def swap(lines: list[Line], place: int, book: str = BOOK) -> None:
    """With the next delta; the times stay."""
    found = deltas(lines, book)
    other = found[found.index(place) + 1]
    first, second = dict(lines[place]), dict(lines[other])
    first["data"], second["data"] = second["data"], first["data"]
    lines[place], lines[other] = first, second


def reset(lines: list[Line], place: int, book: str = BOOK) -> None:
    """The venue begins again: a snapshot with `u` 1, and what follows counts from there."""
    _restart(lines, place, book)
    update_id = 1
    for later in range(place + 1, len(lines)):
        if _is_of(lines[later], book, "snapshot"):
            break
        if _is_of(lines[later], book, "delta"):
            update_id += 1
            _renumber(lines, later, update_id)


def reset_alone(lines: list[Line], place: int, book: str = BOOK) -> None:
    """A snapshot with `u` 1 in the midst of messages that count on as if nothing had been."""
    _restart(lines, place, book)


FAULTS: dict[str, Callable[[list[Line], int, str], None]] = {
    "gap": gap,
    "repeat": repeat,
    "swap": swap,
    "reset": reset,
    "reset alone": reset_alone,
}


def with_faults(name: str, count: int, whole: Sequence[Line] = (), book: str = BOOK) -> list[Line]:
    """A recording (ours where none is given) with so many of a fault in it."""
    lines = list(whole or recorded())
    for place in places(lines, count, book):
        FAULTS[name](lines, place, book)
    return lines


def written(lines: Sequence[Line], path: Path, *, share: float = 1.0) -> Path:
    """As a file; a part of it where it was cut."""
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    path.write_bytes(content[: int(len(content) * share)])
    return path


def book_before(lines: Sequence[Line], place: int, book: str = BOOK) -> tuple[dict[str, str], dict[str, str]]:
    """The true book after the message at `place`."""
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for line in lines[: place + 1]:
        if not (_is_of(line, book, "delta") or _is_of(line, book, "snapshot")):
            continue
        message = json.loads(line["data"])
        for side, changes in zip(sides, (message["data"]["b"], message["data"]["a"]), strict=True):
            if message["type"] == "snapshot":
                side.clear()
            side.update(changes)
            for price in [price for price, size in side.items() if float(size) == 0]:
                del side[price]
    return sides


def _is_of(line: Line, book: str, kind: str) -> bool:
    head = line.get("data", "")[:120]
    return line["t"] == "recv" and f'"{book}"' in head and f'"type":"{kind}"' in head


def _restart(lines: list[Line], place: int, book: str) -> None:
    bids, asks = book_before(lines, place, book)
    message = json.loads(lines[place]["data"])
    message["type"] = "snapshot"
    message["data"] |= {
        "b": sorted(bids.items(), key=lambda level: -float(level[0])),
        "a": sorted(asks.items(), key=lambda level: float(level[0])),
        "u": 1,
    }
    lines[place] = lines[place] | {"data": json.dumps(message, separators=(",", ":"))}


def _renumber(lines: list[Line], place: int, update_id: int) -> None:
    message = json.loads(lines[place]["data"])
    message["data"]["u"] = update_id
    lines[place] = lines[place] | {"data": json.dumps(message, separators=(",", ":"))}
