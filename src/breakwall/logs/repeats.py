"""What is said again and again, said once and counted."""

import re
from typing import NamedTuple

MOST = 500
"""Texts that are counted at a time; beyond it the oldest is let go."""

_NUMBER = re.compile(r"\d[\d.,:]*")
_NUMBERS_ARE_NEWS = {"debug", "info"}


class Said(NamedTuple):
    """What tells lines apart: with another kind, symbol, client id or shape of text it is another line."""

    level: str
    kind: str
    symbol: str
    client_id: str
    shape: str


class Repeat(NamedTuple):
    """A line that came back: its last text, how many times after the first, and in which span."""

    said: Said
    text: str
    times: int
    span_ms: int

    @property
    def words(self) -> str:
        span_s = max(1, round(self.span_ms / 1000))
        return f"{self.text} ... repeated {self.times} time{'s' * (self.times != 1)} in {span_s} s"


def said(level: str, kind: str, symbol: str, client_id: str, text: str) -> Said:
    """What this line would be a repeat of.

    In warnings and errors the numbers (an age, a port, a count) make no difference; of other lines they are the news.
    """
    return Said(level, kind, symbol, client_id, text if level in _NUMBERS_ARE_NEWS else _NUMBER.sub("#", text))


class _Count:
    __slots__ = ("first_ms", "last_ms", "text", "times")

    def __init__(self, at_ms: int, text: str) -> None:
        self.first_ms = self.last_ms = at_ms
        self.text = text
        self.times = 0


class Repeats:
    """Lets a line through once in a window of `window_ms`, which begins with it; 0 lets everything through."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._open: dict[Said, _Count] = {}

    def is_news(self, line: Said, at_ms: int, text: str) -> bool:
        """Whether this is to be said; if not, it is counted. Ask `over` before."""
        count = self._open.get(line)
        if count is None:
            if self._window_ms:
                self._open[line] = _Count(at_ms, text)
            return True
        count.times += 1
        count.last_ms, count.text = at_ms, text
        return False

    def over(self, at_ms: int) -> list[Repeat]:
        """The windows that have ended and had repeats, oldest first; they are forgotten."""
        late = [said for said, count in self._open.items() if at_ms - count.first_ms >= self._window_ms]
        crowd = len(self._open) - MOST
        return self._forget(late if len(late) >= crowd else list(self._open)[:crowd])

    def rest(self) -> list[Repeat]:
        """All that had repeats, at the end."""
        return self._forget(list(self._open))

    def _forget(self, lines: list[Said]) -> list[Repeat]:
        counts = [(line, self._open.pop(line)) for line in lines]
        return [
            Repeat(line, count.text, count.times, count.last_ms - count.first_ms)
            for line, count in counts
            if count.times
        ]
