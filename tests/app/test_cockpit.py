"""Real key presses on the whole app: what they send, what they show, and what they must not do."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events
from textual.keys import key_to_character
from textual.pilot import Pilot

from breakwall.app.cockpit import Cockpit
from breakwall.app.keys.guard import CHORD_MS, QUIET_MS
from breakwall.app.keys.keyboards import LAYOUTS
from breakwall.app.leaving import Leaving
from breakwall.config import ConfigError
from breakwall.model.crisis import CrisisReceipt
from breakwall.model.events import Command, CommandKind
from breakwall.model.view import FlattenView, View
from breakwall.settings import Settings

Frame = Callable[[Cockpit], str]


class HandClock:
    """Stands still until it is put forward."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms

    def now_ns(self) -> int:
        return self.at_ms * 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


class Seat:
    """Before the screen: presses keys and reads what is there."""

    def __init__(self, app: Cockpit, pilot: Pilot[Any], desk: Any, clock: HandClock, frame: Frame) -> None:
        self.app, self.pilot, self.desk, self.clock, self.frame = app, pilot, desk, clock, frame

    async def press(self, *keys: str, after_ms: int = 1_000) -> None:
        """Each key so long after the one before it, as the driver posts it."""
        await self.post(*(events.Key(key, key_to_character(key)) for key in keys), after_ms=after_ms)
        await self.look()

    async def post(self, *read: events.Event, after_ms: int = 0) -> None:
        """What the driver may post."""
        for event in read:
            self.clock.at_ms += after_ms
            self.app.post_message(event)
            await self.pilot.pause(0)

    async def look(self, **changes: Any) -> None:
        """Another view is polled."""
        self.desk.shown = replace(self.desk.shown, **changes)
        await self.pilot.pause(0)
        while self.app.controls.guard._held is not None:  # a key that trades is held back for a moment
            await self.pilot.pause(0.002)
        self.app.look_again()
        for _ in range(3):  # arranged, sized, painted
            await self.pilot.pause(0)

    @property
    def sent(self) -> list[tuple[CommandKind, str]]:
        assert all(isinstance(command, Command) and command.who == "operator" for command in self.desk.submitted)
        return [(command.kind, command.symbol) for command in self.desk.submitted]

    @property
    def screen(self) -> str:
        return self.frame(self.app)


Sit = Callable[..., AbstractAsyncContextManager[Seat]]


@pytest.fixture
def sit(desk: Any, frame: Frame) -> Sit:
    """A seat before a running cockpit."""

    @asynccontextmanager
    async def seat(
        width: int = 120, height: int = 40, keys: dict[str, str] | None = None, *, started: bool = True
    ) -> AsyncIterator[Seat]:
        clock = HandClock(desk.shown.at_ms)
        app = Cockpit(Settings(keys=keys or {}), clock, desk if started else None)
        async with app.run_test(size=(width, height)) as pilot:
            await pilot.pause()
            yield Seat(app, pilot, desk, clock, frame)

    return seat


WISHES: list[tuple[list[str], list[tuple[CommandKind, str]]]] = [
    (["f9", "enter"], [(CommandKind.PANIC, "")]),
    (["X", "enter"], [(CommandKind.PANIC, "")]),
    (["x", "enter"], [(CommandKind.FLATTEN, "BTCUSDT")]),
    (["right_square_bracket", "x", "enter"], [(CommandKind.FLATTEN, "ETHUSDT")]),
    (["g", "3", "c"], [(CommandKind.CANCEL, "SOLUSDT")]),
    (["C", "enter"], [(CommandKind.CANCEL, "")]),
    (["a"], [(CommandKind.DISARM, "")]),
    (["R", "enter"], [(CommandKind.RECONCILE, "")]),
    (["B", "enter"], [(CommandKind.RESET_BREAKER, "")]),
    (["A", "enter"], [(CommandKind.RESET_API, "")]),
    (["p", "P"], [(CommandKind.PAUSE, "BTCUSDT"), (CommandKind.PAUSE, "")]),
    (["g", "3", "p"], [(CommandKind.RESUME, "SOLUSDT")]),
    (["b"], [(CommandKind.BREAKEVEN, "BTCUSDT")]),
    ([LAYOUTS["Russian"]["x"], "enter"], [(CommandKind.FLATTEN, "BTCUSDT")]),
    ([LAYOUTS["Thai"]["c"]], [(CommandKind.CANCEL, "BTCUSDT")]),
    (["f9", "escape", "enter"], []),
    (["f9", "f9", "f9"], []),
    (["x", "x", "x"], []),
    (["x", "right_square_bracket", "enter"], []),
    (["enter"], []),
    (["g", "x", "enter"], []),
    (["g", "f9", "enter"], [(CommandKind.PANIC, "")]),
    (["1", "2", "q", "escape", "delete"], []),
]


