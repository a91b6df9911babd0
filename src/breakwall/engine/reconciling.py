"""The account, read again and again: what differs is taken over, acted upon, reported, and escalated where it stays.

Executions move positions; a reading only corrects what no execution explains.
"""

from collections.abc import Collection

from breakwall import points
from breakwall.engine import booking, guarding, observing
from breakwall.engine.passes import Passes
from breakwall.engine.state import Phase, State
from breakwall.model.actions import Note, Refused
from breakwall.model.events import CommandKind, ReadBack, ReadBackFailed
from breakwall.points import Point
from breakwall.trading import risk
from breakwall.trading.reconcile.differences import Act, Difference, Findings, Policy, examine
from breakwall.trading.reconcile.report import escalation, report_of

BY_HAND = "by hand"


def on_read_back(state: State, event: ReadBack) -> None:
    """The account as the venue has it: book it, act on what differs, see to the stops, and judge the pass."""
    heard(state, event)
    ours = [fill for fill in event.fills if state.orders.intent(fill.client_id) is not None]
    booking.count(state, ours)
    state.fills_since_ms = max([state.fills_since_ms, *(fill.at_ms for fill in event.fills)])
    observing.notice_others(state, event.fills)
    changes = state.blotter.apply(event, state.at)
    booking.take(state, changes)
    findings = examine(state.blotter, event, changes, policy(state), state.at, state.review.found)
    known = {difference.key for difference in state.review.found}
    news = [difference for difference in findings.differences if difference.key not in known]
    for difference in news:
        state.out.append(difference.note)
    for difference in findings.differences:
        act(state, difference)
    state.review.found = findings.differences
    if state.recovered_ms is None:
        state.recovered_ms = state.now
        points.reach(Point.RECOVERING)
    guarding.look_after(state, [position.symbol for position in state.positions.held()])
    notice_transfer(state)
    judge(state, event, findings, news)


def notice_transfer(state: State) -> None:
    """Tell what came or went without a trade; how much is too much is the breaker's to say (missing money)."""
    if state.positions.held() or state.orders.open():
        return
    moved = state.transfers.look(state.wallet.balance_usdt, state.breaker.made)
    if moved:
        why = "no trade of ours explains it: a deposit, a withdrawal, or somebody else's trading"
        state.say("transfer", f"the balance changed by {moved:+.2f} USDT; {why}", level="warning", durable=True)


def on_read_back_failed(state: State, event: ReadBackFailed) -> None:
    """A failed read-back says nothing about the account; it is asked again soon. The same reason is told once. One
    that the venue refused to us is a matter for a person.
    """
    booking.take(state, state.breaker.on_outcome(event, state.now))
    if event.reason != state.read_back_why:
        state.read_back_why = event.reason
        state.say("read-back", f"account not read: {event.reason}; asking again each second", level="warning")
    state.read_back_due = state.read_back_due or event.purpose


def heard(state: State, event: ReadBack) -> None:
    """When it was asked, whose symbols it shows, and whether it can be trusted to have missed nothing."""
    state.read_asked_ms, state.rest_ms = event.asked_ms, state.now - event.asked_ms
    if state.read_back_why:
        state.read_back_why = ""
        state.say("read-back", "account read again")
    for symbol in sorted(set(event.strangers) - state.strangers):
        text = "has orders or positions of somebody else on this account: not followed, not counted, not closed by us"
        state.say("stranger", text, level="warning", symbol=symbol, durable=True)
    state.strangers = set(event.strangers)
    if event.asked_ms >= state.doubted_ms:
        state.reconciled |= "private" not in state.down
    else:
        state.read_back_due = state.read_back_due or "reconnect"


def policy(state: State) -> Policy:
    rules = state.settings.recovery
    since_ms = state.now if state.recovered_ms is None else state.recovered_ms
    hanging_after_ms = int(rules.hanging_after_min * 60_000)
    return Policy(state.foreign, hanging_after_ms, since_ms, state.settings.risk.leverage)


