"""The live guard: real money needs both words, and no other arrangement may be taken for another."""

import pytest

from breakwall.cli.guard import guard
from breakwall.config import ConfigError
from breakwall.ports import VenueError
from breakwall.settings import Settings


def asked(mode: str, environment: str, *, live: bool) -> None:
    settings = Settings.model_validate({"mode": mode, "venue": {"environment": environment}})
    guard(settings, live=live, source="my.toml")


@pytest.mark.parametrize(
    ("mode", "environment", "live"),
    [
        ("live", "mainnet", True),
        ("live", "testnet", False),
        ("live", "testnet", True),
        ("live", "demo", False),
        ("paper", "mainnet", False),
        ("paper", "testnet", False),
    ],
)
def test_what_is_meant_is_let_pass(mode: str, environment: str, live: bool) -> None:
    asked(mode, environment, live=live)


@pytest.mark.parametrize(
    ("mode", "environment", "live", "words"),
    [
        ("live", "mainnet", False, "expected --live with it, found none"),
        ("paper", "mainnet", True, 'expected mode = "live" in my.toml, found mode = "paper"'),
    ],
)
def test_what_does_not_agree_is_refused(mode: str, environment: str, live: bool, words: str) -> None:
    with pytest.raises(VenueError, match=words) as caught:
        asked(mode, environment, live=live)
    assert caught.value.code == 6


@pytest.mark.parametrize("live", [False, True])
def test_the_demo_is_another_command(live: bool) -> None:
    with pytest.raises(ConfigError, match=r"my\.toml: .*`breakwall demo` does that"):
        asked("demo", "mainnet", live=live)
