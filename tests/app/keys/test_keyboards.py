"""Every key of the table works with a Russian and a Thai keyboard: checked on the bytes a terminal sends."""

import string

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from breakwall.app.keys.acts import ACTS
from breakwall.app.keys.keyboards import LAYOUTS, elsewhere
from breakwall.app.keys.keymap import Keymap, name_of


def parsed(text: str) -> list[str]:
    """The names under which Textual reports what a terminal sends when these characters are typed."""
    return [event.key for event in XTermParser().feed(text) if isinstance(event, Key)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_has_every_key_of_a_us_keyboard(layout: str) -> None:
    assert set(LAYOUTS[layout]) == set(string.printable) - set(string.whitespace)


@pytest.mark.parametrize(
    ("key", "others"),
    [
        ("x", {"ч", "ป"}),
        ("X", {"Ч", ")"}),
        ("[", {"\N{CYRILLIC SMALL LETTER HA}", "บ"}),
        ("<", {"Б", "ฒ"}),
        ("/", {".", "ฝ"}),
        ("0", {"จ"}),
        ("g t", {"п \N{CYRILLIC SMALL LETTER IE}", "เ ะ"}),
        ("f9", set()),
        ("ctrl+q", set()),
    ],
)
def test_keys_keep_their_place(key: str, others: set[str]) -> None:
    assert set(elsewhere(key)) == {other.replace("ะ", LAYOUTS["Thai"]["t"]) for other in others}


@pytest.mark.parametrize(
    "character", sorted({*string.printable[:94], *"".join(map("".join, map(dict.values, LAYOUTS.values())))})
)
def test_names_are_those_that_textual_reports(character: str) -> None:
    assert parsed(character) == [name_of(character)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_character_of_the_table_works_on_other_keyboards(layout: str) -> None:
    keymap = Keymap()
    missed = []
    for act in ACTS:
        for key in act.keys:
            other = " ".join(LAYOUTS[layout].get(part, part) for part in key.split(" "))
            name = " ".join(parsed(part)[0] for part in other.split(" ")) if len(key.split(" ")[0]) == 1 else key
            found = keymap.act(name)
            if found is not act and not (act.trades and other.isascii()):
                missed.append((act.id, key, other, found))
    assert missed == []


def test_an_alias_never_takes_a_key_that_means_something() -> None:
    for key in [key for act in ACTS for key in act.keys]:
        found = Keymap().act(name_of(key))
        assert found is not None
        assert key in found.keys


def test_ascii_characters_of_other_keyboards_never_trade() -> None:
    """On a US keyboard `)` is not the key under `s`: it must not panic because it is on a Thai one."""
    keymap = Keymap()
    written = {key for act in ACTS for key in act.keys}
    trading = [
        key
        for key in string.printable[:94]
        if (act := keymap.act(name_of(key))) and act.trades and key not in written
    ]
    assert trading == []


def test_own_keys_work_on_other_keyboards_too() -> None:
    keymap = Keymap({"flatten": "k", "recentre": "ctrl+r"})
    for character in ("k", LAYOUTS["Russian"]["k"], LAYOUTS["Thai"]["k"]):
        found = keymap.act(parsed(character)[0])
        assert found is not None
        assert found.id == "flatten"
    assert keymap.act(parsed(LAYOUTS["Russian"]["x"])[0]) is None
