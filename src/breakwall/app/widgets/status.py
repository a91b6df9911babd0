"""The status bar: the money and the truth in its first row, the machine in its second."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.cells import cell_len

from breakwall.app.rows.figures import UNKNOWN, age, countdown, percent, price, signed, time_of_day
from breakwall.app.rows.row import Cell, Row, clean, left, width_of
from breakwall.app.rows.table import Word, fit
from breakwall.app.trust import doubt, is_live, is_proven, open_pnl
from breakwall.app.widgets.breaker import api_words, breaker_word, held_here, reason
from breakwall.app.widgets.pane import Pane
from breakwall.app.widgets.standing import troubles
from breakwall.model.playing import Playing
from breakwall.model.units import fixed
from breakwall.model.view import Counters, SymbolView, View

BADGES = {"SIM": "paper", "PAPER": "paper", "BYBIT TESTNET": "paper", "BYBIT DEMO": "paper", "REPLAY": "replay"}
"""Inks of the badges that cost no money; any other one does, or may."""

STOPPED = {"HALTED", "OBSERVING"}
"""Trading states that a person has to look into: their reason comes before all else."""

TRENDS = {"up": "▲ up", "down": "▼ down", "flat": "■ flat"}
SLOW_LOOP_MS = 20.0
QUIET_MS = 2_000
"""A live book that says nothing for so long is no longer shown as good news; the engine will doubt it soon."""


class Vitals(NamedTuple):
    """How the screen itself does: frames and bytes a second, and why it is slower than asked, if it is."""

    fps: float
    bytes_s: float
    slowed: str = ""


class Status(Pane):
    words = "STATUS"
    vitals: Vitals | None = None
    playing: Playing | None = None
    """Both are set by the cockpit."""

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        del height
        return [
            money_row(view, self.look.symbol, width),
            machine_row(view, self.look.symbol, width, self.vitals, self.playing),
        ]

    def starting(self, words: str) -> None:
        """Say what is being waited for: there is no view yet."""
        width = self.size.width
        if width:
            self.paint([((left(f" {words}", width), "bar-warn"),), ((" " * width, "bar"),)])


def money_row(view: View, symbol: str, width: int) -> Row:
    """Badge, ARMED or SAFE, price and results. Unless entries are allowed by all, the whole row is inverted."""
    market = view.market(symbol)
    base = "halted" if view.trading_state in STOPPED else "bar" if view.armed else "safe"
    pnl, question = open_pnl(view)
    words = [
        Word(0, _tags(view)),
        Word(0, _priced(symbol, market)),
        Word(3, _change(market)),
        Word(5, _pair("trend", TRENDS.get(market.trend, UNKNOWN) if market else UNKNOWN)),
        Word(4, _held(view, symbol, market)),
        Word(1, _pair("day", signed(view.day_pnl_usdt), _worth(view.day_pnl_usdt))),
        Word(2, _pair("open", signed(pnl) + question, _worth(pnl))),
        Word(6, _pair("equity", f"{view.equity_usdt:.2f}")),
        Word(7, _pair("free", f"{view.available_usdt:.2f} USDT")),
        Word(8, _booked(view.counters)),
    ]
    row = fit(words, width, base)
    return row if base == "bar" else tuple((text, base if ink.startswith("bar") else ink) for text, ink in row)


def _tags(view: View) -> Row:
    """What kind of money this is, whether risk may be opened, and what forbids it."""
    tags: list[Cell] = [
        (f" {view.mode} ", BADGES.get(view.mode, "live")),
        (" ARMED ", "armed") if view.armed else (" SAFE ", "price"),
    ]
    if view.trading_state != "ACTIVE":
        tags.append((f" {view.trading_state} ", "alarm"))
    if view.blind:
        tags.append((" BLIND ", "alarm"))
    return tuple(tags)


def _priced(symbol: str, market: SymbolView | None) -> Row:
    """The middle of the spread; a question mark and its own ink where the book is not to be trusted."""
    text = price(market.mid, market.tick / 2) if market else UNKNOWN
    return (f"{symbol} ", "bar"), (text + doubt(market), "bar-bold" if is_live(market) else "bar-stale")


def _change(market: SymbolView | None) -> Row:
    change = None if market is None else market.change_24h
    if change is None:
        return _pair("24h", UNKNOWN)
    arrow = "▲" if change > 0 else "▼" if change < 0 else ""
    return _pair("24h", f"{arrow}{percent(change)}", _worth(change))


def _held(view: View, symbol: str, market: SymbolView | None) -> Row:
    held = next((position for position in view.positions if position.symbol == symbol), None)
    if held is None:
        return _pair("pos", "flat") if is_proven(view.read_back_age_ms) else _pair("pos", "flat?", "bar-warn")
    pnl = UNKNOWN if held.mark is None else signed(held.pnl_usdt) + doubt(market)
    return (f"{held.side} {fixed(abs(held.qty))} ", "bar"), (pnl, _worth(held.pnl_usdt))


def _booked(sums: Counters) -> Row:
    """What this run's closed trades made, and what it paid in fees."""
    realised = sums.realised_pnl_usdt
    return (*_pair("realised", signed(realised), _worth(realised)), *_pair("  fees", f"{sums.fees_usdt:.2f}"))


def _worth(cash: Decimal) -> str:
    return "bar-good" if cash > 0 else "bar-bad" if cash < 0 else "bar"


def _pair(name: str, value: str, ink: str = "bar") -> Row:
    return (f"{name} ", "bar-dim"), (value, ink)


