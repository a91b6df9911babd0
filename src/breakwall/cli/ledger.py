"""`breakwall ledger`: what the books tell, what can be set in them, and how they are made again."""

import getpass
import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from breakwall.cli.books_place import books_place, run_folder
from breakwall.cli.options import ConfigOption, JsonOption, StateOption
from breakwall.exit_codes import DONE, UNEXPLAINED, USAGE
from breakwall.model.text import sanitise
from breakwall.places import JOURNAL_FILE, LEDGER_FILE

if TYPE_CHECKING:
    from breakwall.storage.ledger.story import Story

_WIDTH = 2_000
_DEFAULT = "default"

app = typer.Typer(help="Read, check, export and rebuild the books; set coin parameters.", no_args_is_help=True)


@app.command()
def trace(
    name: Annotated[str, typer.Argument(metavar="ID", help="a trace id, an order's or a position's id")],
    state: StateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a whole trade: its signal and checks, orders and answers, fills, stops, the close, the result."""
    from breakwall.storage.ledger.books import opened
    from breakwall.storage.ledger.story import tell

    with opened(books_place(state, config)) as books:
        _show(tell(books, name), as_json=as_json)


@app.command()
def history(
    what: Annotated[str, typer.Argument(metavar="order|position", help="of what")],
    name: Annotated[str, typer.Argument(metavar="ID", help="its id")],
    state: StateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all states of an order or of a position, each with its time, cause and trace id."""
    from breakwall.storage.ledger.books import opened
    from breakwall.storage.ledger.story import life_of_order, life_of_position

    lives = {"order": life_of_order, "position": life_of_position}
    if what not in lives:
        raise typer.BadParameter(f"expected order or position, found {what!r}", param_hint="order|position")
    with opened(books_place(state, config)) as books:
        _show(lives[what](books, name), as_json=as_json)


@app.command()
def check(state: StateOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Compare the books with what the journal makes of itself; exit code 5 where they differ."""
    from breakwall.storage.ledger.check import check as compare
    from breakwall.storage.ledger.database import name_of

    target = books_place(state, config)
    found = compare(target, run_folder(state, config) / JOURNAL_FILE)
    if as_json:
        _print_json(found)
    else:
        behind = f", {found.behind} entries behind" if found.behind else ""
        _say(f"{name_of(target)}: up to row {found.row} of the journal{behind}, {len(found.differences)} differences")
        for text in found.differences:
            _say(f"  {text}")
        if found.differences:
            _say("`breakwall ledger rebuild` makes the books as the journal has them. No decision reads them.")
    raise typer.Exit(UNEXPLAINED if found.differences else DONE)


@app.command()
def rebuild(state: StateOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Make orders, fills, trades, positions and audit again from the journal; the market is carried over."""
    from breakwall.cli.config import load_checked
    from breakwall.clock import SystemClock
    from breakwall.storage.ledger import rebuild as builder

    url = load_checked(config).ledger.url
    if url:
        raise builder.refuse_server(url)
    folder = run_folder(state, config)
    made = builder.rebuild(folder / LEDGER_FILE, folder / JOURNAL_FILE, SystemClock().now_ms())
    if as_json:
        _print_json(made)
        return
    carried = ", ".join(f"{count} {table}" for table, count in made.carried.items() if count) or "nothing"
    _say(f"{folder / LEDGER_FILE}: made again from {made.entries} entries of the journal, {made.rows} rows")
    _say(f"carried over: {carried}" + (f"; the old file is kept as {made.kept}" if made.kept else ""))
    for what in made.lost:
        _say(f"not carried over: {what}")


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="the folder to write to")],
    kind: Annotated[str, typer.Option("--format", metavar="csv|json", help="json: one object a line")] = "csv",
    table: Annotated[str, typer.Option("--table", metavar="T", help="one table only; all where absent")] = "",
    state: StateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the tables as files for other programs, one each."""
    from breakwall.storage.ledger import export as files
    from breakwall.storage.ledger.books import opened

    if kind not in {"csv", "json"}:
        raise typer.BadParameter(f"expected csv or json, found {kind!r}", param_hint="--format")
    if table and table not in files.names():
        known = ", ".join(files.names())
        raise typer.BadParameter(f"expected one of {known}, found {table!r}", param_hint="--table")
    with opened(books_place(state, config)) as books:
        written = [files.export(books, out, name, kind) for name in ([table] if table else files.names())]
    if as_json:
        _print_json({str(path): count for path, count in written})
        return
    for path, count in written:
        _say(f"{path}: {count} rows")


@app.command()
def migrate(state: StateOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Bring the ledger to this version's tables now (every start does it), after a copy of the file."""
    from breakwall.clock import SystemClock
    from breakwall.storage.ledger.schema import bring_up_to_date

    done = bring_up_to_date(books_place(state, config), SystemClock().now_ms())
    if as_json:
        _print_json(done)
    elif done.before == done.after:
        _say(f"revision {done.after}: nothing to do")
    else:
        _say(f"revision {done.before} -> {done.after}" + (f"; copied before as {done.copy}" if done.copy else ""))


