"""`breakwall replay`: a recording traded again, or a recorded run decided again."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.cli.options import ReceiptOption, names_in, span

if TYPE_CHECKING:
    from breakwall.model.events import Event
    from breakwall.model.units import Instrument


class BybitFrames:
    """Bybit's frames as the adapter reads them: private connections have names of their own."""

    def __init__(self) -> None:
        from breakwall.venues.bybit.codec import PublicCodec
        from breakwall.venues.bybit.reports import AccountRecords, PrivateCodec

        self._public = PublicCodec({})
        self._records = AccountRecords({})
        self._private = PrivateCodec(self._records)

    def decode(self, conn: str, data: bytes) -> "Event":
        return self._private.decode(data) if "private" in conn else self._public.decode(data)

    def set_instruments(self, instruments: "Mapping[str, Instrument]") -> None:
        self._public.set_instruments(instruments)
        self._records.instruments = instruments


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="recordings, joined by time")],
    check: Annotated[
        bool, typer.Option("--check", help="decide a run of Breakwall again and compare every action")
    ] = False,
    speed: Annotated[str, typer.Option(metavar="X|max", help="0.1 to 100 times as fast as it was, or max")] = "1",
    no_ui: Annotated[bool, typer.Option("--no-ui", help="plain lines, no screen")] = False,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="how much of the recording: 90s, 5m, 1h")
    ] = None,
    symbols: Annotated[
        str, typer.Option(help="only these, joined by commas; all that have a book where absent")
    ] = "",
    seed: Annotated[int, typer.Option(help="of latencies and ids; the same seed is the same run")] = 1,
    as_json: ReceiptOption = False,
    config: Annotated[Path | None, typer.Option(help="settings file; defaults where absent")] = None,
) -> None:
    """Trade a recording again (badge REPLAY): its market, a simulated account, the strategies of the settings.

    Space pauses, d and u change the speed, ( and ) go back and forward, s is one step. The same recording, settings
    and seed give the same run at any speed. With --check nothing is traded: equal events must give equal actions;
    exit code 0 where all are equal, 1 at the first difference.
    """
    if check:
        if len(files) != 1:
            raise typer.BadParameter(f"expected one recording with it, found {len(files)}", param_hint="--check")
        _check(files[0], as_json=as_json)
        return
    from breakwall.cli.rematch import RematchWish, rematch
    from breakwall.cli.streams import can_show

    wish = RematchWish(
        paths=tuple(files),
        symbols=names_in(symbols),
        speed=_speed(speed),
        seconds=span(for_),
        seed=seed,
        as_json=as_json,
        screen=not no_ui and can_show(),
        config=config,
    )
    raise typer.Exit(rematch(wish))


def _speed(text: str) -> float:
    """Raises typer's error where it is neither a number in range nor `max`."""
    if text.lower() == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0.1 <= speed <= 100:
        raise typer.BadParameter(f"expected 0.1 to 100, or max, found {text!r}", param_hint="--speed")
    return speed


def _check(file: Path, *, as_json: bool) -> None:
    """Decide it again, say how it went; raises typer.Exit with 1 at a difference."""
    import msgspec

    from breakwall.engine.core import Core
    from breakwall.replay.recheck import recheck

    verdict = recheck(file, Core, BybitFrames())
    if as_json:
        print(msgspec.json.encode({"equal": verdict.equal, **msgspec.structs.asdict(verdict)}).decode())
    else:
        print(f"{file}: {verdict.events} events, {verdict.actions} actions, digest {verdict.digest[:16]}")
        if verdict.note:
            print(f"note: {verdict.note}; compared up to there")
    if verdict.difference is None:
        if not as_json:
            print("equal: every action was decided again as recorded")
        return
    if not as_json:
        where = f"event {verdict.difference.seq} ({verdict.difference.event}), action {verdict.difference.number}"
        print(f"different at {where}")
        print(f"  recorded: {verdict.difference.recorded}")
        print(f"  decided:  {verdict.difference.decided}")
    raise typer.Exit(1)
