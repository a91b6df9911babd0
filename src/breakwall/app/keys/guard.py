"""The guard between keys and trading: chords, pastes, repeats. A state machine; time is an argument.

A chord is a key and then Enter, a different key, within two seconds: a held key repeats itself and must never
confirm. What pastes and garbled lines type comes as characters without pauses; function keys are never pasted, so
panic on F9 needs no pause and nothing but time and Esc takes it back.

    state      key              ->
    any        chord key        asking (again from the start)
    asking     Enter in time    DO
    asking     Enter too late   DENY
    asking     Esc              DISMISS
    asking F9  any other        DENY
    asking     any other        as if nothing was asked
    any        trading key      HOLD, then DO unless another character follows at once
"""

from collections import deque
from enum import Enum
from typing import NamedTuple

from breakwall.app.keys.acts import Act

CHORD_MS = 2_000
LATE_MS = 1_500
"""For so long after a chord's end Enter is still taken as meant for it, and refused."""
PAUSE_MS = 30
"""What is typed closer together was pasted."""
BURST_KEYS = 4
QUIET_MS = 300
HOLD_MS = 12
"""A trading key waits for so long for the rest of a paste; characters of one paste come within it."""
REPEAT_MS = 700
"""Longer than the first pause of keyboards that repeat a held key."""


class Kind(Enum):
    DO = "do"  # act now
    ASK = "ask"  # wait for Enter
    HOLD = "hold"  # ask `release` after HOLD_MS
    DENY = "deny"  # nothing happens, for the reason given
    DISMISS = "dismiss"  # the question is taken back
    OTHER = "other"  # not the guard's business


class Answer(NamedTuple):
    """What becomes of a key. `scope` is the symbol it was pressed for; `why` is said to the trader, if any.

    `confirmed`: Enter was pressed for it.
    """

    kind: Kind
    act: Act | None = None
    scope: str = ""
    why: str = ""
    confirmed: bool = False


class Stroke(NamedTuple):
    """One key as it was read. `typed`: it is a character, as a paste may have; `chord`: it needs Enter now."""

    key: str
    act: Act | None
    at_ms: int
    typed: bool
    chord: bool = False
    scope: str = ""


class Asking(NamedTuple):
    """A chord that waits for Enter."""

    act: Act
    scope: str
    at_ms: int
    typed: bool
    pause_ms: int = PAUSE_MS

    def left_ms(self, at_ms: int) -> int:
        """How long Enter still counts; negative once it is over."""
        return self.at_ms + CHORD_MS - at_ms


