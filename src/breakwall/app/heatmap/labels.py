"""What stands on the price axis of the heat map, and the trader's own prices in the picture: pure text.

Prices and sizes are never glued together, a row says one thing, and what is not in the picture is named at its edge.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from breakwall.app.heatmap.axis import PriceAxis
from breakwall.app.rows.figures import compact, price
from breakwall.app.rows.row import Row, left
from breakwall.app.steps import at_least
from breakwall.app.trust import Stop, is_live, rests, stop_of
from breakwall.model.units import fixed
from breakwall.model.view import OrderView, PositionView, SymbolView, View, WallView

AXIS_WIDTH = 14
_GRID_ROWS = 4
"""Round prices stand at least this many rows apart."""
_EDGE_MARKS = 2
"""Prices outside of the picture that are named at each edge."""
_MOVE_ROWS = 2
"""A tag whose row is taken may stand so many rows off, with an arrow to where it belongs; a wall's one row."""


class Tag(NamedTuple):
    """One price with words. Of two in a row the one with the lower `rank` is shown; `words` go with shorter forms."""

    rank: int
    ticks: float
    price: str
    words: tuple[str, ...]
    ink: str


class OwnPrice(NamedTuple):
    """An entry, stop, target or resting order: the words for the picture, a word for the axis."""

    ticks: float
    price: str
    words: str
    word: str
    ink: str
    rank: int


_SHORT = {"TARGET": "TGT", "STOP": "STP"}
_HEADS = {"tag": "warn", "price": "bold", "stop": "loss"}
"""What an inverted tag begins with."""

_PRICE, _STOP, _ENTRY, _ORDER, _TARGET, _WALL, _HIDDEN_WALL = range(7)


def own_prices(view: View, market: SymbolView) -> list[OwnPrice]:
    """The trader's prices in this market, the most important first."""
    symbol = market.symbol
    found = [own for position in view.positions if position.symbol == symbol for own in _held(position, market)]
    found += [own for order in view.orders if order.symbol == symbol for own in _resting(order, market)]
    return sorted(found, key=lambda own: own.rank)


def _held(position: PositionView, market: SymbolView) -> list[OwnPrice]:
    side = position.side
    found = [_own(position.entry, market, f"{side} {fixed(abs(position.qty))}", side, "own", _ENTRY)]
    if position.stop is not None:
        word = "STOP" if stop_of(position) is Stop.PROVEN else "STOP?"
        found.append(_own(position.stop, market, word, word, "stop", _STOP))
    if position.target is not None:
        found.append(_own(position.target, market, "TARGET", "TARGET", "own", _TARGET))
    return found


def _resting(order: OrderView, market: SymbolView) -> list[OwnPrice]:
    if order.price is None:
        return []
    word = order.side.upper() + ("" if rests(order) else "?")
    return [_own(order.price, market, f"{word} {fixed(order.qty - order.filled_qty)}", word, "own", _ORDER)]


def _own(at: Decimal, market: SymbolView, words: str, word: str, ink: str, rank: int) -> OwnPrice:
    return OwnPrice(float(at / market.tick), price(at, market.tick), words, word, ink, rank)


def axis_rows(axis: PriceAxis, view: View, market: SymbolView, width: int = AXIS_WIDTH) -> list[Row]:
    """The rows of the axis from the top: round prices, and tags over them."""
    height = axis.half_rows // 2
    own = [
        Tag(own.rank, own.ticks, own.price, (own.word, _short(own.word)), own.ink) for own in own_prices(view, market)
    ]
    walls = [_wall_tag(wall, market) for wall in _biggest_first(market.walls)]
    tags = sorted([*_price_tags(market), *own, *walls], key=lambda tag: tag.rank)
    rows: dict[int, Row] = {}
    _name_the_outside(rows, axis, tags, width)
    for tag in tags:
        row = axis.row(tag.ticks)
        place = None if row is None else _free(rows, row, tag, tags[0], height)
        if place is not None and row is not None:
            rows[place] = _written(tag, width, "" if place == row else "↓" if place < row else "↑")
    for row, words in _grid(axis, market):
        rows.setdefault(row, ((left(f" {words}", width), "dim"),))
    return [rows.get(row, ((" " * width, "dim"),)) for row in range(height)]


