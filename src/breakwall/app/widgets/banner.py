"""The banner over the panes: what Enter would do, what became of it, and the answer to a key."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from breakwall.app.keys.guard import Asking
from breakwall.app.look import Look
from breakwall.app.rows.figures import age, price, signed, time_of_day
from breakwall.app.rows.row import Row, clean, left
from breakwall.app.rows.table import Column, Word, fit, table
from breakwall.app.themes.ink import Ink
from breakwall.app.trust import doubt
from breakwall.app.widgets.breaker import resettable, shut
from breakwall.app.widgets.pane import Pane
from breakwall.app.widgets.standing import standing_rows, troubles
from breakwall.model.units import fixed
from breakwall.model.view import FlattenView, OrderView, PositionView, View

RECEIPT_MS = 20_000
"""For so long a receipt stays after its proof."""
NOTICE_MS = 4_000
LATE_PROOF_MS = 2_000
"""A proof that takes longer is an alarm."""

_HARMLESS = {"arm", "reconcile", "reset-breaker", "reset-api"}

COLUMNS = (
    Column("", rank=0, least=8),
    Column("", rank=0),
    Column("", rank=1),
    Column("", rank=2, number=True),
    Column("", rank=3, number=True),
    Column("", rank=4, free=True, least=14),
)


class Receipt(NamedTuple):
    """What was asked: everything (panic) or one symbol, and the view's time when it was."""

    symbol: str
    panic: bool
    asked_ms: int


class Notice(NamedTuple):
    """The answer to a key: `asked` until `is_done` says that the engine has done it, then `done`. Without: a word."""

    asked: str
    until_ms: int
    done: str = ""
    is_done: Callable[[View], bool] | None = None


class Banner(Pane):
    """Takes `lines` rows under the status while there is something to say; the first `standing` of them have that
    place to themselves, the others lie over the panes.
    """

    words = "BANNER"

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(ink, look)
        self.asking: Asking | None = None
        self.receipt: Receipt | None = None
        self.notice: Notice | None = None
        self.standing = 0
        self.put_away: frozenset[str] = frozenset()
        self.lines: list[Row] = []
        self._view: View | None = None

    def update_lines(self, view: View | None, at_ms: int, width: int, room: int) -> bool:
        """Say it anew; True where that takes another number of rows than before."""
        if self.asking is not None and self.asking.left_ms(at_ms) < 0:
            self.asking = None
        if self.receipt is not None and view is not None and is_over(self.receipt, view):
            self.receipt = None
        if self.notice is not None and at_ms >= self.notice.until_ms:
            self.notice = None
        if view is not None:
            self.put_away &= troubles(view).keys()  # when it comes again it is seen again
        self._view = view
        before = len(self.lines), self.standing
        standing = standing_rows(view, width, self.put_away) if view is not None else []
        self.lines = cut([*standing, *self.say(view, at_ms, width)], width, room)
        self.standing = min(len(standing), len(self.lines))
        if self.lines and before == (len(self.lines), self.standing):
            self.paint(self.lines)
        return before != (len(self.lines), self.standing)

    def say(self, view: View | None, at_ms: int, width: int) -> list[Row]:
        """A question hides a receipt; the answer to the last key is always seen."""
        rows: list[Row] = []
        if view is None:
            return [_line(f" {self.notice.asked}", width)] if self.notice else []
        if self.asking is not None:
            rows = question_rows(self.asking, view, at_ms, width)
        elif self.receipt is not None:
            rows = receipt_rows(self.receipt, view, width)
        return [*([notice_row(self.notice, view, width)] if self.notice else ()), *rows]

    def waits(self, view: View) -> bool:
        """Whether the engine has yet to do, or to prove, what a key asked for."""
        if self.notice is not None and self.notice.is_done is not None and not self.notice.is_done(view):
            return True
        answer = answer_to(self.receipt, view) if self.receipt is not None else None
        return self.receipt is not None and (answer is None or answer.proven_ms is None)

    def clear(self) -> bool:
        """Take away what was answered, then what is in trouble; False where there was nothing, or what must stay."""
        said = self.asking or self.receipt or self.notice
        self.asking = self.receipt = self.notice = None
        if said is not None or self._view is None:
            return said is not None
        before, self.put_away = self.put_away, frozenset(troubles(self._view))
        return before != self.put_away

    def resized(self) -> None:
        """Written again at once; other panes wait for the next view."""
        self.paint(self.lines)


