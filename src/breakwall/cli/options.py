"""Options that mean the same in each command that has them, and how they are read."""

from pathlib import Path
from typing import Annotated

import typer

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="the run folder; where absent the newest of what --config speaks of: a demo or an account",
    ),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="the settings file")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object")]
ReceiptOption = Annotated[bool, typer.Option("--json", help="print the receipt as one JSON line on stdout")]
ForOption = Annotated[str | None, typer.Option("--for", metavar="SPAN", help="how long: 90s, 5m, 1h")]
RecordingOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="the market of a recording, instead of a played one; again for more files"),
]
LoopOption = Annotated[bool, typer.Option("--loop", help="begin the recording again at its end")]


def span(text: str | None) -> float | None:
    """Seconds of `--for`; raises typer's error where it is none."""
    from breakwall.spans import seconds_of

    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error


def names_in(text: str) -> tuple[str, ...]:
    """The symbols that are joined by commas."""
    return tuple(filter(None, map(str.strip, text.upper().split(","))))
