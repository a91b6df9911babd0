"""What the banner says, as plain text."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.keys.acts import BY_ID
from breakwall.app.keys.guard import Asking
from breakwall.app.rows.row import Row, width_of
from breakwall.app.widgets.banner import (
    Notice,
    Receipt,
    cut,
    entries_in,
    is_over,
    notice_row,
    question_rows,
    receipt_rows,
)
from breakwall.model.view import FlattenView, View

Plain = Callable[[Sequence[Row]], str]
ASKED_MS = 1_000


def asking(act: str, scope: str = "") -> Asking:
    return Asking(BY_ID[act], scope, ASKED_MS, typed=False)


def flattened(view: View, **changes: object) -> FlattenView:
    """The engine's account of a panic asked at the view's time."""
    account = FlattenView("", True, view.at_ms, (), (), (), None, None)
    return replace(account, **changes)


def receipt_of(view: View, answer: FlattenView, plain: Plain, later_ms: int) -> str:
    now = replace(view, at_ms=view.at_ms + later_ms, flattens=(*view.flattens, answer))
    return plain(receipt_rows(Receipt("", True, view.at_ms), now, 120))


def test_only_entries_are_cancelled(view: View) -> None:
    assert [order.symbol for order in entries_in(view, "")] == ["BTCUSDT", "SOLUSDT"]
    assert [order.symbol for order in entries_in(view, "SOLUSDT")] == ["SOLUSDT"]


@pytest.mark.parametrize(
    ("act", "scope", "head", "rows"),
    [
        ("panic", "", " PANIC  Enter: disarm, cancel 2, close 2  1.5s  Esc: no", 5),
        ("flatten", "BTCUSDT", " FLATTEN BTCUSDT  Enter: cancel 1, close 1  1.5s  Esc: no", 3),
        ("cancel-all", "", " CANCEL ALL  Enter: cancel 2 entries; stops stay  1.5s  Esc: no", 3),
        ("arm", "", " ARM  Enter: strategies may open positions (SIM)  1.5s  Esc: no", 1),
    ],
)
def test_questions_say_what_enter_would_do(
    view: View, plain: Plain, act: str, scope: str, head: str, rows: int
) -> None:
    said = plain(question_rows(asking(act, scope), view, ASKED_MS + 500, 100)).splitlines()
    assert said[0] == head
    assert len(said) == rows


def test_a_partly_filled_entry_is_cancelled_for_its_rest(view: View, plain: Plain) -> None:
    said = plain(question_rows(asking("cancel-all"), view, ASKED_MS, 100))
    sol = next(row for row in said.splitlines() if "SOLUSDT" in row)
    assert sol.split() == ["cancel", "SOLUSDT", "BUY", "9", "at", "171.55", "CANCELLING"]


def test_where_nothing_is_known_it_still_asks(view: View, plain: Plain) -> None:
    flat = replace(view, orders=(), positions=())
    said = plain(question_rows(asking("panic"), flat, ASKED_MS, 100))
    assert "disarm, cancel 0, close 0" in said
    assert "nothing to cancel and flat, as far as is known: Enter asks anyway" in said


def test_a_position_without_a_market_is_closed_at_market(view: View, plain: Plain) -> None:
    held = replace(view.positions[0], symbol="XRPUSDT", mark=None)
    said = plain(question_rows(asking("panic"), replace(view, orders=(), positions=(held,)), ASKED_MS, 100))
    assert said.splitlines()[1].split() == ["close", "XRPUSDT", "LONG", "0.021", "at", "market"]


def test_steps_of_a_panic(view: View, plain: Plain) -> None:
    waiting = plain(receipt_rows(Receipt("", True, view.at_ms), replace(view, at_ms=view.at_ms + 300), 120))
    assert "PANIC sent  12:04:33  no answer yet 0.3s" in waiting

    remains = flattened(view, remains=("BTCUSDT long 0.021",), cancelled=("BTCUSDT buy 0.030 at 64116.0",))
    assert receipt_of(view, remains, plain, 300).splitlines() == [
        " PANIC  12:04:33  NOT FLAT after 0.3s  proof is asked for  Esc closes",
        " REMAINS   BTCUSDT long 0.021",
        " cancelled BTCUSDT buy 0.030 at 64116.0",
        " ARMED AGAIN: strategies may open positions",
    ]
    assert "NOT PROVEN YET" in receipt_of(view, remains, plain, 2_001)

    flat = replace(remains, remains=(), flat_ms=view.at_ms + 210)
    assert "FLAT after 210 ms  proof is asked for" in receipt_of(view, flat, plain, 300)
    proven = replace(flat, proven_ms=view.at_ms + 480)
    assert "FLAT after 210 ms  ✓ PROVEN BY THE EXCHANGE after 480 ms" in receipt_of(view, proven, plain, 500)


def test_the_proof_is_never_left_out(view: View, plain: Plain) -> None:
    proven = flattened(
        view, symbol="1000PEPEUSDT", panic=False, flat_ms=view.at_ms + 999, proven_ms=view.at_ms + 1999
    )
    now = replace(view, flattens=(proven,))
    head = plain(receipt_rows(Receipt("1000PEPEUSDT", False, view.at_ms), now, 80)[:1])
    assert head == " FLATTEN 1000PEPEUSDT  FLAT after 999 ms  ✓ PROVEN BY THE EXCHANGE after 1999 ms"


def test_a_panic_with_nothing_to_do_says_so(view: View, plain: Plain) -> None:
    said = receipt_of(view, flattened(view, flat_ms=view.at_ms, proven_ms=view.at_ms + 90), plain, 100)
    assert "there was nothing to cancel and nothing to close" in said


def test_a_position_that_turns_up_after_the_proof_is_not_hidden_by_it(view: View, plain: Plain) -> None:
    proven = flattened(view, flat_ms=view.at_ms, proven_ms=view.at_ms + 90, closed=("ETHUSDT long 1 closed",))
    said = receipt_of(view, proven, plain, 100)
    assert "NOT FLAT ANY MORE" in said
    assert " HELD SINCE ETHUSDT SHORT 0.5: ask again to close it" in said
    flat = replace(view, positions=(), armed=False)
    assert receipt_of(flat, proven, plain, 100).splitlines()[1:] == [" closed    ETHUSDT long 1 closed"]


def test_what_is_not_ours_is_said_to_be_left_alone(view: View, plain: Plain) -> None:
    proven = flattened(view, proven_ms=view.at_ms + 90, left_alone=("XRPUSDT, not followed",))
    assert " left alone, not ours: XRPUSDT, not followed" in receipt_of(view, proven, plain, 100)


def test_what_does_not_fit_is_counted(plain: Plain) -> None:
    rows: list[Row] = [((f"{number}", ""),) for number in range(5)]
    assert plain(cut(rows, 12, 3)).splitlines() == ["0", "1", " and 3 more"]
    assert cut(rows, 12, 5) == rows
    assert cut(rows, 12, 0) == []


def test_an_earlier_panic_is_not_taken_for_this_one(view: View, plain: Plain) -> None:
    assert "no answer yet" in plain(receipt_rows(Receipt("", True, view.at_ms), view, 120))


def test_a_receipt_is_over_some_time_after_its_proof(view: View) -> None:
    receipt = Receipt("", True, view.at_ms)
    proven = flattened(view, flat_ms=view.at_ms + 1, proven_ms=view.at_ms + 2)
    for later_ms, over in ((20_001, False), (20_002, True)):
        now = replace(view, at_ms=view.at_ms + later_ms, flattens=(proven,))
        assert is_over(receipt, now) is over
    assert not is_over(receipt, replace(view, at_ms=view.at_ms + 10**9))


def test_notices_tell_asked_from_done(view: View, plain: Plain) -> None:
    notice = Notice("arm asked", 0, "ARMED", lambda now: now.armed)
    assert plain([notice_row(notice, replace(view, armed=False), 40)]) == " … arm asked"
    assert plain([notice_row(notice, view, 40)]) == " ✓ ARMED"


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_every_row_is_as_wide_as_the_screen(view: View, width: int) -> None:
    hostile = replace(view.positions[0], symbol="[red]\x1b]52;c;x\x07USDT", qty=Decimal("1e12"))
    now = replace(view, positions=(hostile, *view.positions))
    rows = [
        *question_rows(asking("panic"), now, ASKED_MS, width),
        *question_rows(asking("arm"), now, ASKED_MS, width),
        *receipt_rows(Receipt("", True, 0), now, width),
        *receipt_rows(Receipt("X" * 300, False, 0), now, width),
    ]
    assert {width_of(row) for row in rows} == {width}
