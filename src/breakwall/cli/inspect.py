"""`breakwall inspect`: what a recording says, exactly, message by message."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.model.text import sanitise

if TYPE_CHECKING:
    from breakwall.replay.books import Checkpoint
    from breakwall.replay.survey import Summary


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="recordings, joined in this order")],
    symbol: Annotated[str, typer.Option("--symbol", "-s", help="the market to follow, such as BTCUSDT")],
    at: Annotated[
        list[int] | None, typer.Option("--at", min=1, metavar="N", help="show the book after message N")
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", min=1, metavar="N", help="and after every N messages")
    ] = None,
    topic: Annotated[str, typer.Option("--topic", help="the book stream; the deepest where absent")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per line, the summary last")] = False,
) -> None:
    """Show the exact book of a recording after the asked messages, and the sums at its end.

    Messages count from 1, the first that was applied to a book. Without --at and --every the last
    one is shown.
    """
    from breakwall.replay.forms import Recording, RecordingError
    from breakwall.replay.survey import Survey

    if not symbol.strip():
        raise typer.BadParameter("expected a market such as BTCUSDT, found nothing", param_hint="--symbol")
    numbers = frozenset(at or ())
    recording = Recording(files)
    survey = Survey(symbol.strip().upper(), _wanted(numbers, every))
    survey.follow(recording)
    chosen = survey.topic(topic)
    points = survey.checkpoints(chosen)
    if not numbers and every is None:
        last = survey.last(chosen)
        points = [last] if last is not None else []
    summary = survey.summary(chosen, recording)
    for point in points:
        print(_json(point) if as_json else _safe(_line(point)))
    print(_json({"summary": summary}) if as_json else _safe(_closing(summary)))
    beyond = sorted(number for number in numbers if number > summary.applied)
    if beyond:
        asked = ", ".join(map(str, beyond))
        raise RecordingError(
            f"--at {asked}: expected at most {summary.applied}, the messages applied to {chosen or symbol}."
        )


def _wanted(numbers: frozenset[int], every: int | None) -> Callable[[int], bool]:
    return lambda n: n in numbers or (every is not None and n % every == 0)


def _safe(text: str) -> str:
    """A recording's own words may hold anything; nothing of it may steer the terminal."""
    return "\n".join(sanitise(line, 1000) for line in text.splitlines())


def _json(thing: object) -> str:
    import msgspec

    return msgspec.json.encode(thing).decode()


def _line(point: "Checkpoint") -> str:
    bid, ask = (" x ".join(best) if best else "none" for best in (point.bid, point.ask))
    return (
        f"n {point.n}  ts {point.ts}  u {point.u}  seq {point.seq}  bid {bid}  ask {ask}  "
        f"levels {point.nb}/{point.na}  best 50 {point.sum_bid50}/{point.sum_ask50}  {point.sha256_top50}"
    )


def _closing(summary: "Summary") -> str:
    lines = [f"{summary.symbol}: {summary.topic or 'no book'}"]
    if summary.topic:
        lines.append(
            f"  book messages {summary.book_messages}: applied {summary.applied}, before the snapshot "
            f"{summary.before_snapshot}, repeated {summary.repeated}, gaps {summary.gaps}, lost after gaps "
            f"{summary.after_gap}, resyncs {summary.resyncs}, crossed {summary.crossed}"
        )
    if summary.trades_topic:
        lines.append(
            f"  {summary.trades_topic}: trades {summary.trades}, bought {summary.buy_qty}, sold {summary.sell_qty}, "
            f"notional {summary.notional} USDT"
        )
    if summary.bars:
        lines.append(f"  bars of a minute: {summary.bars}, volume {summary.bars_qty}")
    if summary.unreadable:
        lines.append(f"  unreadable lines: {summary.unreadable}")
    return "\n".join([*lines, *(f"  note: {note}" for note in summary.notes)])
