"""Which faults a run gets, and how many: named mixes, mixes from a file, and the draw of a plan from one."""

import math
import random
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from breakwall.mistakes import listed, nearest_name, text_of
from breakwall.model.events import Link
from breakwall.model.text import sanitise
from breakwall.points import Point
from breakwall.venues.exchange.faults import (
    ACTS,
    EXCHANGE_ACTS,
    FOR_EVER_S,
    SERVED_ONLY,
    Fault,
    FaultKind,
    Plan,
)

Share = Annotated[float, Meta(ge=0, le=1)]
Span = tuple[float, float]


class Sort(Struct, frozen=True, forbid_unknown_fields=True):
    """One sort of trouble. `kind` is a fault's, or "partition", "swizzle", "crash-loop", "hang".

    Pairs are from and to, drawn evenly: how many `times` a session, how long each `lasts_s`, its `delay_s`,
    `nth`. Of `links` (rest, public, private, trade), `matches` and `codes` one is drawn each time; `FaultKind` and
    `Fault` say what they mean.
    """

    kind: str
    times: tuple[int, int] = (1, 1)
    probability: Share = 1.0
    lasts_s: Span = (1.0, 5.0)
    delay_s: Span = (0.0, 0.0)
    links: tuple[Link, ...] = (Link.REST,)
    matches: tuple[str, ...] = ("",)
    codes: tuple[int, ...] = (0,)
    nth: tuple[int, int] = (1, 1)


class Mix(Struct, frozen=True, forbid_unknown_fields=True):
    """All that may go wrong in a session; `people` says whether somebody at the keys interferes now and then."""

    faults: tuple[Sort, ...] = ()
    people: bool = True


class MixError(ValueError):
    """A mix cannot be used: the text lists every mistake with its place and its remedy."""


