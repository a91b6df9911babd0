"""What is sent is less than what the segments would send, and the terminal shows the same."""

import gc
import re
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

from breakwall.app.cockpit import Cockpit
from breakwall.app.rows.printed import Printed, lean
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import INKS, Ink
from breakwall.clock import SystemClock
from breakwall.settings import Settings

PLAIN = (frozenset[str](), "39", "49")


def console(depth: Depth) -> Console:
    return Console(file=StringIO(), force_terminal=True, color_system=depth.console)


def shown(sequences: str) -> list[tuple[str, frozenset[str], str, str]]:
    """The cells on the terminal: letter, attributes, foreground (of a blank only under attributes), background."""
    cells = []
    attributes, fore, back = PLAIN
    for sgr, text in re.findall(r"(?:\x1b\[([0-9;]*)m)?([^\x1b]*)", sequences):
        for code in re.findall(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+", sgr):
            if code == "0":
                attributes, fore, back = PLAIN
            elif re.match(r"38|39|3\d$|9\d$", code):
                fore = code
            elif re.match(r"48|49|4\d$|10\d$", code):
                back = code
            else:
                attributes |= {code}
        cells += [(char, attributes, fore if char != " " or attributes else "", back) for char in text]
    return cells


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", " ", "   ", "65.2", " 1K "]), st.sampled_from(sorted(INKS))), max_size=12
    ),
    st.sampled_from(list(Depth)),
)
def test_the_terminal_shows_the_segments(cells, depth: Depth) -> None:
    ink = Ink(packaged(), depth)
    strip = Strip([Segment(text, ink[name]) for text, name in cells])
    printed = lean(strip, depth.console).render(console(depth))
    plain = strip.render(console(depth))
    assert shown(printed) == shown(plain)
    assert len(printed) <= len(plain)


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
def test_a_terminal_of_another_depth_gets_its_own_colours(depth: Depth) -> None:
    strip = Strip([Segment("65.2", Ink(packaged())["bid"])])
    other = Depth.EIGHT_BIT if depth is Depth.TRUECOLOR else Depth.TRUECOLOR
    assert lean(strip, depth.console).render(console(other)) == strip.render(console(other))


@pytest.mark.asyncio
async def test_what_was_painted_is_gone_without_a_garbage_collection(view) -> None:
    """A cockpit that leaves rings behind stops the loop for tens of milliseconds every other minute."""
    app = Cockpit(Settings(), SystemClock())
    async with app.run_test(size=(200, 60)) as pilot:
        gc.disable()
        try:
            for turn in range(3):
                for pane in app.trade.panes:
                    pane.show(replace(view, at_ms=view.at_ms + 1_000 * turn))
                await pilot.pause()
                for pane in app.trade.panes:
                    pane.repaint(app.ink)
            alive = sum(type(thing) is Printed for thing in gc.get_objects())
        finally:
            gc.enable()
    assert alive <= len(app.trade.panes), "at most what a pane still holds"
