"""All that the core knows, and the actions of the event it is deciding right now."""

from collections import Counter, deque
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

from breakwall.engine.delays import Lateness
from breakwall.engine.passes import Review
from breakwall.engine.roster import Roster
from breakwall.engine.rota import Rota
from breakwall.engine.transfers import Transfers
from breakwall.engine.wishes import Wish
from breakwall.market.state import Market
from breakwall.model.actions import Action, AskReadBack, Note
from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.model.events import Account, Wallet
from breakwall.model.records import SHOT_EVERY_MS, SHOT_MARKETS, Record
from breakwall.model.units import Instrument
from breakwall.model.view import SignalView
from breakwall.settings import Settings
from breakwall.strategies.base import Key, Strategy
from breakwall.strategies.density import Density
from breakwall.trading.blotter import Blotter
from breakwall.trading.breaker import Breaker, TradingState
from breakwall.trading.cost import Costs
from breakwall.trading.exits import Exits
from breakwall.trading.orders import Orders
from breakwall.trading.origin import Origin
from breakwall.trading.positions import Positions
from breakwall.trading.protection import Protection
from breakwall.trading.reconcile.checkpoint import Checkpoint

SIGNALS_SHOWN = 50
FLATTENS_SHOWN = 5
STATS_EVERY_MS = 60_000
"""How often it gets each market's figures."""
CROWDS = 100, 300
"""With more markets than the first each is looked at every second tick, than the second every third: hundreds at once
hold up the next message, and what is held is looked after at every tick anyway."""
_NO_MONEY = Wallet(Decimal(0), Decimal(0), Decimal(0))


class Phase(Enum):
    """STARTING: no account yet. RECOVERING: the venue is asked until nothing differs. TRADING: it has answered.
    OBSERVING: something cannot be explained, so nothing is opened. LEAVING: going.
    """

    STARTING = "STARTING"
    RECOVERING = "RECOVERING"
    TRADING = "TRADING"
    OBSERVING = "OBSERVING"
    LEAVING = "LEAVING"


