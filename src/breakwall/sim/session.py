"""One simulated session: what it is made of, how it is lived through, and what it came to."""

import asyncio
import random
import shlex
from typing import Any, Literal

import msgspec
from msgspec import Struct

from breakwall import points
from breakwall.settings import BreakerSettings, RecoverySettings, Settings, TrendSettings, VenueSettings, WallSettings
from breakwall.sim.loop import VirtualLoop, run
from breakwall.sim.mixes import MIXES, Mix, draw_plan
from breakwall.sim.people import Wish, draw_wishes
from breakwall.sim.world import World
from breakwall.venues.exchange.faults import Fault, FaultKind, Plan

SECONDS, HEAL_S = 60.0, 3.0
_PATIENCE_S = 120.0
_FIRST_DEATH_S = 5.0
_SYMBOLS = (("SOLUSDT", "DOGEUSDT"), ("SOLUSDT",), ("SOLUSDT", "DOGEUSDT"), ("DOGEUSDT", "SOLUSDT"))
_TRIPLE = ("SOLUSDT", "DOGEUSDT", "ETHUSDT")

SETTINGS = Settings(
    venue=VenueSettings(ping_interval_s=5, pong_timeout_s=3, reconnect_cap_s=3),
    trend=TrendSettings(window_s=20, min_samples=8),
    walls=WallSettings(min_age_s=1.5),
    recovery=RecoverySettings(crash_window_s=30),
    breaker=BreakerSettings(symbol_cooldown_s=2, consecutive_losses=8, repeat_entries=8),
)
"""The defaults, but quicker to notice a dead peer, and as hasty as the sprint that the market runs."""


class Session(Struct, frozen=True, omit_defaults=True):
    """All that decides a session; two of the same are the same, step by step.

    Faults and people's wishes come within `seconds`, then at least `heal_s` of good weather.
    """

    seed: int
    seconds: float = SECONDS
    heal_s: float = HEAL_S
    symbols: tuple[str, ...] = _SYMBOLS[0]
    faults: Plan = ()
    wishes: tuple[Wish, ...] = ()
    order_entry: Literal["ws", "rest"] = "ws"

    @property
    def line(self) -> str:
        """The command that shows it again."""
        return f"breakwall sim --session {shlex.quote(self.text)}"

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Report(Struct, frozen=True):
    """How a session went.

    `deaths` counts kills and starts in vain, `deaths_holding` those with a position or an entry at the exchange;
    `recovery_ms` is the longest time from a start in clear weather to knowing the truth. `faults` are those that
    struck, `kills` the deaths at crash points, `points` all visits of these, `stumbles` by place. `trace` is a digest
    of all that left the inbox and all that was decided, in order.
    """

    seed: int
    seconds: float
    orders: int
    entries: int
    deaths: int
    deaths_holding: int
    recovery_ms: int
    unprotected_ms: int
    faults: dict[str, int]
    kills: dict[str, int]
    points: dict[str, int]
    stumbles: dict[str, int]
    trace: str


def session_of(text: str) -> Session:
    """The session of such a text; raises msgspec.ValidationError or msgspec.DecodeError naming what is wrong."""
    return msgspec.json.decode(text, type=Session)


def drawn(
    seed: int, *, seconds: float = SECONDS, heal_s: float = HEAL_S, mix: Mix = MIXES["everything"], crashes: int = 0
) -> Session:
    """The session of a seed: its symbols, its weather out of the mix, `crashes` kills besides, and its people.

    One in five sends its orders over REST only.
    """
    symbols = _TRIPLE if seed % 16 == 15 else _SYMBOLS[seed % len(_SYMBOLS)]
    faults = draw_plan(mix, seed, seconds) + _kills(seed, crashes, seconds)
    wishes = draw_wishes(seed, seconds) if mix.people else ()
    return Session(seed, seconds, heal_s, symbols, faults, wishes, "rest" if seed % 5 == 4 else "ws")


def play(session: Session, line: str = "") -> Report:
    """Live through it. Raises InvariantBroken with `line` (by default the session's own), which shows it again."""
    until_s = session.seconds + session.heal_s + _PATIENCE_S
    return run(_story(session, line or session.line), seed=session.seed, until_s=until_s)


def world_of(session: Session, loop: VirtualLoop, line: str, **options: Any) -> World:
    """The world of a session, ready to begin; it is the one that crash points and stumbling places listen to."""
    venue = SETTINGS.venue.model_copy(update={"order_entry": session.order_entry})
    settings = SETTINGS.model_copy(update={"symbols": session.symbols, "venue": venue})
    world = World(loop, session.seed, settings, session.faults, line, **options)
    points.watch(world.host.visit)
    points.trip(world.host)
    return world


async def live(session: Session, world: World) -> None:
    """Bad weather, people, crashes; then healing; then knowledge is compared with truth. The exchange goes on."""
    asyncio.create_task(world.turn(), name="exchange")  # noqa: RUF006 - the world's own, ended with it
    world.begin(session.wishes)
    await asyncio.sleep(session.seconds)
    world.heal()
    await asyncio.sleep(session.heal_s)
    await world.judge()


def put_away(world: World) -> None:
    """What of a world is not in its loop."""
    points.watch(None)
    points.trip(None)
    world.host.journal.drop()


async def _story(session: Session, line: str) -> Report:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    world = world_of(session, loop, line)
    try:
        await live(session, world)
        return _report(session, world)
    finally:
        put_away(world)


def _report(session: Session, world: World) -> Report:
    host, referee = world.host, world.referee
    return Report(
        seed=session.seed,
        seconds=asyncio.get_running_loop().time(),
        orders=referee.orders,
        entries=referee.entries,
        deaths=host.deaths,
        deaths_holding=world.deaths_holding,
        recovery_ms=world.recovery_ms,
        unprotected_ms=max(world.exchange.unprotected_ms(symbol) for symbol in session.symbols),
        faults={
            kind.value: count for kind, count in sorted(world.faults.struck.items(), key=lambda item: item[0].value)
        },
        kills=dict(sorted(host.killed_at.items())),
        points=dict(sorted(host.reached.items())),
        stumbles=dict(sorted(host.stumbled.items())),
        trace=world.tap.hexdigest(),
    )


def _kills(seed: int, crashes: int, seconds: float) -> Plan:
    """By turns at any time, and soon after the n-th commit or request."""
    dice = random.Random(f"kills {seed}")
    kills: list[Fault] = []
    for number in range(crashes):
        at_s = round(dice.uniform(min(_FIRST_DEATH_S, seconds), seconds), 3)
        kind = FaultKind.KILLED_BUSY if number % 2 else FaultKind.KILLED
        kills.append(Fault(kind, at_s, nth=dice.randint(1, 4 if number % 2 else 60)))
    return tuple(kills)
