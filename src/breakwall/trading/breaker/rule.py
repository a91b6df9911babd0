"""What a rule is, what a trip is, and what trips do to trading."""

from enum import Enum

from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.text import sanitise


class TradingState(Enum):
    """ACTIVE trades; REDUCING makes no new entries; HALTED lets exits, stops and cancels through only."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Tier(Enum):
    """pause: no entries, for a while; reduce: no entries until something has changed; halt: exits only, a person
    resets; flatten: the same, and all positions are closed. Each within the scope of its trip.
    """

    PAUSE = "pause"
    REDUCE = "reduce"
    HALT = "halt"
    FLATTEN = "flatten"


class Rule(Struct, frozen=True):
    """One rule in words: what trips it, for whom (`scope`), and how it resumes.

    `standing` rules hold as long as their cause does and `calm_ms` longer; they are looked at anew all the time,
    so nothing of them is remembered. `quiet` ones are told by others already.
    """

    name: str
    scope: str
    trips: str
    tier: Tier
    resumes: str
    standing: bool = False
    calm_ms: int = 0
    quiet: bool = False

    def trip(self, text: str, at_ms: int, until_ms: int | None = None, scope: str = "") -> "Trip":
        return Trip(self.name, self.tier, text, at_ms, until_ms, scope)


class Trip(Struct, frozen=True):
    """One tripped rule. `scope`: "" the account, a symbol, a strategy, or both as "bounce BTCUSDT".

    `until_ms` (engine time) is when it lifts itself; None: its cause must end, or a person lifts it.
    """

    rule: str
    tier: Tier
    text: str
    at_ms: int
    until_ms: int | None
    scope: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """There is one trip of a rule and scope at a time."""
        return self.rule, self.scope

    @property
    def state(self) -> TradingState:
        return TradingState.HALTED if self.tier in {Tier.HALT, Tier.FLATTEN} else TradingState.REDUCING

    def concerns(self, symbol: str, strategy: str = "") -> bool:
        """Whether its scope takes in this symbol traded by this strategy ("": by any that the scope names)."""
        words = self.scope.split()
        return symbol in words if not strategy else all(word in {symbol, strategy} for word in words)

    @property
    def note(self) -> Note:
        """For the journal, from which `of_note` makes it again."""
        data: dict[str, str | int | None] = {
            "rule": self.rule,
            "scope": self.scope,
            "tier": self.tier.value,
            "at_ms": self.at_ms,
            "until_ms": self.until_ms,
        }
        return Note(kind="breaker", text=sanitise(self.text, 300), level="warning", data=data, durable=True)

    @classmethod
    def of_note(cls, note: Note) -> "Trip | None":
        """The trip that a note of the journal tells of; None where it tells of something else."""
        rule, tier = note.data.get("rule"), note.data.get("tier")
        at_ms, until_ms, scope = note.data.get("at_ms"), note.data.get("until_ms"), note.data.get("scope", "")
        if note.kind != "breaker" or not isinstance(rule, str) or tier not in {each.value for each in Tier}:
            return None
        if not isinstance(at_ms, int) or isinstance(until_ms, str) or not isinstance(scope, str):
            return None
        return cls(rule, Tier(tier), note.text, at_ms, until_ms, scope)
