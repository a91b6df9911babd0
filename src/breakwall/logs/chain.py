"""What every line goes through on its way to the console and the files: structlog processors.

A line is structlog's event dictionary: `event` is its text, `at_ms` engine time; the rest names what it is about.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from breakwall.model.ids import run_and_seq
from breakwall.model.text import sanitise
from breakwall.redaction import redact

LONGEST = 4_000
"""Characters of one text in a line."""
CONSOLE_WIDTH = 400
FRAMES = 20
_BEFORE = 4
"""So many times longer a text is looked through for secrets before it is cut."""
_encode = msgspec.json.Encoder(enc_hook=str).encode

tracebacks: Processor = ExceptionRenderer(
    ExceptionDictTransformer(show_locals=False, max_frames=FRAMES, use_rich=False)
)
"""An error in `exc_info` as data: types, texts and places, never the values of variables."""


def identified(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The trace id says which event of which run caused it; what a line does not have it does not name."""
    found = run_and_seq(str(line.get("trace", "")))
    if found is not None:
        line["run"], line["seq"] = found
    return {name: value for name, value in line.items() if name == "event" or value not in ("", None, {}, ())}


def harmless(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Every text, however deep, without secrets and without what a terminal would obey."""
    return {name: _harmless(value) for name, value in line.items()}


def _harmless(value: object) -> object:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Mapping):
        return {safe(str(name)): _harmless(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(inner) for inner in value]
    return value if isinstance(value, int | float | None) else safe(str(value))


def safe(text: str, longest: int = LONGEST) -> str:
    """One printable line without secrets; looked through whole before it is cut."""
    return sanitise(redact(sanitise(text, longest * _BEFORE)), longest)


def readable(line: EventDict) -> str:
    """For people: time, level, symbol, text and the trace id that leads to the journal; `rest` are rows below it."""
    stamp = datetime.fromtimestamp(line["at_ms"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    symbol = f"{line['symbol']} " if "symbol" in line else ""
    trace = f" [{line['trace']}]" if "trace" in line else ""
    words = sanitise(f"{symbol}{line['event']}{trace}", CONSOLE_WIDTH)
    rest = (sanitise(row, CONSOLE_WIDTH) for row in line.get("rest", ()))
    return "".join(f"{row}\n" for row in (f"{stamp} {line['level'].upper():7} {words}", *rest))


def as_json(line: EventDict) -> bytes:
    """For programs: one object, with the time as ISO 8601 in UTC first."""
    at = datetime.fromtimestamp(line["at_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    known = {"at": at, "level": line["level"], "kind": line.get("kind", ""), "text": line["event"]}
    return _encode(known | {name: value for name, value in line.items() if name not in {"event", "at_ms"}})


Tell = Callable[[EventDict], None]


class Sinks:
    """The end of the chain, where structlog finds a method for each level."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def debug(self, **line: object) -> None:
        self._tell(line)

    info = warning = error = critical = debug
