"""Every difference between book and exchange is found, once acted upon it ends, and nothing else is called one."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.model.actions import TimeInForce
from breakwall.model.events import Fills, OrderAnswer, OrderReports, PositionReports
from breakwall.model.units import Side
from breakwall.trading.blotter import Blotter
from breakwall.trading.order import OrderState
from breakwall.trading.origin import Origin
from breakwall.trading.reconcile.differences import Act, by_another
from breakwall.trading.reconcile.report import escalation, report_of

T0 = 1_000_000
BORN = T0 + 5_000
STOP = 598_800


GONE = {"position closed externally": Act.KNOW}
FOREIGN = {"position adopted": Act.KNOW, "foreign position": Act.KNOW}


@pytest.fixture
def look(diary, make_look):
    """After a restart that took over ten lots of a breakout with their stop."""
    return make_look(diary.restored().blotter)


@pytest.fixture
def flat(make, make_look):
    return make_look(Blotter(make.settings(), make.instruments))


def test_where_book_and_exchange_agree_nothing_differs(make, look):
    findings = look.read(positions=[make.position_report(10, seq=10)])
    assert (findings.differences, findings.hanging) == ((), ())
    assert report_of(1, "start", BORN, findings).clean


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({}, GONE),
        ({"lots": 4}, {"position size": Act.EXPLAIN}),
        ({"lots": 14}, {"position size": Act.EXPLAIN}),
        ({"lots": -10, "stop_ticks": 601_200}, {**GONE, **FOREIGN}),
        ({"lots": 10, "stop_ticks": None}, {"no stop": Act.PROTECT}),
        ({"lots": 10, "stop_ticks": STOP - 100}, {"looser stop": Act.PROTECT}),
        ({"lots": 10, "stop_ticks": STOP + 100}, {}),
        ({"lots": 10, "position_idx": 1}, {**GONE, **FOREIGN, "hedge mode": Act.EXPLAIN}),
        ({"lots": 10, "leverage": Decimal(50)}, {"leverage": Act.EXPLAIN}),
    ],
    ids=[
        "gone",
        "smaller",
        "larger",
        "other side",
        "no stop",
        "looser stop",
        "tighter stop",
        "hedge mode",
        "leverage",
    ],
)
def test_a_position_that_differs_is_named(make, look, held, told):
    assert look.told(positions=[make.position_report(seq=20, **held)] if held else []) == told


def test_a_position_closed_while_we_were_away_is_booked_from_its_executions(make, look):
    stopped = make.fill(
        "e2", 10, STOP, Side.SELL, client_id="", order_id="c", stop_kind="StopLoss", seq=11, at_ms=T0 + 3_000
    )
    assert look.told(fills=[stopped]) == {"position closed meanwhile": Act.KNOW}


def test_a_position_somebody_closed_by_hand_is_told_as_that(make, look):
    by_hand = make.fill("e2", 10, 600_500, Side.SELL, client_id="phone", order_id="p", seq=11, at_ms=T0 + 3_000)
    assert look.told(fills=[by_hand]) == GONE


def test_a_size_that_is_right_in_the_next_reading_is_settled_and_one_that_never_is_cannot_be_explained(make, look):
    assert look.told(positions=[make.position_report(4, seq=20)]) == {"position size": Act.EXPLAIN}
    settled = look.read(positions=[make.position_report(4, seq=20)])
    assert settled.left == ()
    again = look.read(positions=[make.position_report(7, seq=30)])
    follows = escalation(again, trading=True)
    assert follows.observe.startswith("BTCUSDT the exchange holds 0.007")
    assert follows.halt == ""


@pytest.mark.parametrize(
    ("foreign", "stop", "acts"),
    [
        ("adopt", None, {"no stop": Act.PROTECT, "foreign position": Act.KNOW, "position adopted": Act.KNOW}),
        ("adopt", 601_200, {"foreign position": Act.KNOW, "position adopted": Act.KNOW}),
        ("close", None, {"no stop": Act.PROTECT, "position adopted": Act.KNOW}),
        ("close", 601_200, {"foreign position": Act.CLOSE, "position adopted": Act.KNOW}),
        ("ignore", None, {"foreign position": Act.KNOW}),
        ("ignore", 601_200, {"foreign position": Act.KNOW}),
    ],
)
def test_a_position_of_somebody_else_is_treated_by_policy_and_gets_its_stop_first(
    make, make_look, foreign, stop, acts
):
    blotter = Blotter(make.settings(recovery={"foreign": foreign}), make.instruments)
    look = make_look(blotter, foreign)
    assert look.told(positions=[make.position_report(-5, stop)]) == acts
    assert blotter.positions.is_alone("BTCUSDT") is (foreign == "ignore")
    assert [position.foreign for position in blotter.positions.held()] == ([] if foreign == "ignore" else [True])


def test_what_is_left_alone_is_free_again_once_it_is_gone(make, make_look):
    blotter = Blotter(make.settings(recovery={"foreign": "ignore"}), make.instruments)
    look = make_look(blotter, "ignore")
    look.read(positions=[make.position_report(-5, None)])
    bought = make.fill("x1", 3, side=Side.SELL, client_id="phone", order_id="p")
    assert blotter.apply(Fills((bought,)), Origin(2, 8, look.now)) == []
    assert blotter.apply(PositionReports((make.position_report(-8, None, seq=9),)), Origin(2, 8, look.now)) == []
    assert blotter.on_tick({}, Origin(2, 9, look.now + 1_000)) == []
    assert blotter.positions.is_alone("BTCUSDT")
    assert look.told() == {}
    assert not blotter.positions.is_alone("BTCUSDT")


def test_orders_are_ours_or_not_and_forgotten_or_not(make, look):
    orders = [
        make.report("New", client_id="bw-1-9-e"),
        make.report("New", client_id="web"),
        make.report("Untriggered", client_id="", order_id="child", stop_kind="StopLoss"),
    ]
    findings = look.read(orders, [make.position_report(10, seq=10)])
    found = {difference.kind: difference for difference in findings.differences}
    assert {kind: found[kind].act for kind in found} == {"unknown order": Act.CANCEL, "foreign order": Act.KNOW}
    assert found["unknown order"].order.client_id == "bw-1-9-e"


def test_foreign_orders_are_cancelled_where_that_is_asked(make, make_look):
    look = make_look(Blotter(make.settings(), make.instruments), "close")
    (found,) = look.read([make.report("New", client_id="web")]).differences
    assert (found.act, found.order.client_id) == (Act.CANCEL, "web")


@pytest.mark.parametrize(
    ("client_id", "made_ms", "another"),
    [
        ("bw-1-9-e", BORN - 60_000, False),
        ("bw-1-9-e", BORN + 6_000, True),
        ("bw-3-9-e", BORN - 60_000, True),
        ("bw-2-9-e", BORN + 6_000, False),
        ("web", BORN + 6_000, False),
    ],
    ids=["a dead run's", "an older run that lives", "a younger run's", "this run's", "a stranger's"],
)
def test_orders_of_another_breakwall_are_told_from_those_of_a_dead_one(make, flat, client_id, made_ms, another):
    assert by_another(client_id, made_ms, 2, BORN) is another
    told = flat.told([make.report("New", client_id=client_id, created_ms=made_ms)])
    assert ("another Breakwall" in told) is another


def test_a_stop_without_a_position_is_cancelled_only_when_seen_twice(make, flat):
    orphan = [make.report("Untriggered", client_id="", order_id="child", stop_kind="StopLoss")]
    assert flat.told(orphan) == {"orphan stop": Act.WAIT}
    assert flat.told(orphan) == {"orphan stop": Act.CANCEL}
    assert flat.told(orphan, [make.position_report(10)]) == FOREIGN
    assert flat.told() == GONE


@pytest.mark.parametrize("kind", ["Stop", "TriggerBy", ""])
def test_a_conditional_order_of_a_person_is_no_orphan(make, flat, kind):
    mine = [make.report("Untriggered", client_id="phone", order_id="p", stop_kind=kind)]
    for _ in range(3):
        assert Act.CANCEL not in flat.told(mine).values()


def test_an_order_that_is_meant_to_rest_is_left_in_the_book(make, flat):
    resting = replace(make.entry("bw-2-1-e"), tif=TimeInForce.GTC)
    for intent in (resting, replace(make.entry("bw-2-2-e"), symbol="SOLUSDT")):
        flat.blotter.decided(intent, Origin(2, 1, BORN))
    both = [
        make.report("New", client_id="bw-2-1-e", created_ms=BORN),
        make.report("New", client_id="bw-2-2-e", symbol="SOLUSDT", created_ms=BORN),
    ]
    flat.read(both, purpose="periodic")
    findings = flat.read(both, purpose="periodic", after_ms=40 * 60_000)
    assert {difference.name for difference in findings.differences if difference.act is Act.CANCEL} == {"bw-2-2-e"}
    assert [order.kind for order in findings.hanging] == ["stuck"]
    assert findings.hanging[0].client_id == "bw-2-2-e"


@given(
    lots=st.integers(-20, 20),
    protected=st.booleans(),
    statuses=st.lists(st.sampled_from(["New", "PartiallyFilled", "Filled", "Cancelled"]), max_size=3),
    cut=st.integers(0, 12),
)
@settings(max_examples=100, deadline=None)
def test_one_pass_takes_over_the_exchanges_truth_and_acting_once_ends_all_differences(
    make, make_diary, make_look, lots, protected, statuses, cut
):
    diary = make_diary()
    diary.intent(make.entry(), 2)
    diary.event(Fills((make.fill("e1", seq=10),)), 5)
    diary.event(PositionReports((make.position_report(10, seq=10),)), 6)
    blotter = diary.restored(cut).blotter
    look = make_look(blotter)
    sign = 1 if lots > 0 else -1
    positions = [make.position_report(lots, 600_000 - sign * 1_200 if protected else None, seq=20)] if lots else []
    orders = [make.report(status, 0, client_id=f"bw-1-{n}-e") for n, status in enumerate(statuses, 40)]
    first = look.read(orders, positions)
    held = blotter.positions.get("BTCUSDT")
    assert (held.lots if held else 0) == lots
    assert ("no stop" in {difference.kind for difference in first.left}) == (lots != 0 and not protected)
    second = look.read(orders, positions, after_ms=0)
    assert {difference.kind for difference in second.differences} <= {
        difference.kind for difference in first.differences
    }
    gone = [
        make.report("Cancelled", client_id=found.order.client_id) for found in first.left if found.act is Act.CANCEL
    ]
    blotter.apply(OrderReports(tuple(gone)), Origin(2, 50, look.now))
    for at_ms in (look.now + 8_000, look.now + 10_000):
        for order in blotter.orders.due_queries(at_ms):
            answer = OrderAnswer(order.client_id, order.symbol, None, asked_ms=at_ms)
            blotter.apply(answer, Origin(2, 51, at_ms))
    stopped = [make.position_report(lots, 600_000 - sign * 1_200, seq=21)] if lots else []
    assert look.read((), stopped, purpose="proof", after_ms=12_000).left == ()
    assert not [order for order in blotter.orders.open() if order.state is OrderState.UNKNOWN]


@given(st.lists(st.sampled_from(["e1", "e2", "e3"]), max_size=6))
@settings(max_examples=60, deadline=None)
def test_an_execution_told_twice_is_booked_once(make, make_diary, make_look, ids):
    diary = make_diary()
    diary.intent(make.entry(lots=30), 2)
    look = make_look(diary.restored().blotter)
    fills = [make.fill(name, 10, seq=10 + int(name[1])) for name in ids]
    lots = 10 * len(set(ids))
    positions = [make.position_report(lots, seq=20)] if lots else []
    look.read(fills=fills, positions=positions)
    fees = sum((position.fees_usdt for position in look.blotter.positions), Decimal(0))
    look.read(fills=fills, positions=positions)
    assert sum((position.fees_usdt for position in look.blotter.positions), Decimal(0)) == fees
    assert sum(position.lots for position in look.blotter.positions.held()) == lots


def test_a_reading_that_is_older_than_an_execution_moves_nothing(make, look):
    """An answer on its way while an execution arrived still says flat; that is not the truth any more."""
    look.read(positions=[make.position_report(10, seq=10)])
    sold = make.fill(
        "e2", 4, side=Side.SELL, client_id="bw-2-3-x", order_id="o2", seq=11, closed_lots=4, at_ms=BORN + 9_000
    )
    look.blotter.apply(Fills((sold,)), Origin(2, 9, look.now + 150))
    assert look.read(positions=[make.position_report(10, seq=10)], after_ms=100).differences == ()
    assert look.blotter.positions.get("BTCUSDT").lots == 6
