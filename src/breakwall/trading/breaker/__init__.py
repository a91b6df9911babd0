"""The breaker: when losses, haste or the state of things say stop, and who may say go again.

Tiers: pause and reduce make no new entries (for a while; until something has changed), halt lets exits, stops and
cancels through only until a person resets it, flatten closes all besides. Scopes: the account, a symbol, a strategy,
or one strategy in one symbol. Nothing here ever holds back a stop, a reduce-only close or a cancel.

Each rule, its scope, what trips it (names are settings of `[breaker]`), its tier, and when it resumes:

daily loss (account): closed trades of the risk day plus open loss reach `daily_loss_percent` of the day's first
    equity -> reduce, until: next risk day
runaway loss (account): the same loss of a day reaches `daily_flatten_percent` -> flatten, until: a person's reset
symbol loss (symbol): its closed trades of the risk day lose `symbol_loss_percent` of the day's first equity ->
    reduce, until: next risk day
strategy loss (strategy): its closed trades of the risk day lose `strategy_loss_percent` of the day's first equity
    -> reduce, until: next risk day
drawdown (account): our own results fall by `drawdown_percent` of the highest equity below their best; transfers do
    not count -> flatten, until: a person's reset
missing money (account): the equity is `drawdown_percent` below its highest and our own results do not explain it: a
    withdrawal, or somebody else's trading -> reduce, until: a person's reset
low balance (account): the equity is below `[risk] min_balance_usdt`, or not a number -> reduce, until: the equity
    is there again
consecutive losses (account): `consecutive_losses` closed trades in a row below zero -> pause, until: after
    `cooldown_s`
trades per day (account): `trades_per_day` entries filled in the risk day -> reduce, until: next risk day
cooldown (symbol): a trade in it was closed -> pause, until: after `symbol_cooldown_s`
stop-outs (account): `stop_guard_stops` trades left at their stop with a loss within `stop_guard_window_s` -> pause,
    until: after `stop_guard_pause_s`
symbol stop-outs (symbol): `stop_guard_symbol_stops` of its trades did so within `stop_guard_window_s` -> pause,
    until: after `stop_guard_pause_s`
repeated execution (strategy and symbol): one strategy decides `repeat_entries` entries in one symbol within
    `repeat_window_s` (RTS 6) -> halt, until: a person's reset
order rate (account): `orders_per_minute` orders of any kind were decided in the last minute -> pause, until: the
    last minute holds fewer
slow orders (account): more than 5 % of the last minute's answers, and at least two, took longer than
    `slow_order_ms` -> reduce, until: a minute after the last of them
slow disk (account): the journal needed more than `slow_commit_ms` to store what was decided -> reduce, until: after
    `slow_commit_pause_s` without another
locked out (account): the exchange refuses the key, the account or the region (class F of its errors) -> halt,
    until: a person's reset
no margin (account): the exchange refuses an order for want of free margin (class E) -> pause, until: after
    `refused_pause_s`
symbol refused (symbol): the exchange refuses an order for the symbol's leverage, tier, limit or status (class E) ->
    pause, until: after `refused_pause_s`
book (symbol): its book is stale, crossed or being asked for again -> pause, until: it has been live again for a
    second
exposure (account): initial margin of all positions above `[risk] total_margin_percent` of the equity by more than
    `exposure_slack_percent` of that limit -> reduce, until: it has been below again for 5 s
symbol exposure (symbol): initial margin of its position above `[risk] position_margin_percent` in the same way ->
    reduce, until: it has been below again for 5 s
clock (account): our clock and the exchange's differ by more than `clock_halt_ms` (from `clock_warn_ms` on it is
    told) -> reduce, until: they have been nearer for 5 s
loop delay (account): the last 50 ticks came late by more than `loop_delay_ms` on average -> pause, until: they have
    been on time for 5 s
unreconciled (account): the account has not been read back for `unreconciled_s` -> reduce, until: it is read back
exchange interface (account): the API breaker of a group that entries or their protection need is not closed, or our
    address is banned -> pause, until: that group answers again, or is closed by hand
paused (account or symbol): a person's word -> pause, until: a person's resume
halted (account): a person's word, or the last gate's, or a failing core's -> halt, until: a person's reset
"""

from breakwall.trading.breaker.breaker import Breaker
from breakwall.trading.breaker.conditions import Conditions
from breakwall.trading.breaker.memory import Memory
from breakwall.trading.breaker.rule import Rule, Tier, TradingState, Trip
from breakwall.trading.breaker.showing import RULES

__all__ = ["RULES", "Breaker", "Conditions", "Memory", "Rule", "Tier", "TradingState", "Trip"]
