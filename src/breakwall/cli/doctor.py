"""`breakwall doctor`: machine, exchange, key and account looked at before anything is traded; nothing is changed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakwall.cli.options import ConfigOption, JsonOption
from breakwall.exit_codes import DONE, REFUSED, UNREACHABLE

if TYPE_CHECKING:
    from breakwall.doctor.examination import Examination
    from breakwall.doctor.finding import Finding
    from breakwall.settings import Settings
    from breakwall.venues.bybit.endpoints import Urls

_POINT = 18
_INDENT = " " * 6
_LEAST_COLUMNS = 40
_INK = {"pass": "green", "warn": "yellow", "fail": "red", "skip": "bright_black"}


def doctor(
    config: ConfigOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="judge as `run --live` does: what cannot be looked at is a fault")
    ] = False,
    env_file: Annotated[Path | None, typer.Option(metavar="FILE", help="a private file with the key")] = None,
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="the run folder that is meant")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at everything that a run depends on: exchange, clock, key, account, markets, disk, terminal.

    Exit codes: 0 nothing forbids trading, 6 something does, 3 the exchange is not reached.
    """
    import asyncio

    from breakwall.cli.config import load_checked

    settings = load_checked(config)
    seen = asyncio.run(_examine(settings, str(config or "the default settings"), env_file, state, live=live))
    faults = seen.faults(strict=live)
    _print(seen, faults, as_json=as_json)
    raise typer.Exit(UNREACHABLE if not seen.reached else REFUSED if faults else DONE)


async def _examine(
    settings: "Settings", source: str, env_file: Path | None, state: Path | None, *, live: bool
) -> "Examination":
    """Whatever is wrong is a finding: the doctor itself does not fail."""
    from breakwall.cli.guard import guard
    from breakwall.config import ConfigError
    from breakwall.doctor import examination
    from breakwall.doctor.examination import Examination
    from breakwall.doctor.finding import bad, good, skipped
    from breakwall.places import state_folder
    from breakwall.ports import VenueError
    from breakwall.venues.bybit.hosts import checked

    machine = examination.of_machine(settings, os.environ, state or state_folder())
    said = f'mode = "{settings.mode}", environment = "{settings.venue.environment}" in {source}'
    if settings.mode == "demo" and not live:
        return Examination((good("settings", said), *machine, skipped("exchange", "a demo needs none of Bybit's")))
    try:
        guard(settings, live=live or settings.mode == "live", source=source)
        urls = checked(settings.venue)
    except (ConfigError, VenueError) as error:
        return Examination((bad("settings", str(error), ""), *machine))
    of_keys, of_venue = await _ask(settings, urls, env_file)
    seen = of_venue.findings
    if settings.mode == "paper":
        seen = tuple(finding for finding in seen if finding.point != "account")
        seen = (*seen, good("account", "on paper: no key is needed"))
    findings = (good("settings", said), *machine, *of_keys, *seen)
    return Examination(findings, of_venue.account, of_venue.reached)


async def _ask(
    settings: "Settings", urls: "Urls", env_file: Path | None
) -> tuple[tuple["Finding", ...], "Examination"]:
    """What is wrong with the keys, if anything, and what the exchange says."""
    from breakwall.cli.account import environment_of, keys_for
    from breakwall.clock import SystemClock
    from breakwall.doctor import examination
    from breakwall.doctor.finding import bad
    from breakwall.keys import KeysError, are_set, names_for
    from breakwall.venues.transport import AiohttpTransport

    keys = None
    faults: tuple[Finding, ...] = ()
    try:
        if settings.mode == "live" and (env_file or settings.venue.key_file or are_set(names_for(urls.rest))):
            keys = keys_for(settings, urls, env_file)
    except KeysError as error:
        faults = (bad("key from", str(error), ""),)
    transport = AiohttpTransport()
    try:
        environment = environment_of(settings)
        return faults, await examination.of_venue(settings, urls, keys, environment, SystemClock(), transport)
    finally:
        await transport.close()


def _print(seen: "Examination", faults: tuple["Finding", ...], *, as_json: bool) -> None:
    import shutil

    import msgspec

    from breakwall.doctor.finding import Verdict

    if as_json:
        told = {"passed": not faults, "reached": seen.reached, "account": seen.account, "findings": seen.findings}
        print(msgspec.json.encode(told).decode())
        return
    columns = max(shutil.get_terminal_size().columns, _LEAST_COLUMNS)
    for finding in seen.findings:
        print("\n".join(rows(finding, columns, inked=_has_ink())))
    unseen = sum(finding.verdict is Verdict.SKIP for finding in seen.findings)
    verdict = "nothing is traded so" if faults else "nothing found forbids trading"
    print(f"faults {len(faults)}, warnings {len(seen.warnings)}, not looked at {unseen}: {verdict}")


def rows(finding: "Finding", columns: int, *, inked: bool = False) -> list[str]:
    """Verdict, point and what was found, below it the remedy; no line is wider than `columns`."""
    import textwrap

    room = columns - len(_INDENT) - _POINT
    found = textwrap.wrap(finding.found, room) or [""]
    remedy = textwrap.wrap(finding.remedy, room - 3)
    verdict = finding.verdict.value
    word = f"{verdict.upper():6}"
    head = f"{typer.style(word, fg=_INK[verdict]) if inked else word}{finding.point:{_POINT}}{found[0]}"
    below = [f"{'':{_POINT}}{line}" for line in found[1:]]
    below += [f"{'':{_POINT}}{'-> ' if number == 0 else '   '}{line}" for number, line in enumerate(remedy)]
    return [head, *(_INDENT + line for line in below)]


def _has_ink() -> bool:
    import sys

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
