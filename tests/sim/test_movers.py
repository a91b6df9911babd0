"""The whole program on an exchange with many contracts whose ranks change: in made-up time, then decided again."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.json import encode

from breakwall import __version__
from breakwall.cli.replay import BybitFrames
from breakwall.engine.core import Core
from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind, Event
from breakwall.modes import Access, bybit_engine
from breakwall.ports import Frame
from breakwall.replay.recheck import recheck
from breakwall.sim.clock import HostClock
from breakwall.sim.loop import run as run_virtual
from breakwall.sim.network import Network
from breakwall.sim.session import SETTINGS
from breakwall.sim.transport import LoopTransport
from breakwall.sim.world import EPOCH_MS, URLS
from breakwall.storage.journal import InlineJournal
from breakwall.storage.recording import FORMAT, EventLine, FrameMark, Header, Recv, actions_line
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.universe import first_symbols

*MANY, NEW = first_symbols(17)
PINNED = "SOLUSDT"
MOVERS = SETTINGS.model_copy(
    update={
        "symbols": (PINNED,),
        "screener": SETTINGS.screener.model_copy(
            update={
                "enabled": True,
                "refresh_s": 5.0,
                "gainers": 2,
                "losers": 1,
                "keep_ranks": 1,
                "min_turnover_usdt": Decimal(30_000_000),
                "min_listed_days": 0.0,
            }
        ),
    }
)


class Tape:
    """`ports.Recorder` into memory, in the lines of a recording."""

    def __init__(self, path: Path, run: int) -> None:
        self.path = path
        self.lines = [encode(Header(f"breakwall {__version__}", FORMAT, run, 0.0, "{}"))]

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        if frame is None:
            self.lines.append(encode(EventLine(seq, at_ms, Raw(encode(event)))))
        else:
            self.lines.append(encode(Recv(frame.conn, frame.at_ns / 1e9, frame.data.decode())))
            self.lines.append(encode(FrameMark(seq, at_ms)))

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        self.lines.append(actions_line(seq, actions))

    async def close(self) -> None:
        self.path.write_bytes(b"\n".join(self.lines) + b"\n")


class Place:
    """An exchange, and the program on it with everything it writes down."""

    def __init__(self, tape: Path, settings=MOVERS, before: "Place | None" = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.exchange = (
            before.exchange if before else Exchange(5, "sprint", EPOCH_MS, symbols=MANY, step_ms=50, pace_ms=500)
        )
        self.clock = HostClock(EPOCH_MS, self.loop)
        self.clock.start()
        self.journal = before.journal if before else InlineJournal()
        self.run = before.run + 1 if before else 1
        self.tape = Tape(tape, self.run)
        self.notes: list[Note] = []
        self.settings = settings
        self.engine = None

    async def start(self) -> None:
        remembered = await self.journal.open()
        keys = self.exchange.keys
        self.engine = bybit_engine(
            settings=self.settings,
            access=Access("SIM", URLS, keys.api_key, keys.api_secret),
            run=self.run,
            remembered=remembered,
            clock=self.clock,
            transport=LoopTransport(Network(self.exchange, self.now_ms, 1)),
            journal=self.journal,
            recorder=self.tape,
            say=lambda note, at_ms: self.notes.append(note),
        )
        await self.engine.start()

    def now_ms(self) -> int:
        return EPOCH_MS + int(self.loop.time() * 1000)

    def move(self, symbol: str, change: str) -> None:
        """Let the last 24 hours have been this change, a fraction, with a large turnover."""
        listing = self.exchange.listings[symbol]
        listing.open_price = listing.last / (1 + Decimal(change))
        listing.turnover_usdt = Decimal(50_000_000)

    def calm(self, *symbols: str) -> None:
        """Nobody has traded there (nowhere)."""
        for symbol in symbols or self.exchange.listings:
            self.exchange.listings[symbol].turnover_usdt = Decimal(0)

    async def live(self, seconds: float) -> None:
        until = self.loop.time() + seconds
        while self.loop.time() < until:
            await asyncio.sleep(0.05)
            self.exchange.advance(self.now_ms())

    def followed(self) -> list[str]:
        return [market.symbol for market in self.engine.view().symbols]

    def live_books(self) -> list[str]:
        return [market.symbol for market in self.engine.view().symbols if market.status == "LIVE"]

    async def end(self) -> None:
        await self.engine.close()

    def decided_again(self) -> None:
        verdict = recheck(self.tape.path, Core, BybitFrames())
        assert verdict.difference is None, verdict.difference
        assert verdict.events > 100


def lived(story, *places) -> None:
    run_virtual(story(*places), seed=3, until_s=600)


async def ranks_change(tmp_path: Path) -> None:
    place = Place(tmp_path / "tape")
    a, b, c, d = MANY[4:8]
    place.calm()
    for symbol, change in ((a, "0.3"), (b, "0.2"), (c, "-0.2")):
        place.move(symbol, change)
    await place.start()
    await place.live(8)
    assert place.live_books() == [PINNED, a, b, c]
    assert place.engine.view().screener.listed == len(MANY)
    assert place.exchange.position(a).leverage == SETTINGS.risk.leverage
    counted = place.engine.view().counters.book_messages
    place.move(d, "0.4")
    place.calm(b)
    await place.live(7)
    assert place.live_books() == [PINNED, a, c, d]
    assert place.engine.view().counters.book_messages > counted
    place.exchange.list_contract(NEW)
    place.move(NEW, "0.5")
    await place.live(7)
    assert place.live_books() == [PINNED, a, c, d, NEW], "a is third of two, and in already"
    place.exchange.change_instrument(c, status="Closed")
    await place.live(7)
    assert c not in place.followed()
    assert not place.engine.view().blind
    await place.end()
    place.decided_again()


async def held_while_dropped(tmp_path: Path) -> None:
    """Somebody holds a mover when it is dropped; the program dies and comes again; then it is closed."""
    place = Place(tmp_path / "tape")
    a, b = MANY[4:6]
    place.calm()
    place.move(a, "0.3")
    await place.start()
    await place.live(8)
    place.exchange.place_by_hand({"symbol": a, "side": "Buy", "orderType": "Market", "qty": "5000"})
    await place.live(3)
    assert place.engine.view().positions[0].is_protected, "taken over, with a stop of ours"
    place.calm(a)
    place.move(b, "0.3")
    await place.live(7)
    assert place.live_books() == [PINNED, a, b]
    assert "not among the movers" in place.engine.view().market(a).reducing
    await place.end()
    place.decided_again()

    again = Place(tmp_path / "again", before=place)
    again.exchange.change_instrument(a, delivery_ms=EPOCH_MS + 90 * 60_000)
    await again.start()
    await again.live(7)
    assert a in again.live_books(), "what is held is followed, whoever moves"
    assert "ends this contract" in again.engine.view().market(a).reducing
    again.engine.submit(Command(CommandKind.FLATTEN, a))
    await again.live(7)
    assert again.exchange.position(a).lots == 0
    assert again.followed() == [PINNED, b]
    await again.end()
    again.decided_again()


async def rules_change(tmp_path: Path) -> None:
    """A tick changes under a position: the book begins anew, the stop stands, nothing is held twice."""
    place = Place(tmp_path / "tape", SETTINGS.model_copy(update={"symbols": (PINNED, "DOGEUSDT")}))
    await place.start()
    place.engine.submit(Command(CommandKind.DISARM))
    await place.live(3)
    place.exchange.place_by_hand({"symbol": PINNED, "side": "Buy", "orderType": "Market", "qty": "20"})
    await place.live(4)
    before = place.engine.view().positions[0]
    assert before.is_protected
    place.exchange.change_instrument(PINNED, tick=Decimal("0.005"), lot=Decimal("0.05"))
    await place.live(25)
    view = place.engine.view()
    after = view.positions[0]
    assert (after.qty, after.lots, after.entry) == (before.qty, 2 * before.lots, before.entry)
    assert after.is_protected
    assert abs(after.stop - before.stop) <= Decimal("0.01")
    assert view.market(PINNED).tick == Decimal("0.005")
    assert place.live_books() == [PINNED, "DOGEUSDT"]
    assert any("tick 0.010 -> 0.005" in note.text for note in place.notes)
    place.exchange.change_instrument(PINNED, tick=Decimal("0.01"))  # every price fits the old one too
    await place.live(15)
    assert place.engine.view().market(PINNED).tick == Decimal("0.01")
    assert place.engine.view().positions[0].is_protected
    place.engine.submit(Command(CommandKind.FLATTEN))
    await place.live(3)
    assert place.exchange.position(PINNED).lots == 0
    await place.end()
    place.decided_again()


@pytest.mark.parametrize("story", [ranks_change, held_while_dropped, rules_change], ids=lambda story: story.__name__)
def test_the_whole_program(story, tmp_path: Path) -> None:
    lived(story, tmp_path)