@pytest.mark.asyncio
async def test_what_keys_send(sit: Sit) -> None:
    wrong = []
    async with sit() as seat:
        for keys, sent in WISHES:
            seat.desk.submitted.clear()
            await seat.press(*keys, after_ms=900)
            wrong += [(keys, seat.sent, sent)] if seat.sent != sent else []
            seat.clock.at_ms += 10_000
            await seat.press("escape", "g", "1")
    assert wrong == []


@pytest.mark.asyncio
async def test_panic_shows_what_it_would_do_and_then_what_is_proven(sit: Sit, view: View) -> None:
    async with sit(80, 24) as seat:
        await seat.press("f9")
        assert "PANIC  Enter: disarm, cancel 2, close 2  2.0s" in seat.screen
        assert re.search(r"cancel +BTCUSDT +BUY +0.030? +at 64116.0 +PLACED", seat.screen)
        assert re.search(r"close +BTCUSDT +LONG +0.021 +about 64117.4 +\+0.63 USDT", seat.screen)
        assert re.search(r"close +ETHUSDT +SHORT +0.5 +about 3412.16\? +-2.85\? USDT", seat.screen)
        await seat.look(positions=view.positions[:1])
        assert "cancel 2, close 1" in seat.screen

        await seat.press("enter")
        asked = view.at_ms + 40
        assert "no answer yet" in seat.screen
        under_way = FlattenView("", True, asked, ("BTCUSDT buy 0.030",), (), ("BTCUSDT long 0.021",), None, None)
        await seat.look(at_ms=asked + 100, flattens=(*view.flattens, under_way))
        assert "NOT FLAT after 0.1s" in seat.screen
        assert "REMAINS   BTCUSDT long 0.021" in seat.screen
        proven = replace(
            under_way, remains=(), closed=("BTCUSDT long 0.021",), flat_ms=asked + 310, proven_ms=asked + 640
        )
        await seat.look(at_ms=asked + 700, flattens=(*view.flattens, proven), armed=False, positions=())
        assert "FLAT after 310 ms" in seat.screen
        assert "PROVEN BY THE EXCHANGE after 640 ms" in seat.screen
        assert "closed    BTCUSDT long 0.021" in seat.screen

        await seat.look(at_ms=asked + 640 + 20_000)
        assert "PROVEN BY THE EXCHANGE" not in seat.screen


