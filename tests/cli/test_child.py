"""The account of a run folder, and what becomes of a question to its exchange."""

import asyncio
import os
import shutil
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from breakwall.cli import child
from breakwall.cli.child import ChildExchange, Life, account, look, remembered
from breakwall.cli.trading import Asked
from breakwall.storage.runs import StateError

demo = sys.modules["breakwall.cli.demo"]  # the package's own name for it is the command
BEFORE = ChildExchange("http://127.0.0.1:9", "", "", "key-of-before", "secret", 1, 1, "tour")


def remember(folder: Path, exchange: ChildExchange) -> None:
    (folder / "exchange.json").write_bytes(msgspec.json.encode(exchange))


def test_a_folder_keeps_its_account_also_without_the_file_or_in_another_place(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    name = account(one)
    (one / "account").unlink()
    assert account(one) == name
    (one / "account").write_bytes(b"\xff\n\x00")
    assert account(one) == name
    shutil.move(one, other)
    assert account(other) == name
    one.mkdir()
    (other / "account").unlink()
    assert account(other) != name


def test_the_account_is_that_of_the_exchange_that_was_traded_on(tmp_path: Path) -> None:
    account(tmp_path)
    remember(tmp_path, BEFORE)
    assert account(tmp_path) == "key-of-before"
    (tmp_path / "exchange.json").unlink()
    assert account(tmp_path) == "key-of-before"
    remember(tmp_path, msgspec.structs.replace(BEFORE, api_key="no key\0"))
    assert remembered(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / f".account.{os.getpid()}").mkdir()
    with pytest.raises(StateError, match=rf"{tmp_path}: the state folder cannot be written"):
        account(tmp_path)


def test_gone_is_told_from_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is stopped still has its port: the kernel takes the call, and nobody answers."""
    monkeypatch.setattr(child, "_ANSWER_TIMEOUT_S", 0.2)
    with socket.socket() as stopped:
        stopped.bind(("127.0.0.1", 0))
        http = f"http://127.0.0.1:{stopped.getsockname()[1]}"
        assert asyncio.run(look(msgspec.structs.replace(BEFORE, http=http))) is Life.GONE
        stopped.listen()
        assert asyncio.run(look(msgspec.structs.replace(BEFORE, http=http))) is Life.SILENT


@pytest.mark.parametrize(("listed", "words"), [(0, []), (60, ["--symbols", "60"])])
def test_it_lists_as_many_contracts_as_were_asked_for(
    tmp_path: Path, listed: int, words: list[str], monkeypatch
) -> None:
    started: list[str] = []

    async def start(*command: str, **options: object) -> None:
        started.extend(command)
        raise OSError("not here")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(OSError, match="not here"):
        asyncio.run(child.start(tmp_path, "key", seed=1, scenario="calm", linger_s=60, listed=listed))
    place = started.index("calm")
    assert [word for word in started[place + 1 :] if word != "--linger"] == words


@pytest.mark.parametrize(("listed", "follows"), [(0, False), (40, True)])
def test_a_demo_with_many_contracts_follows_the_movers(listed: int, follows: bool, monkeypatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(demo, "trade", lambda _asked, settings, _find: asked.append(settings.screener.enabled) or 0)
    assert demo.run_demo(Asked(), listed=listed) == 0
    assert asked == [follows]
