"""The weather that somebody orders for a served exchange: faults in their own words, from a file or a request.

Times are seconds from when it is ordered. Every mistake is told at once, with what was probably meant.
"""

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from breakwall.mistakes import listed, nearest_name, text_of
from breakwall.model.events import Link
from breakwall.model.text import sanitise
from breakwall.venues.exchange.faults import (
    BOOKS,
    CODES,
    DELAYS,
    FOR_EVER_S,
    FRAMES,
    SERVED,
    Fault,
    FaultKind,
    Plan,
)

ACK_MS = (5.0, 8.0)
"""REST answers take this long, so that pushes and answers interleave as live."""
_MOST_ACK_MS = 60_000
_MOST_S = 86_400 * 7
_LONGEST_TEXT = 200
_SHOWN = 60


class Forecast(Struct, frozen=True):
    """`seed` decides when the faults strike, `ack_ms` is from and to, None: as it is."""

    seed: int = 1
    ack_ms: tuple[float, float] | None = None
    faults: Plan = ()


class ForecastError(ValueError):
    """A forecast cannot be used: the text lists every mistake with its place and its remedy."""


def forecast_of_file(path: Path) -> Forecast:
    """From a TOML or JSON file (by its ending). Raises ForecastError."""
    try:
        text = text_of(path)
        table = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise ForecastError(f"{path}: not valid {kind}: {sanitise(error)}") from error
    except ValueError as error:
        raise ForecastError(f"{path}: cannot be read ({error})") from error
    return forecast_of(table, str(path))


def forecast_of(table: object, source: str) -> Forecast:
    """Check what was read from `source`. Raises ForecastError."""
    mistakes: list[str] = []
    if not isinstance(table, Mapping):
        raise ForecastError(listed(source, ["expected a table with seed, ack_ms, faults"]))
    values = _known(table, _HEADS, "", mistakes)
    faults = tuple(_faults(values.get("faults", []), mistakes))
    ack_ms = values.get("ack_ms")
    if mistakes:
        raise ForecastError(listed(sanitise(source, _LONGEST_TEXT), mistakes))
    return Forecast(values.get("seed", 1), None if ack_ms is None else (ack_ms[0], ack_ms[1]), faults)


def told(fault: Fault) -> dict[str, object]:
    """A fault in the words of a file."""
    words = {name: getattr(fault, name) for name in _FIELDS if name not in {"kind", "link", "for_s"}}
    words = {name: value for name, value in words.items() if value != _DEFAULTS[name]}
    link = {"link": fault.link.value} if fault.kind in FRAMES else {}
    lasts = {} if fault.until_s >= FOR_EVER_S else {"for_s": round(fault.until_s - fault.from_s, 3)}
    return {"kind": fault.kind.value, **link, **words, **lasts}


def _faults(rows: Iterable[object], mistakes: list[str]) -> Iterable[Fault]:
    for number, row in enumerate(rows, 1):
        place = f"faults, item {number}: "
        if not isinstance(row, Mapping):
            mistakes.append(f"{place}expected a table with kind and more, found {_seen(row)}")
            continue
        before = len(mistakes)
        values = _known(row, _FIELDS, place, mistakes)
        if "kind" not in row:
            mistakes.append(f"{place}kind: missing; it says what goes wrong, such as frame-dropped")
        elif "kind" in values:
            mistakes.extend(f"{place}{text}" for text in _unfit(FaultKind(values["kind"]), values))
        if len(mistakes) == before:
            yield _fault(values)


def _fault(values: Mapping[str, Any]) -> Fault:
    given = {**_DEFAULTS, **values}
    kind = FaultKind(given["kind"])
    link = Link(given["link"]) if "link" in values else Link.PUBLIC if kind in FRAMES | BOOKS else Link.REST
    from_s = float(given["from_s"])
    until_s = from_s + values["for_s"] if "for_s" in values else FOR_EVER_S
    rest = {name: given[name] for name in ("probability", "match", "delay_s", "code", "symbol", "count", "jitter_s")}
    return msgspec.convert(
        {"kind": kind.value, "link": link.value, "from_s": from_s, "until_s": until_s, **rest}, Fault
    )


