"""The app in themes: the choice in the settings, the choice while running, and the depth of the terminal."""

from pathlib import Path

import pytest
from rich.color import ColorType
from textual.app import ComposeResult
from textual.geometry import Region
from textual.theme import BUILTIN_THEMES
from textual.widgets import Static

from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged, packaged_folder
from breakwall.app.themes.ink import Ink
from breakwall.app.themes.themed import Themed, brief
from breakwall.settings import UiSettings


class Small(Themed[None]):
    """An app that uses one of our variables and remembers what it was painted with."""

    CSS = "Static { background: $market-bid; color: $mode-live; }"

    def __init__(self, **ui: object) -> None:
        super().__init__(UiSettings.model_validate({"colors": "truecolor"} | ui))
        self.painted: list[Ink] = []

    def compose(self) -> ComposeResult:
        yield Static("text")

    def repaint(self, ink: Ink) -> None:
        self.painted.append(ink)

    def colours(self) -> set[ColorType]:
        """The kinds of colours that Textual would send for the text."""
        (strip,) = self.query_one(Static).render_lines(Region(0, 0, 4, 1))
        styles = [segment.style for segment in strip if segment.style is not None]
        return {color.type for style in styles for color in (style.color, style.bgcolor) if color is not None}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's own themes: none at first."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    themes = tmp_path / "breakwall/themes"
    themes.mkdir(parents=True)
    return themes


@pytest.mark.asyncio
async def test_the_chosen_theme_is_there_from_the_first_frame() -> None:
    app = Small(theme="daylight")
    assert app.ink.theme.name == "daylight"
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.query_one(Static).styles.background.hex.lower() == packaged("daylight").market["bid"]
        assert app.painted == []


@pytest.mark.asyncio
async def test_every_theme_can_be_chosen_while_running() -> None:
    app = Small()
    async with app.run_test() as pilot:
        for name in [*BUILTIN_THEMES, "harbor", "contrast", "terminal", "daylight", "midnight"]:
            app.theme = name
            await pilot.pause()
            assert app.ink.theme.name == name
            assert app.painted[-1] is app.ink
    assert app.return_code is None


@pytest.mark.asyncio
async def test_an_unknown_theme_is_said_and_the_default_used() -> None:
    app = Small(theme="habor")
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        assert app.theme == "midnight"
        assert app.theme_notices == ["[ui] theme: no theme 'habor', did you mean 'harbor'? midnight is used."]


@pytest.mark.asyncio
async def test_a_broken_theme_is_said_and_a_sound_one_can_be_chosen(folder: Path) -> None:
    text = (packaged_folder() / "midnight.toml").read_text(encoding="utf-8")
    (folder / "mine.toml").write_text(text.replace('"midnight"', '"mine"'), encoding="utf-8")
    (folder / "broken.toml").write_text("name = [red]", encoding="utf-8")
    app = Small(theme="mine")
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        assert app.theme == "mine"
        assert len(app.theme_notices) == 1
        assert "broken.toml: not valid TOML" in app.theme_notices[0]


@pytest.mark.asyncio
async def test_a_theme_full_of_mistakes_hides_little_of_the_market(folder: Path) -> None:
    (folder / "broken.toml").write_text('name = "broken"\ndark = true\n', encoding="utf-8")
    app = Small()
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        (notice,) = app.theme_notices
        (shown,) = [note.message for note in app._notifications]
        assert len(notice.splitlines()) > 10
        assert shown.splitlines()[0].endswith("broken.toml: 19 mistakes")
        assert shown.splitlines()[2] == "and 18 more"


def test_long_lines_of_a_notice_are_cut() -> None:
    assert brief("one\n  two") == "one\ntwo"
    assert brief("word " * 100).endswith(" …")
    assert len(brief("word " * 100)) <= 160


@pytest.mark.parametrize(
    ("colors", "kinds"),
    [
        ("truecolor", {ColorType.TRUECOLOR}),
        ("16", {ColorType.STANDARD}),
        ("none", {ColorType.DEFAULT}),
    ],
)
@pytest.mark.asyncio
async def test_textuals_own_widgets_keep_to_the_depth(
    colors: str, kinds: set[ColorType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # the setting comes before it
    app = Small(colors=colors)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.colours() == kinds
        assert app.no_color is (colors == "none")


@pytest.mark.asyncio
async def test_in_256_textuals_colours_are_rounded_before_rich_does() -> None:
    """Rich would make the dark grounds black; those of the 256 pass it unchanged."""
    app = Small(colors="256")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.console.color_system == "256"
        grounds = [app.screen.styles.background.hex.lower(), app.query_one(Static).styles.background.hex.lower()]
        rounded = packaged().at(Depth.EIGHT_BIT)
        assert grounds == [rounded.base["background"], rounded.market["bid"]]
