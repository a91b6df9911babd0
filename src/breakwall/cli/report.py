"""`breakwall report`: what the trading made, where it came from, and what went wrong."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.cli.options import ConfigOption, JsonOption, StateOption
from breakwall.spans import seconds_of

if TYPE_CHECKING:
    from breakwall.replay.report import Report, Rows, Scope
    from breakwall.storage.ledger.books import Books

_BEFORE_MS = 86_400_000
"""How long before the span a trade of it may have been signalled."""
_DATE = "a date such as 2025-11-20 or 2025-11-20T15:00 (UTC), or how long ago such as 24h"


def report(
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help=f"from here on: {_DATE}")] = "",
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="up to here, now where absent")] = "",
    symbol: Annotated[str, typer.Option("--symbol", "-s", help="one market only, such as BTCUSDT")] = "",
    strategy: Annotated[str, typer.Option("--strategy", help="one strategy only, such as breakout")] = "",
    state: StateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report on closed trades: the best and the worst, exits, signals, where the result comes from, and its curves.

    Failed operations, hanging orders and recoveries are those of the 24 hours before the end of the span.
    The ledger is only read: it works beside a running cockpit.
    """
    from breakwall.clock import SystemClock
    from breakwall.replay.report import Scope, report_on

    now_ms = SystemClock().now_ms()
    end_ms = _moment(until, now_ms, "--until") if until else now_ms
    start_ms = _moment(since, now_ms, "--since") if since else 0
    if start_ms >= end_ms:
        raise typer.BadParameter("expected a time before --until, found one that is not", param_hint="--since")
    scope = Scope(start_ms, end_ms, symbol.strip().upper(), strategy.strip())
    where, rows = _read(scope, state, config)
    found = report_on(rows, scope)
    print(_json(found, where) if as_json else _text(found, where))


def _moment(text: str, now_ms: int, option: str) -> int:
    """Milliseconds of a date (UTC where it names no zone) or of a span before now."""
    try:
        when = datetime.fromisoformat(text.strip())
        return max(0, int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError):
        pass
    try:
        return max(0, now_ms - int(seconds_of(text) * 1000))
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"expected {_DATE}, found {text!r}", param_hint=option) from None


def _read(scope: "Scope", state: Path | None, config: Path | None) -> "tuple[str, Rows]":
    """What the ledger is called, and what it says about this scope."""
    from breakwall.cli.books_place import books_place
    from breakwall.storage.ledger.books import opened
    from breakwall.storage.ledger.database import name_of

    target = books_place(state, config)
    with opened(target) as books:
        return name_of(target), _rows(books, scope)


def _rows(books: "Books", scope: "Scope") -> "Rows":
    import msgspec

    from breakwall.replay.attribution import Trade
    from breakwall.replay.report import Failure, Hanging, Recovery, Rows, Signal

    span = (scope.since_ms, scope.until_ms)
    signals = [
        Signal(
            signal.at_ms,
            signal.symbol,
            signal.context.strategy,
            signal.context.strength,
            signal.client_id,
            signal.context.refused_by,
        )
        for signal in books.signals(scope.since_ms - _BEFORE_MS, scope.until_ms)
    ]
    failed = [line for line in books.audit(scope.day_ms, scope.until_ms, failed=True) if line.entity != "signal"]
    return Rows(
        trades=msgspec.convert(books.trades(*span), list[Trade], from_attributes=True),
        signals=signals,
        failures=msgspec.convert(failed, list[Failure], from_attributes=True),
        hanging=msgspec.convert(books.hanging(scope.day_ms), list[Hanging], from_attributes=True),
        recoveries=msgspec.convert(books.recoveries(scope.day_ms), list[Recovery], from_attributes=True),
    )


def _json(found: "Report", where: str) -> str:
    import msgspec

    from breakwall.model.text import sanitise

    whole = {"ledger": sanitise(where, 1_000), **msgspec.structs.asdict(found)}
    return msgspec.json.Encoder(decimal_format="number").encode(whole).decode()


def _text(found: "Report", where: str) -> str:
    """For people: with colours and half-dots where a terminal shows them, else ASCII."""
    from breakwall.cli.report_charts import charts
    from breakwall.cli.report_text import body, head

    plain = _plain()
    width = shutil.get_terminal_size((80, 24)).columns
    lines = [*head(found, where, width), *body(found, width), *charts(found, width, plain=plain)]
    text = "\n".join(lines)
    return text.encode("ascii", "replace").decode() if plain else text


def _plain() -> bool:
    no_colour = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return bool(no_colour) or not sys.stdout.isatty() or "utf" not in (sys.stdout.encoding or "").lower()
