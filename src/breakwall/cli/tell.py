"""`breakwall tell`: what the keys say, to a run that has none."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.cli.options import ConfigOption, StateOption
from breakwall.exit_codes import DONE, REFUSED, UNREACHABLE

if TYPE_CHECKING:
    from breakwall.model.events import CommandKind

_PATIENCE_S = 10.0
_LOOK_S = 0.05


def tell(
    word: Annotated[str, typer.Argument(metavar="WORD", help="what is asked, such as arm")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="one market; all where absent")] = "",
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Ask a living run for what its keys do, and print its answer.

    WORD is arm, disarm, pause, resume, flatten, cancel, breakeven, reconcile, reset-breaker or reset-api. It
    goes into the audit as a key would.

    Exit codes: 0 answered, 6 not heard, 3 nobody lives there or none answered.
    """
    import asyncio

    from breakwall.cli.books_place import run_folder
    from breakwall.cli.wishes import OF_ALL, WORDS
    from breakwall.mistakes import nearest_name
    from breakwall.model.events import CommandKind

    words = [kind.value for kind in WORDS]
    if word not in words:
        raise typer.BadParameter(f"no such word: {word!r}; {nearest_name(word, words)}", param_hint="WORD")
    if symbol and CommandKind(word) in OF_ALL:
        raise typer.BadParameter(f"{word} holds for all markets; leave out {symbol!r}", param_hint="SYMBOL")
    answer, code = asyncio.run(_tell(run_folder(state, config), CommandKind(word), symbol.upper()))
    print(answer)
    raise typer.Exit(code)


async def _tell(folder: Path, kind: "CommandKind", symbol: str) -> tuple[str, int]:
    """The answer, and the exit code."""
    import contextlib

    from breakwall import heartbeat
    from breakwall.cli.wishes import Wish, answer_to, leave
    from breakwall.clock import SystemClock
    from breakwall.places import HEARTBEAT_FILE

    beat = heartbeat.read(folder / HEARTBEAT_FILE)
    if beat is None or beat.ended or not _lives(beat.pid):
        return f"{folder}: expected a run that is alive, found none; nothing was asked", UNREACHABLE
    wish = leave(folder, Wish(beat.pid, beat.at_ms, kind, symbol))
    clock, answer = SystemClock(), answer_to(wish)
    until_ms = clock.now_ms() + int(_PATIENCE_S * 1000)
    while clock.now_ms() < until_ms:
        await clock.sleep(_LOOK_S)
        with contextlib.suppress(OSError):
            said = answer.read_text(encoding="utf-8")
            answer.unlink()
            return f"{beat.mode}: {said}", REFUSED if said.startswith("not heard") else DONE
    if wish.exists():
        wish.unlink(missing_ok=True)
        return (
            f"process {beat.pid} does not listen: nothing was asked. `breakwall panic` needs no answer",
            UNREACHABLE,
        )
    return f"process {beat.pid} has heard it, and has not answered: look at its log", UNREACHABLE


def _lives(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except OSError:  # gone, or another user's by now
        return False
    return True