def machine_row(view: View, symbol: str, width: int, vitals: Vitals | None, playing: Playing | None = None) -> Row:
    """How true the data is, what holds entries back, and how the machine does."""
    market = view.market(symbol)
    played = [] if playing is None else [Word(0, _played(playing))]
    words = [*played, Word(0, _data(market)), Word(1, _breaker(view)), _account(view), *_api(view), *_limits(view)]
    if market and market.reducing:
        words += [
            Word(1, ((" NO ENTRIES HERE ", "bar-warn"),)),
            Word(2, ((_short(market.reducing, 60), "bar-warn"),)),
        ]
    if market and market.paused:
        words.append(Word(1, ((" PAUSED ", "bar-warn"),)))
    elif held := held_here(view, symbol):
        words.append(Word(3, ((_short(held, 40), "bar-warn"),)))
    words += [Word(3, ((f" {name}! ", "bar-warn"),)) for name in troubles(view)]
    if view.trading_state in STOPPED:
        words = [
            words[0],
            Word(1, ((_short(f"{view.trading_state}: {reason(view)}", width), "bar-bad"),)),
            *words[1:],
        ]
    elif view.why:
        taken = sum(width_of(word.cells) + 2 for word in words if word.rank <= 1)
        words.append(Word(2, ((_short(f"no entries: {view.why}", max(20, width - taken)), "bar-warn"),)))
    if market and market.status_reason:
        words.append(Word(3, ((_short(market.status_reason, 40), "bar-warn"),)))
    words += _screener(view)
    words += _latency(view, market)
    words += [] if vitals is None else _screen(vitals)
    if market and market.next_funding_ms is not None:
        rate = "" if market.funding_rate is None else f"{signed(market.funding_rate * 100, 4)}% "
        words.append(Word(9, _pair("funding", f"{rate}in {countdown(market.next_funding_ms - view.at_ms)}")))
    if view.dcp_s is not None:
        words.append(Word(11, ((f"DCP {view.dcp_s}s" if view.dcp_s else "no DCP", "bar-dim"),)))
    words.append(Word(10, _pair("UTC", time_of_day(view.at_ms))))
    return fit(words, width, "bar")


def _short(text: str, most: int) -> str:
    return left(text, min(most, cell_len(clean(text))))


def _data(market: SymbolView | None) -> Row:
    if market is None:
        return ((" NO DATA ", "alarm"),)
    good = is_live(market) and market.age_ms < QUIET_MS
    ink = "bar-good" if good else "alarm" if market.status == "STALE" else "bar-warn"
    return ((f" {market.status} {age(market.age_ms)} ", ink),)


def _played(playing: Playing) -> Row:
    """Where the recording is, and how fast it goes."""
    speed = "max" if math.isinf(playing.speed) else f"{playing.speed:g}x"
    how = "END" if playing.ended else "SEEKING" if playing.seeking else "PAUSED" if playing.paused else "PLAYING"
    ink = "bar-good" if how == "PLAYING" else "bar-warn"
    return (f" {how} {speed} ", ink), (f"{_span(playing.at_s)}/{_span(playing.length_s)}", "bar")


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _api(view: View) -> list[Word]:
    """The groups of the exchange's interface that are held back, if any."""
    shut = [group for group in view.api if group.state != "CLOSED"]
    if not shut:
        return []
    names = ", ".join(f"{group.group} {api_words(group, view.at_ms)}" for group in shut)
    return [Word(1, ((_short(f"API {names}", 40), "bar-bad"),))]


def _limits(view: View) -> list[Word]:
    """The request budget that is used most, once it is worth a look."""
    limit = max(view.limits, key=lambda each: each.used, default=None)
    if limit is None or not limit.is_pressed:
        return []
    return [Word(4, _pair(f"API {limit.group}", f"{limit.used:.0%} used", "bar-warn"))]


def _breaker(view: View) -> Row:
    word = breaker_word(view)
    return _pair("CB", word, {"CLOSED": "bar-good", "OPEN": "bar-bad"}.get(word, "bar-warn"))


def _account(view: View) -> Word:
    """How long ago the account was read back from the exchange."""
    proven = is_proven(view.read_back_age_ms)
    words = f"{'✓' if proven else 'unproven'} {age(view.read_back_age_ms)}"
    return Word(3 if proven else 1, _pair("account", words, "bar-good" if proven else "bar-warn"))


def _screener(view: View) -> list[Word]:
    """How many of the markets that were looked at are chosen, and when that was; nothing where nobody looks."""
    scan = view.screener
    if scan is None:
        return []
    if scan.trouble:
        return [Word(3, ((_short(f"screener: {scan.trouble}", 40), "bar-warn"),))]
    words = f"{len(scan.chosen)} of {scan.listed} {age(scan.age_ms)}" if scan.age_ms is not None else "looking"
    return [Word(6, _pair("movers", words))]


def _latency(view: View, market: SymbolView | None) -> list[Word]:
    rest = UNKNOWN if view.rest_ms is None else f"{view.rest_ms}ms"
    loop = view.loop_delay_p99_ms
    late = "" if market is None else f"{market.late_ms:.0f}ms"
    return [
        Word(5, _pair("loop", f"{loop:.1f}ms", "bar-warn" if loop > SLOW_LOOP_MS else "bar")),
        Word(4, _pair("rest", rest)),
        *([Word(6, _pair("late", late))] if late else []),
    ]


def _screen(vitals: Vitals) -> list[Word]:
    fps, kb_s = f"{vitals.fps:g} fps", f"{vitals.bytes_s / 1000:.0f} KB/s"
    pace = Word(2, ((f"{fps}: {vitals.slowed}", "bar-warn"),)) if vitals.slowed else Word(8, ((fps, "bar"),))
    return [pace, Word(7, ((kb_s, "bar"),))]
