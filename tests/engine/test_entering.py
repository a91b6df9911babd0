"""What is told of signals: each decision once, with all it was decided on."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from breakwall.market.state import Market
from breakwall.model.actions import Action, Note
from breakwall.model.records import SignalContext
from breakwall.strategies.base import Key, Strategy
from breakwall.trading.signal import Signal


class Stubborn:
    """The same wall, signalled at every tick in turns with an entry too far away and a stop too near."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.looks = 0

    def look(self, market: Market, at_ms: int, trace: str) -> Signal:
        self.looks += 1
        signal = self.strategy.look(market, at_ms, trace)
        spoilt = {"stop_ticks": 599_990} if self.looks % 2 else {"entry_ticks": 610_000}
        return replace(signal, wall_id=1, **spoilt)

    def again(self, key: Key, at_ms: int) -> None:
        """Said at every tick anyway."""


def told(actions: Iterable[Action]) -> list[Note]:
    return [action for action in actions if isinstance(action, Note) and isinstance(action.record, SignalContext)]


def test_an_ordered_signal_is_one_durable_note_with_the_orders_id(floor):
    (note,) = [note for note in told(floor.tick()) if note.symbol == "BTCUSDT"]
    assert (note.kind, note.durable, note.record.refused_by, note.client_id[:3]) == ("signal", True, "", "bw-")
    assert note.record.spread == floor.state.instruments["BTCUSDT"].tick


def test_a_wall_refused_for_the_same_reasons_again_and_again_tells_each_once(make_floor: Callable):
    floor = make_floor("BTCUSDT")
    floor.open()
    floor.state.strategies = (Stubborn(floor.state.strategies[0]),)
    notes = told(action for _ in range(40) for action in floor.tick())
    assert sorted(note.record.refused_by for note in notes) == ["entry near the market", "stop sound"]
