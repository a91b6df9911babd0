"""A recording traded again: its market, a simulated account and the program that trades it, all in its own time.

The same recording with the same settings and seed gives the same run, however fast it is played and wherever it was
paused: time passes only in `advance`.
"""

import asyncio

from breakwall.engine.loop import Engine, Say
from breakwall.headless import Receipt
from breakwall.model.events import Event
from breakwall.model.view import DensityView, SymbolView, View
from breakwall.modes import Access, Run, bybit_engine, receipt
from breakwall.ports import Socket, TransportError, VenueError
from breakwall.replay.contents import Contents
from breakwall.replay.player import Player, PublicSession, served_depth
from breakwall.settings import Settings
from breakwall.sim.clock import HostClock
from breakwall.sim.loop import VirtualLoop
from breakwall.sim.network import Network
from breakwall.sim.transport import LoopTransport
from breakwall.storage.journal import InlineJournal
from breakwall.storage.recording import DigestRecorder
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.exchange.exchange import Exchange

LEAD_S = 3.0
"""The program is up and subscribed before the first frame comes."""
LATENCY_S = (0.010, 0.050)
"""One way, of requests and of the account's own news; public frames come when they came."""
PATIENCE_S = 15.0
_STEP_MS = 50
_HASTE = 1e-6
_URLS = Urls("http://replay", "ws://replay/v5/public/linear", "ws://replay/v5/private")
_SILENCE_S = 3600.0