def act(state: State, difference: Difference) -> None:
    """Cancel what is to be cancelled; positions are seen to by `guarding`."""
    if difference.act is not Act.CANCEL or difference.order is None:
        return
    orphan = bool(difference.order.stop_kind)  # no other stop is ever to be cancelled
    approved = risk.approve_cancel(difference.order, state.at, difference.kind, orphan=orphan)
    if isinstance(approved, Refused):
        state.say("refused", f"not cancelled: {approved.reason}", level="warning", symbol=difference.symbol)
        return
    booking.take(state, state.blotter.decided(approved.intent, state.at))
    state.out.append(approved)


def begin(state: State, purpose: str) -> None:
    """Read the account now, in as many passes as it takes."""
    state.review.passes = Passes(purpose, state.now)
    state.ask_read_back(purpose)


def on_tick(state: State) -> None:
    """Ask for the next pass when it is due."""
    passes = state.review.passes
    if passes is not None and state.asked_read_back_ms < passes.next_ms <= state.now:
        state.ask_read_back(passes.purpose)


def judge(state: State, event: ReadBack, findings: Findings, news: Collection[Difference]) -> None:
    """Is this reading a pass, is it clean, and what follows. A periodic one that finds nothing new is no recovery."""
    passes = state.review.passes
    if passes is None:
        over = state.review.escalated and not findings.left
        if not over and not news:
            return
        passes = state.review.passes = Passes(event.purpose, event.asked_ms)
    if event.asked_ms < passes.next_ms:
        if passes.next_ms <= state.now:  # asked too early, and the wish for it was lost on the way
            state.read_back_due = state.read_back_due or passes.purpose
        return
    passes.number += 1
    report(state, passes, findings)
    if not findings.left:
        state.review.escalated = frozenset()
        end(state, passes, clean=True)
    elif passes.number >= state.settings.recovery.passes:
        escalate(state, passes, findings)
        end(state, passes, clean=False)
    else:
        passes.next_ms = event.asked_ms + int(state.settings.recovery.pass_gap_s * 1000)


def report(state: State, passes: Passes, findings: Findings) -> None:
    """One report per pass: for the journal, the log and the screen."""
    machines, state.review.machines = state.review.machines, ()
    told = report_of(passes.number, passes.purpose, state.now, findings, machines)
    state.review.reports.append(told)
    text = f"reconciled ({passes.purpose}, pass {passes.number} of {state.settings.recovery.passes}): {told.verdict}"
    level = "info" if told.clean else "warning"
    state.out.append(Note("recovery", text, level, trace=state.at.trace, durable=True, record=told))


def escalate(state: State, passes: Passes, findings: Findings) -> None:
    """The passes are spent: a person must look. What is still being asked for only locks its symbol."""
    state.review.escalated = frozenset(difference.key for difference in findings.left)
    follows = escalation(findings, trading=passes.purpose not in {"start", BY_HAND})
    if follows.halt:
        halt(state, follows.halt)
    if follows.observe:
        observing.observe(state, follows.observe)


def halt(state: State, why: str) -> None:
    """Exits, stops and cancels only, until a person resets it."""
    booking.take(state, state.breaker.on_command(CommandKind.HALT, "recovery", why, state.now))


def end(state: State, passes: Passes, *, clean: bool) -> None:
    """The last pass was made. After a start new trades are possible, unless something cannot be explained."""
    state.review.passes = None
    if clean and passes.purpose == BY_HAND:
        observing.explained(state, "reconciled by hand")
    if passes.purpose == "start" or state.phase is Phase.RECOVERING:
        finish(state)


def finish(state: State) -> None:
    """The account is known: what is held is looked after, and new trades are possible."""
    if state.phase is Phase.RECOVERING:
        state.phase = Phase.OBSERVING if state.observing else Phase.TRADING
    held = [
        f"{position.symbol} {position.lots:+d} lots, stop "
        + ("MISSING" if position.stop_ticks is None else position.instrument.price_text(position.stop_ticks))
        for position in state.positions.held()
    ]
    state.say("recovered", f"recovered: {'; '.join(held) or 'flat'}; {_trading(state)}", durable=True)


def _trading(state: State) -> str:
    """What a start leads to: whatever a person, or a rule, has held since before the restart comes first."""
    why = state.observing or state.breaker.why
    words = [f"trading is {state.trading_state}: {why}"] if why else []
    words += [f"SAFE ({state.safe})"] if state.safe else []
    if words:
        return "; ".join(words)
    return "entries wait for both links" if state.blind else f"trading is {state.trading_state}"
