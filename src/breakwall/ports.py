"""The seams: what the engine needs from the world, each as small as it can be.

Every port has one real and one simulated implementation, and the simulated ones ship: the
embedded exchange, the in-loop transport and the in-loop journal are used by tests, demo and sim.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from breakwall.model.actions import Approved, CancelOrder, MoveStop, PlaceOrder
from breakwall.model.crisis import CrisisReceipt
from breakwall.model.events import Account, Event, Instruments, OrderAnswer, Outcome, ReadBack, ReadBackFailed
from breakwall.model.journal import JournalEntry
from breakwall.model.playing import Playing
from breakwall.model.records import MarketFact
from breakwall.model.view import DensityView, SymbolView, View
from breakwall.points import Point


class Clock(Protocol):
    """Engine time; see `breakwall.clock`."""

    def now_ms(self) -> int: ...
    def now_ns(self) -> int: ...
    async def sleep(self, seconds: float) -> None: ...


class TransportError(Exception):
    """The network failed: the outcome of what was sent is not known. `sent` False: surely never left."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent


class HttpRequest(Struct, frozen=True):
    """`query` and `body` exactly as on the wire; `timeout_s` bounds the whole exchange.

    `sent` is the crash point a transport reaches once the bytes of the body are out.
    """

    method: str
    base: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = {}
    timeout_s: float = 5.0
    sent: Point | None = None


class HttpAnswer(Struct, frozen=True):
    status: int
    body: bytes
    headers: Mapping[str, str] = {}  # names in lower case


class Socket(Protocol):
    """One open WebSocket of text frames."""

    async def send(self, text: str) -> None: ...
    async def receive(self) -> bytes:
        """The next text frame; raises TransportError once the socket is closed by anyone."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    """Lies below the adapters: aiohttp live, in-loop in simulation. No retries, no hidden state."""

    async def request(self, request: HttpRequest) -> HttpAnswer:
        """Raises TransportError on any failure that is not an HTTP answer."""
        ...

    async def connect(self, url: str) -> Socket:
        """Raises TransportError(sent=False) where no socket can be had."""
        ...

    async def close(self) -> None: ...


class Frame(Struct, frozen=True, gc=False):
    """A raw frame as it came: `at_ns` is our clock at receipt."""

    conn: str
    at_ns: int
    data: bytes


class Sink(Protocol):
    """Where adapters put events: the inbox. `frame` is what the event was read from."""

    def put(self, event: Event, frame: Frame | None = None) -> None: ...


class Feed(Protocol):
    """Public market data of one venue, as events into a sink."""

    async def run(self) -> None:
        """Keep every subscribed symbol alive until cancelled: reconnect, resubscribe, watch for silence."""
        ...

    def subscribe(self, symbols: Mapping[str, int]) -> None:
        """Follow these symbols with these depths (levels); others are dropped."""
        ...

    def resubscribe(self, symbol: str, depth: int = 0) -> None:
        """Drop the symbol's book and ask for a new snapshot (another depth when not 0)."""
        ...


class Scanner(Protocol):
    """Looks over all contracts of one venue now and then, and makes single ones ready, as events into a sink."""

    async def run(self) -> None:
        """Look and make ready until cancelled."""
        ...

    def admit(self, symbols: Iterable[str]) -> None:
        """Make these ready to be traded, soon; an `Admitted` tells what became of each."""
        ...


class Broker(Protocol):
    """Orders and account of one venue. Never raises for a business or network failure: that is an Outcome."""

    async def prepare(self, symbols: Iterable[str], held: Iterable[str] = ()) -> tuple[Account, Instruments]:
        """Check clock, account and modes, set leverage; raises VenueError naming what is wrong.

        `held` are others that may still be held: they are only to be managed, and left out where they are gone.
        """
        ...

    async def execute(self, approved: "ApprovedIntent") -> Outcome: ...
    async def query(self, client_id: str, symbol: str) -> OrderAnswer: ...
    async def read_back(self, purpose: str, since_ms: int) -> ReadBack | ReadBackFailed: ...
    async def run(self) -> None:
        """Private stream as events into the sink, until cancelled."""
        ...


ApprovedIntent = Approved[PlaceOrder] | Approved[CancelOrder] | Approved[MoveStop]
"""What the executor hands to a broker; bare intents do not fit."""


class VenueError(Exception):
    """The venue cannot be used as asked: names the thing, what was expected, what was found, the remedy.

    `code` is the process exit code it leads to (3 unreachable, 6 refused by a safety check).
    """

    def __init__(self, message: str, *, code: int = 3) -> None:
        super().__init__(message)
        self.code = code


class JournalError(Exception):
    """The journal cannot be opened, read or written: names the file, the reason and the remedy."""


class Journal(Protocol):
    """The durable truth of what we meant and did."""

    async def open(self) -> tuple[JournalEntry, ...]:
        """Open (or create) and return what it remembers, oldest first."""
        ...

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Return once all entries are on the disk (one group commit); raises JournalError."""
        ...

    async def close(self) -> None: ...


class LedgerError(Exception):
    """The ledger cannot be read or written: names it, the reason and the remedy. Trading goes on without it."""


class Ledger(Protocol):
    """The books for people and reports: a projection of the journal, plus facts of the market.

    Nothing here waits, raises or decides: a slow, full, locked or broken ledger costs the engine nothing.
    """

    def take(self, entries: Sequence[JournalEntry]) -> None:
        """Entries that are durable in the journal, in its order."""
        ...

    def keep(self, fact: MarketFact) -> None: ...

    @property
    def trouble(self) -> str:
        """Why the books are not being written, in words; empty while they are."""
        ...

    async def close(self) -> None: ...


class Recorder(Protocol):
    """The tap behind the inbox: what left it, in core order, and what the core answered."""

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None: ...
    def actions(self, seq: int, actions: Iterable[object]) -> None: ...
    async def close(self) -> None: ...


class Desk(Protocol):
    """All that a screen or an API may do with the engine."""

    def view(self, symbol: str = "") -> View:
        """The state now; with the depth of `symbol`, which costs as much as all the rest."""
        ...

    def market(self, symbol: str) -> SymbolView | None:
        """One market with its depth; None where it is not followed."""
        ...

    def density(self) -> tuple[DensityView, ...]:
        """The largest walls of every market, without the rest: what a map of all of them needs."""
        ...

    def submit(self, command: Event) -> None: ...


class Stage(Protocol):
    """Where crises can be played: an embedded exchange. `names` are those there are, with what each does."""

    @property
    def names(self) -> Mapping[str, str]: ...
    @property
    def receipts(self) -> Sequence[CrisisReceipt]:
        """Of the crises that are over, newest last."""
        ...

    @property
    def news(self) -> str:
        """What was said last of the crisis that is on, or was; empty while there was none."""
        ...

    def play(self, name: str, symbol: str = "") -> None:
        """Ask for one, in this market or in any; what comes of it is said in the log."""
        ...


class Playback(Protocol):
    """A recording that is played: where it is, and what a person may do about it."""

    @property
    def playing(self) -> Playing: ...
    def pause(self) -> None:
        """Stand still, or go on."""
        ...

    def pace(self, steps: int) -> None:
        """Faster by so many steps, or slower."""
        ...

    def step(self) -> None:
        """A moment further, and stand still."""
        ...

    def seek(self, by_s: float) -> None:
        """So many seconds of the recording forward, or back: which plays it again from its beginning."""
        ...