class Rematch:
    """The world of one run, alive in steps; also the `ports.Desk` of its program once it has `begun`.

    `broken` is what ended it early. Close it in the end.
    """

    def __init__(self, contents: Contents, settings: Settings, seed: int, say: Say) -> None:
        self.contents = contents
        self.settings = settings_for(settings, contents)
        self.broken: Exception | None = None
        self._seed = seed
        self._began_ns = (contents.began_ns // 1_000_000 - int(LEAD_S * 1000)) * 1_000_000
        self._loop = VirtualLoop(seed, shuffle=False)
        self.clock = HostClock(self._began_ns // 1_000_000, self._loop)
        self.exchange = Exchange(
            seed,
            None,
            self.clock.now_ms(),
            instruments=contents.instruments.values(),
            api_key="replay-key",
            api_secret="replay-secret",  # noqa: S106 - opens nothing but this exchange
            step_ms=_STEP_MS,
        )
        self.player = Player(contents, self.exchange)
        self._network = Network(self.exchange, self.clock.now_ms, seed, latency_s=LATENCY_S)
        self.journal = InlineJournal()
        self.recorder = DigestRecorder(contents.paths[0])
        self.engine: Engine | None = None
        self._story = self._loop.create_task(self._live(say))

    @property
    def begun(self) -> bool:
        return self.engine is not None

    @property
    def at_s(self) -> float:
        """Where in the recording it is; negative before the first frame."""
        return self._loop.time() - LEAD_S

    @property
    def over(self) -> bool:
        """Played to the end of the recording, or broken."""
        return self.broken is not None or self.player.due_ns is None

    def advance(self, to_s: float) -> None:
        """Live on until this second of the recording."""
        if self.broken is not None:
            return
        try:
            self._loop.advance(to_s + LEAD_S)
            if self._story.done():
                self._story.result()
        except Exception as error:
            self.broken = error

    def leave(self, *, flatten: bool, why: str) -> bool:
        """End trading in order at this moment of the recording; whether the exchange shows what was asked."""
        engine = self.engine
        if engine is None or self.broken is not None:
            return self.broken is None
        leaving = self._loop.create_task(engine.leave(flatten=flatten, patience_s=PATIENCE_S, why=why))
        while not leaving.done() and self.broken is None:
            self.advance(self.at_s + 0.05)
        return leaving.done() and leaving.result()

    def submit(self, command: Event) -> None:
        if self.engine is not None and self.broken is None:
            self.engine.submit(command)

    def view(self, symbol: str = "") -> View:
        assert self.engine is not None, "nobody looks before it has begun"
        return self.engine.view(symbol)

    def market(self, symbol: str) -> SymbolView | None:
        return None if self.engine is None else self.engine.market(symbol)

    def density(self) -> tuple[DensityView, ...]:
        return () if self.engine is None else self.engine.density()

    def receipt(self, reason: str, rss_mb: float, terminal_bytes: int) -> Receipt:
        """What was done; raises what broke it where it had not begun."""
        if self.engine is None:
            raise self.broken or VenueError("replay: ended before it had begun")
        return receipt(
            Run(self.engine, self.recorder, self.journal),
            seed=self._seed,
            seconds=max(0.0, self.at_s),
            began_ms=self.contents.began_ns // 1_000_000,
            rss_mb=rss_mb,
            terminal_bytes=terminal_bytes,
            exit_reason=reason,
        )

    def close(self) -> None:
        """End the world."""
        self._loop.end()
        self.journal.drop()

    async def _live(self, say: Say) -> None:
        """What a real start does, beside an exchange that follows the recording."""
        self._loop.call_at(LEAD_S, self._play)
        self._exchange_turns = self._loop.create_task(self._turn(), name="exchange")
        remembered = await self.journal.open()
        engine = bybit_engine(
            settings=self.settings,
            access=Access("REPLAY", _URLS, "replay-key", "replay-secret"),
            run=1,
            remembered=remembered,
            clock=self.clock,
            transport=_Transport(self._network, self.player),
            journal=self.journal,
            recorder=self.recorder,
            say=say,
        )
        await engine.start()
        self.engine = engine
        await engine.run()

    def _play(self) -> None:
        """Everything that had come by now; then again when the next frame comes."""
        self.player.play(self._began_ns + int((self._loop.time() + _HASTE) * 1e9))
        due_ns = self.player.due_ns
        if due_ns is not None:
            self._loop.call_at((due_ns - self._began_ns) / 1e9, self._play)

    async def _turn(self) -> None:
        """The exchange's own time."""
        while True:
            await asyncio.sleep(max(0, self.exchange.due_ms - self.clock.now_ms()) / 1000 + _HASTE)
            self.exchange.advance(self.clock.now_ms())


class _Transport(LoopTransport):
    """Requests and the account's news travel the network; public frames come as they were recorded."""

    def __init__(self, network: Network, player: Player) -> None:
        super().__init__(network)
        self._wire = network
        self._player = player

    async def connect(self, url: str) -> Socket:
        if url != _URLS.public:
            return await super().connect(url)
        await asyncio.sleep(2 * self._wire.latency())
        return _PublicSocket(self._wire, self._player)


class _PublicSocket:
    """`ports.Socket` of what is played."""

    def __init__(self, network: Network, player: Player) -> None:
        self._network = network
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._session: PublicSession | None = player.session(self._frames.put_nowait)
        self._last_s = 0.0

    async def send(self, text: str) -> None:
        session = self._session
        if session is None:
            raise TransportError("public socket: closed by us", sent=False)
        now_s = asyncio.get_running_loop().time()
        self._last_s = max(self._last_s, now_s + self._network.latency())  # one never overtakes another
        self._network.later(self._last_s - now_s, lambda: session.on_text(text, self._network.now_ms()))

    async def receive(self) -> bytes:
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)  # whoever asks again is told again
            raise TransportError("public socket: closed by us")
        return frame

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
            self._frames.put_nowait(None)


def settings_for(settings: Settings, contents: Contents) -> Settings:
    """The settings with the recording's symbols and depth; what asks a real venue for more is off."""
    symbols = contents.symbols
    venue = settings.venue.model_copy(update={"depth": served_depth(contents), "book_silence_s": _SILENCE_S})
    disabled = tuple(symbol for symbol in settings.disabled if symbol in symbols)
    screener = settings.screener.model_copy(update={"enabled": False})
    changes = {"symbols": symbols, "disabled": disabled, "venue": venue, "screener": screener}
    return settings.model_copy(update=changes)
