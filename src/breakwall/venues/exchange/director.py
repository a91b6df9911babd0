"""What happens on the synthetic market and when: episodes as data, and the director who plays them.

An episode is written for an up trend; `sign` -1 mirrors it. Distances are hundredths of a per cent
(bp) of the start price, counted from where the episode starts. One draw stretches all times of an
episode and another all its distances, so that its walls stay where its path needs them.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from random import Random
from typing import NamedTuple


class Fate(Enum):
    EATEN = "eaten"  # takers trade through it
    HELD = "held"  # price turns in front of it; withdrawn when it is far away
    PULLED = "pulled"  # cancelled before anybody touches it


class Leg(NamedTuple):
    """A stretch of the fair price's path; `flow` -1..1 is how hard trend takers push along the trend."""

    seconds: float
    move_bp: float
    flow: float = 0.0


class WallPlan(NamedTuple):
    """A large order at `at_bp`; `size` is in ordinary walls of the symbol, fate takes `seconds` from `fate_s`."""

    built_s: float
    at_bp: float
    size: float
    fate: Fate
    fate_s: float
    seconds: float = 0.0


class Episode(NamedTuple):
    legs: tuple[Leg, ...]
    walls: tuple[WallPlan, ...] = ()


EPISODES: Mapping[str, Episode] = {
    # Up to a wall, press against it until it is eaten, run on, slow down, give half of it back.
    "breakout": Episode(
        (Leg(28, 30, 0.8), Leg(11, 0, 0.8), Leg(18, 72, 0.9), Leg(4, 2, 0.2), Leg(9, -38, -0.5), Leg(9, -4)),
        (WallPlan(7, 30, 1.0, Fate.EATEN, 29.5, 7.5),),
    ),
    # Up, back to the wall that was built behind the trend, and away from it.
    "bounce": Episode(
        (
            Leg(20, 36, 0.85),
            Leg(6.5, -19, -0.3),
            Leg(4, 2, 0.3),
            Leg(19, 74, 0.85),
            Leg(4, 2, 0.2),
            Leg(10, -38, -0.5),
            Leg(9, -4),
        ),
        (WallPlan(9.5, 12, 1.2, Fate.HELD, 70),),
    ),
    # Hardly a trend; a wall shows itself, and vanishes as price comes nearer.
    "spoof": Episode(
        (Leg(12, 4, 0.05), Leg(10, 6, 0.1), Leg(8, -5, -0.1)),
        (WallPlan(6, 32, 1.1, Fate.PULLED, 21),),
    ),
    # Nothing but noise around a slow drift.
    "calm": Episode((Leg(9, 3), Leg(9, -5), Leg(9, 4))),
}

REST_S = (4.0, 9.0)
"""Quiet seconds between two episodes of a symbol: from, to."""

STRETCH = (0.96, 1.05)
REACH = (0.92, 1.15)
SIZE = (0.95, 1.35)
HOME_BP = 250.0
"""Beyond this distance from the start price the next episode leads back."""


class Scenario(NamedTuple):
    """`opening` is dealt to the symbols (again from its start where they are more), then `mix` is drawn for ever.

    Pairs are from and to: `late` the seconds before each symbol's opening, `rest` those between two episodes,
    `stretch` what the times of an episode are multiplied by.
    """

    opening: tuple[str, ...]
    mix: Mapping[str, float]
    late: tuple[float, float] = (0.0, 0.0)
    rest: tuple[float, float] = REST_S
    stretch: tuple[float, float] = STRETCH


SCENARIOS: Mapping[str, Scenario] = {
    # Late enough for somebody who connects within the first seconds to see each trend from its start.
    "tour": Scenario(("breakout", "bounce", "spoof"), {"breakout": 4, "bounce": 4, "spoof": 2, "calm": 1}, (2, 4)),
    "calm": Scenario((), {"calm": 1}),
    "breakout": Scenario(("breakout",), {"breakout": 1}, (0, 12)),
    "bounce": Scenario(("bounce",), {"bounce": 1}, (0, 12)),
    "spoof": Scenario(("spoof",), {"spoof": 1}, (0, 12)),
    # Two and a half times as fast and hardly a rest: much happens in little time.
    "sprint": Scenario(("breakout", "bounce"), {"breakout": 1, "bounce": 1}, (0, 2), (0.5, 2), (0.35, 0.5)),
}

DEFAULT = "tour"


class UnknownScenarioError(ValueError):
    """The scenario has no script."""


class Act(Enum):
    BUILD = "build"
    EAT = "eat"
    PULL = "pull"
    WITHDRAW = "withdraw"


class Cue(NamedTuple):
    """An instruction to the agents. `bp` from the start price, `side_sign` +1 for a wall of asks.

    `spoof` says that the wall is the spoofer's, `seconds` how long the act takes.
    """

    at_ms: float
    act: Act
    wall: int
    bp: float
    side_sign: int
    size: float
    seconds: float
    spoof: bool


