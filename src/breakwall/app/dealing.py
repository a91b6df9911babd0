"""Dealing: the wishes that keys send to the engine, and the banner's answer to each of them.

A wish leaves in the call that its key makes: nothing is waited for between the key and `desk.submit`.
"""

from collections.abc import Callable

from breakwall.app.keys.acts import Act, Guard
from breakwall.app.keys.guard import Answer, Asking, Kind
from breakwall.app.widgets.banner import NOTICE_MS, Banner, Notice, Receipt, entries_in, held_in
from breakwall.app.widgets.breaker import resettable, shut
from breakwall.model.events import Command, CommandKind
from breakwall.model.view import View
from breakwall.ports import Clock, Desk

WHO = "operator"
KEPT_MS = 60_000
"""For so long it is said that a panic is kept."""


class Dealing:
    """One trader's wishes. `view` is the newest one, None until there is a desk.

    A panic that was confirmed before is kept and sent as soon as there is one.
    """

    def __init__(self, clock: Clock, banner: Banner) -> None:
        self.clock = clock
        self.banner = banner
        self.desk: Desk | None = None
        self.view: View | None = None
        self._kept: Answer | None = None
        self._wishes: dict[str, Callable[[Desk, View, str], None]] = {
            "panic": self.panic,
            "flatten": self.flatten,
            "cancel": self.cancel,
            "cancel-all": self.cancel,
            "arm": self.disarm,  # what needs no Enter; `do` knows better where it was pressed
            "pause": self.pause,
            "pause-all": self.pause,
            "breakeven": self.breakeven,
            "reconcile": self.reconcile,
            "reset-breaker": self.reset_breaker,
            "reset-api": self.reset_api,
        }

    def needs_enter(self, act: Act) -> bool:
        """Chords do; disarming is at once, whatever arming is."""
        armed = self.view is not None and self.view.armed
        return act.guard is Guard.CHORD and not (act.id == "arm" and armed)

    def scope(self, act: Act, symbol: str) -> str:
        """The symbol that the act is for; empty where it is for all."""
        return symbol if act.per_symbol else ""

    def ask(self, asking: Asking | None) -> None:
        """Show what Enter would do."""
        self.banner.asking = asking
        if asking is not None:
            self.banner.notice = None
            if self.desk is None:
                can = "Enter keeps the panic for it" if asking.act.id == "panic" else "nothing can be asked of it yet"
                self.say(f"the engine is still starting: {can}")

    def do(self, answer: Answer) -> None:
        """Send the wish now."""
        self.banner.asking = None
        act = answer.act
        if act is None or act.id not in self._wishes:
            return
        if self.desk is None or self.view is None:
            self._starting(answer, act)
            return
        wish = self.arm if act.id == "arm" and answer.confirmed else self._wishes[act.id]
        wish(self.desk, self.view, answer.scope)

    def look(self, symbol: str) -> None:
        """Take the newest view: what a key means must not hang on an old one."""
        if self.desk is not None:
            self.view = self.desk.view(symbol)

    def send_kept(self) -> None:
        """Send the panic that was confirmed before there was an engine."""
        kept = self._kept
        if kept is not None and self.desk is not None:
            self._kept = None
            self.do(kept)

    def _starting(self, answer: Answer, act: Act) -> None:
        if act.id == "panic":
            self._kept = answer
            until_ms = self.clock.now_ms() + KEPT_MS
            self.banner.notice = Notice("PANIC is kept: sent as soon as the engine is there", until_ms)
        else:
            self.say(f"{act.id}: nothing was sent, the engine is still starting")

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
        """Only after Enter: a key without it must not arm what became SAFE since it was pressed."""
        del view, symbol
        desk.submit(Command(CommandKind.ARM, who=WHO))
        self._promise("arm asked", "ARMED: strategies may open positions", lambda now: now.armed)

    def disarm(self, desk: Desk, view: View, symbol: str) -> None:
        del view, symbol
        desk.submit(Command(CommandKind.DISARM, who=WHO))
        self._promise("disarm asked", "SAFE: nothing is opened", lambda now: not now.armed)

    def pause(self, desk: Desk, view: View, symbol: str) -> None:
        """The other of pause and go on; of all symbols: pause while any of them is not."""
        markets = [market for market in view.symbols if symbol in {"", market.symbol}]
        resume = bool(markets) and all(market.paused for market in markets)
        desk.submit(Command(CommandKind.RESUME if resume else CommandKind.PAUSE, symbol, WHO))
        name, state = symbol or "all symbols", "go on" if resume else "paused"
        self._promise(f"{name}: {state} asked", f"{name}: {state}", lambda now: _paused(now, symbol) is not resume)

    def breakeven(self, desk: Desk, view: View, symbol: str) -> None:
        desk.submit(Command(CommandKind.BREAKEVEN, symbol, WHO))
        before = next((held.stop for held in held_in(view, symbol)), None)
        if not held_in(view, symbol):
            self.say(f"breakeven asked, but no position in {symbol} is known")
            return
        self._promise(
            f"{symbol}: stop to breakeven asked",
            f"{symbol}: the stop has moved",
            lambda now: any(held.stop not in {None, before} for held in held_in(now, symbol)),
        )

    def reconcile(self, desk: Desk, view: View, symbol: str) -> None:
        del symbol
        desk.submit(Command(CommandKind.RECONCILE, who=WHO))
        asked_ms = view.at_ms
        self._promise(
            "reconcile asked: the account is being read",
            "reconciled: the report is in RECOVERY",
            lambda now: bool(now.recovery) and now.recovery[-1].at_ms >= asked_ms,
        )

    def reset_breaker(self, desk: Desk, view: View, symbol: str) -> None:
        del symbol
        desk.submit(Command(CommandKind.RESET_BREAKER, who=WHO))
        tripped = resettable(view)
        if not tripped:
            self.say("reset asked, but nothing is tripped: the limits count anew")
            return
        self._promise(
            f"reset asked: {', '.join(tripped)}",
            "the breaker is reset; what still has its cause will trip again",
            lambda now: not set(tripped) & set(resettable(now)),
        )

    def reset_api(self, desk: Desk, view: View, symbol: str) -> None:
        del symbol
        desk.submit(Command(CommandKind.RESET_API, who=WHO))
        groups = shut(view)
        self._promise(
            f"reset asked: API {', '.join(groups) or 'of all groups'}",
            "the exchange's interface is used again",
            lambda now: not shut(now),
        )

    def _promise(self, asked: str, done: str, is_done: Callable[[View], bool]) -> None:
        self.banner.notice = Notice(asked, self.clock.now_ms() + NOTICE_MS, done, is_done)


def _paused(view: View, symbol: str) -> bool:
    """Whether the symbol, or every one, is paused."""
    return all(market.paused for market in view.symbols if symbol in {"", market.symbol})
