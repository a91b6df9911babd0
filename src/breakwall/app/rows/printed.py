"""Strips whose terminal sequences are known, and say only what changes from run to run."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_SYSTEMS = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD}
_PLAIN = ("", "39", "49")
"""Attributes, foreground and background after a reset."""


class Printed(Strip):
    """Shows the same as its segments in fewer bytes, on a terminal of this colour system.

    Anything else (dimmed under a dialog, cut, another depth of colours) is made of its segments.
    """

    __slots__ = ("_printed", "_system")

    def __init__(self, segments: Sequence[Segment], width: int, printed: str, system: str) -> None:
        super().__init__(segments, width)
        self._printed = printed
        self._system = system

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Textual's own remembers a whole strip in itself: a ring that only a long garbage collection frees."""
        places = list(cuts)
        return [self] if places == [self.cell_length] else super().divide(places)

    def render(self, console: Console) -> str:
        return self._printed if console.color_system == self._system else super().render(console)


def lean(strip: Strip, system: str) -> Printed:
    """The strip with its sequences: a run names the colours that are not set already; a blank needs no foreground."""
    segments = list(strip)
    return Printed(segments, strip.cell_length, "".join(_sequences(segments, system)), system)


def _sequences(segments: Sequence[Segment], system: str) -> Iterator[str]:
    set_attributes, set_fore, set_back = _PLAIN
    for text, style, _ in segments:
        attributes, fore, back = _codes(style, system) if style else _PLAIN
        codes: list[str] = []
        if set_attributes and attributes != set_attributes:  # they can only be taken back together with the colours
            codes.append("0")
            set_attributes, set_fore, set_back = _PLAIN
        if attributes != set_attributes:
            codes.append(attributes)
        if fore != set_fore and (attributes or text.strip(" ")):
            codes.append(fore)
            set_fore = fore
        if back != set_back:
            codes.append(back)
        set_attributes, set_back = attributes, back
        yield f"\x1b[{';'.join(codes)}m{text}" if codes else text
    if (set_attributes, set_fore, set_back) != _PLAIN:
        yield "\x1b[0m"


@lru_cache(maxsize=4096)
def _codes(style: Style, system: str) -> tuple[str, str, str]:
    """What the style asks the terminal for: attributes, foreground, background."""
    kind = _SYSTEMS[system]
    fore, back = (
        ";".join(colour.downgrade(kind).get_ansi_codes(foreground)) if colour else default
        for colour, foreground, default in ((style.color, True, "39"), (style.bgcolor, False, "49"))
    )
    return Strip.render_ansi(style.without_color, kind), fore, back
