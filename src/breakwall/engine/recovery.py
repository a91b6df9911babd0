"""Starting is recovering: settings, account, journal, the venue's word, protection, and only then trading.

The same read-back that ends a start goes on for ever: every few seconds, after each reconnect, and
whenever a stop's fate is in doubt.
"""

from breakwall.config import Settings
from breakwall.engine import booking, commands, guarding, watching
from breakwall.engine.state import Phase, State
from breakwall.engine.wishes import Wish
from breakwall.market.state import Market
from breakwall.model.actions import QueryOrder, Refused
from breakwall.model.events import (
    Account,
    CommandKind,
    Instruments,
    JournalHealth,
    LinkChanged,
    ReadBack,
    ReadBackFailed,
    Recovered,
    SettingsChanged,
)
from breakwall.model.units import Instrument
from breakwall.trading import risk
from breakwall.trading.reconcile import Act, Difference, differences, restore

RETRY_MS = 1_000
"""How long a failed read-back rests before the next try."""

UNREAD_TOLD = 5
"""How many journal entries that could not be understood are told one by one."""

PRIVATE_DOWN_MS = 1_000
"""How often the account is read back while its private stream is down."""


def on_settings(state: State, event: SettingsChanged) -> None:
    state.settings = Settings.model_validate_json(event.settings)
    state.say("settings", f"settings of run {event.run}", level="debug")


def on_account(state: State, event: Account) -> None:
    state.account = event
    state.use(event.taker_fee)


def on_instruments(state: State, event: Instruments) -> None:
    """New symbols get a market; changed rules reach it; a new tick or lot makes book and walls meaningless."""
    for instrument in event.instruments:
        changed = state.blotter.adopt(instrument)
        market = state.markets.get(instrument.symbol)
        if market is None:
            depth = state.settings.venue.first_depth
            state.markets[instrument.symbol] = Market(instrument, state.settings, depth)
        elif changed:
            change_units(state, market, instrument)
        else:
            market.instrument = instrument


def change_units(state: State, market: Market, new: Instrument) -> None:
    """Positions are converted; entries in the old units are cancelled, and the book is asked for again."""
    symbol, old = new.symbol, market.instrument
    commands.cancel_entries(state, symbol, "trading rules changed")
    state.markets[symbol] = Market(new, state.settings, market.depth)
    reason = f"tick {old.tick} -> {new.tick}, lot {old.lot} -> {new.lot}"
    watching.resubscribe(state, state.markets[symbol], reason)
    state.read_back_due = "reconnect"


def on_recovered(state: State, event: Recovered) -> None:
    """Take over what the journal remembers; the venue is asked at the next tick, or right now."""
    restored = restore(event.entries, state.instruments, state.settings, state.at)
    restored.blotter.breaker.take_over(state.breaker)  # what was said while the journal was still being read
    state.blotter = restored.blotter
    for wish in restored.wishes:
        panic = wish.kind is CommandKind.PANIC
        why = f"{wish.kind.value} by {wish.who}, asked before the restart"
        symbol = "" if panic else wish.symbol
        if symbol not in state.flat_wishes:
            state.flat_wishes[symbol] = Wish(symbol, why, state.now, panic=panic)
    state.armed = state.armed and restored.armed
    state.down = {"public": "not connected yet", "private": "not connected yet"}
    if state.phase is not Phase.LEAVING:
        state.phase = Phase.RECOVERING
    state.fills_since_ms = state.now if not event.entries else event.entries[-1].at_ms
    for problem in restored.unread[:UNREAD_TOLD]:
        state.say("unread", problem, level="error")
    if len(restored.unread) > UNREAD_TOLD:
        state.say("unread", f"{len(restored.unread)} journal entries not understood in all", level="error")
    if event.entries:
        held = ", ".join(f"{position.symbol} {position.lots:+d} lots" for position in state.positions.held())
        working = len(state.orders.open())
        text = f"journal of {len(event.entries)} entries: {held or 'flat'}, {working} orders in doubt"
        state.say("recovering", text, durable=True)
    state.ask_read_back("start")


