"""The report as plain text of a given width."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from breakwall.model.text import sanitise

if TYPE_CHECKING:
    from breakwall.replay.attribution import Parts
    from breakwall.replay.report import ExitKind, Report, Result, Scope, SignalKind

_PARTS = ("trades", "price move", "slippage", "fees", "funding", "net USDT")
Row = Sequence[str]


def head(report: "Report", where: str, width: int) -> list[str]:
    """What is reported on, and the totals."""
    totals, scope = report.totals, report.scope
    lines = [_cut(f"breakwall report: {where}", width), _cut(_span(scope), width), ""]
    if not totals.trades:
        return [*lines, _cut("no trade was closed in this span", width)]
    won = f"{totals.won} won ({100 * (totals.win_rate or 0):.1f} %), {totals.lost} lost"
    factor = "no loss" if totals.profit_factor is None else f"{totals.profit_factor:.2f}"
    multiple = "" if totals.expectancy_r is None else f", {totals.expectancy_r:+.2f} R"
    facts = [
        f"{totals.trades} {_noun(totals.trades, 'trade')}: {won}",
        f"net {cash(totals.parts.net_usdt)} USDT",
        f"expectancy {cash(totals.expectancy_usdt)} USDT{multiple} a trade",
        f"profit factor {factor}",
        f"max drawdown {totals.max_drawdown_usdt:.2f} USDT",
        f"held {span(totals.held_s or 0)} on average",
        f"on the way {cash(totals.best_usdt)} at best, {cash(totals.worst_usdt)} at worst",
    ]
    return [*lines, *_wrapped(facts, width)]


def body(report: "Report", width: int) -> list[str]:
    """Everything that is said in rows."""
    lines: list[str] = []
    for section in _sections(report):
        lines += ["", _cut(section.title.upper(), width)]
        lines += _table(section, width) if section.rows else [_cut(f"  {section.empty}", width)]
    return lines


def cash(value: Decimal | None) -> str:
    """USDT with its sign and two decimals; what rounds to nothing is not negative."""
    if value is None:
        return "-"
    text = f"{value:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text


def span(seconds: float) -> str:
    """A span as people say it: 1.5s, 2m05s, 3h20m."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _span(scope: "Scope") -> str:
    names = [f"symbol {scope.symbol}" if scope.symbol else "", f"strategy {scope.strategy}" if scope.strategy else ""]
    since = moment(scope.since_ms) if scope.since_ms else "the beginning"
    return ", ".join([f"from {since} to {moment(scope.until_ms)} UTC", *(name for name in names if name)])


class Section(NamedTuple):
    """A table; `empty` is said where it has no rows. `spare`: the last column may be left out where room is short."""

    title: str
    header: Row
    rows: list[Row]
    empty: str = ""
    spare: bool = False


def _sections(report: "Report") -> Iterator[Section]:
    traded = report.totals.trades > 0
    if traded:
        results = ("symbol", "side", "strategy", "net USDT", "R", "held", "why it ended", "trace")
        yield Section("best trades", results, [_result(each) for each in report.best], "no trade made a profit", True)
        yield Section("worst trades", results, [_result(each) for each in report.worst], "no trade made a loss", True)
        exits = ("exit", "trades", "winners", "mean USDT", "net USDT")
        yield Section("exit reasons", exits, [_exit(kind) for kind in report.exits])
    signals = ("signal", "signals", "refused", "trades", "strength", "mean USDT", "refused most by")
    yield Section("signals", signals, [_signal(kind) for kind in report.signals], "no signal in this span")
    if traded:
        yield Section("attribution, USDT", ("by", "", *_PARTS), list(_attribution(report)))
    failed = ("at (UTC)", "what", "of", "error")
    yield Section("failed operations, last 24 h", failed, _failures(report), "none")
    hung = ("at (UTC)", "order", "symbol", "here", "exchange", "why")
    yield Section("hanging orders, last 24 h", hung, _hanging(report), "none")
    passes = ("at (UTC)", "why", "pass", "outcome")
    yield Section("recoveries, last 24 h", passes, _recoveries(report), "none")


def _result(trade: "Result") -> Row:
    multiple = "-" if trade.net_r is None else f"{trade.net_r:+.2f}"
    return (
        trade.symbol,
        trade.side,
        trade.strategy,
        cash(trade.net_usdt),
        multiple,
        span(trade.held_s),
        trade.reason,
        trade.trace,
    )


def _exit(kind: "ExitKind") -> Row:
    return kind.reason, str(kind.trades), str(kind.winners), cash(kind.mean_usdt), cash(kind.net_usdt)


def _signal(kind: "SignalKind") -> Row:
    strength = "-" if kind.strength is None else f"{kind.strength:.2f}"
    most = next((f"{check} ({times})" for check, times in kind.refused_by.items()), "-")
    counts = (str(kind.signals), str(kind.refused), str(kind.trades))
    return kind.strategy, *counts, strength, cash(kind.mean_usdt), most


def _attribution(report: "Report") -> Iterator[Row]:
    by = report.attribution
    yield "all", "", *_parts(report.totals.trades, report.totals.parts)
    for name, group in (("strategy", by.strategy), ("symbol", by.symbol), ("side", by.side), ("hour", by.hour)):
        for number, share in enumerate(group):
            yield "" if number else name, share.name, *_parts(share.trades, share.parts)


def _parts(trades: int, parts: "Parts") -> Row:
    amounts = (parts.price_usdt, parts.slippage_usdt, parts.fees_usdt, parts.funding_usdt, parts.net_usdt)
    return str(trades), *map(cash, amounts)


def _failures(report: "Report") -> list[Row]:
    return [(moment(row.at_ms), row.action, row.entity_id, row.error) for row in report.failures]


def _hanging(report: "Report") -> list[Row]:
    return [
        (moment(row.at_ms), row.client_id or row.order_id, row.symbol, row.our_state, row.exchange_state, row.reason)
        for row in report.hanging
    ]


def _recoveries(report: "Report") -> list[Row]:
    return [(moment(row.at_ms), row.purpose, str(row.number), row.verdict) for row in report.recoveries]


def _table(section: Section, width: int) -> list[str]:
    """Columns as wide as their cells, numbers to the right; what does not fit is cut at the end of the line."""
    cells = [tuple(sanitise(cell) for cell in row) for row in (section.header, *section.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [all(_is_number(row[column]) for row in cells[1:]) for column in range(len(widths))]
    if section.spare and sum(widths) + 2 * len(widths) > width:
        cells = [row[:-1] for row in cells]
    lines = []
    for row in cells:
        padded = zip(row, widths, right, strict=False)
        text = "  ".join(cell.rjust(size) if number else cell.ljust(size) for cell, size, number in padded)
        lines.append(_cut(f"  {text}".rstrip(), width))
    return lines


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.lstrip("+-").replace(".", "", 1).isdecimal()


def _wrapped(facts: Iterable[str], width: int) -> list[str]:
    """Facts side by side, as many to a line as fit."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + 2 + len(fact) <= width:
            lines[-1] += f"  {fact}"
        else:
            lines.append(fact)
    return [_cut(line, width) for line in lines]


def _cut(text: str, width: int) -> str:
    clean = sanitise(text, 1_000)
    return clean if len(clean) <= width else clean[: width - 2] + ".."


def _noun(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
