"""What goes wrong in the order books of one public socket: gaps, repeats, crossed books, a restarted service."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from breakwall.model.events import Link
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import BOOKS, Fault, FaultKind
from breakwall.venues.exchange.streams import frame

Strike = Callable[[FaultKind, Link, str], Fault | None]

_HEAD = '{"topic":"orderbook.'
_START = len('{"topic":"')
_DELTA = '"type":"delta"'
_BEYOND = 3  # ticks by which a crossing bid is above the best ask
_FIRST = 1
_decoder = msgspec.json.Decoder(dict[str, object])


class BookFaults:
    """Turns one frame into those that the client gets. After a reset a topic's `u` counts on from 1."""

    def __init__(self, exchange: Exchange, strike: Strike) -> None:
        self._exchange = exchange
        self._strike = strike
        self._taken_off: dict[str, int] = {}

    def frames(self, text: str) -> tuple[str, ...]:
        """What is left of a frame; all but books pass as they are."""
        if not text.startswith(_HEAD):
            return (text,)
        topic = text[_START : text.index('"', _START)]
        if _DELTA not in text[: _START + len(topic) + 20]:
            self._taken_off.pop(topic, None)  # a snapshot: the client asked anew
            return (text,)
        text = self._counted(topic, text)
        kind = next((kind for kind in BOOKS_IN_ORDER if self._strike(kind, Link.PUBLIC, topic) is not None), None)
        if kind is None:
            return (text,)
        if kind is FaultKind.BOOK_GAP:
            return ()
        if kind is FaultKind.BOOK_REPEATED:
            return text, text
        if kind is FaultKind.BOOK_RESET:
            return (self._reset(topic),)
        return (self._spoilt(topic, text, kind),)

    def _counted(self, topic: str, text: str) -> str:
        off = self._taken_off.get(topic)
        if off is None:
            return text
        message = _decoder.decode(text)
        return _with(message, u=_data(message)["u"] - off)

    def _reset(self, topic: str) -> str:
        """A whole book with `u` == 1."""
        message = self._exchange.publisher.whole(topic, self._exchange.now_ms)
        self._taken_off[topic] = _data(message)["u"] - _FIRST
        return _with(message, u=_FIRST)

    def _spoilt(self, topic: str, text: str, kind: FaultKind) -> str:
        """The delta with a bid above the best ask, or with the end of a level that never was."""
        message = _decoder.decode(text)
        listing = self._exchange.listings[topic.rpartition(".")[2]]
        best = listing.book.best_ask
        ticks = _FIRST if kind is FaultKind.BOOK_STRANGE or best is None else best + _BEYOND
        lots = "0" if kind is FaultKind.BOOK_STRANGE else listing.instrument.qty_text(_FIRST)
        return _with(message, b=[*_data(message)["b"], [listing.instrument.price_text(ticks), lots]])


BOOKS_IN_ORDER = tuple(kind for kind in FaultKind if kind in BOOKS)


def _data(message: Mapping[str, Any]) -> dict[str, Any]:
    data = message["data"]
    assert isinstance(data, dict)
    return data


def _with(message: Mapping[str, object], **changes: object) -> str:
    return frame({**message, "data": {**_data(message), **changes}})