def on_read_back(state: State, event: ReadBack) -> None:
    """The account as the venue has it: book it, act on what differs, and trade again when it was the start."""
    state.read_asked_ms, state.rest_ms = event.asked_ms, state.now - event.asked_ms
    if state.read_back_why:
        state.read_back_why = ""
        state.say("read-back", "account read again")
    for symbol in sorted(set(event.strangers) - state.strangers):
        state.strangers.add(symbol)
        text = "has orders or positions of somebody else on this account: not followed, not counted, not closed by us"
        state.say("stranger", text, level="warning", symbol=symbol, durable=True)
    if event.asked_ms >= state.doubted_ms:
        state.reconciled |= "private" not in state.down
    else:
        state.read_back_due = state.read_back_due or "reconnect"
    booking.count(state, [fill for fill in event.fills if state.orders.intent(fill.client_id) is not None])
    booking.take(state, state.blotter.apply(event, state.at))
    for difference in differences(state.blotter, event):
        state.out.append(difference.note)
        act(state, difference)
    if state.recovered_ms is None:
        finish(state)
    guarding.look_after(state, [position.symbol for position in state.positions.held()])


def finish(state: State) -> None:
    """The account is known for the first time: what is held is looked after, and new trades are possible."""
    state.recovered_ms = state.now
    if state.phase is Phase.RECOVERING:
        state.phase = Phase.TRADING
    held = [
        f"{position.symbol} {position.lots:+d} lots, stop "
        + ("MISSING" if position.stop_ticks is None else position.instrument.price_text(position.stop_ticks))
        for position in state.positions.held()
    ]
    trading = "entries wait for both links" if state.blind else f"trading is {state.trading_state}"
    state.say("recovered", f"recovered: {'; '.join(held) or 'flat'}; {trading}", durable=True)


def act(state: State, difference: Difference) -> None:
    if difference.act is not Act.CANCEL or difference.order is None:
        return
    approved = risk.approve_cancel(difference.order, state.at, difference.kind)
    if isinstance(approved, Refused):
        state.say("refused", f"not cancelled: {approved.reason}", level="warning", symbol=difference.symbol)
        return
    booking.take(state, state.blotter.decided(approved.intent, state.at))
    state.out.append(approved)


def on_read_back_failed(state: State, event: ReadBackFailed) -> None:
    """A failed read-back says nothing about the account; it is asked again soon. The same reason is told once."""
    if event.reason != state.read_back_why:
        state.read_back_why = event.reason
        state.say("read-back", f"account not read: {event.reason}; asking again each second", level="warning")
    state.read_back_due = state.read_back_due or event.purpose


def on_journal_health(state: State, event: JournalHealth) -> None:
    """Without a journal no entry leaves; everything that protects goes on."""
    state.journal_why = "" if event.ok else event.reason
    text = (
        "journal writes again"
        if event.ok
        else f"journal fails: {event.reason.rstrip('.')}; no entries until it writes again"
    )
    state.say("journal", text, level="info" if event.ok else "error")


def on_link(state: State, event: LinkChanged) -> None:
    """A private link that came up may have missed messages: the account is read back before anything new."""
    name = event.link.value
    if event.up:
        state.down.pop(name, None)
        state.say("link", f"{name} link is up")
        if name == "private":
            state.doubted_ms = state.now
            state.read_back_due = "reconnect"
    elif state.down.get(name) != event.reason:
        state.down[name] = event.reason
        state.reconciled &= name != "private"
        state.say("link", f"{name} link is down: {event.reason}", level="warning")


def on_tick(state: State) -> None:
    """Ask for what is due: the account, and orders nobody knows the fate of."""
    if state.phase is Phase.STARTING:
        return
    notice_gap(state)
    since = state.now - state.asked_read_back_ms
    if state.read_back_due and since >= RETRY_MS // 10:
        if not state.read_back_why or since >= RETRY_MS:
            state.ask_read_back(state.read_back_due)
    elif since >= (PRIVATE_DOWN_MS if "private" in state.down else int(state.settings.engine.proof_every_s * 1000)):
        state.ask_read_back("periodic")
    for order in state.orders.due_queries(state.now):
        state.out.append(QueryOrder(order.client_id, order.symbol))


def notice_gap(state: State) -> None:
    """Time that passed without a tick (a suspended machine, a stalled loop) is a restart without a restart.

    Nothing new is opened until the account has been read back.
    """
    gap_ms, state.ticked_ms = state.now - (state.ticked_ms or state.now), state.now
    if gap_ms > state.settings.engine.loop_delay_halt_ms:
        state.reconciled = False
        state.doubted_ms = state.now
        state.read_back_due = "reconnect"
        text = f"stood still for {gap_ms / 1000:.1f} s: the account is read back before anything new"
        state.say("gap", text, level="warning", durable=True)
