"""The people of the synthetic market, one set per symbol. Each has a name, which owns its orders in the book.

Sizes and level densities follow a recorded Bybit book: dust-dominated (log-normal with a long tail),
dense within a few bp of the touch, thinner further out.
"""

from collections.abc import Iterable
from math import ceil
from random import Random

from msgspec import Struct

from breakwall.model.units import Instrument, Side
from breakwall.venues.exchange.matching import MatchingBook, RestingOrder

STEP_MS = 50
"""The market moves in steps of this length, however it is driven."""

_TOUCH = "touch"  # tag of the larger quotes at the best prices
_ALL = 10**15  # more lots than any book holds


class Character(Struct, frozen=True):
    """What a symbol is like. Densities are the share of prices with an order; rates are per second.

    `level_usdt` is the mean size of a level, `cap_usdt` its largest, `wall_usdt` an ordinary wall,
    `noise_bp` the standard deviation of the fair price around its path. The ladder's pattern repeats after
    `pattern` prices: prime, and longer than the ladder. `day_move` is the largest change of the day before.
    """

    price: float
    near_bp: float
    near_density: float
    far_bp: float
    far_density: float
    level_usdt: float
    level_sigma: float
    cap_usdt: float
    touch_usdt: float
    wall_usdt: float
    trade_usdt: float
    noise_rate: float
    trend_rate: float
    noise_bp: float
    refreshed: int
    pattern: int = 8191
    day_move: float = 0.015


class Pit:
    """One symbol as its agents see it. `centre` is the fair price in ticks: bids up to it, asks above it."""

    __slots__ = ("book", "centre", "character", "now_ms", "random", "usdt_per_tick_lot")

    def __init__(
        self, book: MatchingBook, instrument: Instrument, character: Character, random: Random, now_ms: int
    ) -> None:
        self.book = book
        self.character = character
        self.random = random
        self.usdt_per_tick_lot = float(instrument.usdt_per_tick_lot)
        self.centre = round(character.price / float(instrument.tick))
        self.now_ms = now_ms

    def lots(self, usdt: float) -> int:
        """At least one lot worth about `usdt`."""
        return max(1, round(usdt / (self.centre * self.usdt_per_tick_lot)))

    def ticks(self, bp: float) -> int:
        return max(1, round(self.centre * bp / 10_000))

    def times(self, per_second: float) -> int:
        """How often something of this rate happens in one step."""
        mean = per_second * STEP_MS / 1000
        whole = int(mean)
        return whole + (self.random.random() < mean - whole)

    def draw_usdt(self, mean: float, sigma: float) -> float:
        """A log-normal size with this mean."""
        return mean * self.random.lognormvariate(-sigma * sigma / 2, sigma)