class Part(NamedTuple):
    episode: str
    sign: int
    delay_s: float = 0.0


_LAST_ACT = {Fate.EATEN: Act.EAT, Fate.HELD: Act.WITHDRAW, Fate.PULLED: Act.PULL}


def cast(scenario: str, symbols: Sequence[str], random: Random) -> dict[str, Part]:
    """Who plays what first.

    The opening is dealt to the first symbols in a random order; where a breakout and a bounce open
    together they go opposite ways, so that both fit into one net exposure limit.
    Raises UnknownScenarioError naming the known scenarios.
    """
    script = SCENARIOS.get(scenario)
    if script is None:
        raise UnknownScenarioError(f"scenario: expected one of {', '.join(SCENARIOS)}, found {scenario!r}")
    if not script.opening:
        return {}
    leads = list(symbols[: max(3, len(script.opening))])
    random.shuffle(leads)
    sign = random.choice((-1, 1))
    parts = {}
    for n, symbol in enumerate([*leads, *symbols[len(leads) :]]):
        delay_s = random.uniform(*script.late)
        parts[symbol] = Part(script.opening[n % len(script.opening)], sign, delay_s)
        sign = -sign
    return parts


class Director:
    """Plays one symbol: where the fair price stands, how takers lean, what the wall builders do now."""

    __slots__ = ("_cues", "_knots", "_random", "_script", "_walls", "flow", "level_bp")

    def __init__(self, scenario: str, opening: Part | None, random: Random) -> None:
        self.level_bp = 0.0
        self.flow = 0.0
        self._script = SCENARIOS[scenario]
        self._random = random
        self._walls = 0
        self._cues: list[Cue] = []
        self._knots: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)]  # ms, bp there, flow until there
        self._stage(opening or self._draw())

    def advance(self, elapsed_ms: int) -> list[Cue]:
        """Move on to this time, which never goes back; returns the cues that have become due, in order."""
        while elapsed_ms >= self._knots[-1][0]:
            self._stage(self._draw())
        while elapsed_ms >= self._knots[1][0]:
            del self._knots[0]
        (from_ms, from_bp, _), (to_ms, to_bp, flow) = self._knots[0], self._knots[1]
        self.level_bp = from_bp + (to_bp - from_bp) * (elapsed_ms - from_ms) / (to_ms - from_ms)
        self.flow = flow
        due = [cue for cue in self._cues if cue.at_ms <= elapsed_ms]
        if due:
            self._cues = self._cues[len(due) :]
        return due

    def run(self, elapsed_ms: int, legs: Sequence[Leg]) -> None:
        """From here on another path; what was planned is forgotten, and goes on anew from its end."""
        self._cues.clear()
        at_ms, level_bp = float(elapsed_ms), self.level_bp
        self._knots = [(at_ms, level_bp, 0.0)]
        for leg in legs:
            at_ms += leg.seconds * 1000
            level_bp += leg.move_bp
            self._knots.append((at_ms, level_bp, leg.flow))

    def _draw(self) -> Part:
        mix = self._script.mix
        name = self._random.choices(list(mix), list(mix.values()))[0]
        sign = self._random.choice((-1, 1))
        home = self._knots[-1][1]
        if abs(home) > HOME_BP:
            sign = -1 if home > 0 else 1
        return Part(name, sign, self._random.uniform(*self._script.rest))

    def _stage(self, part: Part) -> None:
        """Append an episode behind the last knot."""
        episode = EPISODES[part.episode]
        at_ms, level_bp, _ = self._knots[-1]
        if part.delay_s:
            at_ms += part.delay_s * 1000
            self._knots.append((at_ms, level_bp, 0.0))
        stretch = self._random.uniform(*self._script.stretch) * 1000
        reach = self._random.uniform(*REACH) * part.sign
        for wall in episode.walls:
            self._cue(wall, at_ms, stretch, level_bp, reach, part.sign)
        for leg in episode.legs:
            at_ms += leg.seconds * stretch
            level_bp += leg.move_bp * reach
            self._knots.append((at_ms, level_bp, leg.flow * part.sign))

    def _cue(self, wall: WallPlan, at_ms: float, stretch: float, level_bp: float, reach: float, sign: int) -> None:
        self._walls += 1
        size = wall.size * self._random.uniform(*SIZE)
        bp = level_bp + wall.at_bp * reach
        side_sign = sign if wall.fate is not Fate.HELD else -sign
        for seconds, act in ((wall.built_s, Act.BUILD), (wall.fate_s, _LAST_ACT[wall.fate])):
            when_ms = at_ms + seconds * stretch
            lasts_s = wall.seconds * stretch / 1000
            self._cues.append(Cue(when_ms, act, self._walls, bp, side_sign, size, lasts_s, wall.fate is Fate.PULLED))
