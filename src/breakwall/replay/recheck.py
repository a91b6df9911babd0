"""`replay --check`: the recorded events, decided again, must give the recorded actions.

The core is handed in as a factory, the venue's frames as a decoder: the check itself knows neither.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from breakwall.model.events import Event, Instruments, Stamped
from breakwall.model.listings import Admitted
from breakwall.model.text import sanitise
from breakwall.model.units import Instrument
from breakwall.replay.forms import RecordingError
from breakwall.storage.lines import Lines
from breakwall.storage.recording import (
    FORMAT,
    ActionsDigest,
    ActionsLine,
    AnyLine,
    EventLine,
    Header,
    Recv,
    actions_line,
)

_LINE: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_SHOWN = 240
_BEFORE = 80


class _Actions(Struct):
    actions: list[msgspec.Raw]


_ACTIONS = msgspec.json.Decoder(_Actions)


class Decider(Protocol):
    """The core, as the check sees it."""

    def on_event(self, stamped: Stamped) -> Sequence[object]: ...


class FrameReader(Protocol):
    """Reads raw frames again, exactly as the venue's adapter did."""

    def decode(self, conn: str, data: bytes) -> Event: ...
    def set_instruments(self, instruments: Mapping[str, Instrument]) -> None: ...


class Difference(Struct, frozen=True):
    """The first action that was decided differently: the `number`-th (from 1) that answered event `seq`.

    `recorded` and `decided` are its JSON from shortly before the place where the two part; "nothing"
    where there is no such action.
    """

    seq: int
    event: str
    number: int
    recorded: str
    decided: str


class Verdict(Struct, frozen=True):
    """Result of a check. `digest` is over the actions decided now; `note` tells where the file broke off."""

    events: int
    actions: int
    digest: str
    difference: Difference | None
    note: str

    @property
    def equal(self) -> bool:
        return self.difference is None


class _Check:
    """Walks the lines of one recording with one core."""

    def __init__(self, core: Callable[[int], Decider], frames: FrameReader) -> None:
        self._make_core = core
        self._core: Decider | None = None
        self._frames = frames
        self._frame: Recv | None = None
        self._instruments: dict[str, Instrument] = {}
        self._open: tuple[int, str, bytes] | None = None  # seq, event, what was decided; not compared yet
        self.events = self.actions = 0
        self.digest = ActionsDigest()
        self.difference: Difference | None = None

    def follow(self, raw: bytes) -> None:
        line = _LINE.decode(raw)
        if isinstance(line, Recv):
            self._frame = line
        elif isinstance(line, EventLine):
            self.settle(b"")
            self._decide(line)
            self._frame = None
        elif isinstance(line, ActionsLine):
            self.settle(raw)
        elif isinstance(line, Header):
            if not line.app.startswith("breakwall "):
                raise ValueError("another program wrote it; `breakwall inspect` reads its books and trades")
            if line.format > FORMAT:
                raise ValueError(f"written by a newer Breakwall (format {line.format}, this one knows {FORMAT})")
            self._core = self._make_core(line.run)

    def settle(self, recorded: bytes) -> None:
        """Compare the open answer with the recorded one (nothing: the core was silent)."""
        if self._open is None:
            return
        seq, event, decided = self._open
        self._open = None
        if decided != recorded:
            self.difference = _difference(seq, event, recorded, decided)

    def _decide(self, line: EventLine) -> None:
        if self._core is None:
            raise ValueError("no header before the first event")
        event = self._event(line)
        if isinstance(event, Instruments | Admitted):
            self._instruments |= {instrument.symbol: instrument for instrument in event.instruments}
            self._frames.set_instruments(self._instruments)
        actions = self._core.on_event(Stamped(line.seq, line.at_ms, event))
        decided = b""
        if actions:
            decided = actions_line(line.seq, actions)
            self.digest.add(decided)
        self.events += 1
        self.actions += len(actions)
        self._open = (line.seq, type(event).__name__, decided)

    def _event(self, line: EventLine) -> Event:
        if not line.from_frame:
            return _EVENT.decode(line.event)
        if self._frame is None:
            raise ValueError(f"event {line.seq} has neither a body nor a frame before it")
        return self._frames.decode(self._frame.conn, self._frame.data.encode())


def recheck(path: Path, core: Callable[[int], Decider], frames: FrameReader) -> Verdict:
    """Decide a recording again, up to the first difference.

    `core` makes a fresh core for a run number. Raises RecordingError where the file is not a
    recording of Breakwall's own or cannot be read.
    """
    lines = Lines(path)
    check = _Check(core, frames)
    try:
        for line in lines:
            check.follow(line)
            if check.difference is not None:
                break
    except (msgspec.MsgspecError, ValueError) as error:
        reason = sanitise(error, 300)
        raise RecordingError(f"{path}: line {lines.count}: not a recording of this Breakwall: {reason}.") from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if not check.events:
        what = f"it has {lines.count} lines but no events" if lines.count else lines.cut or "it is empty"
        raise RecordingError(f"{path}: expected a recording made by Breakwall, found none of its events: {what}.")
    if not lines.cut and check.difference is None:
        check.settle(b"")
    return Verdict(check.events, check.actions, check.digest.text, check.difference, lines.cut)


def _difference(seq: int, event: str, recorded: bytes, decided: bytes) -> Difference | None:
    pairs = zip_longest(_actions_of(recorded), _actions_of(decided), fillvalue=b"nothing")
    for number, (left, right) in enumerate(pairs, start=1):
        if left != right:
            parting = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
            return Difference(seq, event, number, _shown(left, parting), _shown(right, parting))
    return None


def _actions_of(line: bytes) -> list[bytes]:
    """The JSON of each action of an answer; none for no answer."""
    return [bytes(action) for action in _ACTIONS.decode(line).actions] if line else []


def _shown(action: bytes, parting: int) -> str:
    begin = max(0, parting - _BEFORE)
    text = sanitise(action[begin : begin + _SHOWN].decode("utf-8", "replace"), _SHOWN)
    return f"{'…' if begin else ''}{text}{'…' if begin + _SHOWN < len(action) else ''}"