class KeyGuard:
    """One trader's keys. `asking` may have run out: ask its `left_ms`."""

    def __init__(self) -> None:
        self.asking: Asking | None = None
        self._held: Answer | None = None
        self._held_ms = 0
        self._characters: deque[int] = deque(maxlen=BURST_KEYS)
        self._quiet_until_ms = 0
        self._paused_since_ms: int | None = None  # the last character that Enter must keep a distance from
        self._last: tuple[str, int] | None = None  # the trading key that acted last, and when it was last seen

    def press(self, stroke: Stroke) -> Answer:
        """What this key means now."""
        before = self._characters[-1] if self._characters else None
        if stroke.typed:
            self._listen(stroke.at_ms)
        if stroke.key == "enter" and (answer := self._confirm(stroke)):
            return answer
        if self.asking is not None:
            if stroke.key == "escape":
                self.asking = None
                return Answer(Kind.DISMISS)
            stays = not self.asking.typed and self.asking.left_ms(stroke.at_ms) >= 0
            if stays and stroke.act is not self.asking.act:
                self._paused_since_ms = stroke.at_ms if stroke.typed else self._paused_since_ms
                return Answer(Kind.DENY)
            self.asking = self.asking if stays else None
        act = stroke.act
        if act is None or not act.trades:
            return Answer(Kind.OTHER, act)
        if stroke.typed and stroke.at_ms < self._quiet_until_ms:
            return Answer(Kind.DENY, act, why=f"{act.id}: not taken right after a paste or a change of the screen")
        return self._ask(stroke, act) if stroke.chord else self._at_once(stroke, act, before)

    def ask(self, act: Act, scope: str, at_ms: int) -> Answer:
        """A chord chosen with Enter out of a list: the held Enter repeats itself, and must not confirm."""
        self.asking = Asking(act, scope, at_ms, typed=True, pause_ms=REPEAT_MS)
        self._paused_since_ms = at_ms
        return Answer(Kind.ASK, act, scope)

    def is_by_hand(self, at_ms: int) -> bool:
        """Note a character for a dialog; False where it came as in a paste or right after a change of the screen."""
        before = self._characters[-1] if self._characters else None
        self._listen(at_ms)
        return not self.is_quiet(at_ms) and (before is None or at_ms - before >= PAUSE_MS)

    def release(self, at_ms: int | None = None) -> Answer | None:
        """The trading key that was held back, once nothing followed it; None where something did.

        `at_ms` is when another key was read: it may be handled before the time of the first one was seen to be over.
        """
        if at_ms is not None and at_ms - self._held_ms < HOLD_MS:
            return None
        held, self._held = self._held, None
        return held

    def quieten(self, at_ms: int) -> None:
        """A paste, a resize, another screen: characters trade nothing for a while."""
        self._quiet_until_ms = max(self._quiet_until_ms, at_ms + QUIET_MS)
        self._held = None

    def is_quiet(self, at_ms: int) -> bool:
        return at_ms < self._quiet_until_ms

    def drop(self) -> None:
        """Whatever was asked is taken back."""
        self.asking = self._held = None

    def _listen(self, at_ms: int) -> None:
        """Note a character: it ends what was held back, and the fourth in a row is a paste."""
        self._characters.append(at_ms)
        self._held = None
        if len(self._characters) == BURST_KEYS and at_ms - self._characters[0] <= PAUSE_MS:
            self.quieten(at_ms)
            if self.asking is not None and self.asking.typed:
                self.asking = None

    def _confirm(self, stroke: Stroke) -> Answer | None:
        """Enter for the chord; None where none is asked, or so long ago that Enter means something else."""
        asking = self.asking
        if asking is None:
            return None
        left = asking.left_ms(stroke.at_ms)
        if left < 0:
            self.asking = None
            return (
                Answer(Kind.DENY, asking.act, asking.scope, "too late: nothing was sent")
                if -left <= LATE_MS
                else None
            )
        close = self._paused_since_ms is not None and stroke.at_ms - self._paused_since_ms < asking.pause_ms
        if close or (asking.typed and self.is_quiet(stroke.at_ms)):
            self._paused_since_ms = stroke.at_ms
            return Answer(
                Kind.DENY, asking.act, asking.scope, "Enter was not taken, it came as in a paste; press it again"
            )
        self.asking = None
        return Answer(Kind.DO, asking.act, asking.scope, confirmed=True)

    def _ask(self, stroke: Stroke, act: Act) -> Answer:
        repeated = self._last is not None and self._last[0] == act.id and stroke.at_ms - self._last[1] < REPEAT_MS
        if repeated:
            self._last = act.id, stroke.at_ms
            return Answer(Kind.DENY, act)
        self.asking = Asking(act, stroke.scope, stroke.at_ms, stroke.typed)
        self._paused_since_ms = stroke.at_ms if stroke.typed else None
        return Answer(Kind.ASK, act, stroke.scope)

    def _at_once(self, stroke: Stroke, act: Act, before_ms: int | None) -> Answer:
        last, self._last = self._last, (act.id, stroke.at_ms)
        if last is not None and last[0] == act.id and stroke.at_ms - last[1] < REPEAT_MS:
            return Answer(Kind.DENY, act)
        answer = Answer(Kind.DO, act, stroke.scope)
        if not stroke.typed:
            return answer
        if before_ms is not None and stroke.at_ms - before_ms < HOLD_MS:
            return Answer(Kind.DENY, act, why=f"{act.id}: not taken, it came with other keys at once; press it again")
        self._held, self._held_ms = answer, stroke.at_ms
        return Answer(Kind.HOLD, act, stroke.scope)
