"""The synthetic market: seeded, scripted, in fixed steps.

All randomness comes from one generator per symbol, derived from the seed; what the market does
depends on seed, scenario and elapsed time only (and on the account's own orders), never on how
often it is stepped.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import exp
from random import Random

from msgspec.structs import replace

from breakwall.model.units import Side
from breakwall.venues.exchange.agents import (
    STEP_MS,
    Character,
    MarketMaker,
    NoiseTaker,
    Pit,
    Spoofer,
    TrendTaker,
    Wall,
    WallBuilder,
)
from breakwall.venues.exchange.director import DEFAULT, Act, Cue, Director, Leg, Part, cast
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.retail import RetailDesk
from breakwall.venues.exchange.universe import invented_character

CHARACTERS: Mapping[str, Character] = {
    "BTCUSDT": Character(
        price=65_000,
        near_bp=4.5,
        near_density=0.70,
        far_bp=74,
        far_density=0.20,
        level_usdt=20_000,
        level_sigma=2.2,
        cap_usdt=180_000,
        touch_usdt=250_000,
        wall_usdt=9_000_000,
        trade_usdt=5_000,
        noise_rate=1.3,
        trend_rate=5.0,
        noise_bp=0.4,
        refreshed=9,
    ),
    "ETHUSDT": Character(
        price=1_920,
        near_bp=12,
        near_density=0.86,
        far_bp=74,
        far_density=0.77,
        level_usdt=16_000,
        level_sigma=2.0,
        cap_usdt=150_000,
        touch_usdt=120_000,
        wall_usdt=5_500_000,
        trade_usdt=3_000,
        noise_rate=0.8,
        trend_rate=4.0,
        noise_bp=0.6,
        refreshed=9,
    ),
    "SOLUSDT": Character(
        price=150,
        near_bp=60,
        near_density=0.52,
        far_bp=340,
        far_density=0.51,
        level_usdt=20_000,
        level_sigma=1.3,
        cap_usdt=80_000,
        touch_usdt=40_000,
        wall_usdt=650_000,
        trade_usdt=1_500,
        noise_rate=0.6,
        trend_rate=3.0,
        noise_bp=0.8,
        refreshed=4,
    ),
    "DOGEUSDT": Character(
        price=0.2,
        near_bp=60,
        near_density=0.40,
        far_bp=340,
        far_density=0.385,
        level_usdt=10_000,
        level_sigma=1.3,
        cap_usdt=40_000,
        touch_usdt=20_000,
        wall_usdt=380_000,
        trade_usdt=800,
        noise_rate=0.5,
        trend_rate=2.5,
        noise_bp=0.8,
        refreshed=4,
    ),
}
"""Level counts and reach as on the venue: 200 levels reach about 0.05 % (BTC), 0.12 % (ETH), 2.6 % (SOL, DOGE);
1000 levels of BTC and ETH reach about 0.65 %."""

_NOISE_S = 4.0  # how long the fair price stays off its path
_MARK_S = 0.7  # smoothing of the mark price
_STEP_S = STEP_MS / 1000
_WALLS_KEPT = 256


def character_of(symbol: str) -> Character:
    """Raises ValueError for a symbol that nobody knows."""
    character = CHARACTERS.get(symbol) or invented_character(symbol)
    if character is None:
        raise ValueError(f"synthetic market: expected symbols among {', '.join(CHARACTERS)}, found {symbol}")
    return character


class Stage:
    """One symbol: its pit, the people in it, and their director."""

    __slots__ = (
        "_builder",
        "_cued",
        "_director",
        "_index_bp",
        "_listing",
        "_maker",
        "_mark",
        "_noise_bp",
        "_noise_taker",
        "_pit",
        "_retail",
        "_spoofer",
        "_start_ms",
        "_start_ticks",
        "_trend_taker",
        "walls",
    )

    def __init__(
        self, listing: Listing, scenario: str, opening: Part | None, random: Random, retail: Random, start_ms: int
    ) -> None:
        character = character_of(listing.instrument.symbol)
        opened = bool(listing.mark)
        if opened:  # it goes on where it was, in other ticks
            character = replace(character, price=float(listing.last))
        self._listing = listing
        self._pit = pit = Pit(listing.book, listing.instrument, character, random, start_ms)
        self._start_ms, self._start_ticks = start_ms, pit.centre
        self._director = Director(scenario, opening, random)
        self._maker = MarketMaker(pit)
        self._noise_taker = NoiseTaker(pit)
        self._trend_taker = TrendTaker(pit)
        self._builder = WallBuilder(pit)
        self._spoofer = Spoofer(pit)
        self._retail = RetailDesk(pit, retail)
        self._noise_bp = 0.0
        self._index_bp = 0.0
        self._mark = pit.centre + 0.5
        self._cued: dict[int, Wall] = {}
        self.walls: deque[Wall] = deque(maxlen=_WALLS_KEPT)
        if not opened:
            self._open_day(random)

    def step(self, now_ms: int) -> None:
        """One step: cues, fair price, quotes, trades, reference prices."""
        self._pit.now_ms = now_ms
        cues = self._director.advance(now_ms - self._start_ms)
        self._pit.centre = self._behind_walls(self._fair_ticks())
        for cue in cues:
            self._follow(cue)
        self._maker.quote()
        self._builder.tend()
        self._spoofer.flicker(self._builder.walls)
        self._spoofer.tend()
        self._noise_taker.trade(0.0)
        self._trend_taker.trade(self._director.flow)
        self._maker.breathe()
        self._retail.trade()
        self._move_mark()

    @property
    def standing(self) -> tuple[Wall, ...]:
        """The scripted walls that stand now; what flickers is none."""
        return tuple(wall for wall in self.walls if wall.lots)

    def pull(self) -> None:
        """Every wall is cancelled at once."""
        for wall in self.walls:
            self._builder.withdraw(wall)

    def run(self, legs: Sequence[Leg]) -> None:
        """The fair price takes this way from now on; who has put up walls gets out of it."""
        self.pull()
        self._director.run(self._pit.now_ms - self._start_ms, legs)

    def _fair_ticks(self) -> int:
        random, noise_bp = self._pit.random, self._pit.character.noise_bp
        kick = noise_bp * (2 * _STEP_S / _NOISE_S) ** 0.5
        self._noise_bp += random.gauss(0, kick) - self._noise_bp * _STEP_S / _NOISE_S
        return self._price_of(self._director.level_bp + self._noise_bp)

    def _price_of(self, bp: float) -> int:
        return round(self._start_ticks * (1 + bp / 10_000))

    def _behind_walls(self, centre: int) -> int:
        """The fair price never passes a standing wall: it has to be eaten first."""
        for wall in self._builder.walls:
            centre = min(centre, wall.ticks - 1) if wall.side is Side.SELL else max(centre, wall.ticks)
        return centre

    def _follow(self, cue: Cue) -> None:
        if cue.act is Act.BUILD:
            self._build(cue)
            return
        wall = self._cued.pop(cue.wall, None)
        if wall is None:
            return
        if cue.act is Act.EAT:
            self._trend_taker.attack(wall, cue.seconds)
        elif cue.act is Act.PULL:
            self._spoofer.withdraw(wall)
        else:
            self._builder.withdraw(wall)

    def _build(self, cue: Cue) -> None:
        pit = self._pit
        side = Side.SELL if cue.side_sign > 0 else Side.BUY
        builder = self._spoofer if cue.spoof else self._builder
        wall = builder.build(side, self._price_of(cue.bp), pit.lots(pit.character.wall_usdt * cue.size))
        self._cued[cue.wall] = wall
        self.walls.append(wall)

    def _move_mark(self) -> None:
        bid, ask = self._listing.book.best_bid, self._listing.book.best_ask
        if bid is not None and ask is not None:
            self._mark += ((bid + ask) / 2 - self._mark) * (1 - exp(-_STEP_S / _MARK_S))
        self._index_bp += self._pit.random.gauss(0, 0.05) - self._index_bp * 0.01
        tick = self._listing.instrument.tick
        mark = Decimal(round(self._mark * 1000)) / 1000 * tick
        self._listing.set_prices(mark, mark * (1 + Decimal(round(self._index_bp * 1000)) / 10_000_000))

    def _open_day(self, random: Random) -> None:
        """A plausible last day: change, range, volume and open interest."""
        listing = self._listing
        instrument = listing.instrument
        price = instrument.price(self._start_ticks)

        def near(low: float, high: float) -> Decimal:
            return instrument.price(round(self._start_ticks * random.uniform(low, high)))

        listing.set_prices(price)
        move = self._pit.character.day_move
        listing.open_price = near(1 - move, 1 + move)
        listing.high = max(price, listing.open_price) + near(0.001, 0.01)
        listing.low = min(price, listing.open_price) - near(0.001, 0.01)
        coins = round(self._pit.character.wall_usdt * random.uniform(90, 140) / self._pit.character.price)
        listing.volume = Decimal(coins)
        listing.turnover_usdt = coins * price
        listing.open_interest = Decimal(coins * 3)
        listing.funding_rate = Decimal(random.randint(-40, 120)) / 1_000_000


class SyntheticMarket:
    """Drives the books of all listings. `seed` and `scenario` decide everything the market does.

    Raises UnknownScenarioError for a scenario without script, ValueError for a symbol without character.
    """

    def __init__(
        self, listings: Mapping[str, Listing], seed: int, scenario: str = DEFAULT, start_ms: int = 0
    ) -> None:
        openings = cast(scenario, list(listings), Random(f"{seed}/cast"))
        self._seed = seed
        self._scenario = scenario
        self._now_ms = start_ms
        self._stages = {
            symbol: self._stage(listing, openings.get(symbol), f"{seed}/{symbol}")
            for symbol, listing in listings.items()
        }

    def _stage(self, listing: Listing, opening: Part | None, seed: str) -> Stage:
        dice = Random(seed), Random(f"{seed}/retail")
        return Stage(listing, self._scenario, opening, *dice, self._now_ms)

    def stage(self, listing: Listing) -> None:
        """Play a contract that is new, or whose rules are: from its price on, if it has one."""
        symbol = listing.instrument.symbol
        self._stages[symbol] = self._stage(listing, None, f"{self._seed}/{symbol}/{self._now_ms}")

    def step(self, now_ms: int) -> None:
        """Play all steps up to this time; nothing happens before the next step is due."""
        while self._now_ms + STEP_MS <= now_ms:
            self._now_ms += STEP_MS
            for stage in self._stages.values():
                stage.step(self._now_ms)

    def run(self, symbol: str, legs: Sequence[Leg]) -> None:
        """The fair price of this symbol takes this way from now on."""
        self._stages[symbol].run(legs)

    def pull(self, symbol: str) -> None:
        """Every wall of this symbol is cancelled at once."""
        self._stages[symbol].pull()

    def standing(self, symbol: str) -> tuple[Wall, ...]:
        """The walls of this symbol that stand now."""
        return self._stages[symbol].standing

    def walls(self, symbol: str) -> tuple[Wall, ...]:
        """The scripted walls so far, oldest first: what a detector ought to find."""
        return tuple(self._stages[symbol].walls)