def mix_of(name: str) -> Mix:
    """The mix of this name, or of this file (TOML or JSON). Raises MixError."""
    known = MIXES.get(name)
    if known is not None:
        return known
    path = Path(name)
    if not path.suffix and not path.exists():
        raise MixError(f"expected a mix or a file, found {name!r}; {nearest_name(name, MIXES)}")
    try:
        text = text_of(path)
        table = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)
        mix = msgspec.convert(table, Mix)
    except msgspec.ValidationError as error:
        raise MixError(listed(name, [_place(str(error))])) from error
    except (tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise MixError(f"{name}: not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    except ValueError as error:
        raise MixError(f"{name}: cannot be read ({error})") from error
    mistakes = [f"faults, item {n}: {text}" for n, sort in enumerate(mix.faults, 1) for text in _mistakes(sort)]
    if mistakes:
        raise MixError(listed(name, mistakes))
    return mix


def draw_plan(mix: Mix, seed: int, seconds: float) -> Plan:
    """Bad weather for `seconds`: each sort some times, somewhere in that time, some overlapping."""
    dice = random.Random(f"plan {seed}")
    plan: list[Fault] = []
    for sort in mix.faults:
        for _ in range(dice.randint(*sort.times)):
            start = round(dice.uniform(0, seconds), 3)
            plan += _COMPOSED.get(sort.kind, _one)(sort, dice, start)
    return tuple(plan)


def _within(span: Span, dice: random.Random) -> float:
    """Milliseconds are fine enough, and plans stay short to read."""
    return round(dice.uniform(*span), 3)


def _one(sort: Sort, dice: random.Random, start: float) -> Iterable[Fault]:
    kind = FaultKind(sort.kind)
    until_s = FOR_EVER_S if kind in ACTS else round(start + _within(sort.lasts_s, dice), 3)
    yield Fault(
        kind,
        start,
        until_s,
        sort.probability,
        dice.choice(sort.links),
        dice.choice(sort.matches),
        _within(sort.delay_s, dice),
        dice.choice(sort.codes),
        dice.randint(*sort.nth),
    )


def _partition(sort: Sort, dice: random.Random, start: float) -> Iterable[Fault]:
    """Nothing gets through on any link, and no new socket."""
    until = round(start + _within(sort.lasts_s, dice), 3)
    for link in Link:
        yield Fault(FaultKind.LINK_CLOGGED, start, until, link=link)
        yield Fault(FaultKind.CONNECT_REFUSED, start, until, link=link)


def _swizzle(sort: Sort, dice: random.Random, start: float) -> Iterable[Fault]:
    """The links clog one after the other and come free in another order."""
    links = list(Link)
    dice.shuffle(links)
    for link in links:
        yield Fault(FaultKind.LINK_CLOGGED, start, round(start + _within(sort.lasts_s, dice), 3), link=link)
        start = round(start + _within((0, sort.lasts_s[0]), dice), 3)


def _crash_loop(sort: Sort, dice: random.Random, start: float) -> Iterable[Fault]:
    """It dies, and then again and again while it recovers."""
    yield Fault(FaultKind.KILLED, start, nth=dice.randint(1, 60))
    for number in range(dice.randint(*sort.nth)):
        yield Fault(FaultKind.KILLED_AT, round(start + 0.01 * (number + 1), 3), match=Point.RECOVERING.value)


def _hang(sort: Sort, dice: random.Random, start: float) -> Iterable[Fault]:
    """It hangs for good, until somebody kills it."""
    yield Fault(FaultKind.STANDS_STILL, start, delay_s=FOR_EVER_S)
    yield Fault(FaultKind.KILLED, round(start + _within(sort.lasts_s, dice), 3), nth=0)


_COMPOSED: Mapping[str, Callable[[Sort, random.Random, float], Iterable[Fault]]] = {
    "partition": _partition,
    "swizzle": _swizzle,
    "crash-loop": _crash_loop,
    "hang": _hang,
}


def _mistakes(sort: Sort) -> Iterable[str]:
    """What msgspec's types do not say."""
    kinds = {kind.value for kind in FaultKind if kind not in SERVED_ONLY} | _COMPOSED.keys()
    if sort.kind not in kinds:
        yield f"kind: unknown {sanitise(sort.kind, 60)!r}; {nearest_name(sort.kind, sorted(kinds))}"
    for name in ("times", "lasts_s", "delay_s", "nth"):
        low, high = getattr(sort, name)
        lowest = -FOR_EVER_S if name == "delay_s" and sort.kind == FaultKind.CLOCK_SKEWED.value else 0
        if not (math.isfinite(high) and lowest <= low <= high):
            yield f"{name}: expected from and to, not negative, in this order, found [{low}, {high}]"
    yield from (f"{name}: expected at least one" for name in ("links", "matches", "codes") if not getattr(sort, name))
    names = [point.value for point in Point]
    if sort.kind == FaultKind.KILLED_AT.value:
        yield from (
            f"matches: no crash point {sanitise(match, 60)!r}; {nearest_name(match, names)}"
            for match in sort.matches
            if match not in names
        )


def _place(error: str) -> str:
    """`Expected ... - at `$.faults[0].times`` in the words of the other mistakes."""
    what, _, path = error.partition(" - at ")
    return f"{path.strip('`').removeprefix('$.') or 'the file'}: {what}"


_STREAMS = (Link.PUBLIC, Link.PRIVATE, Link.TRADE)
_CREATE, _STOP, _CANCEL = "/v5/order/create", "/v5/position/trading-stop", "/v5/order/cancel"
_COMMANDS = (_CREATE, _CREATE, _STOP, _CANCEL)
_POINTS = tuple(point.value for point in Point)


def _command(kind: FaultKind, codes: tuple[int, ...] = (0,)) -> Sort:
    """Aimed at what is sent seldom and matters most, hence long and likely."""
    return Sort(kind.value, (0, 1), 0.6, (15, 40), matches=_COMMANDS, codes=codes, delay_s=(0.1, 6))


def _spell(kind: FaultKind, probability: float, lasts_s: Span, times: tuple[int, int] = (0, 2), **more: Any) -> Sort:
    return Sort(kind.value, times, probability, lasts_s, **more)


def _act(kind: FaultKind, times: tuple[int, int] = (0, 1), **more: Any) -> Sort:
    return Sort(kind.value, times, **more)


_K = FaultKind
_REST: tuple[Sort, ...] = (
    *(
        _command(kind)
        for kind in (
            _K.REQUEST_LOST,
            _K.REQUEST_LATE,
            _K.REQUEST_TWICE,
            _K.ANSWER_LOST,
            _K.ANSWER_RESET,
            _K.ANSWER_BAD,
        )
    ),
    _command(_K.ANSWER_GARBLED),
    _command(_K.ANSWER_UNCLEAR, (10016, 10000)),
    _command(_K.REFUSED, (10006, 10016, 10002, 429)),
    _spell(_K.ANSWER_LOST, 0.3, (1, 5)),
    _spell(_K.REQUEST_LOST, 0.3, (1, 5)),
    _spell(_K.REFUSED, 1.0, (0.2, 2), (0, 1), codes=(403, 10006, 503)),
    _spell(_K.ANSWER_LATE, 0.5, (1, 10), delay_s=(0.2, 8)),
)
_SOCKETS: tuple[Sort, ...] = (
    _spell(_K.FRAME_LATE, 0.1, (1, 5), links=_STREAMS, delay_s=(0.1, 2)),
    _spell(_K.FRAME_DROPPED, 0.3, (1, 4), links=(Link.PUBLIC,), matches=("orderbook",)),
    _spell(_K.FRAME_DROPPED, 0.5, (5, 20), links=(Link.PRIVATE, Link.TRADE)),
    _spell(_K.FRAME_TWICE, 0.5, (5, 20), links=_STREAMS),
    _spell(_K.FRAME_GARBLED, 0.1, (2, 8), links=_STREAMS),
    _spell(_K.SOCKET_CLOSED, 0.5, (0.5, 1), links=_STREAMS),
    _spell(_K.SOCKET_SILENT, 0.5, (0.5, 1), links=_STREAMS),
    _spell(_K.SOCKET_HALF_OPEN, 0.5, (0.5, 1), (0, 1), links=_STREAMS),
    _spell(_K.CONNECT_REFUSED, 0.8, (1, 4), links=_STREAMS),
    Sort("partition", (0, 1), lasts_s=(0.5, 8)),
    Sort("swizzle", (0, 1), lasts_s=(1, 8)),
)
_DISK: tuple[Sort, ...] = (
    _spell(_K.COMMIT_SLOW, 0.7, (3, 20), delay_s=(0.05, 2)),
    _spell(_K.COMMIT_FAILS, 0.5, (1, 10)),
    _spell(_K.DISK_FULL, 1.0, (1, 8)),
    _spell(_K.JOURNAL_LOCKED, 1.0, (1, 6)),
    _spell(_K.LEDGER_DEAD, 1.0, (5, 60)),
)
_CLOCK: tuple[Sort, ...] = (
    _act(_K.CLOCK_SKEWED, delay_s=(-20, 20)),
    _act(_K.CLOCK_JUMPS, delay_s=(0.2, 20)),
    _act(_K.HOST_SLEEPS, delay_s=(0.5, 15)),
)
_PROCESS: tuple[Sort, ...] = (
    _act(_K.KILLED, nth=(1, 60)),
    _act(_K.KILLED_BUSY, nth=(1, 4)),
    _act(_K.KILLED_AT, (1, 3), matches=_POINTS),
    _act(_K.STANDS_STILL, delay_s=(0.3, 12)),
    Sort("hang", (0, 1), lasts_s=(1, 8)),
    Sort("crash-loop", (0, 1), nth=(1, 3)),
    _spell(_K.LINGER, 0.02, (10, 60), (0, 2), delay_s=(0.01, 1.5)),
    _spell(_K.STUMBLE, 0.002, (10, 60)),
)
_EXCHANGE: tuple[Sort, ...] = (
    _spell(_K.REFUSED, 0.5, (5, 20), (0, 1), matches=(_STOP, _CREATE), codes=(10001, 110007, 34040)),
    _spell(_K.ORDER_REJECTED, 0.5, (10, 30), (0, 1)),
    _spell(_K.NO_LIQUIDITY, 0.5, (10, 30), (0, 1)),
    _spell(_K.PARTIAL_FILL, 0.7, (10, 40), (0, 1)),
    _spell(_K.STOP_NOT_ATTACHED, 0.5, (10, 40), (0, 1)),
    *(_act(kind) for kind in sorted(EXCHANGE_ACTS, key=lambda kind: kind.value)),
)


def _seldom(sorts: Iterable[Sort]) -> tuple[Sort, ...]:
    """Each at most once, so that a little of everything is still a run in which something can be done."""
    return tuple(msgspec.structs.replace(sort, times=(0, min(1, sort.times[1]))) for sort in sorts)


def _often(sorts: Iterable[Sort]) -> tuple[Sort, ...]:
    return tuple(msgspec.structs.replace(sort, times=(1, sort.times[1] + 1)) for sort in sorts)


MIXES: Mapping[str, Mix] = {
    "calm": Mix(),
    "network": Mix(_REST + _SOCKETS),
    "disk": Mix(_DISK),
    "clock": Mix(_CLOCK),
    "process": Mix(_PROCESS),
    "exchange": Mix(_EXCHANGE),
    "everything": Mix(_seldom(_REST + _SOCKETS + _DISK + _CLOCK + _PROCESS + _EXCHANGE)),
    "storm": Mix(_often(_REST + _SOCKETS + _EXCHANGE) + _seldom(_DISK + _CLOCK + _PROCESS)),
}
"""`calm` is none; `everything` a little of all kinds, `storm` a lot."""