def cut(rows: list[Row], width: int, room: int) -> list[Row]:
    """What fits; what does not is counted, so that nobody takes a part for all."""
    if len(rows) <= room:
        return rows
    kept = rows[: max(0, room - 1)]
    return [*kept, ((left(f" and {len(rows) - len(kept)} more", width), "bar-warn"),)][:room]


def notice_row(notice: Notice, view: View, width: int) -> Row:
    done = notice.is_done is not None and notice.is_done(view)
    text = f" ✓ {notice.done}" if done else f" … {notice.asked}" if notice.is_done else f" {notice.asked}"
    return ((left(text, width), "bar-good" if done else "bar-warn"),)


def entries_in(view: View, symbol: str) -> list[OrderView]:
    """Orders that would open or add to a position: what cancelling takes away. Symbol empty: all."""
    return [order for order in view.orders if not order.reduce_only and symbol in {"", order.symbol}]


def held_in(view: View, symbol: str) -> list[PositionView]:
    """Positions of the symbol, of all where it is empty."""
    return [held for held in view.positions if symbol in {"", held.symbol}]


def question_rows(asking: Asking, view: View, at_ms: int, width: int) -> list[Row]:
    """What Enter would do, exactly, as things are in this view."""
    act, symbol = asking.act.id, asking.scope
    if act in _HARMLESS:
        return [_question(asking, *_harmless(act, view), at_ms, width, "safe")]
    orders = entries_in(view, symbol)
    held = held_in(view, symbol) if act in {"panic", "flatten"} else []
    name, effect = {
        "panic": ("PANIC", f"disarm, cancel {len(orders)}, close {len(held)}"),
        "flatten": (f"FLATTEN {symbol}", f"cancel {len(orders)}, close {len(held)}"),
        "cancel-all": ("CANCEL ALL", f"cancel {_count(len(orders), 'entry', 'entries')}; stops stay"),
    }[act]
    head = _question(asking, name, effect, at_ms, width, "alarm")
    lines = [_cancelled(order) for order in orders] + [_closed(position, view) for position in held]
    if not lines:
        return [head, _line(" nothing to cancel and flat, as far as is known: Enter asks anyway", width)]
    return [head, *table(COLUMNS, lines, width).rows]


def _harmless(act: str, view: View) -> tuple[str, str]:
    """The name of what sends no order by itself, and what it would do."""
    return {
        "arm": ("ARM", f"strategies may open positions ({view.mode})"),
        "reconcile": ("RECONCILE", "read the account, protect, report"),
        "reset-breaker": ("RESET BREAKER", f"lift {', '.join(resettable(view)) or 'nothing'}; limits count anew"),
        "reset-api": ("RESET API", f"use again at once: {', '.join(shut(view)) or 'nothing is shut'}"),
    }[act]


def _question(asking: Asking, name: str, effect: str, at_ms: int, width: int, ink: str) -> Row:
    left_ms = max(0, asking.left_ms(at_ms))
    words = [
        Word(0, ((f" {clean(name)}", ink),)),
        Word(1, ((left(f"Enter: {effect}", min(max(1, width - 30), cell_len(clean(effect)) + 7)), ink),)),
        Word(2, ((f"{left_ms / 1000:.1f}s", ink),)),
        Word(3, (("Esc: no", ink),)),
    ]
    return fit(words, width, ink)


def _cancelled(order: OrderView) -> tuple[tuple[str, str], ...]:
    at = f"at {price(order.price)}" if order.price is not None else "at market"
    qty = fixed(order.qty - order.filled_qty)
    return (
        (" cancel", "bar-warn"),
        (order.symbol, "select"),
        (order.side.upper(), "bar"),
        (qty, "bar"),
        (at, "bar"),
        (order.state, "bar-dim"),
    )


def _closed(held: PositionView, view: View) -> tuple[tuple[str, str], ...]:
    """A position is closed at market: a long sells at the bid, a short buys at the ask, as they are now."""
    market = view.market(held.symbol)
    best = (market.bid if held.lots > 0 else market.ask) if market else None
    about = best if best is not None else held.mark
    at = f"about {price(about, market.tick if market else None)}{doubt(market)}" if about is not None else "at market"
    return (
        (" close", "bar-bad"),
        (held.symbol, "select"),
        (held.side, "bar"),
        (fixed(abs(held.qty)), "bar"),
        (at, "bar"),
        (f"{signed(held.pnl_usdt)}{doubt(market)} USDT before fees" if held.mark is not None else "", "bar"),
    )


