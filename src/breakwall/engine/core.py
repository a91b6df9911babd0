"""The deterministic core: one event in, the actions it causes out."""

from collections.abc import Callable
from typing import Any

from breakwall.engine import (
    booking,
    commands,
    conditions,
    entering,
    flattening,
    guarding,
    keeping,
    reconciling,
    recovery,
    rules,
    screening,
    viewing,
    watching,
)
from breakwall.engine.state import State
from breakwall.model import events
from breakwall.model.actions import Action, Approved, CancelOrder, MoveStop, PlaceOrder
from breakwall.model.api import ApiHealth
from breakwall.model.candles import Candles
from breakwall.model.liquidations import Liquidations
from breakwall.model.listings import Admitted, Listings
from breakwall.model.view import DensityView, LogLine, SymbolView, View
from breakwall.trading.blotter import Blotter
from breakwall.trading.origin import Origin


class Core:
    """Decides; it does nothing else. No clock, no I/O, no randomness: the same events give the same actions.

    `on_event` is the only way to change it. `gate` and the properties are read by the engine between
    two events.
    """

    def __init__(self, run: int) -> None:
        self._state = State(run)

    def on_event(self, stamped: events.Stamped) -> list[Action]:
        """Take one event and return what must be done about it, in order."""
        state = self._state
        state.at = Origin(state.run, stamped.seq, stamped.at_ms)
        state.out = []
        _HANDLERS[type(stamped.event)](state, stamped.event)
        if state.flat_wishes or state.leaving is not None:
            flattening.follow(state, stamped.event)
        return state.out

    def rescued(self) -> list[Action]:
        """After `on_event` raised: what it had decided by then. Stops and closes still leave, entries do not."""
        return [action for action in self._state.out if not isinstance(action, Approved) or action.reducing]

    def gate(self, intent: PlaceOrder | CancelOrder | MoveStop, now_ms: int) -> str:
        """Why a command must not leave now, although it was approved; '' when it may. Asked as it leaves.

        An entry's commit is behind it by now. A close or a stop may have waited behind others until its
        position was gone: it must never touch the next one.
        """
        if isinstance(intent, PlaceOrder) and not intent.reduce_only:
            return entering.overtaken(self._state, intent, now_ms)
        return guarding.overtaken(self._state, intent)

    def settled(self, *, flat: bool) -> bool:
        """While leaving: whether the venue has confirmed that nothing is left to do."""
        return flattening.settled(self._state, flat=flat)

    def view(
        self,
        at_ms: int,
        mode: str,
        symbol: str | None,
        loop_delay_p99_ms: float,
        event_latency_p99_ms: float,
        log: tuple[LogLine, ...] = (),
    ) -> View:
        """The frozen view; depth of `symbol` only, walls of all where it is empty, no markets where it is None."""
        return viewing.view(self._state, at_ms, mode, symbol, loop_delay_p99_ms, event_latency_p99_ms, log)

    def market(self, symbol: str, at_ms: int) -> SymbolView | None:
        """One market with its depth; None where it is not followed."""
        return viewing.market(self._state, symbol, at_ms)

    def density(self, at_ms: int) -> tuple[DensityView, ...]:
        """The largest walls of every market."""
        return viewing.density(self._state, at_ms)

    @property
    def blotter(self) -> Blotter:
        """What is known of our own trading: to be looked at, never changed."""
        return self._state.blotter

    @property
    def fills_since_ms(self) -> int:
        """Venue time of the last fill we know: read-backs ask for fills from there."""
        return self._state.fills_since_ms

    @property
    def first_book_ms(self) -> int | None:
        return self._state.first_book_ms

    @property
    def was_armed(self) -> bool:
        """Whether this run might have opened anything; else it has only looked on."""
        return self._state.was_armed

    @property
    def recovered_ms(self) -> int | None:
        """When the account had been read back for the first time and everything held was seen to."""
        return self._state.recovered_ms


def _on_tick(state: State, event: events.Tick) -> None:
    """Time passes for everybody: markets, orders, positions, breaker, entries, the books, in this order.

    A part that fails does not keep the others from protecting what is held; but then nothing is opened.
    """
    state.venue_offset_ms = round(event.venue_offset_ms)
    state.ticks += 1
    state.was_armed |= state.armed and state.recovered_ms is not None
    failures: list[Exception] = []
    for part in (watching, screening, recovery, guarding, booking, conditions):
        try:
            part.on_tick(state)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    entering.on_tick(state)
    keeping.on_tick(state)


def _ignore(state: State, event: events.Ignored) -> None:
    del state, event


_HANDLERS: dict[type, Callable[[State, Any], None]] = {
    events.BookDelta: watching.on_book,
    events.BookSnapshot: watching.on_book,
    events.Trades: watching.on_trades,
    events.Ticker: watching.on_ticker,
    Liquidations: watching.on_liquidations,
    Candles: watching.on_candles,
    events.BookLost: watching.on_book_lost,
    events.BadFrame: watching.on_bad_frame,
    events.Ignored: _ignore,
    events.LinkChanged: recovery.on_link,
    events.OrderReports: booking.on_word,
    events.Fills: booking.on_fills,
    events.PositionReports: booking.on_position_reports,
    events.WalletReport: booking.on_word,
    events.ReadBack: reconciling.on_read_back,
    events.ReadBackFailed: reconciling.on_read_back_failed,
    events.IntentStored: booking.on_word,
    events.IntentSent: booking.on_word,
    events.Outcome: booking.on_outcome,
    events.OrderAnswer: booking.on_word,
    events.Instruments: rules.on_instruments,
    Listings: screening.on_listings,
    Admitted: screening.on_admitted,
    events.Account: recovery.on_account,
    events.SettingsChanged: recovery.on_settings,
    events.JournalHealth: recovery.on_journal_health,
    events.SlowCommit: conditions.on_slow_commit,
    ApiHealth: conditions.on_api_health,
    events.Recovered: recovery.on_recovered,
    events.Tick: _on_tick,
    events.Command: commands.on_command,
}
"""One row per kind of event; a test compares it with `model.events.Event`."""
