"""The log pane: the newest line at the bottom, repeats counted, and a way back to older ones."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.events import Key

from breakwall.app.rows.figures import time_of_day
from breakwall.app.rows.row import Row, left
from breakwall.app.rows.table import filled
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import LogLine, View

LEVELS = {"debug": ("debug", "dim"), "info": ("info ", ""), "warning": ("WARN ", "warn"), "error": ("ERROR", "bad")}


class Entry(NamedTuple):
    """A line and how many times it was said in a row; `line` is the last of them."""

    line: LogLine
    times: int


class Log(Pane, can_focus=True):
    """Follows the newest line until an arrow goes back; End follows again."""

    words = "LOG"
    entries: tuple[Entry, ...] = ()
    at: int | None = None
    """Number of the lowest line shown while reading back; None follows the newest."""

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        self.entries = collapsed(view.log)
        last = self.last
        below = len(self.entries) - last
        more = f"paused, {below} below, End follows" if below else ""
        shown = self.entries[max(0, last - height + 1) : last] if height > 1 else ()
        return [self.title(width, more), *(log_row(entry, width) for entry in shown)]

    @property
    def last(self) -> int:
        """How many entries lie above the lower rim."""
        if self.at is None:
            return len(self.entries)
        return max(1, sum(entry.line.number <= self.at for entry in self.entries)) if self.entries else 0

    def on_key(self, event: Key) -> None:
        page = max(1, self.size.height - 2)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -len(self.entries)}
        if event.key in steps:
            event.stop()
            self.back(steps[event.key])
        elif event.key == "end":
            event.stop()
            self.at = None

    def back(self, step: int) -> None:
        """Move so many entries; at the newest one the log follows again."""
        place = max(min(self.size.height - 1, len(self.entries)), self.last + step)
        self.at = None if place >= len(self.entries) else self.entries[place - 1].line.number


def collapsed(lines: Sequence[LogLine]) -> tuple[Entry, ...]:
    """Lines that say the same again and again, as one entry each."""
    entries: list[Entry] = []
    for line in lines:
        before = entries[-1] if entries else None
        if before and _said(before.line) == _said(line):
            entries[-1] = Entry(line, before.times + 1)
        else:
            entries.append(Entry(line, 1))
    return tuple(entries)


def _said(line: LogLine) -> tuple[str, str, str]:
    return line.level, line.symbol, line.text


def log_row(entry: Entry, width: int) -> Row:
    """Time, level, symbol and text; the text is cut, the count of repeats is not."""
    line = entry.line
    word, ink = LEVELS.get(line.level, (f"{line.level:5}"[:5], ""))
    times = f" \N{MULTIPLICATION SIGN}{entry.times}" if entry.times > 1 else ""
    head = ((f" {time_of_day(line.at_ms)} ", "dim"), (f"{word} ", ink))
    text = f"{line.symbol} {line.text}" if line.symbol else line.text
    room = max(0, width - 16 - len(times))
    return filled((*head, (left(text, room), ink), (times, "bold")), width, "")
