"""The controls: from a key, by way of the guard, to what it does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from breakwall.app.dealing import Dealing
from breakwall.app.dialogs.crises import Crises, played
from breakwall.app.dialogs.dialog import Choice, Dialog
from breakwall.app.dialogs.everywhere import OPEN, everywhere
from breakwall.app.dialogs.finder import Finder, palette, symbols
from breakwall.app.dialogs.help import Help
from breakwall.app.dialogs.leave import Leave
from breakwall.app.dialogs.recovery import Recovery
from breakwall.app.keys.acts import BY_ID, MARKET, PICTURE, REPLAY, Act
from breakwall.app.keys.guard import HOLD_MS, KeyGuard, Kind, Stroke
from breakwall.app.keys.keymap import Keymap
from breakwall.app.leaving import Leaving
from breakwall.model.view import View

if TYPE_CHECKING:
    from breakwall.app.cockpit import Cockpit

PREFIX_MS = 2_000
"""For so long the second key of two (`g 1`) is waited for."""

GONE_S = 0.1
"""After this a dialog that was closed is off the screen."""

SEEK_S = {"replay-back": -10.0, "replay-forward": 10.0, "replay-far-back": -60.0, "replay-far-forward": 60.0}
PACE = {"replay-slower": -1, "replay-faster": 1}


class Controls:
    """All keys come here first, before any widget sees them."""

    def __init__(self, cockpit: "Cockpit", keymap: Keymap) -> None:
        self.cockpit = cockpit
        self.keymap = keymap
        self.guard = KeyGuard()
        self.dealing = Dealing(cockpit.clock, cockpit.trade.banner)
        self.cockpit.trade.footer.keymap = keymap
        self._prefix: tuple[str, int] | None = None
        self._news = ""
        self._does: dict[str, Callable[[], None]] = self._table()

    # Keys

    def press(self, key: str, character: str | None, at_ms: int) -> bool:
        """Take a key by Textual's name; False where it is a widget's own business."""
        self.dealing.desk = self.cockpit.desk
        self.release(at_ms)
        typed = character is not None
        act, key = self._meaning(key, at_ms, typed=typed)
        if self.dialog is not None and not (act and (act.id == "quit" or (act.id == "panic" and not typed))):
            self._to_dialog(key, character, at_ms)
            return True
        symbol = self.cockpit.look.symbol
        if self.guard.asking is not None or (act is not None and act.trades):
            self.dealing.look(symbol)
        needs = act is not None and self.dealing.needs_enter(act)
        stroke = Stroke(key, act, at_ms, typed, needs, self.dealing.scope(act, symbol) if act else "")
        answer = self.guard.press(stroke)
        if answer.why:
            self.dealing.say(answer.why)
        if answer.kind is Kind.DO:
            self.dealing.do(answer)
        elif answer.kind is Kind.HOLD:
            self.cockpit.set_timer(HOLD_MS / 1000, self.release)
        elif answer.kind is Kind.ASK:
            self.open(None)
        taken = answer.kind is not Kind.OTHER or self._prefix is not None or (act is not None and self._do(act, key))
        self.show_answer()
        return taken

    def release(self, at_ms: int | None = None) -> None:
        """A trading key was held back for a moment, and nothing followed it, or not before `at_ms`."""
        if answer := self.guard.release(at_ms):
            self.dealing.do(answer)
            self.show_answer()

    def paste(self, text: str, at_ms: int) -> None:
        """Pasted text is for a line to type in, never for keys."""
        self.guard.quieten(at_ms)
        if self.guard.asking is not None and self.guard.asking.typed:
            self.guard.drop()
        if self.dialog is not None:
            self.dialog.paste(text)
        self.show_answer()

    def _meaning(self, key: str, at_ms: int, *, typed: bool) -> tuple[Act | None, str]:
        """The act of this key, or of it and the one before it, with the keys' name."""
        prefix, self._prefix = self._prefix, None
        if self.dialog is not None or not typed:
            return self.keymap.act(key), key
        if prefix is not None and at_ms - prefix[1] <= PREFIX_MS:
            return self.keymap.act(f"{prefix[0]} {key}"), f"{prefix[0]} {key}"
        if key in self.keymap.prefixes:
            self._prefix = key, at_ms
        return self.keymap.act(key), key

    # Dialogs

    @property
    def dialog(self) -> Dialog | None:
        """The open one."""
        return self.cockpit.trade.sheet.dialog

    def open(self, dialog: Dialog | None) -> None:
        """Open a dialog in the place of another one; None closes it."""
        if dialog is self.dialog is None:
            return
        self.guard.quieten(self.cockpit.clock.now_ms())
        self.cockpit.trade.sheet.dialog = dialog
        self.dealing.banner.notice = None

    def _to_dialog(self, key: str, character: str | None, at_ms: int) -> None:
        """Looking elsewhere is free; what may trade or end the run must have been pressed by hand."""
        by_hand = self.guard.is_by_hand(at_ms) if character is not None else not self.guard.is_quiet(at_ms)
        choice = self.dialog.press(key, character) if self.dialog else None
        if choice is not None and choice.kind in {"act", "leave", "crisis"} and not by_hand:
            self.dealing.say("not taken, it came as in a paste or too soon; press it again")
        elif choice is not None:
            self.open(None)
            self.choose(choice, at_ms)
        self.show_answer()

    def choose(self, choice: Choice, at_ms: int) -> None:
        """Carry out what was chosen in a dialog."""
        cockpit, value = self.cockpit, choice.value
        if choice.kind == "act":
            self._chosen_act(BY_ID[value], at_ms)
        elif choice.kind == "symbol":
            cockpit.look.select(value)
        elif choice.kind == "time":
            cockpit.look.column_ms = int(value)
        elif choice.kind == "theme":
            cockpit.theme = value
        elif choice.kind == "picture":
            cockpit.set_timer(GONE_S, cockpit.take_picture)
        elif choice.kind == "crisis" and cockpit.stage is not None:
            cockpit.stage.play(value)
            self.dealing.say(f"crisis {value} is asked for; the log tells when it strikes and how it ends")
        elif choice.kind == "crises" and cockpit.stage is not None:
            self.open(Crises(cockpit.stage))
        elif choice.kind == "everywhere" and cockpit.desk is not None:
            self.open(Finder("LARGEST WALLS OF ALL MARKETS", everywhere(cockpit.desk)))
        elif choice.kind == "leave":
            cockpit.exit(Leaving(value))

    def _chosen_act(self, act: Act, at_ms: int) -> None:
        scope = self.dealing.scope(act, self.cockpit.look.symbol)
        self.dealing.look(self.cockpit.look.symbol)
        if self.dealing.needs_enter(act):
            self.guard.ask(act, scope, at_ms)
        elif act.trades:
            self.dealing.do_now(act, scope)
        else:
            self._do(act, "")

    # What is seen of it

    def take(self, view: View) -> None:
        """A new view: what is asked and answered is said by it."""
        self.dealing.desk, self.dealing.view = self.cockpit.desk, view
        self.dealing.send_kept()
        news = self.cockpit.stage.news if self.cockpit.stage is not None else ""
        if news != self._news:
            self._news = news
            self.dealing.say(news)
        self.update_overlays()

    def show_answer(self) -> None:
        """Say the newest at once, without waiting for the next frame."""
        if self.guard.asking is not None and self.dealing.banner.asking is None:
            self.dealing.look(self.cockpit.look.symbol)
        self.update_overlays()

    def update_overlays(self) -> None:
        """What lies over the panes tells what is asked and answered now."""
        asking = self.guard.asking
        if asking is not None and asking.left_ms(self.cockpit.clock.now_ms()) < 0:
            asking = None
        if asking is not self.dealing.banner.asking:
            self.dealing.ask(asking)
        self.cockpit.trade.show_overlays(self.dealing.view, self.cockpit.clock.now_ms())

    # What keys do that send nothing

    def _do(self, act: Act, key: str) -> bool:
        if act.id == "slot":
            self._slot(int(key[-1]) if key[-1].isdecimal() else 0)
        elif act.id == "focus":
            self._focus(key)
        elif act.group == REPLAY:
            return self._replay(act)
        elif act.id in self._does:
            self._does[act.id]()
        else:
            return False
        if act.group in {MARKET, PICTURE}:
            self.cockpit.look_again()
        return True

    def _table(self) -> dict[str, Callable[[], None]]:
        cockpit, look = self.cockpit, self.cockpit.look
        return {
            "symbol-before": lambda: look.step_symbol(-1),
            "symbol-after": lambda: look.step_symbol(1),
            "search": lambda: self.open(Finder("SYMBOL", symbols(look.symbols))),
            "price-in": lambda: look.zoom_price(-1),
            "price-out": lambda: look.zoom_price(1),
            "time-in": lambda: look.step_time(-1),
            "time-out": lambda: look.step_time(1),
            "recentre": look.recentre,
            "lock": look.lock,
            "filter": look.step_filter,
            "card": lambda: self._maximise("card"),
            "maximise": lambda: self._maximise(
                cockpit.focused.id if cockpit.focused and cockpit.focused.id else "heatmap"
            ),
            "trade-screen": lambda: self._maximise(""),
            "recovery": lambda: self.open(Recovery()),
            "help": lambda: self.open(Help(self.keymap)),
            "palette": lambda: self.open(
                Finder(
                    "PALETTE",
                    palette(
                        self.keymap,
                        look.symbols,
                        tuple(dict.fromkeys((*cockpit.themes, *sorted(cockpit.available_themes)))),
                        replayed=cockpit.playback is not None,
                        more=(OPEN, *played(cockpit.stage)),
                    ),
                )
            ),
            "dismiss": self._dismiss,
            "quit": lambda: self.open(None if isinstance(self.dialog, Leave) else Leave()),
        }

    def _replay(self, act: Act) -> bool:
        """Where nothing is played these keys mean nothing."""
        playback = self.cockpit.playback
        if playback is None:
            return False
        if act.id in SEEK_S:
            playback.seek(SEEK_S[act.id])
        elif act.id in PACE:
            playback.pace(PACE[act.id])
        elif act.id == "replay-step":
            playback.step()
        else:
            playback.pause()
        self.cockpit.pace.hurry()
        return True

    def _slot(self, number: int) -> None:
        look = self.cockpit.look
        if 1 <= number <= len(look.symbols):
            look.select(look.symbols[number - 1])
        else:
            self.dealing.say(f"g {number}: the list has {len(look.symbols)} symbols")

    def _focus(self, key: str) -> None:
        screen = self.cockpit.trade
        focused = screen.focus_previous() if key == "shift+tab" else screen.focus_next()
        self.cockpit.pace.hurry()
        if self.cockpit.look.maximised and focused is not None and focused.id:
            self._arrange(focused.id)

    def _maximise(self, pane: str) -> None:
        """The pane on the whole screen; the one that is there goes back."""
        self._arrange("" if self.cockpit.look.maximised else pane)

    def _arrange(self, maximised: str) -> None:
        self.cockpit.look.maximised = maximised
        self.cockpit.trade.rearrange()
        self.cockpit.call_after_refresh(self.cockpit.look_again)

    def _dismiss(self) -> None:
        if not self.dealing.banner.clear() and self.cockpit.look.maximised:
            self._arrange("")