class MarketMaker:
    """Keeps the ladder: every price has a fixed taste for being quoted near, far or never."""

    __slots__ = ("_centre", "_far", "_kinds", "_lots", "_near", "_orders", "_pattern", "_pit", "name")

    def __init__(self, pit: Pit, name: str = "harbour-makers") -> None:
        self.name = name
        self._pit = pit
        character = pit.character
        self._pattern = character.pattern
        self._near = pit.ticks(character.near_bp)
        self._far = pit.ticks(character.far_bp)
        self._kinds = [self._taste() for _ in range(self._pattern)]
        self._lots = [self._size() for _ in range(self._pattern)]
        self._orders: dict[int, RestingOrder] = {}
        self._centre = pit.centre
        self._settle(range(pit.centre - self._far, pit.centre + self._far + 2))

    def quote(self) -> None:
        """Bring the ladder to the pit's centre, taking foreign orders that the fair price has passed."""
        low, high = sorted((self._centre, self._pit.centre))
        self._centre = self._pit.centre
        near, far = self._near, self._far
        if high - low > near // 2:
            self._settle(range(low - far - 1, high + far + 3))
            return
        ticks = list(range(low - 1, high + 3))
        for edge in (-far - 1, -near - 1, near, far):
            ticks.extend(range(low + edge, high + edge + 2))
        self._settle(ticks)

    def breathe(self) -> None:
        """Resize, cancel or restore a few quotes near the touch, as makers do all the time."""
        random = self._pit.random
        for _ in range(self._pit.character.refreshed):
            distance = int(random.expovariate(4 / self._near))
            ticks = self._centre - distance if random.random() < 0.5 else self._centre + 1 + distance
            order = self._orders.get(ticks)
            if order is None or not order.lots:
                self._settle((ticks,))
                continue
            roll = random.random()
            if roll < 0.5:
                self._lots[ticks % self._pattern] = self._size()
                self._cancel(ticks)
                self._place(ticks)
            elif roll < 0.65 and distance:
                self._cancel(ticks)

    def _taste(self) -> int:
        """2: quoted at any distance, 1: only near the touch, 0: never (but at the touch itself)."""
        roll, character = self._pit.random.random(), self._pit.character
        return 2 if roll < character.far_density else 1 if roll < character.near_density else 0

    def _size(self) -> int:
        character = self._pit.character
        return self._pit.lots(
            min(character.cap_usdt, self._pit.draw_usdt(character.level_usdt, character.level_sigma))
        )

    def _wanted(self, ticks: int) -> bool:
        distance = self._centre - ticks if ticks <= self._centre else ticks - self._centre - 1
        kind = self._kinds[ticks % self._pattern]
        return distance == 0 or (distance <= self._far if kind == 2 else kind == 1 and distance <= self._near)

    def _settle(self, prices: range | list[int] | tuple[int, ...]) -> None:
        """Make what stands at these prices what is wanted there: cancels first, then sweep, then quotes."""
        missing = []
        for ticks in prices:
            wanted = self._wanted(ticks)
            if wanted and self._stands(ticks):
                continue
            self._cancel(ticks)
            if wanted:
                missing.append(ticks)
        self._sweep(Side.BUY, self._centre)
        self._sweep(Side.SELL, self._centre + 1)
        for ticks in missing:
            self._place(ticks)

    def _stands(self, ticks: int) -> bool:
        """Whether our quote there is alive, on the right side, and large only at the touch."""
        order = self._orders.get(ticks)
        if order is None or not order.lots or (order.side is Side.BUY) != (ticks <= self._centre):
            return False
        return order.tag != _TOUCH or self._at_touch(ticks)

    def _at_touch(self, ticks: int) -> bool:
        return 0 <= ticks - self._centre <= 1

    def _sweep(self, side: Side, limit: int) -> None:
        book = self._pit.book
        if book.crosses(side, limit):
            book.market(self.name, side, book.available(side, limit, _ALL), limit, self._pit.now_ms)

    def _cancel(self, ticks: int) -> None:
        order = self._orders.pop(ticks, None)
        if order is not None:
            self._pit.book.cancel(order)

    def _place(self, ticks: int) -> None:
        pit = self._pit
        side = Side.BUY if ticks <= self._centre else Side.SELL
        lots, tag = self._lots[ticks % self._pattern], None
        if self._at_touch(ticks):
            lots, tag = lots + pit.lots(pit.character.touch_usdt * pit.random.uniform(0.3, 1.2)), _TOUCH
        placed = pit.book.add(self.name, side, ticks, lots, post_only=True, now_ms=pit.now_ms, tag=tag)
        if placed.order is not None:
            self._orders[ticks] = placed.order


class Taker:
    """Trades at the market, `rate` times a second; `lean` -1..1 is its preference for buying."""

    __slots__ = ("_mean_usdt", "_pit", "_rate", "name")

    def __init__(self, pit: Pit, name: str, rate: float, mean_usdt: float) -> None:
        self.name = name
        self._pit = pit
        self._rate = rate
        self._mean_usdt = mean_usdt

    def trade(self, lean: float, effort: float = 1.0) -> None:
        pit = self._pit
        for _ in range(pit.times(self._rate * effort)):
            side = Side.BUY if pit.random.random() < (1 + lean) / 2 else Side.SELL
            lots = pit.lots(pit.draw_usdt(self._mean_usdt, 1.2))
            pit.book.market(self.name, side, lots, pit.centre + side.sign * pit.ticks(5), pit.now_ms)


class NoiseTaker(Taker):
    """Buys and sells small sizes without a view."""

    __slots__ = ()

    def __init__(self, pit: Pit, name: str = "noise-crowd") -> None:
        super().__init__(pit, name, pit.character.noise_rate, pit.character.trade_usdt)


class Wall:
    """A large order of one owner at one price, put up in clips. `target` lots are meant to stand there."""

    __slots__ = ("built_ms", "ended_ms", "orders", "owner", "peak", "pulled", "side", "symbol", "target", "ticks")

    def __init__(self, symbol: str, owner: str, side: Side, ticks: int, target: int, built_ms: int) -> None:
        self.symbol = symbol
        self.owner = owner
        self.side = side
        self.ticks = ticks
        self.target = target
        self.built_ms = built_ms
        self.orders: list[RestingOrder] = []
        self.peak = 0
        self.pulled = 0
        self.ended_ms: int | None = None

    @property
    def lots(self) -> int:
        return sum(order.lots for order in self.orders)

    @property
    def eaten(self) -> int:
        return self.peak - self.pulled - self.lots


