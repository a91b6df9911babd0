"""Which exchange panic goes to: never another one than was meant."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakwall.panic.target import Target, TargetError, Wanted, find, leave_mark
from breakwall.places import account_folder, mark_of_panic, state_folder
from breakwall.redaction import redact


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def live_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYBIT_API_KEY", "live-key")
    monkeypatch.setenv("BYBIT_API_SECRET", "live-secret")


def demo(folder: Path, port: int, **told: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"http": f"http://127.0.0.1:{port}", "api_key": f"key-{folder.name}", "api_secret": "secret"}
    (folder / "exchange.json").write_text(json.dumps(facts | told))
    return folder


def where(found: tuple[Target, ...]) -> list[tuple[str, str]]:
    return [(target.environment, target.keys.key.reveal()) for target in found]


def test_a_run_folder_is_that_demo_and_nothing_else(home: Path, live_key: None, port: int) -> None:
    assert where(find(Wanted(state=demo(home / "run", port)))) == [("embedded", "key-run")]
    over = demo(home / "over", 9)
    with pytest.raises(TargetError, match="this demo is over") as caught:
        find(Wanted(state=over))
    assert caught.value.code == 3
    with pytest.raises(TargetError, match="name the exchange with --environment"):
        find(Wanted(state=home / "empty"))
    assert "BYBIT_API_KEY" in os.environ


@pytest.mark.parametrize(
    "told", [{"http": "https://evil.example"}, {"http": 7}, {"api_key": None}, {"api_secret": ["x"]}]
)
def test_a_spoilt_run_folder_is_refused(home: Path, port: int, told: dict[str, object]) -> None:
    with pytest.raises(TargetError, match="expected an exchange on this machine") as caught:
        find(Wanted(state=demo(home / "run", port, **told)))
    assert caught.value.code == 6


def test_without_a_word_and_a_key_it_is_the_newest_living_demo(home: Path, port: int) -> None:
    base = state_folder() / "demo"
    demo(base / "20260101-a", port)
    demo(base / "20260103-c", 9)
    demo(base / "20260102-b", port)
    assert where(find(Wanted())) == [("embedded", "key-20260102-b"), ("embedded", "key-20260101-a")]


def test_without_a_word_a_key_means_the_system_that_knows_it(home: Path, live_key: None, port: int) -> None:
    demo(state_folder() / "demo/run", port)
    assert where(find(Wanted())) == [(name, "live-key") for name in ("mainnet", "testnet", "demo")]
    assert "BYBIT_API_KEY" not in os.environ


def test_with_demo_a_key_does_not_matter(home: Path, live_key: None, port: int) -> None:
    demo(state_folder() / "demo/run", port)
    assert where(find(Wanted(demo=True))) == [("embedded", "key-run")]


def test_an_environment_is_only_that(live_key: None) -> None:
    (found,) = find(Wanted(environment="testnet", state=Path("anywhere")))
    assert found.url == "https://api-testnet.bybit.com"


def test_settings_name_environment_address_and_key_file(home: Path) -> None:
    (home / "my.keys").write_text("BYBIT_API_KEY=file-key\nBYBIT_API_SECRET=file-secret\n")
    (home / "my.keys").chmod(0o600)
    config = home / "my.toml"
    venue = f'[venue]\nrest_url = "https://api.bybit.nl/"\nkey_file = "{home}/my.keys"\n'
    config.write_text(f'symbols = ["X"]\n{venue}environment = "mainnet"\n')
    (found,) = find(Wanted(config=config))
    assert (found.url, found.environment, found.keys.key.reveal()) == ("https://api.bybit.nl", "mainnet", "file-key")
    config.write_text('venue = "x"')
    with pytest.raises(TargetError, match=r"expected a table \[venue\]"):
        find(Wanted(config=config))
    config.write_text(f'[venue]\nkey_file = "{home}/my.keys"\n')
    (found,) = find(Wanted(config=config))
    assert found.environment == "testnet"


def test_a_paper_account_is_never_taken_for_the_real_one_beside_it(home: Path, live_key: None) -> None:
    settings = home / "paper.toml"
    settings.write_text('mode = "paper"\n[venue]\nenvironment = "mainnet"\n')
    with pytest.raises(
        TargetError, match="its account is in the cockpit; press F9 there, or say `breakwall tell flatten`"
    ):
        find(Wanted(config=settings))


def test_the_mark_goes_to_the_account_and_to_its_run_folder(home: Path, port: int) -> None:
    (found,) = find(Wanted(state=demo(home / "run", port)))
    assert found.marks == (mark_of_panic("bybit", "embedded", "key-run"), home / "run/panic")
    assert leave_mark(found, 7, "a test\x1b[2J") == ""
    assert {json.loads(mark.read_text())["why"] for mark in found.marks} == {"a test[2J"}
    (home / "run/panic").unlink()
    (home / "run/panic").mkdir()
    assert "run/panic: " in leave_mark(found, 7, "a test")


def test_the_mark_of_an_account_goes_to_its_folder_too_unless_it_could_be_anothers(home: Path) -> None:
    """A person's panic may use another key than the cockpit of the same account."""

    def marks(**wanted: object) -> tuple[Path, ...]:
        os.environ |= {"BYBIT_API_KEY": "live-key", "BYBIT_API_SECRET": "live-secret"}
        (found,) = find(Wanted(environment="mainnet", **wanted))  # type: ignore[arg-type]
        return found.marks

    usual = mark_of_panic("bybit", "mainnet", "live-key")
    assert marks() == (usual,)
    account_folder("bybit", "testnet", "7").mkdir(parents=True)
    assert marks() == (usual,)
    folder = account_folder("bybit", "mainnet", "7")
    folder.mkdir()
    assert marks() == (usual, folder / "panic")
    account_folder("bybit", "mainnet", "8").mkdir()
    assert marks() == (usual,)
    assert marks(state=folder) == (usual, folder / "panic")


def test_no_text_of_a_target_shows_its_key(home: Path, live_key: None) -> None:
    (found,) = find(Wanted(environment="mainnet"))
    assert "live-key" not in f"{found!r} {found.words}"
    assert redact("live-secret") == "***"