@app.command()
def params(
    symbol: Annotated[
        str, typer.Argument(metavar="[SYMBOL]", help="the market; all that were set where absent")
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="enabled=true|false, floor_usdt=AMOUNT; default: the settings'"
        ),
    ] = None,
    version: Annotated[int | None, typer.Option("--version", help="the version that was looked at")] = None,
    why: Annotated[str, typer.Option("--why", help="the reason, for the audit")] = "",
    state: StateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set what holds for one market, in force from the next start on this ledger; each change is audited.

    With --version a change is refused where somebody else has changed it since.
    """
    from breakwall.clock import SystemClock
    from breakwall.storage.ledger import coins
    from breakwall.storage.ledger.books import opened

    target = books_place(state, config)
    if values:
        wish = coins.Wish(
            _symbol(symbol), dict(map(_value, values)), version, sanitise(getpass.getuser()), sanitise(why)
        )
        coins.change(target, wish, SystemClock().now_ms())
    with opened(target) as books:
        rows = [row for row in books.coins() if not symbol or row.symbol == symbol.upper()]
    if as_json:
        _print_json({row.symbol: row for row in rows})
        return
    for row in rows:
        traded = {None: "as the settings say", True: "yes", False: "no"}[row.enabled]
        floor = "as the settings say" if row.floor_usdt is None else f"{row.floor_usdt} USDT"
        _say(
            f"{row.symbol}: traded {traded}, walls from {floor}; version {row.version}, {_when(row.changed_ms)} "
            f"by {row.who}" + (f": {row.why}" if row.why else "")
        )
    if not rows:
        _say(f"{symbol.upper() or 'all markets'}: as the settings say")


def _symbol(text: str) -> str:
    symbol = text.strip().upper()
    if not (symbol.isascii() and symbol.isalnum()):
        raise typer.BadParameter(f"expected a market such as BTCUSDT, found {text!r}", param_hint="SYMBOL")
    return symbol


def _value(text: str) -> tuple[str, bool | Decimal | None]:
    name, _, value = (part.strip() for part in text.partition("="))
    words = {"true": True, "false": False, _DEFAULT: None}
    if name == "enabled" and value in words:
        return name, words[value]
    if name == "floor_usdt":
        if value == _DEFAULT:
            return name, None
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal(0)
        if amount.is_finite() and amount > 0:
            return name, amount
    raise typer.BadParameter(
        f"expected enabled=true|false|default or floor_usdt=AMOUNT|default, found {text!r}", param_hint="NAME=VALUE"
    )


def _show(story: "Story", *, as_json: bool) -> None:
    if as_json:
        _print_json(story)
    elif not story.sentences:
        _say(f"{story.name}: the books know nothing of it")
    else:
        _say(f"{story.name}: {story.symbol or 'no market'}, {_when(story.sentences[0].at_ms)}")
        for sentence in story.sentences:
            _say(f"  {_when(sentence.at_ms)[11:]} {sentence.what:9} {sentence.text} [{sentence.trace or '-'}]")
    if not story.sentences:
        raise typer.Exit(USAGE)


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _say(text: str) -> None:
    print(sanitise(text, _WIDTH))


def _print_json(value: Any) -> None:
    """ASCII only: what foreign strings hold is escaped."""
    print(json.dumps(msgspec.to_builtins(value)))
