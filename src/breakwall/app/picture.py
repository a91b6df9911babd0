"""A picture of the screen: an SVG that looks the same in every browser, without any font of its own.

Half blocks, shades and lines are drawn as exact rectangles, texts as runs stretched to their columns, so that
nothing depends on which monospaced font is there. Nothing in the file refers to anything outside of it.
"""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.strip import Strip

from breakwall.app.rows.row import clean
from breakwall.app.themes.colour import mix, rgb_of
from breakwall.app.themes.ink import Ink

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8, 16, 8
_HALF = CELL_HEIGHT // 2

_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75, "█": 1.0}
_FIGURES = {
    # where in the cell a figure lies: x, y, width, height
    **{glyph: (0, 16 - 2 * size, 8, 2 * size) for size, glyph in enumerate("▁▂▃▄▅▆▇", 1) if glyph != "▄"},
    **{glyph: (0, 0, size, 16) for size, glyph in enumerate("▏▎▍▌▋▊▉", 1)},
    "▔": (0, 0, 8, 2),
    "▐": (4, 0, 4, 16),
    "▕": (7, 0, 1, 16),
    "─": (0, 8, 8, 1),
    "━": (0, 7, 8, 2),
    "│": (4, 0, 1, 16),
    "┃": (3, 0, 2, 16),
}
_FONTS = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_UNDERLINE = (0, 14, 8, 1)

_NORMAL = "#000000 #cd0000 #00cd00 #cdcd00 #3c5aee #cd00cd #00cdcd #e5e5e5"
_BRIGHT = "#7f7f7f #ff3c3c #00ff00 #ffff00 #5c5cff #ff00ff #00ffff #ffffff"
_XTERM = TerminalTheme(
    (12, 12, 12), (217, 217, 217), [rgb_of(hue) for hue in _NORMAL.split()], [rgb_of(hue) for hue in _BRIGHT.split()]
)
"""What a terminal's own colours are taken for; nobody can know them."""


class _Face(NamedTuple):
    """A style as the picture needs it: colours as `#rrggbb`."""

    fore: str
    back: str
    bold: bool
    italic: bool
    underline: bool


def picture(strips: Sequence[Strip], ink: Ink, title: str = "Breakwall") -> str:
    """The screen as SVG: the strips of all its rows, in the colours of `ink` where a strip says nothing else."""
    width = max((strip.cell_length for strip in strips), default=0)
    drawing = _Drawing(ink, width)
    for y, strip in enumerate(strips):
        drawing.row(y, strip)
    return drawing.svg(len(strips), title)


