"""The app: polls the desk, shows the view, turns keys into commands. Nothing of the engine depends on it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from textual import events
from textual.strip import Strip

from breakwall.app.bell import Bell
from breakwall.app.controls import Controls
from breakwall.app.heatmap.history import History
from breakwall.app.keys.keymap import Keymap
from breakwall.app.leaving import Leaving
from breakwall.app.look import Look
from breakwall.app.pace import BEAT_S, Pace
from breakwall.app.picture import picture
from breakwall.app.screens.trade import Trade
from breakwall.app.terminal.driver import OnTerminal
from breakwall.app.themes.ink import Ink
from breakwall.app.themes.themed import Themed
from breakwall.app.widgets.status import Vitals
from breakwall.ports import Clock, Desk, Playback, Stage
from breakwall.settings import Settings

START_S = 5.0
"""How late the loop is while everything begins says nothing of what it will bear."""
BREATH_S = 0.002
"""The least between two parts of a frame. One turn of the loop would not do: the engine takes 2 ms of it at most."""
BREATHS = 2
"""The engine has so many times what the part before took, to catch up with what has come in meanwhile."""


class Cockpit(Themed[Leaving], OnTerminal[Leaving], inherit_bindings=False):
    """The screen over a desk. `desk` may come later: until then it says what is being started.

    Ends with the way of leaving that was chosen; see `breakwall.cli.session`.
    """

    ENABLE_COMMAND_PALETTE = False  # ours lies over the panes, which go on living, and knows the keys in force

    def __init__(self, settings: Settings, clock: Clock, desk: Desk | None = None) -> None:
        super().__init__(settings.ui)
        self.settings = settings
        self.clock = clock
        self.desk = desk
        self.playback: Playback | None = None
        self.stage: Stage | None = None
        self._worlds = 0
        self.lost_why = ""
        self.pace = Pace(settings.ui.fps, settings.ui.max_kb_s)
        self.look = Look(settings.symbols, settings.ui.tape_min_usdt)
        self.trade = Trade(self.ink, self.look)
        self.controls = Controls(self, Keymap(settings.keys))
        self._bell = Bell()
        self._frames = 0
        self._factory = asyncio.get_running_loop().get_task_factory()

    def get_default_screen(self) -> Trade:
        return self.trade

    def on_mount(self) -> None:
        # Textual sets an eager task factory on Python 3.12 and later; the engine shares this loop and must
        # run in the same order with and without a screen.
        asyncio.get_running_loop().set_task_factory(self._factory)
        self.set_interval(BEAT_S, self.beat)
        self._listening = asyncio.create_task(self._listen())
        self.call_after_refresh(self.look_again)  # the first picture need not wait for the interval

    def on_unmount(self) -> None:
        self._listening.cancel()

    async def _listen(self) -> None:
        """Hear how late the loop is, for ever. Textual's own timers are later than that: they queue behind keys."""
        await asyncio.sleep(START_S)
        while True:
            asked_ms = self.clock.now_ms()
            await asyncio.sleep(BEAT_S)
            self.pace.heard(max(0.0, self.clock.now_ms() - asked_ms - BEAT_S * 1000))

    def repaint(self, ink: Ink) -> None:
        self._frames += 1
        for pane in (*self.trade.panes, *self.trade.overlays):
            pane.repaint(ink)

    def on_terminal_lost(self, why: str) -> None:
        self.lost_why = why
        self.exit(Leaving.LOST)

    def exit(
        self, result: Leaving | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """End. The way of leaving that was chosen first counts: a terminal that goes after it changes nothing."""
        super().exit(self.return_value or result, return_code, message)

    async def on_event(self, event: events.Event) -> None:
        """Keys and pastes go to the controls before any widget. Textual brings each of them twice: as it was read,
        and, marked as forwarded, as it comes back from the focused widget.
        """
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self.controls.press(event.key, event.character, self.read_ms(event)):
                return
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            self.controls.paste(event.text, self.read_ms(event))
            return
        elif isinstance(event, events.Resize):
            self._frames += 1
            self.controls.guard.quieten(self.read_ms(event))
        await super().on_event(event)

    def read_ms(self, event: events.Event) -> int:
        """When the event was read, in engine time: keys that waited behind a long paint are no burst."""
        return self.clock.now_ms() - round((events.Event().time - event.time) * 1000)

    def picture(self, title: str) -> str:
        """The screen as an SVG, now."""
        return picture(self._strips(), self.ink, title)

    def _strips(self) -> list[Strip]:
        return self.screen._compositor.render_strips()  # noqa: SLF001 - Textual's own picture has its own colours

    async def take_picture(self) -> None:
        """The screen as an SVG in the current folder, made beside the loop."""
        strips = self._strips()
        name = f"breakwall-{self.clock.now_ms()}.svg"
        try:
            await asyncio.to_thread(lambda: Path(name).write_text(picture(strips, self.ink), encoding="utf-8"))
        except OSError as error:
            self.controls.dealing.say(f"{name}: cannot be written here ({error.strerror})")
        else:
            self.controls.dealing.say(f"picture written: {name}")
        self.controls.update_overlays()

    async def beat(self) -> None:
        """Look again if it is time to: less often while the loop is late or the line is full.

        What the markets are is remembered all the same: a slow screen must not make holes in the picture. Panes that
        are empty since another size, theme or arrangement do not wait: a position must not be out of sight.
        """
        if self.desk is not None and any(pane.is_on_screen and not pane.painted for pane in self.trade.panes):
            self.pace.hurry()
        terminal = self.terminal
        sent, pending = (terminal.bytes_written, terminal.pending) if terminal is not None else (0, 0)
        if self.pace.beat(self.clock.now_ms(), sent, pending):
            self.trade.status.vitals = Vitals(self.pace.fps, self.pace.bytes_s, self.pace.slowed)
            await self.look_in_parts()
        else:
            self._look_for_answer()
            if self.playback is None:  # what is played has a time of its own, and says itself when to look
                await self._in_parts(self._remember(self.clock.now_ms()))

    def _look_for_answer(self) -> None:
        """Between frames only the answer to the last key is looked for, which costs little; the rest then follows."""
        seen, banner = self.controls.dealing.view, self.trade.banner
        if self.desk is None or seen is None or not banner.waits(seen):
            return
        view = self.desk.view(self.look.symbol)
        self.controls.take(view)
        if not banner.waits(view):
            self.pace.hurry()

    async def look_in_parts(self) -> None:
        """One frame, between whose parts the engine catches up: a message waits for a pane, never for a screen.

        A newer frame, another size and another theme make the rest of this one void.
        """
        await self._in_parts(self._frame())

    async def _in_parts(self, parts: Iterator[None]) -> None:
        frame, began_ns = None, self.clock.now_ns()
        for _ in parts:
            frame = frame or self._frames
            took_s = (self.clock.now_ns() - began_ns) / 1e9
            await asyncio.sleep(max(BREATH_S, BREATHS * took_s))
            if self._frames != frame:
                return
            began_ns = self.clock.now_ns()

    def look_again(self) -> None:
        """One frame at once."""
        for _ in self._frame():
            pass

    def _frame(self) -> Iterator[None]:
        """Ask the desk, hand the view to the panes, remember what the other markets were."""
        self._frames += 1
        self._follow_playback()
        if self.desk is None:
            self.trade.status.starting("starting: no market and no account yet")
            return
        view = self.desk.view(self.look.symbol)
        self.look.follow(market.symbol for market in view.symbols)
        if self._bell.rings(view) and self.settings.ui.bell:
            self.bell()
        self.look.history.take_selected(view, self.look.symbol)
        yield
        for pane in self.trade.panes:
            if pane.is_on_screen:
                yield from pane.show_in_parts(view)
        self.controls.take(view)
        yield from self._remember(view.at_ms)

    def _follow_playback(self) -> None:
        """Tell where it is; after it went back, what was seen of another run is forgotten."""
        if self.playback is None:
            return
        playing = self.trade.status.playing = self.playback.playing
        if playing.worlds != self._worlds:
            self._worlds = playing.worlds
            self.look.history = History()

    def remember(self) -> None:
        """Take what the selected market is to the history: between two frames more may pass than they can show."""
        if self.desk is not None:
            self._follow_playback()
            self.look.history.take_selected(self.desk.view(self.look.symbol), self.look.symbol)

    def _remember(self, at_ms: int) -> Iterator[None]:
        """Take what the markets are now to the history, one by one, those whose turn it is."""
        look = self.look
        if self.desk is not None:
            for symbol in look.history.due(at_ms, look.symbols, look.symbol, look.column_ms):
                yield
                look.history.take_due(self.desk, at_ms, symbol, look.symbol)
