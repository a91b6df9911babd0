"""The trading core: pure, synchronous, integers and `Decimal` only.

The call order, for the dispatcher (`origin = Origin(run, seq, at_ms)`, one per event):

1. Start: `restored = reconcile.restore.restore(entries, instruments, settings, origin)` gives the `Blotter`; then
   ask for a read-back ("start"); nothing is traded before it has been applied and nothing differs any more.
2. Each private event: `changes = blotter.apply(event, origin)`; journal each `change.note`. A `Trip` with
   `Tier.FLATTEN` means: close every held position. After an `Outcome` of a stop: ask for a read-back
   ("proof"), since confirmed is not proven.
3. Each read-back: `changes = blotter.apply(read_back, origin)`, then `reconcile.differences.examine(...)` with them;
   journal the note of each difference that is new; `Act.CANCEL` -> `risk.approve_cancel(difference.order, ...)`;
   `reconcile.report.report_of(...)` for each pass, `escalation(...)` after the last one.
4. Each tick: `blotter.on_tick(marks, origin)`; `QueryOrder` for each of `blotter.orders.due_queries(at_ms)`;
   for each held position: `position.observe(exit price, at_ms)`.
5. After every event that touched a position or a tick, for each held position, protection first:
   `need = protection.need(position, market, at_ms, exit_working=blotter.orders.exit_working(symbol))`
   - `SetStop` -> `risk.approve_stop(position, need.stop_ticks, origin, need.why)`
   - `CloseNow` -> `risk.approve_exit(position, origin, need.why, need.leg, need.limit_ticks)`
   - None, and the position is OPEN: `why = exits.reason(position, market, at_ms)`; when it says something,
     `protection.close(position, market, why)` gives the `CloseNow`.
   A person's flatten is `protection.close(position, market, "flatten", "f")`, in every state; it is repeated by
   `need` until the position is flat.
6. Each tick (and after wall events) while trading may open: `signal = density.look(market, at_ms, trace)`;
   `card = validation.examine(signal, Scene(...))`; then `risk.approve_entry(card, Gate(...), origin)`; journal
   `context.signal_note(card, scene, refused)`. A `Refused` that `heals` may be tried again:
   `density.again(signal.key, at_ms + 1000)`.
7. Whatever was approved: `blotter.decided(approved.intent, origin)` in the same event, before anything else is
   decided; then it is an action.

Orders, positions and breaker print their tables in their docstrings; `Portfolio` counts the worst case;
`Approved[...]` is made in `risk` only.
"""
