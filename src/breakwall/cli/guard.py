"""The live guard: settings and command line must both say that real money is meant."""

from breakwall.config import ConfigError
from breakwall.exit_codes import REFUSED
from breakwall.ports import VenueError
from breakwall.settings import Settings


def guard(settings: Settings, *, live: bool, source: str) -> None:
    """Whether `run` may go on to ask the exchange. Raises ConfigError, or VenueError with exit code 6.

    `live` is `--live`, `source` names the settings. On a testnet `--live` may be said, and means the doctor.
    """
    mode, environment = settings.mode, settings.venue.environment
    if mode == "demo":
        raise ConfigError(
            f'{source}: `run` trades the venue of the settings, and they say mode = "demo"; `breakwall demo` does '
            'that. Or set mode = "paper" (real prices, no orders) or mode = "live".'
        )
    if live and mode != "live":
        raise VenueError(
            f'--live: expected mode = "live" in {source}, found mode = "{mode}"; leave out --live, or set it',
            code=REFUSED,
        )
    if mode == "live" and environment == "mainnet" and not live:
        raise VenueError(
            f'{source}: mode = "live" with environment = "mainnet" trades real money; expected --live with it, found '
            'none; type it if you mean it, or set environment = "testnet" or "demo"',
            code=REFUSED,
        )
