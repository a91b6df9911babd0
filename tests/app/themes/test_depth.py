"""How many colours are drawn in."""

import pytest

from breakwall.app.themes.depth import Depth, depth_of

TMUX = {"TERM": "tmux-256color"}


@pytest.mark.parametrize(
    ("colors", "environ", "detected", "depth"),
    [
        ("auto", TMUX, "truecolor", Depth.TRUECOLOR),
        ("auto", TMUX, "256", Depth.EIGHT_BIT),
        ("auto", {"TERM": "screen"}, "standard", Depth.SIXTEEN),
        ("auto", {"TERM": "vt100"}, None, Depth.NONE),
        ("auto", {"TERM": "dumb"}, "truecolor", Depth.NONE),
        ("auto", {}, "truecolor", Depth.NONE),
        ("auto", TMUX | {"NO_COLOR": "1"}, "truecolor", Depth.NONE),
        ("auto", TMUX | {"NO_COLOR": ""}, "truecolor", Depth.TRUECOLOR),
        ("truecolor", TMUX | {"NO_COLOR": "1"}, "256", Depth.TRUECOLOR),
        ("256", TMUX, "truecolor", Depth.EIGHT_BIT),
        ("16", TMUX, "truecolor", Depth.SIXTEEN),
        ("none", TMUX, "truecolor", Depth.NONE),
    ],
)
def test_the_setting_before_the_terminal(
    colors: str, environ: dict[str, str], detected: str | None, depth: Depth
) -> None:
    assert depth_of(colors, environ, detected) is depth


def test_textuals_own_widgets_are_rounded_alike() -> None:
    assert [depth.console for depth in Depth] == ["truecolor", "256", "standard", "standard"]
