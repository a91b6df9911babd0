"""Every difference between the book and the exchange, and what it asks for."""

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from enum import Enum

from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.events import ReadBack
from breakwall.model.ids import parse
from breakwall.model.records import HangingOrder
from breakwall.trading.blotter import Blotter, Change
from breakwall.trading.order import Order
from breakwall.trading.orders import is_ours
from breakwall.trading.origin import Origin
from breakwall.trading.position import Position
from breakwall.trading.position_change import PositionChange
from breakwall.trading.reconcile.hanging import IN_FLIGHT_MS, hanging

CLOCKS_DIFFER_MS = 5_000
"""How far the venue's clock may be from ours; further, and nothing is sent at all."""
_ATTACHED = frozenset({"StopLoss", "TakeProfit", "TrailingStop", "PartialStopLoss", "PartialTakeProfit"})
"""Conditional orders that the exchange keeps for a position and removes with it."""
_UNKNOWN = "a position that the journal does not know"


class Act(Enum):
    """What a difference asks for.

    know: nothing, it was taken over or left alone, and is told. wait: the exchange is being asked what became of it.
    cancel: the order in it. protect: the position, `Protection.need` says how. close: the position.
    halt: a person. explain: nobody knows why it is so, and until somebody does nothing is opened.
    """

    KNOW = "know"
    WAIT = "wait"
    CANCEL = "cancel"
    PROTECT = "protect"
    CLOSE = "close"
    HALT = "halt"
    EXPLAIN = "explain"


class Difference(Struct, frozen=True):
    """Something the exchange has and we did not expect, or lacks and we need. `name` tells two of a kind apart.

    `order` is the order to cancel, where there is one. Acting on each difference once ends them. `told`: what changed
    in the book has said so already, in the same words.
    """

    kind: str
    act: Act
    symbol: str
    text: str
    name: str = ""
    order: Order | None = None
    told: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """The same in every reading that finds it again."""
        return self.kind, self.symbol, self.name

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.act is not Act.KNOW

    @property
    def note(self) -> Note:
        level = "debug" if self.told else "warning" if self.is_open else "info"
        return Note(kind="difference", text=self.text, level=level, symbol=self.symbol, durable=True)


class Policy(Struct, frozen=True):
    """How to judge: what becomes of foreign positions and orders (adopt, ignore, close), how long an order may be
    on its way, and since when this run trades: an order of another run that is younger was made by somebody alive.
    `leverage` is what our positions were sized and their stops checked with.
    """

    foreign: str
    hanging_after_ms: int
    since_ms: int
    leverage: Decimal


class Findings(Struct, frozen=True):
    """What one reading of the account has shown."""

    differences: tuple[Difference, ...] = ()
    hanging: tuple[HangingOrder, ...] = ()

    @property
    def left(self) -> tuple[Difference, ...]:
        """What is still open after it was taken over."""
        return tuple(difference for difference in self.differences if difference.is_open)


def examine(
    blotter: Blotter,
    read_back: ReadBack,
    changes: Iterable[Change],
    policy: Policy,
    origin: Origin,
    earlier: Collection[Difference] = (),
) -> Findings:
    """What differed, after `changes = blotter.apply(read_back)`, and what still does; it changes nothing.

    `earlier` is what the reading before has found: an orphan is one only where it is seen twice, since the parts
    of an account are not read at one moment.
    """
    told = tuple(changes)
    hangs = hanging(blotter.orders, read_back, told, policy.hanging_after_ms, origin.at_ms)
    found = [_of_hanging(order) for order in hangs]
    found += [difference for change in told for difference in _of_change(change)]
    found += _of_orders(blotter, read_back, policy, origin)
    found += _of_orphans(blotter, read_back, {difference.key for difference in earlier})
    for position in blotter.positions.held():
        found += _of_position(position, read_back, policy)
    found += _left_alone(blotter)
    found += _of_the_account(blotter, read_back, policy)
    return Findings(tuple(found), tuple(hangs))


def _of_hanging(order: HangingOrder) -> Difference:
    """A mismatch was taken over; who is not found is asked for; too long is a matter for a person."""
    act = {"mismatch": Act.KNOW, "not-found": Act.WAIT, "stuck": Act.HALT}[order.kind]
    name = order.client_id or order.order_id
    return Difference(f"order {order.kind}", act, order.symbol, f"order {name} {order.reason}", name)


def _of_change(change: Change) -> Iterator[Difference]:
    """A position that moved because the account was read, and not by an execution told in time."""
    if not isinstance(change, PositionChange):
        return
    symbol, text = change.symbol, change.text
    if change.closed is not None:
        kind = "position gone" if change.closed.estimated else "position closed meanwhile"
        kind = "position closed externally" if change.closed.external else kind
        yield Difference(kind, Act.KNOW, symbol, text, change.trace, told=True)
    elif change.kind == "corrected":
        yield Difference("position size", Act.EXPLAIN, symbol, text, change.trace, told=True)
    elif change.kind in {"adopted", "opened", "grew", "reduced"}:
        yield Difference(f"position {change.kind}", Act.KNOW, symbol, text, change.trace, told=True)