@pytest.mark.asyncio
async def test_a_receipt_stays_until_it_is_dismissed(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("x", "enter")
        await seat.press("z", "tab", after_ms=60_000)
        assert "FLATTEN BTCUSDT sent" in seat.screen
        await seat.press("escape")
        assert "FLATTEN" not in seat.screen


@pytest.mark.asyncio
async def test_a_question_that_ran_out_says_so(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("f9")
        await seat.press("enter", after_ms=CHORD_MS + 200)
        assert seat.sent == []
        assert "too late: nothing was sent" in seat.screen


@pytest.mark.asyncio
@pytest.mark.parametrize("opener", ["f1", "slash", "ctrl+p", "ctrl+q"])
async def test_panic_works_out_of_every_dialog(sit: Sit, opener: str) -> None:
    async with sit() as seat:
        await seat.press(opener)
        assert seat.app.controls.dialog is not None
        await seat.press("f9", "enter", after_ms=0)
        assert seat.app.controls.dialog is None
        assert seat.sent == [(CommandKind.PANIC, "")]


@pytest.mark.asyncio
@pytest.mark.parametrize("opener", ["f1", "slash", "ctrl+p", "ctrl+q"])
async def test_characters_in_dialogs_do_not_trade(sit: Sit, opener: str) -> None:
    async with sit() as seat:
        await seat.press(opener, "x", "X", "c", "P", "b", "a")
        assert seat.sent == []


@pytest.mark.asyncio
async def test_pastes_do_not_trade(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("x")
        await seat.post(events.Paste("x\nc\nX\n"))
        await seat.press("enter", "c", after_ms=QUIET_MS // 3)
        assert seat.sent == []


@pytest.mark.asyncio
async def test_characters_without_pauses_do_not_trade(sit: Sit) -> None:
    async with sit() as seat:
        seat.clock.at_ms += 5_000
        keys = ["c", "p", "enter", "X", "enter", "b", "a"]
        await seat.post(*(events.Key(key, "\r" if key == "enter" else key) for key in keys))
        await seat.look()
        assert seat.sent == []


@pytest.mark.asyncio
async def test_a_resize_silences_characters_but_not_panic(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("z")
        await seat.pilot.resize_terminal(100, 30)
        await seat.press("c", after_ms=QUIET_MS // 2)
        assert seat.sent == []
        await seat.pilot.resize_terminal(120, 40)
        await seat.press("f9", "enter", after_ms=5)
        assert seat.sent == [(CommandKind.PANIC, "")]


@pytest.mark.asyncio
async def test_arming_needs_enter_and_disarming_does_not(sit: Sit) -> None:
    async with sit() as seat:
        await seat.look(armed=False)
        await seat.press("a")
        assert seat.sent == []
        assert "ARM  Enter: strategies may open positions (SIM)" in seat.screen
        await seat.press("enter")
        assert seat.sent == [(CommandKind.ARM, "")]
        assert "… arm asked" in seat.screen
        await seat.look(armed=True)
        assert "✓ ARMED: strategies may open positions" in seat.screen


@pytest.mark.asyncio
async def test_before_the_engine_has_started_nothing_is_promised(sit: Sit) -> None:
    async with sit(started=False) as seat:
        await seat.press("x", "enter", "c")
        assert seat.sent == []
        assert "nothing was sent, the engine is still starting" in seat.screen
        seat.app.desk = seat.desk
        await seat.look()
        await seat.press("c")
        assert seat.sent == [(CommandKind.CANCEL, "BTCUSDT")]


@pytest.mark.asyncio
async def test_a_panic_before_the_engine_has_started_is_kept_for_it(sit: Sit) -> None:
    async with sit(started=False) as seat:
        await seat.press("f9")
        assert "Enter keeps the panic for it" in seat.screen
        await seat.press("enter")
        assert "PANIC is kept: sent as soon as the engine is there" in seat.screen
        seat.app.desk = seat.desk
        for _ in range(3):
            await seat.look()
        assert seat.sent == [(CommandKind.PANIC, "")]
        assert "PANIC sent" in seat.screen


@pytest.mark.asyncio
async def test_keys_are_judged_by_what_is_now_and_not_by_the_last_frame(sit: Sit, view: View) -> None:
    async with sit() as seat:
        seat.desk.shown = replace(view, armed=False)  # a panic was heard, no frame has shown it yet
        await seat.press("a")
        assert seat.sent == []
        assert "Enter: strategies may open positions" in seat.screen


@pytest.mark.asyncio
async def test_what_was_pressed_to_disarm_never_arms(sit: Sit, view: View) -> None:
    async with sit() as seat:
        seat.clock.at_ms += 1_000
        controls = seat.app.controls
        controls.press("a", "a", seat.clock.at_ms)  # held back for the rest of a paste
        controls.take(replace(view, armed=False))
        controls.release()
        assert seat.sent == [(CommandKind.DISARM, "")]


@pytest.mark.asyncio
async def test_a_stop_that_is_gone_has_not_moved_to_breakeven(sit: Sit, view: View) -> None:
    async with sit() as seat:
        await seat.press("b")
        held = [replace(position, stop=None) for position in view.positions]
        await seat.look(positions=tuple(held))
        assert "the stop has moved" not in seat.screen
        await seat.look(positions=tuple(replace(position, stop=position.entry) for position in held))
        assert "✓ BTCUSDT: the stop has moved" in seat.screen


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("keys", "leaving"),
    [
        (["ctrl+q", "1"], Leaving.FLATTEN),
        (["ctrl+c", "2"], Leaving.KEEP),
        (["ctrl+q", "3"], Leaving.HEADLESS),
        (["ctrl+q", "down", "down", "enter"], Leaving.KEEP),
    ],
)
async def test_ways_out(sit: Sit, keys: list[str], leaving: Leaving) -> None:
    async with sit() as seat:
        await seat.press(keys[0])
        assert "NO STOP on the exchange, nothing protects it without us: ETHUSDT" in seat.screen
        seat.clock.at_ms += 1_000
        for key in keys[1:]:
            seat.clock.at_ms += 100
            await seat.pilot.press(key)  # Pilot's own, once: the others are what it does
    assert seat.app.return_value is leaving


@pytest.mark.asyncio
async def test_a_terminal_that_goes_after_the_choice_takes_nothing_back(sit: Sit) -> None:
    async with sit() as seat:
        seat.app.exit(Leaving.FLATTEN)
        seat.app.on_terminal_lost("hang-up")
        seat.app.exit()
    assert seat.app.return_value is Leaving.FLATTEN


@pytest.mark.asyncio
@pytest.mark.parametrize("keys", [["escape"], ["enter"], ["ctrl+q"], ["x", "y"]])
async def test_ways_to_stay(sit: Sit, keys: list[str]) -> None:
    async with sit() as seat:
        await seat.press("ctrl+q", *keys)
        assert seat.app.return_value is None
        assert seat.app.is_running


@pytest.mark.asyncio
async def test_what_is_typed_ahead_does_not_leave(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("ctrl+q", "1", after_ms=QUIET_MS - 1)
        assert seat.app.return_value is None
        assert "not taken, it came as in a paste or too soon; press it again" in seat.screen


@pytest.mark.asyncio
async def test_looking_around(sit: Sit) -> None:
    async with sit() as seat:
        look = seat.app.look
        await seat.press("right_square_bracket", "greater_than_sign", "t")
        assert (look.symbol, look.column_ms, look.tape_min_usdt) == ("ETHUSDT", 5_000, 1_000)
        await seat.press("left_square_bracket", "less_than_sign", "plus")
        assert (look.symbol, look.column_ms) == ("BTCUSDT", 1_000)
        assert look.ticks_per_half_row > 0
        await seat.press("l")
        assert look.centre_ticks is not None
        await seat.press("0")
        assert (look.centre_ticks, look.ticks_per_half_row) == (None, 0)
        await seat.press("g", "9")
        assert "g 9: the list has 3 symbols" in seat.screen


@pytest.mark.asyncio
async def test_panes_are_maximised_and_come_back(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("tab", "z")
        pane = seat.app.look.maximised
        assert pane
        assert seat.app.trade.query_one(f"#{pane}").size == (120, 36)  # a position has no stop: one row says so
        await seat.press("tab")
        assert seat.app.look.maximised not in {"", pane}
        await seat.press("escape", "enter")
        assert seat.app.look.maximised == "card"
        await seat.press("enter")
        assert seat.app.look.maximised == ""


@pytest.mark.asyncio
async def test_the_search_selects_a_symbol(sit: Sit) -> None:
    async with sit(80, 24) as seat:
        await seat.press("slash", "s", "o")
        assert re.search(r"SOLUSDT +171.60 +. STALE", seat.screen)
        assert seat.app.trade.sheet.size.height == 4
        await seat.press("enter")
        assert seat.app.look.symbol == "SOLUSDT"
        assert seat.app.controls.dialog is None


@pytest.mark.asyncio
async def test_the_palette_does_everything_by_name(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def choose(seat: Seat, words: str) -> None:
        await seat.press("ctrl+p")
        await seat.post(events.Paste(words))
        await seat.press("enter")

    async with sit() as seat:
        await choose(seat, "symbol eth")
        await choose(seat, "column 15")
        await choose(seat, "theme harbor")
        assert (seat.app.look.symbol, seat.app.look.column_ms, seat.app.theme) == ("ETHUSDT", 15_000, "harbor")
        await choose(seat, "cancel the symbol's")
        assert seat.sent == [(CommandKind.CANCEL, "ETHUSDT")]
        await choose(seat, "picture")
        await until(seat, lambda: "picture written" in seat.screen)
    (picture,) = list_of(tmp_path)
    assert "PALETTE" not in picture.read_text(encoding="utf-8")


def list_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("breakwall-*.svg"))


async def until(seat: Seat, is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        await seat.pilot.pause(0.02)
    raise AssertionError(seat.screen)


@pytest.mark.asyncio
async def test_the_largest_walls_of_all_markets_are_listed_and_lead_to_their_market(sit: Sit) -> None:
    async with sit(80, 24) as seat:
        await seat.press("ctrl+p")
        await seat.post(events.Paste("largest walls"))
        await seat.press("enter")
        listed = [line.split("│") for line in seat.screen.splitlines() if " ask " in line or " bid " in line]
        rows = [words[1].split() for words in listed]
        assert rows[0] == ["ETHUSDT", "ask", "2.41M", "+0.42%", "64s", "31%", "gone"]
        assert rows[1] == ["BTCUSDT", "bid", "750K", "-0.10%", "64s", "whole"]
        await seat.press("enter")
        assert seat.app.look.symbol == "ETHUSDT"


@pytest.mark.asyncio
async def test_a_chord_out_of_the_palette_is_not_confirmed_by_a_held_enter(sit: Sit) -> None:
    async with sit() as seat:
        await seat.press("ctrl+p")
        await seat.post(events.Paste("flatten"))
        await seat.press("enter")
        assert "FLATTEN BTCUSDT  Enter:" in seat.screen
        await seat.post(*(events.Key("enter", "\r") for _ in range(60)), after_ms=33)
        assert seat.sent == []


@pytest.mark.asyncio
async def test_a_dialog_leaves_the_banner_in_sight(sit: Sit) -> None:
    async with sit(80, 24) as seat:
        await seat.press("x", "enter", "f1")
        rows = seat.screen.splitlines()
        assert "NO STOP" in rows[2]
        assert "FLATTEN BTCUSDT sent" in rows[3]
        assert "HELP" in rows[4]


@pytest.mark.asyncio
async def test_help_scrolls_on_a_small_screen(sit: Sit) -> None:
    async with sit(80, 24) as seat:
        await seat.press("question_mark")
        assert "HELP" in seat.screen
        assert "SAFETY" in seat.screen
        await seat.press("end")
        assert "never 0" in seat.screen
        await seat.press("escape")
        assert "HELP" not in seat.screen


@pytest.mark.asyncio
async def test_own_keys_are_in_force_and_in_the_footer(sit: Sit) -> None:
    async with sit(keys={"flatten": "k"}) as seat:
        await seat.look()
        assert " k flatten" in seat.screen.splitlines()[-1]
        await seat.press("x", "enter", "k", "enter")
        assert seat.sent == [(CommandKind.FLATTEN, "BTCUSDT")]


@pytest.mark.asyncio
async def test_keys_that_were_given_away_do_nothing_of_the_screen_library(sit: Sit) -> None:
    """Its own Ctrl+Q ends the app at once, its own Ctrl+P is another palette."""
    async with sit(keys={"quit": "ctrl+t", "palette": "ctrl+o"}) as seat:
        await seat.press("ctrl+q", "ctrl+p")
        assert seat.app.is_running
        assert seat.app.screen is seat.app.trade
        await seat.press("ctrl+t")
        assert "LEAVE" in seat.screen


@pytest.mark.asyncio
async def test_keys_that_cannot_be_refuse_the_start(desk: Any) -> None:
    with pytest.raises(ConfigError, match="F9 is panic's"):
        Cockpit(Settings(keys={"flatten": "f9"}), HandClock(0), desk)


@pytest.mark.asyncio
async def test_the_market_goes_on_below_dialogs(sit: Sit, view: View) -> None:
    async with sit(200, 60) as seat:
        await seat.press("f1")
        painted = {pane.id: pane.rows_painted for pane in seat.app.trade.panes}
        market = replace(view.symbols[0], bids=((641_170, 5), *view.symbols[0].bids[1:]))
        await seat.look(symbols=(market, *view.symbols[1:]))
        grown = [pane.id for pane in seat.app.trade.panes if pane.rows_painted > painted[pane.id]]
        assert "ladder" in grown
        assert "HELP" in seat.screen


@pytest.mark.asyncio
async def test_however_slow_the_screen_is_nothing_stays_empty(sit: Sit) -> None:
    async def filled(seat: Seat) -> None:
        for _ in range(200):
            await seat.pilot.pause(0.01)
            if all(pane.painted for pane in seat.app.trade.panes if pane.is_on_screen):
                return
        raise AssertionError(seat.screen)

    async with sit(80, 24) as seat:  # whose clock stands still: no frame is due
        await seat.pilot.resize_terminal(120, 40)
        await filled(seat)
        assert "ARMED" in seat.screen
        assert "PROTECTED" in seat.screen
        seat.app.theme = "daylight"
        await filled(seat)
        assert "PROTECTED" in seat.screen
        await seat.pilot.resize_terminal(80, 24)
        seat.app.trade.query_one("#log").focus()
        await filled(seat)
        assert "LOG" in seat.screen


@pytest.mark.asyncio
async def test_a_slow_screen_tells_at_once_that_it_is_flat(sit: Sit, view: View) -> None:
    async with sit(80, 24) as seat:
        await seat.press("f9", "enter")
        assert "no answer yet" in seat.screen
        asked_ms = seat.clock.at_ms
        flat = FlattenView("", True, asked_ms, (), (), (), flat_ms=asked_ms + 20, proven_ms=asked_ms + 48)
        seat.desk.shown = replace(seat.desk.shown, armed=False, positions=(), flattens=(flat,), at_ms=asked_ms + 50)
        for _ in range(200):  # beats go on, but the clock stands still: no frame is due
            await seat.pilot.pause(0.01)
            if "PROVEN" in seat.screen and "SAFE" in seat.screen:
                break
        else:
            raise AssertionError(seat.screen)


class AskedStage:
    """Remembers what was asked for; nothing is played."""

    def __init__(self) -> None:
        self.names = {"lost-ack": "the next entry is accepted, and its answer never comes"}
        self.receipts: tuple[CrisisReceipt, ...] = ()
        self.news = ""
        self.asked: list[str] = []

    def play(self, name: str, symbol: str = "") -> None:
        self.asked.append(name + symbol)


@pytest.mark.asyncio
async def test_a_crisis_is_played_from_the_palette_and_said_on_the_smallest_screen(sit: Sit) -> None:
    async with sit(80, 24) as seat:
        await seat.press("ctrl+p", *"crisis")
        assert "nothing has that name" in seat.screen, "there is no stage on a real venue"
        await seat.press("escape")
        stage = seat.app.stage = AskedStage()
        await seat.press("ctrl+p", *"crisis", "enter")
        assert stage.asked == ["lost-ack"]
        assert "crisis lost-ack is asked for" in seat.screen
        stage.news = "CRISIS lost-ack strikes BTCUSDT"
        await seat.look()
        assert stage.news in seat.screen
        await seat.press("ctrl+p", *"receipts", "enter")
        assert "no crisis of this run is over yet" in seat.screen
