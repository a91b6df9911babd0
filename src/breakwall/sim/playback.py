"""A rematch at the pace of whoever watches: faster, slower, paused, forward and back.

Back is a new world that is played at once to the place: what a person did in the old one is not done in the new one.
"""

import math
from collections.abc import Callable

from msgspec.structs import replace

from breakwall.engine.loop import Say
from breakwall.model.events import Event
from breakwall.model.playing import Playing
from breakwall.model.view import DensityView, SymbolView, View
from breakwall.ports import Clock
from breakwall.replay.contents import Contents
from breakwall.settings import Settings
from breakwall.sim.rematch import LEAD_S, Rematch

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, math.inf)
STEP_S = 0.1
"""How far one step goes: a message of a book, more or less."""
_SLICE_S = 0.05
_NEAR_S = 1e-6


class Playback:
    """`ports.Desk` of the program in the recording, and `ports.Playback` of the recording.

    `speed` is infinite for as fast as it goes; `until_s` is where it ends (the end of the recording by default).
    `tick` lets it live; `clock` bounds how long one tick takes. `seen` is called about once in a second of the
    recording, for who remembers what the markets were.
    """

    def __init__(
        self,
        contents: Contents,
        settings: Settings,
        seed: int,
        say: Say,
        clock: Clock,
        speed: float,
        until_s: float | None = None,
    ) -> None:
        self._contents = contents
        self._settings = settings
        self._seed = seed
        self._say = say
        self._clock = clock
        self._speed = speed
        self._until_s = min(contents.seconds, until_s if until_s is not None else math.inf)
        self._paused = False
        self._target_s: float | None = None
        self._last: View | None = None
        self._past = 0
        self._second = 0
        self.seen: Callable[[], None] = lambda: None
        self.world = Rematch(contents, settings, seed, say)

    @property
    def playing(self) -> Playing:
        return Playing(
            at_s=max(0.0, min(self.world.at_s, self._until_s)),
            length_s=self._until_s,
            speed=self._speed,
            paused=self._paused,
            seeking=self._target_s is not None,
            ended=self.ended,
            worlds=self._past,
        )

    @property
    def ended(self) -> bool:
        """Nothing more is to come."""
        return self.world.broken is not None or self.world.at_s >= self._until_s - _NEAR_S

    def tick(self, elapsed_s: float, budget_s: float) -> None:
        """Live on for as long as has passed, but take no more than the budget of real time."""
        until_ns = self._clock.now_ns() + int(budget_s * 1e9)
        to_s = self._goal(elapsed_s)
        while self.world.at_s < to_s - _NEAR_S and self.world.broken is None:
            self.world.advance(min(to_s, self.world.at_s + _SLICE_S))
            self._look()
            if self._clock.now_ns() >= until_ns:
                break
        reached = self._target_s is not None and self.world.at_s >= self._target_s - _NEAR_S
        if reached or self.world.broken is not None:
            self._target_s = None

    def pause(self) -> None:
        """Stand still, or go on."""
        self._paused = not self._paused

    def pace(self, steps: int) -> None:
        """The next faster speeds, or slower ones."""
        nearest = min(range(len(SPEEDS)), key=lambda place: _distance(SPEEDS[place], self._speed))
        self._speed = SPEEDS[max(0, min(len(SPEEDS) - 1, nearest + steps))]

    def step(self) -> None:
        """A moment further, and stand still there."""
        self._paused = True
        self._target_s = min(self._until_s, self.world.at_s + STEP_S)

    def seek(self, by_s: float) -> None:
        """Go there at once: forward in this world, back in a new one."""
        begin = self._target_s if self._target_s is not None else self.world.at_s
        self._target_s = max(0.0, min(self._until_s, begin + by_s))
        if self._target_s < self.world.at_s:
            self._past += 1
            self.world.close()
            self.world = Rematch(self._contents, self._settings, self._seed, self._say)

    def view(self, symbol: str = "") -> View:
        if self.world.begun:
            self._last = self.world.view(symbol)
        assert self._last is not None, "nobody looks before it has begun"
        if self.world.broken is not None:
            return replace(self._last, trading_state="HALTED", why=str(self.world.broken))
        return self._last

    def market(self, symbol: str) -> SymbolView | None:
        return self.world.market(symbol)

    def density(self) -> tuple[DensityView, ...]:
        return self.world.density()

    def submit(self, command: Event) -> None:
        self.world.submit(command)

    def begin(self) -> None:
        """To the first frame: the program is up before it."""
        while self.world.broken is None and self.world.at_s < (0.0 if self.world.begun else LEAD_S):
            self.world.advance(self.world.at_s + _SLICE_S)

    def close(self) -> None:
        self.world.close()

    def _look(self) -> None:
        second = int(self.world.at_s)
        if second != self._second and self.world.begun:
            self._second = second
            self.seen()

    def _goal(self, elapsed_s: float) -> float:
        if self._target_s is not None:
            return self._target_s
        if self._paused:
            return -math.inf
        return min(self._until_s, self.world.at_s + elapsed_s * self._speed)


def _distance(speed: float, other: float) -> float:
    """How unlike two speeds are, as people take it: by their ratio."""
    if math.isinf(speed) or math.isinf(other):
        return 0.0 if speed == other else math.inf
    return abs(math.log(speed / other))
