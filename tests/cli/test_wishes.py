"""Wishes in a run's folder: heard once, answered in the engine's words, and never at another moment."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from msgspec import json, structs

from breakwall.cli.tell import tell
from breakwall.cli.wishes import FRESH_MS, WORDS, Ear, Wish, answer_to, leave
from breakwall.model.events import CommandKind
from breakwall.model.view import Counters, LogLine, View

NOTHING = Decimal(0)
VIEW = View(50_000, "SIM", "ACTIVE", "", True, False, NOTHING, NOTHING, (), (), (), Counters())
ARM = Wish(os.getpid(), 49_000, CommandKind.ARM)


def line(number: int, text: str) -> LogLine:
    return LogLine(number, 50_000, "info", "", text, "")


def test_a_wish_is_heard_once_and_answered_in_the_engines_words(tmp_path: Path) -> None:
    path, ear = leave(tmp_path, structs.replace(ARM, symbol="SOLUSDT")), Ear(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = structs.replace(VIEW, log=(line(1, "arm: ARMED already"),))
    (command,) = ear.listen(before)
    assert (command.kind, command.symbol, command.who) == (CommandKind.ARM, "SOLUSDT", "breakwall tell")
    assert ear.listen(before) == []
    assert not path.exists()
    assert not answer_to(path).exists()
    said = (line(1, "arm: ARMED already"), line(2, "disarm: SAFE"), line(3, "arm: ARMED; no entries yet"))
    ear.listen(structs.replace(VIEW, log=said))
    assert answer_to(path).read_text() == "arm: ARMED; no entries yet"


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (structs.replace(ARM, pid=os.getpid() + 1), "meant for another moment"),
        (structs.replace(ARM, at_ms=50_000 - FRESH_MS - 1), "meant for another moment"),
        (structs.replace(ARM, kind=CommandKind.STOP), "stop is not asked in this way"),
        (structs.replace(ARM, kind=CommandKind.PANIC), "panic is not asked in this way"),
    ],
)
def test_a_wish_for_another_moment_or_of_another_kind_is_not_heard(tmp_path: Path, wish: Wish, why: str) -> None:
    path = leave(tmp_path, wish)
    assert Ear(tmp_path).listen(VIEW) == []
    assert not path.exists()
    assert why in answer_to(path).read_text()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]", b'{"pid":1,"at_ms":1,"kind":"arm","who":"me"}'])
def test_what_is_no_wish_is_put_away(tmp_path: Path, content: bytes) -> None:
    path = leave(tmp_path, ARM)
    path.write_bytes(content)
    assert Ear(tmp_path).listen(VIEW) == []
    assert "it is no wish" in answer_to(path).read_text()


def test_what_others_could_have_written_or_pointed_to_is_not_heard(tmp_path: Path) -> None:
    open_to_all, link = leave(tmp_path, ARM), leave(tmp_path, ARM)
    open_to_all.chmod(0o666)
    link.unlink()
    (tmp_path / "elsewhere").write_bytes(json.encode(ARM))
    link.symlink_to(tmp_path / "elsewhere")
    (open_to_all.parent / "stray").write_bytes(json.encode(ARM))
    assert Ear(tmp_path).listen(VIEW) == []
    assert "others could have written it" in answer_to(open_to_all).read_text()
    assert "cannot be read" in answer_to(link).read_text()


def test_every_word_but_panic_and_those_of_the_process_may_be_said(tmp_path: Path) -> None:
    assert set(CommandKind) - set(WORDS) == {CommandKind.PANIC, CommandKind.HALT, CommandKind.STOP}
    for kind in WORDS:
        leave(tmp_path, structs.replace(ARM, kind=kind))
    assert {command.kind for command in Ear(tmp_path).listen(VIEW)} == set(WORDS)


@pytest.mark.parametrize("word", ["arm", "disarm", "reconcile", "reset-api"])
def test_a_word_for_all_markets_takes_no_symbol(tmp_path: Path, word: str) -> None:
    with pytest.raises(typer.BadParameter, match="holds for all markets; leave out 'BTCUSDT'"):
        tell(word, "BTCUSDT", tmp_path)
