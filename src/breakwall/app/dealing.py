"""Dealing: the wishes that keys send to the engine, and the banner's answer to each of them.

A wish leaves in the call that its key makes: nothing is waited for between the key and `desk.submit`.
"""

from collections.abc import Callable

from breakwall.app.guard import Answer, Asking, Kind
from breakwall.app.keys import Act, Guard
from breakwall.app.widgets.banner import NOTICE_MS, Banner, Notice, Receipt, entries_in, held_in
from breakwall.model.events import Command, CommandKind
from breakwall.model.view import View
from breakwall.ports import Clock, Desk

WHO = "operator"


class Dealing:
    """One trader's wishes. `view` is the newest one, None until there is a desk."""

    def __init__(self, clock: Clock, banner: Banner) -> None:
        self.clock = clock
        self.banner = banner
        self.desk: Desk | None = None
        self.view: View | None = None
        self._wishes: dict[str, Callable[[Desk, View, str], None]] = {
            "panic": self.panic,
            "flatten": self.flatten,
            "cancel": self.cancel,
            "cancel-all": self.cancel,
            "arm": self.arm,
            "pause": self.pause,
            "pause-all": self.pause,
            "breakeven": self.breakeven,
        }

    def needs_enter(self, act: Act) -> bool:
        """Chords do; disarming is at once, whatever arming is."""
        armed = self.view is not None and self.view.armed
        return act.guard is Guard.CHORD and not (act.id == "arm" and armed)

    def scope(self, act: Act, symbol: str) -> str:
        """The symbol that the act is for; empty where it is for all."""
        return symbol if act.id in {"flatten", "cancel", "pause", "breakeven"} else ""

    def ask(self, asking: Asking | None) -> None:
        """Show what Enter would do."""
        self.banner.asking = asking
        if asking is not None:
            self.banner.notice = None
            if self.desk is None:
                self.say("the engine is still starting: nothing can be asked of it yet")

    def do(self, answer: Answer) -> None:
        """Send the wish now."""
        self.banner.asking = None
        if answer.act is None or answer.act.id not in self._wishes:
            return
        if self.desk is None or self.view is None:
            self.say(f"{answer.act.id}: nothing was sent, the engine is still starting")
            return
        self._wishes[answer.act.id](self.desk, self.view, answer.scope)

    def do_now(self, act: Act, scope: str) -> None:
        """Send the wish that was chosen by name."""
        self.do(Answer(Kind.DO, act, scope))

    def say(self, words: str) -> None:
        """A plain word in the banner."""
        self.banner.notice = Notice(words, self.clock.now_ms() + NOTICE_MS)

    def panic(self, desk: Desk, view: View, symbol: str) -> None:
        desk.submit(Command(CommandKind.PANIC, who=WHO))
        self.banner.receipt, self.banner.notice = Receipt(symbol, panic=True, asked_ms=view.at_ms), None

    def flatten(self, desk: Desk, view: View, symbol: str) -> None:
        desk.submit(Command(CommandKind.FLATTEN, symbol, WHO))
        self.banner.receipt, self.banner.notice = Receipt(symbol, panic=False, asked_ms=view.at_ms), None

    def cancel(self, desk: Desk, view: View, symbol: str) -> None:
        desk.submit(Command(CommandKind.CANCEL, symbol, WHO))
        count, name = len(entries_in(view, symbol)), symbol or "all symbols"
        self._promise(
            f"cancel asked: {count or 'no'} resting in {name}",
            f"no entries are resting in {name}",
            lambda now: not entries_in(now, symbol),
        )

    def arm(self, desk: Desk, view: View, symbol: str) -> None:
        del symbol
        if view.armed:
            desk.submit(Command(CommandKind.DISARM, who=WHO))
            self._promise("disarm asked", "SAFE: nothing is opened", lambda now: not now.armed)
        else:
            desk.submit(Command(CommandKind.ARM, who=WHO))
            self._promise("arm asked", "ARMED: strategies may open positions", lambda now: now.armed)

    def pause(self, desk: Desk, view: View, symbol: str) -> None:
        """The other of pause and go on; of all symbols: pause while any of them is not."""
        markets = [market for market in view.symbols if symbol in {"", market.symbol}]
        resume = bool(markets) and all(market.paused for market in markets)
        desk.submit(Command(CommandKind.RESUME if resume else CommandKind.PAUSE, symbol, WHO))
        name, state = symbol or "all symbols", "go on" if resume else "paused"
        self._promise(f"{name}: {state} asked", f"{name}: {state}", lambda now: _paused(now, symbol) is not resume)

    def breakeven(self, desk: Desk, view: View, symbol: str) -> None:
        desk.submit(Command(CommandKind.BREAKEVEN, symbol, WHO))
        before = [held.stop for held in held_in(view, symbol)]
        if not before:
            self.say(f"breakeven asked, but no position in {symbol} is known")
            return
        self._promise(
            f"{symbol}: stop to breakeven asked",
            f"{symbol}: the stop has moved",
            lambda now: [held.stop for held in held_in(now, symbol)] != before,
        )

    def _promise(self, asked: str, done: str, is_done: Callable[[View], bool]) -> None:
        self.banner.notice = Notice(asked, self.clock.now_ms() + NOTICE_MS, done, is_done)


def _paused(view: View, symbol: str) -> bool:
    """Whether the symbol, or every one, is paused."""
    return all(market.paused for market in view.symbols if symbol in {"", market.symbol})