class _Drawing:
    """Collects rectangles and texts by colour; equal stretches below each other become one rectangle."""

    def __init__(self, ink: Ink, width: int) -> None:
        self._fore, self._back = _hex(ink.price, True), _hex(ink.background, False)
        self._width = width
        self._faces: dict[Style | None, _Face] = {}
        self._open: dict[tuple[int, int, str], int] = {}
        self._half_row = 0
        self._grounds: dict[str, list[str]] = {}
        self._figures: dict[str, list[str]] = {}
        self._texts: dict[tuple[str, bool, bool], list[str]] = {}

    def row(self, y: int, strip: Strip) -> None:
        """One row of cells: grounds at once, texts in runs."""
        upper, lower = [self._back] * self._width, [self._back] * self._width
        x = 0
        for face, segments in groupby(strip, key=lambda segment: self._face(segment.style)):
            run, start = "", x
            for glyph in clean("".join(segment.text for segment in segments)):
                columns = cell_len(glyph)
                for place in range(x, x + columns):
                    upper[place], lower[place] = _halves(glyph, face)
                self._figure(glyph, x, y, face, columns)
                if not _joins(run, glyph):
                    self._text(run, start, y, face)
                    run, start = "", x
                run += "" if _is_figure(glyph) else glyph
                x += columns
                start = start if run else x
            self._text(run, start, y, face)
        self._ground(upper)
        self._ground(lower)

    def svg(self, rows: int, title: str) -> str:
        """Everything, from the back to the front."""
        self._ground([self._back] * self._width)
        width, height = CELL_WIDTH * self._width + 2 * MARGIN, CELL_HEIGHT * rows + 2 * MARGIN
        size = f'width="{width}" height="{height}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>',
            f"<title>{escape(clean(title))}</title>",
            f'<rect {size} rx="6" fill="{self._back}"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            '<g shape-rendering="crispEdges">',
            *(f'<path fill="{colour}" d="{"".join(paths)}"/>' for colour, paths in self._grounds.items()),
            *(f'<path fill="{colour}" d="{"".join(paths)}"/>' for colour, paths in self._figures.items()),
            "</g>",
            f'<g font-family="{_FONTS}" font-size="13" xml:space="preserve">',
            *(_group(*look, texts) for look, texts in self._texts.items()),
            "</g></g></svg>",
        ]
        return "\n".join(parts) + "\n"

    def _face(self, style: Style | None) -> _Face:
        face = self._faces.get(style)
        if face is None:
            face = self._faces[style] = self._new_face(style or Style())
        return face

    def _new_face(self, style: Style) -> _Face:
        fore = self._fore if style.color is None or style.color.is_default else _hex(style.color, True)
        back = self._back if style.bgcolor is None or style.bgcolor.is_default else _hex(style.bgcolor, False)
        if style.reverse:
            fore, back = back, fore
        if style.dim:
            fore = mix(fore, back, 0.4)
        return _Face(fore, back, bool(style.bold), bool(style.italic), bool(style.underline))

    def _figure(self, glyph: str, x: int, y: int, face: _Face, columns: int) -> None:
        for figure in (_FIGURES.get(glyph), _UNDERLINE if face.underline else None):
            if figure is not None:
                dx, dy, width, height = figure
                path = _path(CELL_WIDTH * x + dx, CELL_HEIGHT * y + dy, width * max(1, columns), height)
                self._figures.setdefault(face.fore, []).append(path)

    def _text(self, run: str, x: int, y: int, face: _Face) -> None:
        text = run.strip(" ")
        if text:
            x += len(run) - len(run.lstrip(" "))
            length = CELL_WIDTH * cell_len(text)
            self._texts.setdefault((face.fore, face.bold, face.italic), []).append(
                f'<text x="{CELL_WIDTH * x}" y="{CELL_HEIGHT * y + 12}" textLength="{length}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(text, quote=False)}</text>'
            )

    def _ground(self, colours: list[str]) -> None:
        """The next half row: stretches that go on below are drawn when they end."""
        runs = {}
        x = 0
        for colour, group in groupby(colours):
            width = len(list(group))
            if colour != self._back:
                key = (x, width, colour)
                runs[key] = self._open.pop(key, self._half_row)
            x += width
        for (start, width, colour), since in self._open.items():
            height = _HALF * (self._half_row - since)
            self._grounds.setdefault(colour, []).append(
                _path(CELL_WIDTH * start, _HALF * since, CELL_WIDTH * width, height)
            )
        self._open = runs
        self._half_row += 1


def _hex(colour: Color, foreground: bool) -> str:
    return colour.get_truecolor(_XTERM, foreground).hex


def _path(x: int, y: int, width: int, height: int) -> str:
    return f"M{x} {y}h{width}v{height}h-{width}z"


def _group(fore: str, bold: bool, italic: bool, texts: list[str]) -> str:
    weight = ' font-weight="bold"' if bold else ""
    slant = ' font-style="italic"' if italic else ""
    return f'<g fill="{fore}"{weight}{slant}>{"".join(texts)}</g>'


def _halves(glyph: str, face: _Face) -> tuple[str, str]:
    """The colours of the upper and the lower half of a cell."""
    if glyph in _SHADES:
        colour = mix(face.back, face.fore, _SHADES[glyph])
        return colour, colour
    return (face.fore if glyph == "▀" else face.back), (face.fore if glyph == "▄" else face.back)


def _is_figure(glyph: str) -> bool:
    return glyph in _FIGURES or glyph in _SHADES or glyph in "▀▄"


def _joins(run: str, glyph: str) -> bool:
    """Whether a glyph may go on with the run: plain text may; what other fonts draw stands alone, exactly placed."""
    if not run:
        return True
    return glyph.isascii() and run.isascii() and not (glyph == " " and run.endswith(" "))
