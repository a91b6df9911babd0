"""The session's sign of life, and its ear for a panic that was run beside it."""

import asyncio
import contextlib
import json
import os
import threading
from pathlib import Path

from breakwall.cli.wishes import Ear
from breakwall.engine.loop import Engine
from breakwall.heartbeat import Beat, Held, encode
from breakwall.model.events import Command, CommandKind
from breakwall.model.text import sanitise
from breakwall.model.view import PositionView, View
from breakwall.places import HEARTBEAT_FILE, write_over, write_whole

_LOOK_S = 0.25
_LOOKS_A_BEAT = 4
_MARK_BYTES = 4096


class Pulse:
    """Writes the heartbeat each second, and looks four times a second for the mark that `breakwall panic` leaves,
    and for the wishes of `breakwall tell`.

    A mark makes the engine SAFE, at the start before it reads the account. It goes when a person arms: nothing
    else takes back what a person did by hand.
    """

    def __init__(self, engine: Engine, folder: Path, marks: tuple[Path, ...]) -> None:
        self._engine = engine
        self._file = folder / HEARTBEAT_FILE
        self._marks = marks
        self._ear = Ear(folder)
        self._number = 0
        self._obeyed: dict[Path, tuple[int, int]] = {}  # marks that made it SAFE, by inode and time
        self._was_safe = False
        self._failure = ""
        self._ended = False
        self._one_at_a_time = threading.Lock()

    async def run(self) -> None:
        """Until cancelled. What is opened or closed is told at the next look, not only each second.

        Neither a disk that hangs nor a beat that cannot be made keeps it from listening.
        """
        told: Beat | None = None
        looks = 0
        writing: asyncio.Future[None] | None = None
        while True:
            self.listen()
            beat = self._beat()
            if beat is not None:
                self._hear()
            looks += 1
            due = told is None or looks >= _LOOKS_A_BEAT or _open_in(beat or told) != _open_in(told)
            if beat is not None and due and not self._ended and (writing is None or writing.done()):
                told, looks = beat, 0
                writing = asyncio.ensure_future(asyncio.to_thread(self._write, encode(beat)))
            await self._engine.clock.sleep(_LOOK_S)

    def listen(self) -> None:
        """Obey marks that are new."""
        fresh = [mark for mark in self._marks if self._is_fresh(mark)]
        if fresh:
            self._was_safe = False
            why = f"{_why(fresh[0])}; arm to trade again"
            self._engine.submit(Command(CommandKind.DISARM, who="breakwall panic", why=why))

    def _hear(self) -> None:
        """Carry out what was wished, as if it were a key."""
        for command in self._ear.listen(self._engine.account()):
            self._engine.submit(command)

    def end(self) -> None:
        """The last beat: the session has left in order. None comes after it."""
        self._ended = True
        self._write(encode(self._next()._replace(ended=True)), last=True)

    def _beat(self) -> Beat | None:
        """The next one; None where it cannot be made, which is told: a watch hears no more of us."""
        try:
            return self._next()
        except Exception as error:
            self._tell(f"no heartbeat: {error!r}; a watch will raise an alarm")
            return None

    def _next(self) -> Beat:
        view = self._engine.account()
        self._number += 1
        if view.armed and self._was_safe:
            self._forget_marks()
        self._was_safe = not view.armed
        return beat_of(view, self._number)

    def _is_fresh(self, mark: Path) -> bool:
        """Whether it was left, or left again, since the last look."""
        try:
            found = mark.stat(follow_symlinks=False)
        except OSError:
            self._obeyed.pop(mark, None)
            return False
        name = (found.st_ino, found.st_mtime_ns)
        known = self._obeyed.get(mark) == name
        self._obeyed[mark] = name
        return not known

    def _forget_marks(self) -> None:
        """A person has armed since."""
        for mark in self._obeyed:
            with contextlib.suppress(OSError):
                mark.unlink()
        self._obeyed.clear()

    def _write(self, content: bytes, *, last: bool = False) -> None:
        """Whole, or over the last one where a full disk has no room for another. Where neither can be, the file is
        at least touched: a watch then raises an alarm, and does not take it for silence.
        """
        try:
            with self._one_at_a_time:
                if last or not self._ended:
                    self._put(content)
        except OSError as error:
            self._tell(
                f"{self._file}: the heartbeat cannot be written ({error.strerror}); a watch will raise an alarm"
            )
            with contextlib.suppress(OSError):
                os.utime(self._file, follow_symlinks=False)
        else:
            self._failure = ""

    def _put(self, content: bytes) -> None:
        try:
            write_whole(self._file, content)
        except OSError:
            write_over(self._file, content)

    def _tell(self, failure: str) -> None:
        """Once."""
        if failure != self._failure:
            self._engine.say(failure, level="error")
        self._failure = failure


def _open_in(beat: Beat) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Entries under way, and what is held."""
    return beat.orders, tuple((position.symbol, position.qty) for position in beat.positions)


def _why(mark: Path) -> str:
    """What panic wrote; a mark that cannot be read is obeyed all the same."""
    try:
        with os.fdopen(os.open(mark, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            told = json.loads(stream.read(_MARK_BYTES))
        return f"{sanitise(told['why'], 100)} was run by process {int(told['pid'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "breakwall panic was run"


def beat_of(view: View, number: int) -> Beat:
    """The beat of this process that tells of this view."""
    return Beat(
        pid=os.getpid(),
        number=number,
        at_ms=view.at_ms,
        mode=view.mode,
        state=view.trading_state,
        why=view.why,
        armed=view.armed,
        blind=view.blind,
        loop_delay_ms=round(view.loop_delay_p99_ms, 1),
        read_back_ms=view.read_back_age_ms,
        orders=sum(not order.reduce_only for order in view.orders),
        positions=tuple(_held(position) for position in view.positions),
        ended=False,
    )


def _held(position: PositionView) -> Held:
    return Held(
        symbol=position.symbol,
        side=position.side,
        qty=f"{abs(position.qty):f}",
        stop=None if position.stop is None else f"{position.stop:f}",
        naked_ms=position.naked_ms,
        proof_ms=position.proof_age_ms,
    )
