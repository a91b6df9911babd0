"""Each invariant: kept by a correct history, broken by the wrong one, and named with its reproduction."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import structs

from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import OrderStep
from breakwall.ports import HttpRequest
from breakwall.settings import BreakerSettings, RiskSettings
from breakwall.sim.invariants import Belief, InvariantBroken, Referee, TruePosition, Truth
from breakwall.venues.exchange.faults import FaultKind

FLAT = Truth(Decimal(10_000), ())
LONG = TruePosition("BTCUSDT", 5, 600_000, Decimal(50), Decimal(500), Decimal(2))
FLAT_NOTE = JournalEntry(1, 9, 1, EntryKind.NOTE, msgspec.json.encode(Note("flat", "all symbols flat")).decode())
SHORT = TruePosition("ETHUSDT", -5, 30_000, Decimal(50), Decimal(500), Decimal(2))


class Case:
    """A referee over a truth that the test sets."""

    def __init__(self, truth: Truth = FLAT) -> None:
        self.truth = truth
        self.may_enter = True
        self.hindered_ms = 0
        self.found: list[InvariantBroken] = []
        self.referee = Referee(
            RiskSettings(),
            BreakerSettings(),
            lambda: self.truth,
            lambda: self.may_enter,
            self.found.append,
            "play(seed=17)",
            lambda: self.hindered_ms,
        )

    def hold(self, *positions: TruePosition) -> None:
        self.truth = Truth(Decimal(10_000), positions)
        self.referee.check(1)

    def intend(self, client_id: str) -> None:
        self.referee.committed([JournalEntry(1, 1, 1, EntryKind.INTENT, "{}", client_id=client_id)])

    def place(
        self,
        client_id: str,
        *,
        reduce_only: bool = False,
        code: int = 0,
        symbol: str = "BTCUSDT",
        approved: bool = True,
    ) -> None:
        if approved:
            self.referee.approved(client_id)
        body = msgspec.json.encode({"symbol": symbol, "orderLinkId": client_id, "reduceOnly": reduce_only})
        request = HttpRequest("POST", "", "/v5/order/create", body=body)
        self.referee.sent(request, 1)
        self.referee.arriving(request, 2)
        self.referee.acted(request, [] if code else [client_id], 2)

    @property
    def names(self) -> list[str]:
        return [str(error).split(" ")[0] for error in self.found]


def test_a_correct_history_breaks_nothing() -> None:
    case = Case()
    case.intend("a")
    case.place("a")
    case.hold(LONG)
    case.hold(structs.replace(LONG, stop_ticks=600_100))
    case.intend("b")
    case.place("b", reduce_only=True)
    case.hold()
    case.intend("c")
    case.place("c")
    case.referee.check_healed(Belief(), 9)
    assert case.found == []
    assert (case.referee.orders, case.referee.entries) == (3, 2)


@pytest.mark.parametrize("position", [LONG, SHORT], ids=lambda position: position.symbol)
def test_i1_a_position_without_a_stop(position: TruePosition) -> None:
    case = Case()
    case.hold(structs.replace(position, stop_ticks=None))
    assert case.names == ["I1"]
    assert "play(seed=17)" in str(case.found[0])


def test_i2_one_client_id_accepted_twice() -> None:
    case = Case()
    case.intend("a")
    case.place("a")
    case.place("a", code=110072)
    assert case.names == []
    case.place("a")
    assert case.names == ["I2"]


def test_i2_an_entry_beside_a_position_or_an_entry() -> None:
    for truth in (Truth(Decimal(10_000), (LONG,)), Truth(Decimal(10_000), (), frozenset({"BTCUSDT"}))):
        case = Case(truth)
        case.intend("b")
        case.place("b", symbol="SOLUSDT")
        assert case.names == []
        case.intend("c")
        case.place("c")
        assert case.names == ["I2"]


@pytest.mark.parametrize(
    "change",
    [
        {"margin_usdt": Decimal(6_000)},
        {"notional_usdt": Decimal(11_000)},
        {"loss_at_stop_usdt": Decimal(400)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_i3_each_limit(change: dict[str, Decimal]) -> None:
    case = Case()
    case.hold(structs.replace(LONG, **{name: value / 2 for name, value in change.items()}))
    assert case.names == []
    case.hold(structs.replace(LONG, **change))
    assert case.names == ["I3"]


def test_i3_too_many_positions() -> None:
    case = Case()
    case.hold(*(structs.replace(LONG, symbol=f"S{n}") for n in range(5)))
    assert case.names == []
    case.hold(*(structs.replace(LONG, symbol=f"S{n}") for n in range(6)))
    assert case.names == ["I3"]


def test_i4_an_entry_before_its_intent() -> None:
    case = Case()
    case.place("a")
    assert case.names == ["I4"]


def test_i4_an_exit_may_be_journaled_late_but_not_never() -> None:
    case = Case()
    case.place("x", reduce_only=True)
    assert case.names == []
    case.referee.check_healed(Belief(), 9)
    assert case.names == ["I4"]


def test_i4_what_died_with_the_program_is_forgiven() -> None:
    case = Case()
    case.place("x", reduce_only=True)
    case.referee.died()
    case.referee.check_healed(Belief(), 9)
    assert case.names == []


@pytest.mark.parametrize(("position", "worse"), [(LONG, 599_999), (SHORT, 30_001)])
def test_i5_a_stop_moved_to_a_worse_price(position: TruePosition, worse: int) -> None:
    case = Case()
    case.hold(position)
    case.hold(structs.replace(position, stop_ticks=worse))
    assert case.names == ["I5"]


def test_i4_what_the_last_gate_did_not_approve_or_was_refused_never_leaves() -> None:
    case = Case()
    case.intend("a")
    case.place("a", approved=False)
    assert case.names == ["I4"]
    case.referee.refused("b")
    case.place("b", reduce_only=True)
    assert case.names == ["I4", "I4"]


@pytest.mark.parametrize(("hindered_ms", "bare_ms"), [(0, 3_000), (19_000, 9_000), (22_000, 11_000)])
def test_i1_a_stop_that_others_took_must_be_there_again_in_time(hindered_ms: int, bare_ms: int) -> None:
    """Counted from when the program could see it and do something about it."""
    bare = structs.replace(LONG, stop_ticks=None)
    case = Case(Truth(Decimal(10_000), (bare,)))
    case.referee.meddled(FaultKind.STOP_VANISHES, "BTCUSDT", 19_990)
    case.hindered_ms = hindered_ms
    for at_ms in (20_000, 20_000 + bare_ms):
        case.referee.check(at_ms)
    assert case.names == []
    case.referee.check(20_001 + bare_ms)
    assert case.names == ["I1"]


def test_i1_no_excuse_lasts_for_the_next_time() -> None:
    case = Case()
    case.referee.meddled(FaultKind.STOP_NOT_ATTACHED, "BTCUSDT", 1)
    case.truth = Truth(Decimal(10_000), (structs.replace(LONG, stop_ticks=None),))
    case.referee.check(5_002)
    assert case.names == ["I1"]


def test_what_strangers_hold_is_not_held_against_the_program() -> None:
    case = Case()
    case.referee.meddled(FaultKind.FOREIGN_POSITION, "BTCUSDT", 1)
    case.hold(structs.replace(LONG, margin_usdt=Decimal(6_000)))
    case.intend("a")
    case.place("a")
    case.referee.committed([FLAT_NOTE])
    assert case.names == []


def test_i6_what_only_reduces_opens_nothing() -> None:
    case = Case()
    case.referee.executed("x", 5, 5)
    assert case.names == []
    case.referee.executed("x", 5, 4)
    assert case.names == ["I6"]


def test_i7_and_i8_orders_move_by_their_table_and_are_never_filled_less() -> None:
    case = Case()
    step = OrderStep("a", "", "SENT", "PARTIALLY_FILLED", "partial", 5, 9)
    case.referee.stepped(step)
    case.referee.stepped(structs.replace(step, filled_lots=6))
    assert case.names == []
    case.referee.stepped(structs.replace(step, filled_lots=7, legal=False))
    case.referee.stepped(structs.replace(step, filled_lots=6))
    assert case.names == ["I7", "I8"]
    case.referee.died()
    case.referee.stepped(structs.replace(step, filled_lots=5))
    assert case.names == ["I7", "I8"]


def test_i9_and_quiet_are_asked_for_after_healing() -> None:
    case = Case()
    case.referee.check_healed(Belief(), 9, ["open orders: [] in memory, ['a'] by the journal"])
    case.referee.check_quiet(40, 40)
    assert case.names == ["I9"]
    case.referee.check_quiet(41, 40)
    assert case.names == ["I9", "liveness"]


def test_i5_a_stop_that_others_took_while_nobody_was_up_may_have_been_forgotten() -> None:
    case = Case()
    case.hold(LONG)
    case.referee.meddled(FaultKind.STOP_VANISHES, "BTCUSDT", 1)
    case.hindered_ms = 1
    case.hold(structs.replace(LONG, stop_ticks=None))
    case.hold(structs.replace(LONG, stop_ticks=599_000))
    assert case.names == []
    case.hindered_ms = 0
    case.hold(structs.replace(LONG, stop_ticks=None))
    case.hold(structs.replace(LONG, stop_ticks=598_000))
    assert case.names == ["I5"]


def test_i5_a_new_position_starts_anew() -> None:
    case = Case()
    case.hold(LONG)
    case.hold()
    case.hold(structs.replace(LONG, stop_ticks=500_000))
    case.hold(structs.replace(LONG, lots=-5, stop_ticks=700_000))
    assert case.names == []


def test_i10_an_entry_while_not_allowed() -> None:
    case = Case()
    case.may_enter = False
    case.intend("a")
    case.intend("x")
    case.place("x", reduce_only=True)
    assert case.names == []
    case.place("a")
    assert case.names == ["I10"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lots": {}}, "the program knows positions {}"),
        ({"lots": {"BTCUSDT": 4}}, "{'BTCUSDT': 4}"),
        ({"protected": frozenset()}, "no proven stop for BTCUSDT"),
        ({"planned": frozenset()}, "the plan of BTCUSDT is forgotten"),
        ({"unknown": frozenset({"bw-1"})}, "still UNKNOWN: bw-1"),
        ({"fees_usdt": Decimal("0.27")}, "fees of 0.27 were booked, 0.28 were charged"),
    ],
)
def test_liveness_wants_knowledge_to_equal_truth(change: dict[str, Any], words: str) -> None:
    case = Case(Truth(Decimal(10_000), (LONG,), fees_usdt=Decimal("0.28")))
    right = Belief({"BTCUSDT": 5}, frozenset({"BTCUSDT"}), frozenset({"BTCUSDT"}))
    assert case.referee.agrees(right)
    assert case.referee.agrees(structs.replace(right, fees_usdt=Decimal("0.280")))
    wrong = structs.replace(right, **change)
    assert not case.referee.agrees(wrong)
    case.referee.check_healed(wrong, 9)
    assert words in str(case.found[0])


@pytest.mark.parametrize(
    ("commands", "held"),
    [
        (["disarm"], True),
        (["disarm", "arm"], False),
        (["halt", "arm"], True),
        (["halt", "resume"], True),
        (["halt", "reset-breaker"], False),
        (["pause", "resume"], False),
        (["pause", "reset-breaker"], False),
        (["disarm", "reset-breaker"], True),
        (["breakeven", "cancel"], False),
    ],
    ids=str,
)
def test_i10_a_hold_is_in_force_once_it_is_durable_whatever_the_program_says(commands: list[str], held: bool) -> None:
    case = Case()
    for number, kind in enumerate(commands):
        body = msgspec.json.encode(Command(CommandKind(kind))).decode()
        case.referee.committed([JournalEntry(1, number, 1, EntryKind.EVENT, body)])
    case.intend("a")
    case.place("a")
    assert case.names == (["I10"] if held else [])


@pytest.mark.parametrize("kind", [CommandKind.FLATTEN, CommandKind.PANIC])
def test_i10_nothing_enters_between_the_wish_to_be_flat_and_its_proof(kind: CommandKind) -> None:
    case = Case()
    case.intend("a")
    wish = JournalEntry(1, 1, 1, EntryKind.EVENT, msgspec.json.encode(Command(kind)).decode())
    case.referee.committed([wish])
    case.place("a")
    assert set(case.names) == {"I10"}
    case.found.clear()
    armed = JournalEntry(1, 2, 1, EntryKind.EVENT, msgspec.json.encode(Command(CommandKind.ARM)).decode())
    case.referee.committed([FLAT_NOTE, armed])
    case.intend("b")
    case.place("b")
    assert case.names == []


def test_i11_what_is_said_to_be_flat_is_flat() -> None:
    case = Case()
    case.referee.committed([FLAT_NOTE])
    assert case.names == []
    case.hold(LONG)
    case.referee.committed([FLAT_NOTE])
    assert case.names == ["I11"]