def _short(word: str) -> str:
    """A word for an axis that is crowded by a long price; that something is not proven is never left out."""
    name = word.removesuffix("?")
    return _SHORT.get(name, name[:1]) + word[len(name) :]


def _price_tags(market: SymbolView) -> list[Tag]:
    mid = market.mid
    if mid is None:
        return []
    if not is_live(market):
        return [Tag(_PRICE, float(mid / market.tick), price(market.bid, market.tick), (market.status,), "stale")]
    at = max(price(mid, market.tick), fixed(mid), key=len)  # between two ticks it has a digit more
    return [Tag(_PRICE, float(mid / market.tick), at, (), "price")]


def _biggest_first(walls: Iterable[WallView]) -> list[WallView]:
    return sorted(walls, key=lambda wall: (not wall.in_view, -wall.notional_usdt))


def _wall_tag(wall: WallView, market: SymbolView) -> Tag:
    ticks, at = float(wall.price / market.tick), price(wall.price, market.tick)
    if not wall.in_view:
        return Tag(_HIDDEN_WALL, ticks, at, ("?",), "stale")
    return Tag(_WALL, ticks, at, _sizes(wall.notional_usdt), "tag")


def _sizes(notional: Decimal) -> tuple[str, ...]:
    """The size with all its digits and with less, never without its unit."""
    text = compact(notional)
    number, unit = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "")
    places = len(number.partition(".")[2])
    return tuple(f"{float(number):.{fewer}f}{unit}" for fewer in range(places, -1, -1))


def _written(tag: Tag, width: int, sign: str = "") -> Row:
    """A sign or a blank, the price, and the longest words that fit with a blank between; else the price alone."""
    room = width - 1
    forms = [f"{tag.price} {words}" for words in tag.words] + [tag.price]
    text = next((form for form in forms if len(form) <= room), forms[-1])
    return (sign or ("▐" if tag.ink in _HEADS else " "), _HEADS.get(tag.ink, tag.ink)), (left(text, room), tag.ink)


def _free(rows: dict[int, Row], row: int, tag: Tag, first: Tag, height: int) -> int | None:
    """The row itself or the nearest free one, rather on the side where the tag lies from the first (the price's)."""
    reach = _MOVE_ROWS if tag.rank < _WALL else 1
    inner = 1 if tag.ticks < first.ticks else -1
    near = sorted(range(row - reach, row + reach + 1), key=lambda place: (abs(place - row), inner * (row - place)))
    return next((place for place in near if 0 <= place < height and place not in rows), None)


def _name_the_outside(rows: dict[int, Row], axis: PriceAxis, tags: Sequence[Tag], width: int) -> None:
    """What lies beyond the picture, at the edge where it would come in: own prices first, then the nearest walls."""
    height = axis.half_rows // 2
    above = [tag for tag in tags if tag.ticks >= axis.high_ticks and tag.rank < _HIDDEN_WALL]
    below = [tag for tag in tags if tag.ticks < axis.low_ticks and tag.rank < _HIDDEN_WALL]
    for sign, outside, places in (("▲", above, range(height)), ("▼", below, range(height - 1, -1, -1))):
        outside.sort(key=lambda tag: (tag.rank, abs(tag.ticks - axis.centre_ticks)))
        for tag in sorted(outside[:_EDGE_MARKS], key=lambda tag: -abs(tag.ticks - axis.centre_ticks)):
            place = next((place for place in places if place not in rows), None)
            if place is not None:
                rows[place] = _written(tag, width, sign)


def _grid(axis: PriceAxis, market: SymbolView) -> list[tuple[int, str]]:
    """Round prices and their rows."""
    apart = at_least(2 * _GRID_ROWS * axis.step)
    first = -(-axis.low_ticks // apart) * apart
    found = []
    for ticks in range(first, axis.high_ticks, apart):
        row = axis.row(ticks)
        if row is not None:
            found.append((row, price(ticks * market.tick, market.tick)))
    return found
