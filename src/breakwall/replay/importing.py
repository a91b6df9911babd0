"""Recordings of other forms written in ours: joined by time, with the rules of their symbols at the beginning."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from breakwall import __version__
from breakwall.replay.contents import Contents, contents
from breakwall.replay.forms import RecordingError
from breakwall.replay.tape import Rules, Tape
from breakwall.storage.lines import zstd
from breakwall.storage.recording import FORMAT, Header, Http, Recv
from breakwall.venues.exchange.instruments import instrument_record

_CHUNK = 1 << 20
_encode = msgspec.json.Encoder().encode


class Imported(Struct, frozen=True):
    """What was written; `topics` counts frames."""

    out: str
    symbols: tuple[str, ...]
    seconds: float
    frames: int
    bytes: int
    unreadable: int
    topics: dict[str, int]
    notes: tuple[str, ...]


def bring_in(paths: Sequence[Path], out: Path, symbols: Iterable[str] = ()) -> Imported:
    """Write these recordings as one. Raises RecordingError where one cannot be read or `out` not be written.

    Nothing stands under the name of `out` before all of it is there; a file that is there already is left alone.
    """
    if out.exists():
        raise RecordingError(f"{out}: is there already. Name another file with --out, or take it away.")
    found = contents(paths, symbols, booked=False)
    tape = Tape(paths, found.held)
    draft = out.with_name(f"{out.name}.part")
    try:
        size = _write(draft, found, tape)
        draft.rename(out)
    except OSError as error:
        raise RecordingError(
            f"{out}: cannot be written ({error.strerror or error}). Name another with --out."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    topics = {topic: count for held in found.held.values() for topic, count in held.topics.items()}
    notes = (*found.notes, *(note for note in tape.cuts if note not in found.notes))
    frames = sum(topics.values())
    return Imported(str(out), tuple(found.held), found.seconds, frames, size, tape.unreadable, topics, notes)


def _write(draft: Path, found: Contents, tape: Tape) -> int:
    """The packed bytes that were written."""
    at_s = found.began_ns / 1e9
    rows = [instrument_record(rules) for rules in found.instruments.values()]
    answer = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows, "nextPageCursor": ""}}
    url = "import:/v5/market/instruments-info?category=linear"
    head = [
        Header(f"breakwall {__version__}", FORMAT, ts=at_s, exchange="BYBIT"),
        Http("import", at_s, url, msgspec.json.encode(answer).decode()),
    ]
    pack = zstd.ZstdCompressor(level=3)
    number = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "wb") as file:
        buffer = b"".join(_encode(line) + b"\n" for line in head)
        for item in tape:
            if isinstance(item, Rules):
                continue
            line = Recv("import", item.at_ns / 1e9, item.data.decode("utf-8", "replace"))
            buffer += _encode(line) + b"\n"
            if len(buffer) >= _CHUNK:
                file.write(pack.compress(buffer))
                buffer = b""
        file.write(pack.compress(buffer, pack.FLUSH_FRAME))
        return file.tell()
