"""A recording under the cockpit: its keys, where it is, and that they mean nothing elsewhere."""

import math
from typing import Any

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.controls import PACE, SEEK_S
from breakwall.app.dialogs.finder import palette
from breakwall.app.keys.acts import ACTS, REPLAY
from breakwall.app.keys.keymap import Keymap
from breakwall.app.widgets.status import machine_row
from breakwall.clock import SystemClock
from breakwall.model.playing import Playing
from breakwall.settings import Settings

PLAYING = Playing(at_s=83.4, length_s=3_725.0, speed=5.0, paused=False, seeking=False, ended=False)


class Reel:
    """A playback that remembers what was asked."""

    def __init__(self) -> None:
        self.playing = PLAYING
        self.asked: list[object] = []

    def pause(self) -> None:
        self.asked.append("pause")

    def pace(self, steps: int) -> None:
        self.asked.append(("pace", steps))

    def step(self) -> None:
        self.asked.append("step")

    def seek(self, by_s: float) -> None:
        self.asked.append(("seek", by_s))


KEYS = {
    "space": "pause",
    "d": ("pace", -1),
    "u": ("pace", 1),
    "left_parenthesis": ("seek", -10.0),
    "right_parenthesis": ("seek", 10.0),
    "ctrl+left": ("seek", -60.0),
    "ctrl+right": ("seek", 60.0),
    "s": "step",
}


@pytest.fixture
def played(desk: Any) -> Any:
    desk.shown = replace(desk.shown, mode="REPLAY")
    return desk


def test_every_act_of_a_replay_has_its_key_and_sends_nothing() -> None:
    acts = [act for act in ACTS if act.group == REPLAY]
    assert {Keymap().act(key) for key in KEYS} == set(acts)
    assert not any(act.trades for act in acts)
    assert {*SEEK_S, *PACE, "replay-pause", "replay-step"} == {act.id for act in acts}


@pytest.mark.asyncio
async def test_keys_reach_what_plays_and_nothing_else(played: Any, frame: Any) -> None:
    app, reel = Cockpit(Settings(), SystemClock(), played), Reel()
    async with app.run_test(size=(120, 40)) as pilot:
        app.playback = reel
        for key, asked in KEYS.items():
            assert app.controls.press(key, None, SystemClock().now_ms()), key
            assert reel.asked == [asked]
            reel.asked.clear()
        app.look_again()
        await pilot.pause(0)
        shown = frame(app)
    assert " PLAYING 5x 1:23/1:02:05 " in shown
    assert "Space pause" in shown
    assert played.submitted == []


@pytest.mark.asyncio
async def test_elsewhere_they_mean_nothing(desk: Any, frame: Any) -> None:
    app = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(120, 40)) as pilot:
        taken = [key for key in KEYS if app.controls.press(key, None, SystemClock().now_ms())]
        app.look_again()
        await pilot.pause(0)
        shown = frame(app)
    assert taken == []
    assert desk.submitted == []
    assert "Space pause" not in shown
    assert "PLAYING" not in shown


@pytest.mark.asyncio
async def test_after_going_back_the_picture_begins_anew(played: Any) -> None:
    app, reel = Cockpit(Settings(), SystemClock(), played), Reel()
    async with app.run_test(size=(120, 40)):
        app.playback = reel
        app.look_again()
        before = app.look.history
        app.remember()
        assert app.look.history is before
        reel.playing = replace(PLAYING, worlds=1)
        app.look_again()
        assert app.look.history is not before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, " PLAYING 5x 1:23/1:02:05"),
        ({"paused": True}, " PAUSED 5x 1:23/1:02:05"),
        ({"paused": True, "seeking": True}, " SEEKING 5x 1:23/1:02:05"),
        ({"speed": math.inf}, " PLAYING max 1:23/1:02:05"),
        ({"speed": 0.1, "ended": True, "at_s": 3_725.0}, " END 0.1x 1:02:05/1:02:05"),
    ],
)
def test_the_bar_says_where_it_is(view: Any, changes: dict[str, Any], words: str) -> None:
    row = machine_row(view, "BTCUSDT", 80, None, replace(PLAYING, **changes))
    assert "".join(text for text, _ in row).startswith(words)


def test_the_palette_lists_them_only_there(view: Any) -> None:
    for replayed in (False, True):
        names = [entry.name for entry in palette(Keymap(), ("BTCUSDT",), (), replayed=replayed)(view)]
        assert any(name.startswith("replay: ") for name in names) is replayed