def _of_orders(blotter: Blotter, read_back: ReadBack, policy: Policy, origin: Origin) -> Iterator[Difference]:
    for report in read_back.orders:
        order = blotter.orders.of(report)
        if order is None or not order.is_open or order.stop_kind:
            continue
        symbol, name = order.symbol, order.client_id or order.order_id
        if not is_ours(order.client_id):
            close = policy.foreign == "close"
            text = f"order {name} is not ours; " + ("cancelled" if close else "left alone")
            yield Difference("foreign order", Act.CANCEL if close else Act.KNOW, symbol, text, name, order)
        elif order.intent is None and by_another(order.client_id, report.created_ms, origin.run, policy.since_ms):
            text = f"order {name} was made by another Breakwall that trades on this account"
            yield Difference("another Breakwall", Act.EXPLAIN, symbol, text, name)
        elif order.intent is None:
            text = f"order {name} of ours is not in the journal"
            yield Difference("unknown order", Act.CANCEL, symbol, text, name, order)
        elif read_back.purpose == "start" or (
            not order.rests and read_back.asked_ms - order.since_ms >= IN_FLIGHT_MS
        ):
            yield Difference("resting order", Act.CANCEL, symbol, f"order {name} still works", name, order)


def by_another(client_id: str, made_ms: int, run: int, since_ms: int) -> bool:
    """Whether an id of our form, not in our books, was made by another run than `run` while that one trades.

    `made_ms` is the venue's time. Run numbers grow with time, so a higher one is certain.
    """
    made = parse(client_id)
    return made is not None and made.run != run and (made.run > run or made_ms > since_ms + CLOCKS_DIFFER_MS)


def _of_orphans(blotter: Blotter, read_back: ReadBack, earlier: Collection[object]) -> Iterator[Difference]:
    """Stops that the exchange kept although their position has gone: they could only hit the next one.

    One that no execution has closed may be there still, and only the list of positions wrong.
    """
    for report in read_back.orders:
        order = blotter.orders.of(report)
        if order is None or not order.is_open or order.stop_kind not in _ATTACHED:
            continue
        symbol = order.symbol
        behind = blotter.positions.get(symbol) is not None or blotter.positions.is_alone(symbol)
        if behind or blotter.orders.open_entries(symbol):
            continue
        text = f"{order.stop_kind} {order.order_id} has no position behind it"
        first = Difference("orphan stop", Act.WAIT, symbol, text, order.order_id, order)
        sure = first.key in earlier and not blotter.positions.went_unseen(symbol)
        yield Difference(first.kind, Act.CANCEL, symbol, text, first.name, order) if sure else first


def _of_position(position: Position, read_back: ReadBack, policy: Policy) -> Iterator[Difference]:
    """Its stop, and whose it is."""
    symbol, text = position.symbol, position.instrument.price_text
    since_ms = position.opened_ms if position.naked_ms is None else position.naked_ms
    stop, tightest = position.stop_ticks, position.held_stop_ticks
    if stop is None:
        if position.told_naked or read_back.asked_ms - since_ms >= IN_FLIGHT_MS:
            yield Difference("no stop", Act.PROTECT, symbol, "the position has no stop at the exchange")
    elif tightest is not None and position.sign * (stop - tightest) < 0:
        words = f"the exchange's stop {text(stop)} is looser than ours was, {text(tightest)}"
        yield Difference("looser stop", Act.PROTECT, symbol, words)
    elif position.foreign and policy.foreign == "close":
        yield Difference("foreign position", Act.CLOSE, symbol, f"{_UNKNOWN} is closed")
    if position.foreign and policy.foreign == "adopt":
        words = f"{_UNKNOWN}: adopted, guarded by its stop, closed when asked, and by leaving flat"
        yield Difference("foreign position", Act.KNOW, symbol, words)
    elif position.plan is None and not position.foreign:
        yield Difference("no plan", Act.KNOW, symbol, "a position without a plan; managed by its stop")


def _of_the_account(blotter: Blotter, read_back: ReadBack, policy: Policy) -> Iterator[Difference]:
    """Somebody changed how the account trades: our sizes and stops were computed for another one."""
    for report in read_back.positions:
        position = blotter.positions.get(report.symbol)
        if report.position_idx and report.lots:
            yield Difference("hedge mode", Act.EXPLAIN, report.symbol, "is held in hedge mode", str(report.lots))
        elif position is not None and not position.foreign and report.leverage not in {0, policy.leverage}:
            text = f"has a leverage of {report.leverage:f}, expected {policy.leverage:f}"
            yield Difference("leverage", Act.EXPLAIN, report.symbol, text)


def _left_alone(blotter: Blotter) -> Iterator[Difference]:
    for report in blotter.positions.alone:
        stop = "has a stop" if report.stop_ticks is not None else "HAS NO STOP"
        text = f"{_UNKNOWN}, left alone as asked; it {stop}. Nothing is opened in {report.symbol}"
        yield Difference("foreign position", Act.KNOW, report.symbol, text)
