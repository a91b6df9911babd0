"""What happened to a position, as a fact for the books and as words."""

from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.records import ClosedTrade, PositionStep
from breakwall.trading.origin import Origin
from breakwall.trading.position import Position


class PositionChange(Struct, frozen=True):
    """What became of a position: `kind` is opened, grew, reduced, closed, ended, corrected, adopted, stop, cash, adl.

    `stop`: the exchange tells another stop than before; `adl`: it may soon deleverage the position. `step` is the
    position after it, None where there is none.
    """

    kind: str
    symbol: str
    text: str
    trace: str
    closed: ClosedTrade | None = None
    alarm: bool = False
    step: PositionStep | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        position: Position,
        text: str,
        origin: Origin,
        *,
        closed: ClosedTrade | None = None,
        alarm: bool = False,
    ) -> "PositionChange":
        """A change that has just been made to this position."""
        return cls(kind, position.symbol, text, origin.trace, closed, alarm, position.step(kind))

    @property
    def note(self) -> Note:
        calm = "debug" if self.kind == "stop" else "info"  # who moved a stop has told so already
        return Note(
            kind="position",
            text=self.text,
            level="warning" if self.alarm else calm,
            symbol=self.symbol,
            trace=self.trace,
            durable=True,
            record=self.step,
        )
