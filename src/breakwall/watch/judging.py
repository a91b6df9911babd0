"""What a heartbeat, or its absence, means. Time is an argument: seconds of a clock that never jumps."""

from typing import NamedTuple

from breakwall.heartbeat import Beat
from breakwall.model.text import sanitise

NAKED_MS = 3_000
BLIND_S = 30.0
UNREAD_MS = 30_000
SLOW_MS = 2_000
GONE_S = 2.0
"""A process that is gone is told of sooner than one that is silent; a supervisor may have it back within a second."""
MUTE_S = 5.0
"""A process that touches its heartbeat, and has written nothing for so long, cannot write it."""
OWN_GAP_S = 3.0
"""Where the watch itself was not looking for so long, it was asleep: what it did not see is no silence."""
STEP_S = 2.0
MOMENTARY = frozenset({"clock"})
"""Alarms that happen and do not last."""


class Facts(NamedTuple):
    """What is seen now. `now_s` never jumps, `wall_s` may. `trouble` says why there is no beat in the file.

    `process` is what became of the process of the last beat: running, stopped, gone, or empty where nobody knows.
    `touched_ns` is the time that the file itself has: it changes with a beat that could not be written.
    """

    now_s: float
    wall_s: float
    beat: Beat | None
    trouble: str = ""
    process: str = ""
    touched_ns: int = 0


class Alarm(NamedTuple):
    """`kind` stays the same while it lasts; `severe`: the policy may act."""

    kind: str
    text: str
    severe: bool = False


class Judge:
    """Remembers when the heartbeat last changed, and what was open then."""

    def __init__(self, after_s: float) -> None:
        self.last: Beat | None = None
        self._after_s = after_s
        self._changed_s = 0.0
        self._touched_ns = 0
        self._touched_s = 0.0  # when we saw that change
        self._looked_s: float | None = None
        self._blind_s: float | None = None
        self._wall_ahead: float | None = None
        self._flat = False

    @property
    def at_risk(self) -> bool:
        """Whether something was open, or on its way, when the process was last heard."""
        return self.last is not None and not self._flat and bool(self.last.positions or self.last.orders)

    def settle(self) -> None:
        """Panic has proven the account flat: the silence that remains is no danger."""
        self._flat = True

    def look(self, facts: Facts) -> list[Alarm]:
        """All alarms that hold now."""
        self._allow_for_sleep(facts.now_s)
        self._hear(facts)
        stepped = self._clock_step(facts)
        if self.last is None:
            unreadable = facts.trouble and facts.now_s - self._changed_s >= self._after_s
            found = [Alarm("unreadable", f"the heartbeat is {facts.trouble}")] if unreadable else []
        elif self.last.ended:
            found = self._left_open(self.last)
        else:
            found = [*self._silence(self.last, facts), *self._trouble(self.last, facts)]
        return found + stepped

    def _allow_for_sleep(self, now_s: float) -> None:
        if self._looked_s is None:
            self._changed_s = self._touched_s = now_s
        elif now_s - self._looked_s > OWN_GAP_S:
            self._changed_s += now_s - self._looked_s
            self._touched_s += now_s - self._looked_s
        self._looked_s = now_s

    def _hear(self, facts: Facts) -> None:
        beat, last = facts.beat, self.last
        if beat is not None and (last is None or (beat.pid, beat.number) != (last.pid, last.number)):
            self.last, self._changed_s, self._flat = beat, facts.now_s, False
        if facts.touched_ns not in {0, self._touched_ns}:
            self._touched_ns, self._touched_s = facts.touched_ns, facts.now_s

    def _silence(self, last: Beat, facts: Facts) -> list[Alarm]:
        silent_s = facts.now_s - max(self._changed_s, self._touched_s)
        mute_s = facts.now_s - self._changed_s
        gone = facts.process == "gone"
        if mute_s - silent_s >= MUTE_S and silent_s < self._after_s and not gone:
            text = f"process {last.pid} lives, but its heartbeat cannot be written; make room on its disk"
            return [Alarm("mute", f"{text}. {mute_s:.0f} s ago it had {held_words(last)}")]
        could_open = self.at_risk or (last.armed and not self._flat)
        if not could_open or silent_s < (min(GONE_S, self._after_s) if gone else self._after_s):
            return []
        what = {"gone": "is gone", "stopped": "is stopped (SIGSTOP)", "running": "hangs"}.get(
            facts.process, "is silent"
        )
        text = f"process {last.pid} {what}: no heartbeat for {silent_s:.0f} s with {held_words(last)}"
        text += f"; the heartbeat is {facts.trouble}" if facts.trouble else ""
        return [Alarm("silent", text, severe=self.at_risk and silent_s >= self._after_s)]

    def _trouble(self, last: Beat, facts: Facts) -> list[Alarm]:
        """What a process that is heard says of itself."""
        if not last.blind:
            self._blind_s = None
        elif self._blind_s is None:
            self._blind_s = facts.now_s
        if facts.now_s - self._changed_s > OWN_GAP_S:
            return []
        found = [
            Alarm("unprotected", f"{sanitise(held.symbol, 40)} has had no stop for {held.naked_ms / 1000:.0f} s")
            for held in last.positions
            if held.naked_ms is not None and held.naked_ms > NAKED_MS
        ]
        if self._blind_s is not None and facts.now_s - self._blind_s > BLIND_S:
            seconds = facts.now_s - self._blind_s
            found.append(Alarm("blind", f"blind for {seconds:.0f} s: {sanitise(last.why, 160)}"))
        elif last.positions and last.read_back_ms is not None and last.read_back_ms > UNREAD_MS:
            found.append(Alarm("unread", f"the account was last read {last.read_back_ms / 1000:.0f} s ago"))
        if last.loop_delay_ms > SLOW_MS:
            found.append(Alarm("slow", f"the loop is late by {last.loop_delay_ms / 1000:.1f} s"))
        return found

    def _left_open(self, last: Beat) -> list[Alarm]:
        if not self.at_risk:
            return []
        return [Alarm("left-open", f"the session ended with {held_words(last)}; the stops stay on the exchange")]

    def _clock_step(self, facts: Facts) -> list[Alarm]:
        """The machine's clock, measured by one that never jumps; told once a step."""
        ahead, before = facts.wall_s - facts.now_s, self._wall_ahead
        self._wall_ahead = ahead
        if before is None or abs(ahead - before) < STEP_S:
            return []
        return [
            Alarm("clock", f"the machine's clock has stepped by {ahead - before:+.0f} s; signed requests may fail")
        ]


def held_words(beat: Beat) -> str:
    """What was open, in words."""
    words = [
        f"{sanitise(held.symbol, 40)} {sanitise(held.side, 8)} {sanitise(held.qty, 24)} "
        + (f"(stop {sanitise(held.stop, 24)})" if held.stop is not None else "(NO STOP)")
        for held in beat.positions
    ]
    if beat.orders:
        words.append(f"{beat.orders} {'entry' if beat.orders == 1 else 'entries'} under way")
    return ", ".join(words) or "nothing open"
