"""Starting is recovering: settings, account, journal, the venue's word, protection, and only then trading.

The same read-back that ends a start goes on for ever: every few seconds, after each reconnect, and
whenever a stop's fate is in doubt.
"""

from breakwall import points
from breakwall.engine import audit, checkpointing, observing, reconciling
from breakwall.engine.passes import Passes
from breakwall.engine.state import Phase, State
from breakwall.engine.wishes import Wish
from breakwall.model.actions import QueryOrder
from breakwall.model.events import (
    Account,
    CommandKind,
    JournalHealth,
    Link,
    LinkChanged,
    Recovered,
    SettingsChanged,
)
from breakwall.points import Point
from breakwall.settings import Settings
from breakwall.trading.reconcile.report import machines
from breakwall.trading.reconcile.restore import Restored, last_read_ms, restore

RETRY_MS = 1_000
"""How long a failed read-back rests before the next try."""

UNREAD_TOLD = 5
"""How many journal entries that could not be understood are told one by one."""

PRIVATE_DOWN_MS = 1_000
"""How often the account is read back while its private stream is down."""


def on_settings(state: State, event: SettingsChanged) -> None:
    before, state.settings = state.settings, Settings.model_validate_json(event.settings)
    state.roster.named = frozenset(state.settings.symbols)
    changed = audit.configured(before, state.settings, event.run)
    state.say("settings", f"settings of run {event.run}", level="debug", record=changed)


def on_account(state: State, event: Account) -> None:
    state.account = event
    state.use(event.taker_fee)


def on_recovered(state: State, event: Recovered) -> None:
    """Take over what the journal remembers; the venue is asked at the next tick, or right now."""
    restored = restore(event.entries, state.instruments, state.settings, state.at)
    state.explained_ms = restored.explained_ms
    restored.blotter.breaker.take_over(state.breaker)  # what was said while the journal was still being read
    state.blotter = restored.blotter
    take_over_wishes(state, restored)
    state.down = {"public": "not connected yet", "private": "not connected yet"}
    if state.phase is not Phase.LEAVING:
        state.phase = Phase.RECOVERING
    state.fills_since_ms = fills_since_ms(state, event)
    points.reach(Point.RECOVERING)
    tell_restored(state, restored, len(event.entries))
    state.review.machines = machines(state.blotter)
    state.review.passes = Passes("start", state.now)
    state.ask_read_back("start")


def fills_since_ms(state: State, event: Recovered) -> int:
    """From when on executions may be missing in the journal: never from a run's mere beginning, or its clock's."""
    read_ms = last_read_ms(event.entries)
    if read_ms is None:
        read_ms = min((entry.at_ms for entry in event.entries if entry.sound), default=state.now)
    return min(read_ms, state.now)


def take_over_wishes(state: State, restored: Restored) -> None:
    """What people wanted still holds: to be flat until it is proven, SAFE until somebody arms."""
    for wish in restored.wishes:
        panic = wish.kind is CommandKind.PANIC
        why = f"{wish.kind.value} by {wish.who}, asked before the restart"
        symbol = "" if panic else wish.symbol
        if symbol not in state.flat_wishes:
            state.flat_wishes[symbol] = Wish(symbol, why, state.now, panic=panic)
    if state.breaker.flatten and (state.positions.held() or state.orders.open_entries()):
        state.flat_wishes.setdefault("", Wish("", f"{state.breaker.why}, before the restart", state.now))
    state.safe = restored.safe or state.safe
    state.panicked = state.panicked or restored.panicked


def tell_restored(state: State, restored: Restored, entries: int) -> None:
    """What was read, and what of it could not be: then nobody knows what we meant, and only the venue is believed."""
    for problem in restored.unread[:UNREAD_TOLD]:
        state.say("unread", problem, level="error")
    if restored.unread:
        more = len(restored.unread) - 1
        observing.observe(state, restored.unread[0] + (f", and {more} more" if more else ""))
    for why in restored.observed:
        observing.observe(state, why)
    window_ms = state.settings.recovery.crash_window_s * 1000
    crashes = [at_ms for at_ms in restored.crashes if state.now - at_ms <= window_ms]
    if len(crashes) >= state.settings.recovery.crash_starts:
        text = f"{len(crashes)} starts within {window_ms / 1000:.0f} s did not end in order"
        reconciling.halt(state, f"{text}: look into the log before a reset")
    if entries:
        held = ", ".join(f"{position.symbol} {position.lots:+d} lots" for position in state.positions.held())
        working = len(state.orders.open())
        text = f"journal of {entries} entries: {held or 'flat'}, {working} orders in doubt"
        state.say("recovering", text, durable=True)


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
    """A private link that came up may have missed messages: the account is read back before anything new.

    Without the trade link nothing is held back: orders go over REST.
    """
    name = event.link.value
    if event.up:
        state.down.pop(name, None)
        state.say("link", f"{name} link is up")
        if name == "private":
            state.doubted_ms = state.now
            state.read_back_due = "reconnect"
    elif event.link is Link.TRADE:
        state.say("link", f"trade link is down, orders go over REST: {event.reason}", level="warning")
    elif state.down.get(name) != event.reason:
        state.down[name] = event.reason
        state.reconciled &= name != "private"
        state.say("link", f"{name} link is down: {event.reason}", level="warning")


def on_tick(state: State) -> None:
    """Ask for what is due: the account, and orders nobody knows the fate of."""
    if state.phase is Phase.STARTING:
        return
    checkpointing.on_tick(state)
    notice_gap(state)
    if state.positions.misses(state.asked_read_back_ms, state.now):
        state.read_back_due = state.read_back_due or "proof"
    since = state.now - state.asked_read_back_ms
    if state.read_back_due and since >= RETRY_MS // 10:
        if not state.read_back_why or since >= RETRY_MS:
            state.ask_read_back(state.read_back_due)
    elif since >= (PRIVATE_DOWN_MS if "private" in state.down else int(state.settings.engine.proof_every_s * 1000)):
        state.ask_read_back("periodic")
    reconciling.on_tick(state)
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
