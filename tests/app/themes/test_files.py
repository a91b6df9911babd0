"""Theme files: what is wrong in one is told at once, and never stops the start."""

from pathlib import Path

import pytest

from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import ThemeError, load, load_all, packaged, packaged_folder, parse, user_folder
from breakwall.app.themes.theme import COOL_LEVELS

GOOD = (packaged_folder() / "midnight.toml").read_text(encoding="utf-8")
ANSI = (packaged_folder() / "terminal.toml").read_text(encoding="utf-8")
PLAIN = GOOD[: GOOD.index("[heat]")]


def test_a_theme_may_leave_its_ramps_to_us() -> None:
    theme = parse(PLAIN, "mine.toml")
    assert len(theme.cool) == COOL_LEVELS
    assert len(theme.warm) == 4
    assert theme.cool[0] == theme.base["background"]
    rounded = theme.at(Depth.EIGHT_BIT)
    assert len(set(rounded.cool)) == len(rounded.cool) > 4


def test_a_theme_may_leave_price_and_bars_to_us() -> None:
    theme = parse(PLAIN.replace('price    = "#ffffff"\n', ""), "mine.toml")
    assert theme.market["price"] == theme.base["foreground"]
    assert theme.market["bid-bar"] not in (theme.market["bid"], theme.base["background"])


def test_sixteen_colours_may_be_chosen() -> None:
    theme = parse(PLAIN + '[sixteen]\nbid = "ansi_bright_blue"\n', "mine.toml").at(Depth.SIXTEEN)
    assert (theme.market["bid"], theme.market["ask"]) == ("ansi_bright_blue", "ansi_bright_red")
    assert theme.ansi


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PLAIN.replace("bid  ", "bidd "), "[market] bidd: unknown key; did you mean 'bid'?"),
        (PLAIN.replace('bid      = "#48d1b0"', ""), "[market] bid: expected a colour (#rrggbb), found nothing"),
        (PLAIN.replace("#48d1b0", "teal"), "[market] bid: expected a colour (#rrggbb), found 'teal'"),
        (PLAIN.replace("#48d1b0", "#48d1b"), "[market] bid: expected a colour (#rrggbb), found '#48d1b'"),
        (PLAIN.replace("#48d1b0", "ansi_green"), "[market] bid: expected a colour (#rrggbb), found 'ansi_green'"),
        (PLAIN.replace("dark = true", 'dark = "yes"'), "dark: expected true or false, found 'yes'"),
        (PLAIN.replace('"midnight"', '"My Theme"'), "name: expected a text of a-z, 0-9 and dashes, found 'My Theme'"),
        (PLAIN.replace('name = "midnight"', ""), "name: expected a text of a-z, 0-9 and dashes, found nothing"),
        (PLAIN.replace("[mode]", "[modes]"), "modes: unknown key; did you mean 'mode'?"),
        ("mode = 1\n" + PLAIN.split("[mode]")[0], "mode: expected a table [mode], found 1"),
        (PLAIN + "[heat]\nwarm = ['#ffffff']", "[heat] warm: expected a list of four colours (#rrggbb), found "),
        (PLAIN + "[heat]\ncool = '#ffffff'", "[heat] cool: expected a list of two colours (#rrggbb) or more, found "),
        (
            PLAIN + "[heat]\ncool256 = [234, true]",
            "[heat] cool256: expected a list of indexes from 16 to 255, found ",
        ),
        (PLAIN + "[heat]\ncool256 = [7]", "[heat] cool256: expected a list of indexes from 16 to 255, found [7]"),
        (PLAIN + "[heat]\nhot = 1", "[heat] hot: unknown key; known: cool, cool256, warm, warm256"),
        (PLAIN + "[sixteen]\nbid = '#ff0000'", "[sixteen] bid: expected a colour (one of ansi_default, ansi_red"),
        (ANSI.replace('"ansi_green"', '"#00ff00"'), "[market] bid: expected a colour (one of ansi_default"),
        (ANSI + "[heat]\ncool256 = [234]", "heat: expected no ramps beside ansi = true"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(ThemeError) as caught:
        parse(text, "mine.toml")
    first, *mistakes = str(caught.value).splitlines()
    assert first.startswith("mine.toml: ")
    assert any(line.strip().startswith(told) for line in mistakes), caught.value


def test_all_mistakes_are_told_at_once() -> None:
    broken = PLAIN.replace("#48d1b0", "teal").replace("dark = true", "dark = 1").replace("[mode]", "[modes]")
    with pytest.raises(ThemeError, match=r"^mine.toml: \d mistakes") as caught:
        parse(broken, "mine.toml")
    assert str(caught.value).count("\n") == 8  # dark, modes, bid and success, and the four of [mode]


def test_what_is_no_theme_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match=r"^mine.toml: not valid TOML: "):
        parse("[base", "mine.toml")
    with pytest.raises(ThemeError, match=r"cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ThemeError, match=r"cannot be read \(not a text file in UTF-8\)"):
        load(tmp_path / "bytes.toml")


def test_hostile_text_in_a_theme_is_shown_harmless() -> None:
    with pytest.raises(ThemeError) as caught:
        parse(PLAIN + '[heat]\n"\\u001b]52;c;x\\u0007" = 1\n', "mine.toml")
    assert str(caught.value).replace("\n", "").isprintable()


def test_the_users_themes_come_after_ours(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(PLAIN.replace('"midnight"', '"abyss"'), encoding="utf-8")
    (tmp_path / "b.toml").write_text(PLAIN.replace("#48d1b0", "#48d1b1"), encoding="utf-8")
    (tmp_path / "c.toml").write_text("[base", encoding="utf-8")
    (tmp_path / "d.toml").write_text(PLAIN.replace('"midnight"', '"abyss"'), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a theme", encoding="utf-8")
    themes, notices = load_all(tmp_path)
    assert themes["midnight"].market["bid"] == "#48d1b1"
    assert "abyss" in themes
    assert [notice.removeprefix(str(tmp_path))[:30] for notice in notices] == [
        "/b.toml: theme 'midnight' take",
        "/c.toml: not valid TOML: Expec",
        "/d.toml: theme 'abyss' was alr",
    ]


def test_the_users_folder_is_looked_for_where_settings_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_folder().parts[-2:] == ("breakwall", "themes")
    assert load_all()[1] == []


def test_each_packaged_theme_is_named_like_its_file() -> None:
    names = {path.stem for path in packaged_folder().glob("*.toml")}
    assert {packaged(name).name for name in names} == names
