"""Whose account `run` trades, from settings and keys alone: before anybody is asked."""

from pathlib import Path

import pytest
import typer

from breakwall.cli.account import BADGES, where
from breakwall.cli.run import _with_symbols
from breakwall.keys import LIVE, LOOPBACK, KeysError, environment_of
from breakwall.ports import VenueError
from breakwall.settings import Settings

HERE = {"rest_url": "http://127.0.0.1:9", "public_url": "ws://127.0.0.1:9/a", "private_url": "ws://127.0.0.1:9/b"}


@pytest.fixture(autouse=True)
def nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*LIVE, *LOOPBACK, "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def settings(**venue: str) -> Settings:
    return Settings.model_validate({"mode": "live", "venue": venue})


def env_file(folder: Path, names: tuple[str, str]) -> Path:
    path = folder / "keys.env"
    path.write_text(f"{names[0]}=account-key-1\n{names[1]}=account-secret-1\n")
    path.chmod(0o600)
    return path


def test_keys_of_bybit_go_to_bybit_and_those_of_this_machine_stay_here(tmp_path: Path) -> None:
    found = where(settings(), env_file(tmp_path, LIVE))
    assert (found.environment, found.urls.rest) == ("testnet", "https://api-testnet.bybit.com")
    found = where(settings(environment="mainnet", **HERE), env_file(tmp_path, LOOPBACK))
    assert (found.environment, BADGES[found.environment]) == ("embedded", "SIM")
    assert "account-" not in repr(found)


def test_a_live_key_in_a_file_is_not_for_this_machine(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="a live key is never sent to a process on this machine") as caught:
        where(settings(**HERE), env_file(tmp_path, LIVE))
    assert caught.value.code == 6


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = env_file(tmp_path, LIVE)
    path.chmod(0o640)
    with pytest.raises(KeysError, match="expected mode 0600") as caught:
        where(settings(key_file=str(path)), None)
    assert caught.value.code == 6


def test_the_addresses_are_looked_at_before_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYBIT_API_KEY", "account-key-2")
    with pytest.raises(VenueError, match="which leads to mainnet"):
        where(settings(rest_url="https://api.bybit.com"), None)


@pytest.mark.parametrize(
    ("mode", "environment", "url", "name"),
    [
        ("live", "mainnet", "", "mainnet"),
        ("live", "mainnet", "https://api.bybit.nl", "mainnet"),
        ("live", "mainnet", "http://127.0.0.1:9", "embedded"),
        ("live", "mainnet", "http://127.0.0.1:9/proxy", "embedded"),
        ("paper", "mainnet", "http://127.0.0.1:9", "paper"),
        ("demo", "testnet", "", ""),
    ],
)
def test_whose_books_settings_speak_of(mode: str, environment: str, url: str, name: str) -> None:
    assert environment_of(mode, environment, url) == name


def test_every_environment_has_a_badge_and_one_is_live() -> None:
    assert [name for name, badge in BADGES.items() if badge.endswith("LIVE")] == ["mainnet"]


def test_markets_of_the_command_line_take_the_place_of_those_of_the_settings() -> None:
    before = Settings.model_validate({"symbols": ["BTCUSDT", "ETHUSDT"], "disabled": ["ETHUSDT"]})
    assert _with_symbols(before, "") is before
    after = _with_symbols(before, "ethusdt, XRPUSDT,")
    assert (after.symbols, after.disabled) == (("ETHUSDT", "XRPUSDT"), ("ETHUSDT",))
    assert _with_symbols(before, "XRPUSDT").disabled == ()


@pytest.mark.parametrize("names", [",", "BTC/USDT", "BTCUSDT,BTCUSDT", "\x1b[31m"])
def test_markets_that_cannot_be_are_refused(names: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        _with_symbols(Settings(), names)
    assert "\x1b" not in str(caught.value)