class State:
    """The tables and facts of one run. Modules of this package read and write it; only `Core` owns it.

    `at` is the origin of the event being decided; `out` gathers its actions in order.
    """

    was_armed = False  # at any time since the account was known
    ticks = 0

    def __init__(self, run: int) -> None:
        self.run = run
        self.at = Origin(run, 0, 0)
        self.out: list[Action] = []
        self.phase = Phase.STARTING
        self.settings = Settings()
        self.account: Account | None = None
        self.markets: dict[str, Market] = {}
        self.roster = Roster()
        self.blotter = Blotter(self.settings, {})
        self.use(taker_fee=Decimal("0.00055"))
        self.answered: dict[Key, tuple[str, ...]] = {}  # signal -> the checks that refused it, and "ordered"
        self.signals: deque[SignalView] = deque(maxlen=SIGNALS_SHOWN)
        self.safe = ""  # who made it SAFE, and when; empty: ARMED
        self.panicked = ""  # who panicked, until somebody arms: what fills late is closed
        self.flat_wishes: dict[str, Wish] = {}  # symbol ("" is all) -> the wish to be flat that stands
        self.flattened: deque[Wish] = deque(maxlen=FLATTENS_SHOWN)  # those that were proven
        self.leaving: Wish | None = None
        self.journal_why = ""
        self.down: dict[str, str] = {}  # link -> why it is down
        self.reconciled = False  # the account was read back since the private link came up
        self.doubted_ms = 0  # a read-back asked before this says nothing about what may have been missed
        self.read_back_due = ""
        self.review = Review()
        self.observing = ""  # what nobody can explain, in words
        self.explained_ms = 0  # when a person last looked at such a thing (venue's time): it is not told again
        self.strangers: set[str] = set()  # symbols that others trade on this account
        self.read_back_why = ""  # why the last read-back failed
        self.asked_read_back_ms = 0
        self.read_asked_ms = 0  # when the last successful read-back was asked
        self.rest_ms: int | None = None  # how long the last successful read-back took
        self.fills_since_ms = 0
        self.first_book_ms: int | None = None
        self.recovered_ms: int | None = None
        self.transfers = Transfers()
        self.pruned_ms = 0
        self.checkpoint: Checkpoint | None = None  # taken, and waiting until nothing of before it can come any more
        self.looked_ms = 0  # when a checkpoint was thought of last
        self.ticked_ms = 0
        self.venue_offset_ms = 0  # the venue's clock minus ours
        self.clock_warned = False  # it was told that they differ
        self.lateness = Lateness()
        self.api: dict[ApiGroup, ApiHealth] = {}  # the API breaker of each group that had trouble
        self.shots = Rota(SHOT_EVERY_MS, SHOT_MARKETS)
        self.stats = Rota(STATS_EVERY_MS)
        self.sums = Sums()

    def use(self, taker_fee: Decimal) -> None:
        """Make everything anew that is computed from the settings and the account's fee (a fraction)."""
        settings = self.settings
        self.costs = Costs.of(settings.entry, taker_fee)
        self.protection = Protection(settings.exits, settings.risk, taker_fee)
        self.exits = Exits(settings.exits)
        self.strategies: tuple[Strategy, ...] = (Density(settings, self.costs),)

    @property
    def in_turn(self) -> list[Market]:
        """Whom time passes for at this tick: all markets; of a crowd a part, and the others at the next ticks."""
        markets = list(self.markets.values())
        turns = 1 + sum([len(markets) > crowd for crowd in CROWDS])
        return markets if turns == 1 else markets[self.ticks % turns :: turns]

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Current trading rules by symbol."""
        return self.blotter.instruments

    @property
    def orders(self) -> Orders:
        return self.blotter.orders

    @property
    def positions(self) -> Positions:
        return self.blotter.positions

    @property
    def breaker(self) -> Breaker:
        return self.blotter.breaker

    @property
    def wallet(self) -> Wallet:
        return self.blotter.wallet or _NO_MONEY

    @property
    def armed(self) -> bool:
        """Whether strategies and people may open risk."""
        return not self.safe

    @property
    def blind(self) -> bool:
        """No trusted word from the venue: nothing new may be opened."""
        return bool(self.down) or not self.reconciled

    @property
    def banned(self) -> bool:
        """Our address is banned: no REST request leaves, and stops are moved by nothing else."""
        health = self.api.get(ApiGroup.ALL)
        return health is not None and health.state is ApiState.BANNED and self.now < (health.until_ms or self.now)

    @property
    def trading_state(self) -> str:
        """ACTIVE, REDUCING, HALTED or OBSERVING; the phases around trading count as REDUCING."""
        if self.observing:
            return Phase.OBSERVING.value
        if self.phase is not Phase.TRADING and self.breaker.state is TradingState.ACTIVE:
            return TradingState.REDUCING.value
        return self.breaker.state.value

    @property
    def why(self) -> str:
        """All that holds entries back, in plain words; empty when nothing does."""
        reasons = [f"{link} link down: {reason}" for link, reason in self.down.items()]
        if self.observing:
            reasons.append(f"observing only: {self.observing}")
        elif self.phase is not Phase.TRADING:
            passes = self.review.passes
            pass_of = f", pass {passes.number + 1} of {self.settings.recovery.passes}" if passes else ""
            reasons.append(self.phase.value.lower() + pass_of)
        elif not self.reconciled:
            reasons.append("the account is being read back")
        if self.journal_why:
            reasons.append(f"journal: {self.journal_why}")
        if self.safe:
            reasons.append(f"SAFE ({self.safe})")
        return "; ".join([*reasons, self.breaker.why] if self.breaker.why else reasons)

    @property
    def foreign(self) -> str:
        """What becomes of what is not ours. While something cannot be explained nobody knows that it is not: without
        its journal our own looks so, and is kept.
        """
        said = self.settings.recovery.foreign
        return "adopt" if said == "close" and self.observing else said

    def wants(self, symbol: str) -> bool:
        """Whether the settings or the screener want this symbol followed."""
        return symbol in self.roster.named or symbol in self.roster.screener.chosen

    def wants_flat(self, symbol: str) -> str:
        """Why this symbol must be flat: a person's wish, or the breaker's; empty where it need not."""
        wish = self.flat_wishes.get(symbol) or self.flat_wishes.get("")
        if wish is not None:
            return wish.why
        return self.breaker.why if self.breaker.flatten else ""

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """All that the venue has to prove."""
        flat = tuple(self.flat_wishes.values())
        return flat if self.leaving is None else (*flat, self.leaving)

    @property
    def now(self) -> int:
        """Engine time of the event being decided."""
        return self.at.at_ms

    def ask_read_back(self, purpose: str) -> None:
        """Ask the venue for the whole account, now."""
        self.asked_read_back_ms = self.now
        self.read_back_due = ""
        self.out.append(AskReadBack("start" if self.phase is Phase.RECOVERING else purpose))

    def say(
        self,
        kind: str,
        text: str,
        *,
        level: str = "info",
        symbol: str = "",
        client_id: str = "",
        durable: bool = False,
        record: Record | None = None,
    ) -> None:
        """A line for the log, and for the journal where `durable` or a fact for the books is in it."""
        durable = durable or record is not None
        self.out.append(Note(kind, text, level, symbol, self.at.trace, client_id, durable=durable, record=record))


GONE_COUNTS = ("book_messages", "trades_seen", "gaps", "resyncs", "walls_seen", "walls_eaten", "walls_pulled")
"""What is counted by each market, and must not be forgotten with it."""


class Sums:
    """Counts of this run, for the receipt. `gone` are those of markets that are no longer followed."""

    __slots__ = (
        "bad_frames",
        "breaker_trips",
        "closed_by",
        "fees_usdt",
        "fills",
        "funding_usdt",
        "gone",
        "opened_by",
        "orders_sent",
        "realised_pnl_usdt",
        "refused",
        "signals",
    )

    def __init__(self) -> None:
        self.bad_frames = self.breaker_trips = self.fills = self.orders_sent = self.refused = self.signals = 0
        self.fees_usdt = self.funding_usdt = self.realised_pnl_usdt = Decimal(0)
        self.opened_by: Counter[str] = Counter()
        self.closed_by: Counter[str] = Counter()
        self.gone: Counter[str] = Counter()

    def leave(self, market: Market) -> None:
        """Keep what this market has counted."""
        self.gone.update({name: getattr(market, name) for name in GONE_COUNTS})

    def of_markets(self, markets: Iterable[Market]) -> dict[str, int]:
        """What all markets have counted, those that are gone included."""
        followed = list(markets)
        return {name: self.gone[name] + sum([getattr(market, name) for market in followed]) for name in GONE_COUNTS}