class TrendTaker(Taker):
    """Trades the trend's way, and eats the walls that stand in it."""

    __slots__ = ("_pace", "_until_ms", "_wall")

    def __init__(self, pit: Pit, name: str = "trend-riders") -> None:
        super().__init__(pit, name, pit.character.trend_rate, pit.character.trade_usdt * 2)
        self._wall: Wall | None = None
        self._pace = 0.0
        self._until_ms = 0

    def attack(self, wall: Wall, seconds: float) -> None:
        """Eat this wall within so many seconds."""
        self._wall = wall
        self._until_ms = self._pit.now_ms + round(seconds * 1000)
        self._pace = wall.lots / (seconds * 1000 / STEP_MS)

    def trade(self, lean: float, effort: float = 1.0) -> None:
        if lean:
            super().trade(0.9 if lean > 0 else -0.9, effort * abs(lean))
        wall, pit = self._wall, self._pit
        if wall is None:
            return
        if not wall.lots:
            self._wall = None
            return
        rushed = pit.now_ms >= self._until_ms
        if not rushed and pit.random.random() < 0.5:
            return
        stands = pit.book.level_lots(wall.side, wall.ticks)
        bite = stands if rushed else min(stands, ceil(self._pace * pit.random.uniform(1, 3)))
        side = wall.side.opposite
        before = pit.book.available(side, wall.ticks - side.sign, _ALL)
        pit.book.market(self.name, side, before + bite, wall.ticks, pit.now_ms)


class WallBuilder:
    """Puts up large resting orders that are meant to trade, and leaves them standing."""

    __slots__ = ("_pit", "name", "walls")

    CLIPS = 4

    def __init__(self, pit: Pit, name: str = "wall-mason") -> None:
        self.name = name
        self._pit = pit
        self.walls: list[Wall] = []

    def build(self, side: Side, ticks: int, lots: int) -> Wall:
        pit = self._pit
        wall = Wall(pit.book.symbol, self.name, side, ticks, lots, pit.now_ms)
        self.walls.append(wall)
        return wall

    def tend(self) -> None:
        """Add the next clip to walls that are not complete yet; forget those that are gone."""
        pit = self._pit
        for wall in self.walls:
            missing = wall.target - wall.peak
            if missing <= 0:
                continue
            clip = min(missing, ceil(wall.target / self.CLIPS))
            placed = pit.book.add(self.name, wall.side, wall.ticks, clip, post_only=True, now_ms=pit.now_ms)
            if placed.order is None:
                wall.target = wall.peak
                continue
            wall.orders.append(placed.order)
            wall.peak += clip
        for wall in [wall for wall in self.walls if wall.peak >= wall.target and not wall.lots]:
            wall.ended_ms = pit.now_ms
            self.walls.remove(wall)

    def withdraw(self, wall: Wall) -> None:
        """Cancel what is left of it."""
        wall.target = wall.peak
        wall.pulled += wall.lots
        for order in wall.orders:
            self._pit.book.cancel(order)


class Spoofer(WallBuilder):
    """Shows large orders it does not want filled: they are pulled before price gets there.

    Between its walls it lets large orders flicker for a second or two, as real books do.
    """

    __slots__ = ("_flickers",)

    CLIPS = 1
    FLICKERS_PER_S = 0.12
    NERVOUS_BP = 5.0
    ELBOW_ROOM_BP = 8.0

    def __init__(self, pit: Pit, name: str = "spoof-mirage") -> None:
        super().__init__(pit, name)
        self._flickers: list[tuple[int, Wall]] = []

    def flicker(self, others: Iterable[Wall]) -> None:
        """Now and then show a large order for a moment, away from walls that stand already."""
        pit = self._pit
        if not pit.times(self.FLICKERS_PER_S):
            return
        side = pit.random.choice((Side.BUY, Side.SELL))
        ticks = pit.centre - side.sign * pit.ticks(pit.random.uniform(15, 40))
        lots = pit.lots(pit.character.wall_usdt * pit.random.uniform(0.15, 0.3))
        until_ms = pit.now_ms + pit.random.randint(600, 2600)
        if all(abs(ticks - wall.ticks) > pit.ticks(self.ELBOW_ROOM_BP) for wall in (*others, *self.walls)):
            self._flickers.append((until_ms, self.build(side, ticks, lots)))

    def tend(self) -> None:
        super().tend()
        pit = self._pit
        for until_ms, wall in self._flickers:
            if pit.now_ms >= until_ms:
                self.withdraw(wall)
        self._flickers = [flicker for flicker in self._flickers if pit.now_ms < flicker[0]]
        for wall in self.walls:
            if abs(wall.ticks - pit.centre) < pit.ticks(self.NERVOUS_BP):
                self.withdraw(wall)
