"""Dialogs as plain text and keys, without a screen."""

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from breakwall.app.dialogs.dialog import CLOSE, Choice
from breakwall.app.dialogs.finder import Entry, Finder, matching, palette, symbols
from breakwall.app.dialogs.help import Help
from breakwall.app.dialogs.leave import Leave
from breakwall.app.keys.acts import ACTS
from breakwall.app.keys.keyboards import on_us
from breakwall.app.keys.keymap import Keymap
from breakwall.app.rows.figures import UNKNOWN
from breakwall.app.rows.row import Row, width_of
from breakwall.model.view import View

Plain = Callable[[Sequence[Row]], str]
NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def all_lines(dialog: Help, plain: Plain, width: int = 100) -> str:
    return plain(dialog.lines(None, width, 500))


def test_help_has_every_key_in_its_group(plain: Plain) -> None:
    text = all_lines(Help(Keymap({"flatten": ["k", "f5"]})), plain)
    for act in ACTS:
        assert act.help in text
    assert "  k F5 Enter        flatten the symbol" in text
    assert text.index("SAFETY") < text.index("TRADING") < text.index("PICTURE") < text.index("WHAT IT MEANS")


def test_help_scrolls_to_its_end_and_not_beyond(plain: Plain) -> None:
    dialog = Help(Keymap())
    first = plain(dialog.lines(None, 80, 20))
    for _ in range(100):
        dialog.press("pagedown", None)
    last = plain(dialog.lines(None, 80, 20))
    assert "PANIC" in first
    assert "nothing is opened" in last
    dialog.press("home", None)
    assert plain(dialog.lines(None, 80, 20)) == first


@pytest.mark.parametrize("key", ["escape", "enter", "f1", "question_mark"])
def test_help_is_closed_as_it_was_opened(key: str) -> None:
    assert Help(Keymap()).press(key, None) is CLOSE


def test_leaving_lists_positions_with_their_stops(view: View, plain: Plain) -> None:
    said = plain(Leave().lines(view, 84, 30)).splitlines()
    assert said[1].split() == [
        "ETHUSDT",
        "SHORT",
        "0.5",
        "stop",
        UNKNOWN,
        "NO",
        "STOP",
        "1.7s",
        "CLOSING:",
        "no",
        "stop",
        "after",
        "2",
        "s",
    ]
    assert said[2].split() == ["BTCUSDT", "LONG", "0.021", "stop", "63980.0", "PROTECTED", "✓", "1.8s"]
    text = "\n".join(said)
    assert "! NO STOP on the exchange, nothing protects it without us: ETHUSDT" in text
    assert "2 resting entries are cancelled in any case" in text
    assert [line[:5] for line in said[4:7]] == [" 1   ", " 2 ! ", " 3 ! "]


def test_leaving_with_old_proofs_warns_in_words(view: View, plain: Plain) -> None:
    old = replace(view.positions[0], proof_age_ms=60_000)
    said = plain(Leave().lines(replace(view, positions=(old,), orders=view.orders[:1]), 84, 30))
    assert "! stop not read back lately, wait or choose 1: BTCUSDT" in said
    assert "1 resting entry is cancelled in any case" in said


def test_leaving_flat_warns_of_nothing(view: View, plain: Plain) -> None:
    said = plain(Leave().lines(replace(view, positions=(), orders=()), 84, 30))
    assert "flat: no position is held" in said
    assert "!" not in said


def test_leaving_before_the_engine_is_up(plain: Plain) -> None:
    assert "what is held is not known yet" in plain(Leave().lines(None, 84, 30))


def test_leaving_with_many_positions_keeps_its_choices_in_sight(view: View, plain: Plain) -> None:
    many = tuple(replace(view.positions[0], symbol=f"S{number}USDT") for number in range(30))
    said = plain(Leave().lines(replace(view, positions=many), 80, 21))
    assert len(said.splitlines()) <= 21
    for words in (" 1   flatten and quit", " 2   quit", " 3   send the screen away", "Esc  stay", "and 18 more"):
        assert words in said


def test_leaving_needs_a_choice() -> None:
    dialog = Leave()
    assert dialog.press("enter", "\r") is None
    assert dialog.press("x", "x") is None
    assert dialog.press("escape", "\x1b") is CLOSE
    assert [dialog.press(key, key) for key in "123"] == [
        Choice("leave", "flatten"),
        Choice("leave", "keep"),
        Choice("leave", "headless"),
    ]
    dialog.press("up", None)
    assert dialog.press("enter", "\r") == Choice("leave", "headless")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["flatten: the symbol", "symbol: BTCUSDT", "theme: harbor"]),
        ("btc", ["symbol: BTCUSDT"]),
        ("SYM fla", ["flatten: the symbol"]),
        ("\N{CYRILLIC SMALL LETTER I}\N{CYRILLIC SMALL LETTER IE}\N{CYRILLIC SMALL LETTER ES}", ["symbol: BTCUSDT"]),
        ("[red]", []),
    ],
)
def test_names_are_found_by_their_words(text: str, names: list[str]) -> None:
    entries = [Entry(name, "", CLOSE) for name in ("flatten: the symbol", "symbol: BTCUSDT", "theme: harbor")]
    assert [entry.name for entry in matching(entries, text)] == names


def test_text_typed_on_another_layout_is_read() -> None:
    assert on_us("\N{CYRILLIC SMALL LETTER I}\N{CYRILLIC SMALL LETTER IE}c1[") == "btc1["


def test_the_finder_chooses_what_is_seen(view: View, plain: Plain) -> None:
    finder = Finder("SYMBOL", symbols(NAMES))
    assert "SOLUSDT" in plain(finder.lines(view, 76, 20))
    finder.press("down", None)
    assert finder.press("enter", "\r") == Choice("symbol", "ETHUSDT")
    finder.press("s", "s")
    assert finder.press("enter", "\r") is None  # nothing of it has been seen yet
    finder.press("o", "o")
    assert "> so▏" in plain(finder.lines(view, 76, 20))
    assert finder.press("enter", "\r") == Choice("symbol", "SOLUSDT")
    finder.press("backspace", "\x7f")
    finder.paste("x\x1b[31m\nsecond line")
    assert "> sx[31m▏" in plain(finder.lines(view, 76, 20))
    assert "nothing has that name" in plain(finder.lines(view, 76, 20))
    assert finder.press("escape", None) is CLOSE


def test_the_palette_offers_everything(view: View) -> None:
    offered = {entry.choice for entry in palette(Keymap(), NAMES, ["midnight", "harbor"])(view)}
    assert {Choice("act", act.id) for act in ACTS if act.trades} <= offered
    assert {
        Choice("theme", "harbor"),
        Choice("time", "250"),
        Choice("symbol", "SOLUSDT"),
        Choice("picture"),
    } <= offered


@pytest.mark.parametrize(("width", "height"), [(60, 10), (80, 21), (100, 57)])
def test_dialogs_keep_to_their_place(view: View, width: int, height: int) -> None:
    for dialog in (Help(Keymap()), Leave(), Finder("PALETTE", palette(Keymap(), NAMES, ["midnight"]))):
        rows = dialog.lines(view, width, height)
        assert len(rows) <= height
        assert {width_of(row) for row in rows} == {width}