def _unfit(kind: FaultKind, values: Mapping[str, Any]) -> Iterable[str]:
    """What each value is right for by itself, but not with the others."""
    if "link" in values and kind not in FRAMES:
        yield "link: only for frames and sockets; a request's door is part of `match`, such as 'trade /v5/order'"
    if values.get("link") == Link.REST.value and kind is not FaultKind.LINK_CLOGGED:
        yield "link: rest has no frames; expected public, private or trade"
    if kind in DELAYS and not (values.get("delay_s") or values.get("jitter_s")):
        yield f"delay_s: missing; {kind.value} needs to know by how many seconds"
    if kind in CODES and not values.get("code"):
        yield f"code: missing; {kind.value} needs an HTTP status or a retCode, such as 10006"
    if kind is FaultKind.LINK_CLOGGED and "for_s" not in values:
        yield "for_s: missing; link-clogged needs to know when all that waits may pass"
    if values.get("delay_s", 0) < 0 and kind not in {FaultKind.CLOCK_WRONG, FaultKind.REFUSED}:
        yield f"delay_s: expected 0 or more, found {values['delay_s']}; only a clock or a reset can be behind"


def _known(
    table: Mapping[object, object], fields: Mapping[str, "_Check"], place: str, mistakes: list[str]
) -> dict[str, Any]:
    """The values that are right; what is wrong goes to `mistakes`."""
    values: dict[str, Any] = {}
    for name, value in table.items():
        check = fields.get(str(name))
        if check is None:
            mistakes.append(f"{place}unknown {_seen(str(name))}; {nearest_name(str(name), fields)}")
        elif wrong := check(value):
            mistakes.append(f"{place}{name}: {wrong}")
        else:
            values[str(name)] = value
    return values


_Check = Callable[[object], str]
"""Why a value is not right, in words; "" where it is."""


def _seen(value: object) -> str:
    return repr(sanitise(value, _SHOWN)) if isinstance(value, str) else sanitise(repr(value), _SHOWN)


def _number(low: float, high: float, *, whole: bool = False) -> _Check:
    def check(value: object) -> str:
        kinds = int if whole else (int, float)
        right = (
            isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
        )
        what = "a whole number" if whole else "a number"
        return "" if right else f"expected {what} from {low:g} to {high:g}, found {_seen(value)}"

    return check


def _text(value: object) -> str:
    right = isinstance(value, str) and len(value) <= _LONGEST_TEXT
    return "" if right else f"expected a text of up to {_LONGEST_TEXT} characters, found {_seen(value)}"


def _one_of(*names: str) -> _Check:
    def check(value: object) -> str:
        return "" if value in names else f"unknown {_seen(value)}; {nearest_name(str(value), names)}"

    return check


def _list(value: object) -> str:
    return "" if isinstance(value, list) else f"expected a list of tables, found {_seen(value)}"


def _ack(value: object) -> str:
    number = _number(0, _MOST_ACK_MS)
    right = isinstance(value, list) and len(value) == 2 and not any(map(number, value)) and value[0] <= value[1]
    return "" if right else f"expected from and to in milliseconds, such as [5, 8], found {_seen(value)}"


_HEADS: Mapping[str, _Check] = {"seed": _number(0, 2**53, whole=True), "ack_ms": _ack, "faults": _list}
_FIELDS: Mapping[str, _Check] = {
    "kind": _one_of(*(kind.value for kind in SERVED)),
    "link": _one_of(*(link.value for link in Link)),
    "match": _text,
    "symbol": _text,
    "probability": _number(0, 1),
    "count": _number(0, 1e9, whole=True),
    "from_s": _number(0, _MOST_S),
    "for_s": _number(0, _MOST_S),
    "delay_s": _number(-_MOST_S, _MOST_S),
    "jitter_s": _number(0, _MOST_S),
    "code": _number(1, 10_000_000, whole=True),
}
_DEFAULTS: Mapping[str, object] = {
    "match": "",
    "symbol": "",
    "probability": 1.0,
    "count": 0,
    "from_s": 0.0,
    "delay_s": 0.0,
    "jitter_s": 0.0,
    "code": 0,
}
