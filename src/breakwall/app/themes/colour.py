"""Colours by their look: blends, ramps and the nearest of a terminal's 256, in OKLab.

OKLab is a space in which equal distances look about equally far apart: Björn Ottosson, "A perceptual color
space for image processing", 2020 (the matrices are his). Colours are texts such as `#48d1b0`.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import dist, hypot

Lab = tuple[float, float, float]

_STEPS = (0, 95, 135, 175, 215, 255)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Red, green, blue, 0 to 255, of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(value: int) -> float:
    share = value / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def _byte(linear: float) -> int:
    share = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return max(0, min(255, round(255 * share)))


@lru_cache(2048)
def oklab(colour: str) -> Lab:
    """Lightness (0 black, 1 white) and the two axes of hue."""
    red, green, blue = map(_linear, rgb_of(colour))
    l = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)  # noqa: E741 - Ottosson's names
    m = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    s = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def _of_oklab(lab: Lab) -> str:
    """Back from OKLab; what no screen can show is cut to what it can."""
    light, a, b = lab
    l = max(0.0, light + 0.3963377774 * a + 0.2158037573 * b) ** 3  # noqa: E741 - Ottosson's names
    m = max(0.0, light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = max(0.0, light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = _byte(max(0.0, 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s))
    green = _byte(max(0.0, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s))
    blue = _byte(max(0.0, -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
    return f"#{red:02x}{green:02x}{blue:02x}"


def mix(one: str, other: str, share: float) -> str:
    """`share` of the way from one colour to the other."""
    (l0, a0, b0), (l1, a1, b1) = oklab(one), oklab(other)
    return _of_oklab((l0 + (l1 - l0) * share, a0 + (a1 - a0) * share, b0 + (b1 - b0) * share))


def climb(colours: Sequence[str]) -> list[str]:
    """Those that go on from the first towards the lightness of the last; what turns back is left out."""
    up = oklab(colours[-1])[0] >= oklab(colours[0])[0]
    path = [colours[0]]
    for colour in colours[1:]:
        step = oklab(colour)[0] - oklab(path[-1])[0]
        if step > 0 if up else step < 0:
            path.append(colour)
    return path


def ramp(stops: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` colours from the first stop through the others to the last, in even steps of lightness."""
    path = climb(stops)
    if len(path) == 1:
        return (path[0],) * count
    lights = [oklab(stop)[0] for stop in path]
    colours = [path[0]]
    for step in range(1, count):
        light = lights[0] + (lights[-1] - lights[0]) * step / (count - 1)
        place = max(i for i in range(len(path) - 1) if abs(lights[i] - lights[0]) <= abs(light - lights[0]))
        share = (light - lights[place]) / (lights[place + 1] - lights[place])
        colours.append(mix(path[place], path[place + 1], share))
    return tuple(colours)


def xterm(index: int) -> str:
    """The colour of an index of the 256, 16 to 255; the first 16 are the terminal's own and so unknown."""
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    cube = index - 16
    return f"#{_STEPS[cube // 36]:02x}{_STEPS[cube // 6 % 6]:02x}{_STEPS[cube % 6]:02x}"


_XTERM = tuple((index, oklab(xterm(index))) for index in range(16, 256))
_TINTED = tuple((index, lab) for index, lab in _XTERM if abs(lab[1]) + abs(lab[2]) > 0.01)
_GREY = 0.04
"""Colourfulness up to which a colour may become grey."""


@lru_cache(2048)
def nearest(colour: str) -> int:
    """The index of the 256 that looks most like the colour; one with a hue keeps a hue, however dark it is."""
    lab = oklab(colour)
    known = _TINTED if hypot(lab[1], lab[2]) > _GREY else _XTERM
    return min(known, key=lambda entry: dist(entry[1], lab))[0]
