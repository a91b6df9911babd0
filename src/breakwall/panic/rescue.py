"""Look, act, look again, until the exchange shows twice that nothing is left.

There is no plan to fall out of step with: every round begins with what the exchange shows. One symbol's failure is
noted and never holds up the others.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from breakwall.model.text import sanitise
from breakwall.panic.account import Look, Order, Position, look, shown
from breakwall.panic.line import KEY_CODES, Line, LostError, RefusedError
from breakwall.panic.orders import Closing, cancel

SECOND_LOOK_S = 1.5
"""Between the two looks that prove it: longer than a cockpit takes to read the mark that panic left for it, and
longer than an entry that it had in hand is valid.
"""
_AT_ONCE = 8
_PAUSE_S = 0.08
_PAUSE_MOST_S = 2.0
_CANCEL_AGAIN_S = 1.0
_STOPS_LINGER_S = 3.0
"""Stops of a position go with it; one that is still there after this is cancelled like any other order."""
_GONE = frozenset({110001, 110008, 110010, 110017})
"""Already cancelled, filled, or nothing left to reduce: what was wanted."""

SCOPES = ("mine", "symbol", "account")


class Wish(NamedTuple):
    """What is to be flat (`symbol` empty: all), whose orders are cancelled, and for how long to try."""

    symbol: str
    scope: str
    seconds: float

    def covers(self, order: Order, held: frozenset[str]) -> bool:
        """Whether this order is to be cancelled; `held` are the symbols that had a position."""
        if self.scope == "mine":
            return order.ours
        return self.scope == "account" or order.symbol in (held | {self.symbol})


class Rescue:
    """One panic. `run` may be interrupted; what was done until then is here.

    `cancelled` are orders by their id, `closings` attempts by position, `troubles` the last failure of each symbol,
    `last` what the last look showed; `flat_s` and `proven_s` seconds from the start, None until then.
    """

    def __init__(self, line: Line, wish: Wish, say: Callable[[str], None]) -> None:
        self.wish = wish
        self.began = time.monotonic()
        self.cancelled: dict[str, Order] = {}
        self.closings: dict[tuple[str, int], Closing] = {}
        self.troubles: dict[str, str] = {}
        self.last: Look | None = None
        self.flat_s: float | None = None
        self.proven_s: float | None = None
        self._line = line
        self._say = say
        self._held: frozenset[str] = frozenset()
        self._cancel_due: dict[str, float] = {}
        self._alone_since: dict[str, float] = {}

    def first_look(self) -> Look:
        """What there is to do; tried until the time is over. Raises RefusedError where the key is, LostError."""
        pause = _PAUSE_S
        while True:
            try:
                self._line.measure_time()
                self.last = look(self._line, self.wish.symbol)
            except (LostError, RefusedError) as error:
                refused_key = isinstance(error, RefusedError) and error.code in KEY_CODES
                if refused_key or self._seconds() + pause > self.wish.seconds:
                    raise
                self._trouble("", str(error))
                time.sleep(pause)
                pause = min(pause * 2, _PAUSE_MOST_S)
                continue
            self._held |= {position.symbol for position in self.last.positions}
            self._tell_unread(self.last)
            return self.last

    def run(self) -> None:
        """Until it is proven or the time is over; the time counts from here."""
        self.began = time.monotonic()
        pause, seen = _PAUSE_S, self.last
        while self.proven_s is None and self._seconds() < self.wish.seconds:
            before = self._score()
            if seen is not None:
                self._act(seen)
            goes_on = seen is not None and (self.flat_s is not None or self._score() != before)
            pause = _PAUSE_S if goes_on else min(pause * 1.5, _PAUSE_MOST_S)
            time.sleep(min(pause, max(0.0, self.wish.seconds - self._seconds())))
            seen = self._look()

    def remains(self) -> tuple[str, ...]:
        """What the last look still showed, in words; or that there was none."""
        if self.last is None:
            return ("the account could not be read",)
        orders = self._in_scope(self.last)
        positions = (position.words for position in self.last.positions)
        return (*positions, *(order.words for order in orders), *self.last.unread)

    def left_alone(self) -> tuple[str, ...]:
        """Orders that are not in the scope."""
        if self.last is None:
            return ()
        scope = {order.order_id for order in self._in_scope(self.last)}
        return tuple(order.words for order in self.last.orders if order.order_id not in scope)

    def _look(self) -> Look | None:
        asked_s = self._seconds()
        try:
            seen = look(self._line, self.wish.symbol)
        except (LostError, RefusedError) as error:
            self._trouble("", str(error))
            if isinstance(error, RefusedError):
                time.sleep(min(error.wait_s, max(0.0, self.wish.seconds - self._seconds())))
            return None
        self._tell_unread(seen)
        self.last = seen
        self._held |= {position.symbol for position in seen.positions}
        if self.remains():
            self.flat_s = None
        elif self.flat_s is None:
            self.flat_s = self._seconds()
            self._say("flat; looking again to prove it")
        elif asked_s - self.flat_s >= SECOND_LOOK_S:
            self.proven_s = self._seconds()
        return seen

    def _act(self, seen: Look) -> None:
        orders = [order for order in self._in_scope(seen) if self._may_be_cancelled(order, seen)]
        closes = [partial(self._close, position) for position in seen.positions]
        _together([*closes, *(partial(self._cancel, order) for order in orders)])

    def _may_be_cancelled(self, order: Order, seen: Look) -> bool:
        """Never what protects a position that is, or may be, still open; never the same order twice at once."""
        now = time.monotonic()
        held = seen.blind or any(position.symbol == order.symbol for position in seen.positions)
        if order.protects and held:
            self._alone_since.pop(order.order_id, None)
            return False
        alone_s = now - self._alone_since.setdefault(order.order_id, now)
        if order.attached and alone_s < _STOPS_LINGER_S:
            return False
        return now >= self._cancel_due.get(order.order_id, 0.0)

    def _close(self, position: Position) -> None:
        closing = self.closings.setdefault(position.name, Closing(position))
        if not closing.is_due():
            return
        try:
            words = closing.send(self._line, position)
        except Exception as error:
            self._note(position.symbol, error)
        else:
            self.troubles.pop(position.symbol, None)
            self._say(f"closing {position.words}, {words}")

    def _cancel(self, order: Order) -> None:
        try:
            cancel(self._line, order)
        except Exception as error:
            self._note(order.symbol, error)
        else:
            self._cancel_due[order.order_id] = time.monotonic() + _CANCEL_AGAIN_S
            if order.order_id not in self.cancelled:
                self._say(f"cancelling {order.words}")
            self.cancelled[order.order_id] = order

    def _in_scope(self, seen: Look) -> list[Order]:
        return [order for order in seen.orders if self.wish.covers(order, self._held)]

    def _note(self, symbol: str, error: Exception) -> None:
        """Whatever it is: it must not end the panic."""
        if not isinstance(error, LostError | RefusedError):
            self._trouble(symbol, f"an error of our own, {error!r}")
        elif not (isinstance(error, RefusedError) and error.code in _GONE):
            self._trouble(symbol, str(error))

    def _trouble(self, symbol: str, text: str) -> None:
        if self.troubles.get(symbol) != text:
            self._say(f"{shown(symbol) or 'the account'}: {sanitise(text, 200)}; trying again")
        self.troubles[symbol] = text

    def _tell_unread(self, seen: Look) -> None:
        if seen.unread:
            self._trouble("", "; ".join(seen.unread))
        else:
            self.troubles.pop("", None)

    def _score(self) -> tuple[int, int]:
        """Changes with everything that was sent."""
        return len(self.cancelled), sum(len(closing.order_ids) for closing in self.closings.values())

    def _seconds(self) -> float:
        return time.monotonic() - self.began


def _together(jobs: list[Callable[[], None]]) -> None:
    """Do them all, some at a time; returns when the last is through (each has its time-outs)."""
    waiting = list(reversed(jobs))

    def work() -> None:
        while waiting:
            try:
                job = waiting.pop()
            except IndexError:
                return
            job()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(jobs), _AT_ONCE) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
