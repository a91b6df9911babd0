"""Price-time priority matching of one symbol, in integer ticks and lots.

The synthetic market's agents (or the sizes of a market outside, see `queues`) and the account's orders meet in the
same book: an order never knows who owns its counterparty. Pure and synchronous; time is an argument.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable

from msgspec import Struct

from breakwall.model.units import Side
from breakwall.venues.exchange.windows import Window

ACCOUNT = "account"
"""Owner of the orders that belong to the trading account; everybody else is the market."""

POST_ONLY_CROSSES = "EC_PostOnlyWillTakeLiquidity"
NOTHING_TO_MATCH = "EC_NoImmediateQtyToFill"
NOT_ENOUGH_TO_MATCH = "EC_NoEnoughQtyToFill"
NO_FULL_FILL = "EC_CancelForNoFullFill"


class RestingOrder:
    """One order in the book. `lots` is what remains: 0 once it is filled or cancelled.

    `tag` is the owner's own note (an agent's role, the account's order).
    """

    __slots__ = ("lots", "order_id", "owner", "side", "tag", "ticks")

    def __init__(self, order_id: int, owner: str, side: Side, ticks: int, lots: int, tag: object = None) -> None:
        self.order_id = order_id
        self.owner = owner
        self.side = side
        self.ticks = ticks
        self.lots = lots
        self.tag = tag


class PublicTrade(Struct, frozen=True, gc=False):
    """One print of the tape; `side` is the taker's, `seq` that of the book change it caused.

    Block trades, and those with retail price improvement (`rpi`), take nothing off the visible book.
    """

    ticks: int
    lots: int
    side: Side
    at_ms: int
    seq: int
    trade_id: str
    rpi: bool = False
    block: bool = False


class Match(Struct, frozen=True, gc=False):
    """One fill between a resting order and an incoming one."""

    maker: RestingOrder
    trade: PublicTrade


class Placed(Struct, frozen=True):
    """What became of an incoming order.

    `order` rests in the book (None: nothing rests); `reason` is the venue's word for why lots were
    dropped ("" when all lots matched or rest).
    """

    order: RestingOrder | None
    matches: tuple[Match, ...]
    reason: str = ""

    @property
    def filled_lots(self) -> int:
        return sum(match.trade.lots for match in self.matches)


class _Level:
    __slots__ = ("lots", "orders")

    def __init__(self) -> None:
        self.lots = 0
        self.orders: dict[int, RestingOrder] = {}


class _Half:
    """One side of the book. `keys` are the prices best first: ticks for asks, negated for bids.

    Each of the `watchers` is told every price at which something changed. `own` are the account's orders.
    """

    __slots__ = ("keys", "levels", "own", "sign", "watchers")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, _Level] = {}
        self.own: dict[int, RestingOrder] = {}
        self.watchers: list[dict[int, None]] = []

    def add(self, order: RestingOrder, *, first: bool = False) -> None:
        level = self.levels.get(order.ticks)
        if level is None:
            level = self.levels[order.ticks] = _Level()
            insort(self.keys, order.ticks * self.sign)
        if first:
            level.orders = {order.order_id: order, **level.orders}
        else:
            level.orders[order.order_id] = order
        if order.owner == ACCOUNT:
            self.own[order.order_id] = order
        level.lots += order.lots
        for watcher in self.watchers:
            watcher[order.ticks] = None

    def grow(self, order: RestingOrder, lots: int) -> None:
        order.lots += lots
        self.levels[order.ticks].lots += lots
        for watcher in self.watchers:
            watcher[order.ticks] = None

    def shrink(self, order: RestingOrder, lots: int) -> None:
        """Take `lots` from a resting order; it leaves the book with its last one."""
        level = self.levels[order.ticks]
        order.lots -= lots
        level.lots -= lots
        for watcher in self.watchers:
            watcher[order.ticks] = None
        if order.lots:
            return
        del level.orders[order.order_id]
        self.own.pop(order.order_id, None)
        if not level.orders:
            del self.levels[order.ticks]
            del self.keys[bisect_left(self.keys, order.ticks * self.sign)]

    def best(self) -> int | None:
        return self.keys[0] * self.sign if self.keys else None


class MatchingBook:
    """The matching engine of one symbol.

    `seq` is the cross sequence: it grows with every change, and trades carry the value of the
    change they cause. While `still` nothing matches: what would is dropped, the rest may stand and be cancelled.
    """

    __slots__ = ("_fills", "_halves", "_next_id", "_trades", "last_ticks", "seq", "still", "symbol")

    def __init__(self, symbol: str, first_seq: int = 1) -> None:
        self.symbol = symbol
        self.seq = first_seq
        self.still = False
        self.last_ticks: int | None = None
        self._halves = {Side.BUY: _Half(-1), Side.SELL: _Half(1)}
        self._next_id = 0
        self._trades: list[PublicTrade] = []
        self._fills: list[Match] = []

    def add(
        self,
        owner: str,
        side: Side,
        ticks: int,
        lots: int,
        *,
        ioc: bool = False,
        fok: bool = False,
        post_only: bool = False,
        now_ms: int,
        tag: object = None,
    ) -> Placed:
        """Match a limit order against the book and let the rest stand (not with `ioc` or `fok`)."""
        if lots <= 0 or ticks <= 0:
            raise ValueError(f"{self.symbol} order: expected positive ticks and lots, found {ticks} and {lots}")
        crosses = self.crosses(side, ticks)
        if post_only and crosses:
            return Placed(None, (), POST_ONLY_CROSSES)
        if self.still and (crosses or ioc or fok):
            return Placed(None, (), NOTHING_TO_MATCH)
        if fok and self.available(side, ticks, lots) < lots:
            return Placed(None, (), NO_FULL_FILL)
        matches = self._take(side, ticks, lots, now_ms) if crosses else ()
        rest = lots - sum(match.trade.lots for match in matches)
        if not rest:
            return Placed(None, matches)
        if ioc or fok:
            return Placed(None, matches, NOT_ENOUGH_TO_MATCH if matches else NOTHING_TO_MATCH)
        if not matches:
            self.seq += 1
        self._next_id += 1
        order = RestingOrder(self._next_id, owner, side, ticks, rest, tag)
        self._halves[side].add(order)
        return Placed(order, matches)

    def market(self, owner: str, side: Side, lots: int, limit_ticks: int, now_ms: int) -> Placed:
        """Take what is there down (up) to `limit_ticks`; the rest is dropped."""
        return self.add(owner, side, limit_ticks, lots, ioc=True, now_ms=now_ms)

    def report(self, side: Side, ticks: int, lots: int, now_ms: int, *, block: bool) -> None:
        """A trade beside the visible book: a block trade, or one with retail price improvement."""
        self.seq += 1
        trade_id = f"{self.symbol}-{self.seq}-0"
        self._trades.append(PublicTrade(ticks, lots, side, now_ms, self.seq, trade_id, not block, block))

    def stand(self, owner: str, side: Side, ticks: int, lots: int, *, first: bool = False) -> None:
        """Let lots rest that are not matched (the caller knows that they cross nothing), `first` before all."""
        self.seq += 1
        self._next_id += 1
        self._halves[side].add(RestingOrder(self._next_id, owner, side, ticks, lots), first=first)

    def show(self, owner: str, side: Side, levels: Iterable[tuple[int, int]]) -> None:
        """Let one order stand for all lots (0: none) at each of these prices, instead of all that stood there."""
        self.seq += 1
        half = self._halves[side]
        for ticks, lots in levels:
            level = half.levels.get(ticks)
            if level is not None:
                first, *others = level.orders.values()
                for order in others if lots else (first, *others):
                    half.shrink(order, order.lots)
                if lots:
                    half.grow(first, lots - first.lots)
            elif lots:
                self._next_id += 1
                half.add(RestingOrder(self._next_id, owner, side, ticks, lots))

    def grow(self, order: RestingOrder, lots: int) -> None:
        """What stands for many grows in place."""
        self.seq += 1
        self._halves[order.side].grow(order, lots)

    def hit(self, maker: RestingOrder, lots: int, now_ms: int) -> None:
        """Somebody outside trades with this resting order, at its price."""
        self.seq += 1
        self._halves[maker.side].shrink(maker, lots)
        self._record([Match(maker, self._trade(maker.side.opposite, maker.ticks, lots, now_ms))])

    def passed(self, side: Side, ticks: int, lots: int, now_ms: int) -> None:
        """A trade between others, which nobody in this book has made; `side` is its taker's."""
        self.seq += 1
        self._trades.append(self._trade(side, ticks, lots, now_ms))
        self.last_ticks = ticks

    def cancel(self, order: RestingOrder) -> None:
        """Take the order off the book; nothing happens when it is no longer there."""
        if order.lots:
            self.reduce(order, order.lots)

    def reduce(self, order: RestingOrder, lots: int) -> None:
        """Shrink a resting order by `lots` (at most all of it) in place: it keeps its time priority."""
        if not 0 < lots <= order.lots:
            raise ValueError(f"{self.symbol} order {order.order_id}: expected 1 to {order.lots} lots, found {lots}")
        self.seq += 1
        self._halves[order.side].shrink(order, lots)

    @property
    def best_bid(self) -> int | None:
        return self._halves[Side.BUY].best()

    @property
    def best_ask(self) -> int | None:
        return self._halves[Side.SELL].best()

    def best(self, side: Side) -> int | None:
        return self._halves[side].best()

    def crosses(self, side: Side, ticks: int) -> bool:
        """Whether an order of this side at `ticks` would match at once."""
        best = self._halves[side.opposite].best()
        return best is not None and (ticks - best) * side.sign >= 0

    @property
    def filled(self) -> bool:
        """Whether `take_fills` has something."""
        return bool(self._fills)

    @property
    def ours(self) -> bool:
        """Whether the account has an order in it."""
        return any(half.own for half in self._halves.values())

    def own(self, side: Side) -> list[RestingOrder]:
        """The account's orders of one side, oldest first."""
        return list(self._halves[side].own.values())

    def queue(self, side: Side, ticks: int) -> list[RestingOrder]:
        """The orders at a price, the first to be served first."""
        level = self._halves[side].levels.get(ticks)
        return list(level.orders.values()) if level else []

    def level_lots(self, side: Side, ticks: int) -> int:
        level = self._halves[side].levels.get(ticks)
        return level.lots if level else 0

    def depth(self, side: Side, levels: int) -> list[tuple[int, int]]:
        """The best `levels` of a side as (ticks, lots), best first."""
        half = self._halves[side]
        return [(ticks, half.levels[ticks].lots) for ticks in (key * half.sign for key in half.keys[:levels])]

    def window(self, side: Side, levels: int) -> Window:
        """The best `levels` of a side, to be looked at again and again; close it in the end."""
        return Window(self._halves[side], levels)

    def available(self, side: Side, limit_ticks: int, enough: int) -> int:
        """Lots that an order of `side` could take at `limit_ticks` or better, counted up to `enough`."""
        half = self._halves[side.opposite]
        found = 0
        for key in half.keys:
            ticks = key * half.sign
            if found >= enough or (limit_ticks - ticks) * side.sign < 0:
                break
            found += half.levels[ticks].lots
        return found

    def take_trades(self) -> list[PublicTrade]:
        """Public trades since the last call, in order."""
        trades, self._trades = self._trades, []
        return trades

    def take_fills(self) -> list[Match]:
        """Fills of the account's resting orders since the last call, in order."""
        fills, self._fills = self._fills, []
        return fills

    def _take(self, side: Side, limit_ticks: int, lots: int, now_ms: int) -> tuple[Match, ...]:
        self.seq += 1
        half = self._halves[side.opposite]
        matches: list[Match] = []
        while lots and half.keys and self.crosses(side, limit_ticks):
            ticks = half.keys[0] * half.sign
            maker = next(iter(half.levels[ticks].orders.values()))
            taken = min(lots, maker.lots)
            half.shrink(maker, taken)
            lots -= taken
            matches.append(Match(maker, self._trade(side, ticks, taken, now_ms, len(matches))))
        self._record(matches)
        return tuple(matches)

    def _trade(self, side: Side, ticks: int, lots: int, now_ms: int, number: int = 0) -> PublicTrade:
        return PublicTrade(ticks, lots, side, now_ms, self.seq, f"{self.symbol}-{self.seq}-{number}")

    def _record(self, matches: list[Match]) -> None:
        self._trades.extend(match.trade for match in matches)
        self._fills.extend(match for match in matches if match.maker.owner == ACCOUNT)
        self.last_ticks = matches[-1].trade.ticks