def answer_to(receipt: Receipt, view: View) -> FlattenView | None:
    """The engine's own account of what was asked; None until there is one."""
    found = (
        flatten
        for flatten in reversed(view.flattens)
        if flatten.symbol == receipt.symbol
        and flatten.panic == receipt.panic
        and flatten.asked_ms >= receipt.asked_ms
    )
    return next(found, None)


def is_over(receipt: Receipt, view: View) -> bool:
    """Whether it was proven long enough ago to be taken away."""
    answer = answer_to(receipt, view)
    return answer is not None and answer.proven_ms is not None and view.at_ms - answer.proven_ms >= RECEIPT_MS


def receipt_rows(receipt: Receipt, view: View, width: int) -> list[Row]:
    """How far it got: asked, cancelled, closed, flat, proven by the exchange, and what remains."""
    name = "PANIC" if receipt.panic else f"FLATTEN {receipt.symbol}"
    answer = answer_to(receipt, view)
    if answer is None:
        waited = age(view.at_ms - receipt.asked_ms)
        return [_head(f"{name} sent", receipt.asked_ms, (f"no answer yet {waited}",), width, "safe")]
    steps = []
    if answer.flat_ms is not None:
        steps.append(f"FLAT after {answer.flat_ms - answer.asked_ms} ms")
    else:
        steps.append(f"NOT FLAT after {age(view.at_ms - answer.asked_ms)}")
    if answer.proven_ms is not None:
        steps.append(f"✓ PROVEN BY THE EXCHANGE after {answer.proven_ms - answer.asked_ms} ms")
        if held_in(view, receipt.symbol):
            steps.append("NOT FLAT ANY MORE")
        ink = "alarm" if held_in(view, receipt.symbol) else "armed"
        return [_head(name, answer.asked_ms, steps, width, ink), *_account(receipt, answer, view, width)]
    late = view.at_ms - answer.asked_ms > LATE_PROOF_MS
    steps.append("NOT PROVEN YET" if late else "proof is asked for")
    return [
        _head(name, answer.asked_ms, steps, width, "alarm" if late else "safe"),
        *_account(receipt, answer, view, width),
    ]


def _account(receipt: Receipt, answer: FlattenView, view: View, width: int) -> list[Row]:
    """What was done and what is left, a row each; nothing done is said as well."""
    rows: list[Row] = [((left(f" REMAINS   {line}", width), "bar-bad"),) for line in answer.remains]
    if answer.proven_ms is not None:
        rows += [((left(_since(held), width), "bar-bad"),) for held in held_in(view, receipt.symbol)]
    rows += [((left(f" left alone, not ours: {line}", width), "bar-warn"),) for line in answer.left_alone]
    rows += [((left(f" cancelled {line}", width), "bar"),) for line in answer.cancelled]
    rows += [((left(f" closed    {line}", width), "bar"),) for line in answer.closed]
    if not (answer.remains or answer.cancelled or answer.closed):
        rows.append(_line(" there was nothing to cancel and nothing to close", width))
    if receipt.panic and view.armed:
        rows.append(((left(" ARMED AGAIN: strategies may open positions", width), "bar-warn"),))
    return rows


def _since(held: PositionView) -> str:
    """A fill that came late, a strategy, somebody else: it is held although flat was proven."""
    return f" HELD SINCE {held.symbol} {held.side} {fixed(abs(held.qty))}: ask again to close it"


def _head(name: str, asked_ms: int, steps: Sequence[str], width: int, ink: str) -> Row:
    """The name and the last step stay where there is little room."""
    words = [
        Word(0, ((f" {clean(name)}", ink),)),
        Word(8, ((time_of_day(asked_ms), ink),)),
        *(Word(len(steps) - place, ((step, ink),)) for place, step in enumerate(steps)),
        Word(9, (("Esc closes", ink),)),
    ]
    return fit(words, width, ink)


def _line(text: str, width: int) -> Row:
    return ((left(text, width), "bar"),)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
