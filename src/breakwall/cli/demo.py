"""`breakwall demo`: the whole program on the embedded exchange, with no account and no internet."""

from pathlib import Path
from typing import Annotated

import typer

from breakwall.cli.options import ForOption, LoopOption, ReceiptOption, RecordingOption, span
from breakwall.cli.trading import Asked, trade

SCENARIOS = ("tour", "calm", "breakout", "bounce", "spoof")
CRISES = ("flash-crash", "wall-pulled", "disconnect", "partial-fill", "liquidation", "stop-rejected", "lost-ack")
PLAYED = (*SCENARIOS, *CRISES)
"""What an exchange plays; named here, so that nobody waits for a market to be loaded."""
ScenarioOption = Annotated[
    str, typer.Option(help=f"what the market plays: {', '.join(SCENARIOS)}; or a crisis: {', '.join(CRISES)}")
]
_AFTERWARDS_S = 1.5
"""A recording begins when the engine has subscribed; its end is not to be taken for silence."""

USUAL = 4
"""Contracts that the embedded exchange lists where nobody asks for more: those with real namesakes."""


def demo(
    scenario: ScenarioOption = "tour",
    seed: Annotated[int | None, typer.Option(help="the market's seed; the same seed is the same market")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="plain lines, no screen")] = False,
    for_: ForOption = None,
    as_json: ReceiptOption = False,
    safe: Annotated[bool, typer.Option("--safe", help="start SAFE: nothing is opened until you arm")] = False,
    config: Annotated[Path | None, typer.Option(help="settings file; defaults where absent")] = None,
    state: Annotated[Path | None, typer.Option(help="run folder to use again; a fresh one where absent")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="no terminal: draw the screen, and write it to this SVG when --for is over")
    ] = None,
    size: Annotated[str, typer.Option(metavar="COLUMNSxROWS", help="of the picture")] = "160x48",
    *,
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="what goes wrong at the exchange, TOML or JSON: docs/faults.md"),
    ] = None,
    recording: RecordingOption = None,
    loop: LoopOption = False,
    markets: Annotated[
        int,
        typer.Option(
            min=USUAL, max=1000, help="how many contracts the exchange lists; the screener follows the movers"
        ),
    ] = USUAL,
) -> None:
    """Trade the embedded exchange (badge SIM): no account, no internet, no money."""
    check_played(scenario, recording)
    if faults is not None:
        _check(faults)
    seconds = span(for_)
    if picture is not None and (seconds is None or no_ui):
        raise typer.BadParameter("expected --for with it, and no --no-ui", param_hint="--picture")
    asked = Asked(seconds, as_json, no_ui, safe, picture, _size_of(size))
    if recording:
        raise typer.Exit(
            _run_recording(asked, tuple(recording), loop=loop, config=config, state=state, faults=faults)
        )
    listed = 0 if markets == USUAL else markets
    raise typer.Exit(
        run_demo(asked, scenario=scenario, seed=seed, config=config, state=state, faults=faults, listed=listed)
    )


def check_played(scenario: str, recording: list[Path] | None) -> None:
    """Raises typer's error where there is no such scenario, or a recording is to be played as well."""
    if scenario not in PLAYED:
        raise typer.BadParameter(f"expected one of {', '.join(PLAYED)}, found {scenario!r}", param_hint="--scenario")
    if recording and scenario != SCENARIOS[0]:
        raise typer.BadParameter("expected one of the two, found both", param_hint="--scenario, --recording")


def _check(faults: Path) -> None:
    """What the exchange would refuse is better refused here. Raises VenueError."""
    from breakwall.ports import VenueError
    from breakwall.venues.exchange.forecast import ForecastError, forecast_of_file

    try:
        forecast_of_file(faults)
    except ForecastError as error:
        raise VenueError(str(error), code=2) from error


def _size_of(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if not (columns.isdecimal() and rows.isdecimal() and 20 <= int(columns) <= 500 and 5 <= int(rows) <= 200):
        raise typer.BadParameter(f"expected a size such as 160x48, found {text!r}", param_hint="--size")
    return int(columns), int(rows)


def run_demo(
    asked: Asked,
    *,
    scenario: str = "tour",
    seed: int | None = None,
    config: Path | None = None,
    state: Path | None = None,
    faults: Path | None = None,
    listed: int = 0,
) -> int:
    """Run it and print the receipt; returns the exit code. `seed` None: any, or that of an exchange still alive.

    Where more contracts are `listed` than the usual ones, the screener chooses among them, whatever the settings say.
    """
    from breakwall.cli import runplace
    from breakwall.cli.config import load_checked

    market = runplace.Market(scenario, seed, faults, listed=listed)
    settings = load_checked(config)
    if listed:
        screener = settings.screener.model_copy(update={"enabled": True})
        settings = settings.model_copy(update={"screener": screener})
    return trade(asked, settings, lambda: runplace.find(market, state))


def _run_recording(
    asked: Asked, paths: tuple[Path, ...], *, loop: bool, config: Path | None, state: Path | None, faults: Path | None
) -> int:
    """The demo on the market of a recording: its symbols, its books as deep as they are.

    Without a screen it ends with the recording; on a screen the market stands still then, for whoever looks at it.
    """
    from math import inf

    from msgspec.structs import replace

    from breakwall.cli import runplace
    from breakwall.cli.config import load_checked
    from breakwall.replay.contents import contents
    from breakwall.replay.player import served_depth
    from breakwall.settings import Settings

    found = contents(paths)
    settings = load_checked(config).model_dump(by_alias=True)
    settings |= {"symbols": found.symbols, "disabled": [one for one in settings["disabled"] if one in found.symbols]}
    settings["venue"] |= {"depth": min(200, served_depth(found))}
    if asked.no_ui and not loop:
        asked = replace(asked, seconds=min(asked.seconds or inf, found.seconds + _AFTERWARDS_S))
    names = ", ".join(path.name for path in paths)
    end = "then it begins again" if loop else "then the market stands still"
    notes = (*found.notes, f"the recording lasts {found.seconds:.0f} s, {end}")
    market = runplace.Market(
        f"recording {names}", 0, faults, tuple(map(Path.absolute, paths)), loop, notes, found.seconds
    )
    return trade(asked, Settings.model_validate(settings), lambda: runplace.find(market, state))
