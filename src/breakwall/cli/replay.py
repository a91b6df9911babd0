"""`breakwall replay`: a recorded run, decided again."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a recording made by Breakwall")],
    check: Annotated[bool, typer.Option("--check", help="decide it again and compare every action")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the verdict as one JSON line")] = False,
) -> None:
    """Decide a recorded run again: equal events must give equal actions.

    Exit code 0 where all actions are equal, 1 at the first difference.
    """
    if not check:
        raise typer.BadParameter(
            "expected in this release, which decides a recording again; matching one anew comes with a later release",
            param_hint="--check",
        )
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
