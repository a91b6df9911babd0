from itertools import pairwise
from random import Random

import pytest

from breakwall.venues.exchange.director import (
    EPISODES,
    SCENARIOS,
    Act,
    Cue,
    Director,
    Fate,
    Part,
    UnknownScenarioError,
    cast,
)

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")


def play(director: Director, seconds: int) -> tuple[list[Cue], list[float]]:
    cues: list[Cue] = []
    levels = []
    for elapsed_ms in range(50, seconds * 1000, 50):
        cues += director.advance(elapsed_ms)
        levels.append(director.level_bp)
    return cues, levels


@pytest.mark.parametrize("name", EPISODES)
def test_walls_of_an_episode_are_ahead_of_its_price_and_end_within_it(name: str) -> None:
    episode = EPISODES[name]
    length_s = sum(leg.seconds for leg in episode.legs)
    for wall in episode.walls:
        assert 0 < wall.built_s < wall.fate_s <= wall.fate_s + wall.seconds < length_s
        assert wall.fate_s - wall.built_s > 8, "old enough for a wall of five seconds"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_goes_on_for_ever_without_running_away(scenario: str) -> None:
    director = Director(scenario, cast(scenario, SYMBOLS, Random(1)).get("BTCUSDT"), Random(2))
    cues, levels = play(director, 1800)
    assert max(map(abs, levels)) < 500
    assert max(abs(b - a) for a, b in pairwise(levels)) < 1.0
    assert cues == sorted(cues, key=lambda cue: cue.at_ms)
    assert bool(cues) == (scenario != "calm")


@pytest.mark.parametrize(("name", "act"), [("breakout", Act.EAT), ("bounce", Act.WITHDRAW), ("spoof", Act.PULL)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_episode_is_mirrored_by_its_sign(name: str, act: Act, sign: int) -> None:
    director = Director("calm", Part(name, sign), Random(3))
    cues, levels = play(director, 70)
    build, end = cues[:2]
    fate = EPISODES[name].walls[0].fate
    assert (build.act, end.act) == (Act.BUILD, act)
    assert build.side_sign == (-sign if fate is Fate.HELD else sign)
    assert build.spoof == (name == "spoof")
    assert build.bp * sign > 0
    assert max(levels, key=abs) * sign > 0


def test_the_same_seed_plays_the_same() -> None:
    first, again, other = (play(Director("tour", None, Random(seed)), 300) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_breakout_and_bounce_of_the_tour_open_in_opposite_directions() -> None:
    for seed in range(20):
        parts = cast("tour", SYMBOLS, Random(seed))
        leads = {parts[symbol].episode: parts[symbol].sign for symbol in SYMBOLS[:3]}
        assert set(leads) == {"breakout", "bounce", "spoof"}
        assert leads["breakout"] == -leads["bounce"]
        assert parts["DOGEUSDT"].episode in EPISODES


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownScenarioError, match=r"tour, calm, breakout, bounce, spoof, sprint, found 'tuor'"):
        cast("tuor", SYMBOLS, Random(1))
