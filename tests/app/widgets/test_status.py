"""The status bar: the money and the truth first, nothing cut inside a number, SAFE not to be missed."""

import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.widgets.status import Status, Vitals, machine_row, money_row
from breakwall.clock import SystemClock
from breakwall.model.view import ApiView, LimitView, RuleView, ScreenerView
from breakwall.settings import Settings
from tests.patience import until

UNKNOWN = "\N{EN DASH}"


@pytest.fixture
def calm(view):
    """Nothing is tripped, one position, all is live."""
    return replace(
        view,
        positions=view.positions[:1],
        breaker=tuple(replace(rule, tripped=False) for rule in view.breaker),
    )


def text_of(row) -> str:
    return "".join(text for text, _ in row)


def ink_of(row, word: str) -> str:
    return next(ink for text, ink in row if word in text)


MONEY = " SIM  ARMED   BTCUSDT 64117.45  24h ▲+0.42%  trend ▲ up"
RUN = "  realised +16.44  fees 3.18"
MACHINE = " LIVE 0.0s   CB CLOSED  account ✓ 1.8s  loop 2.1ms  rest 94ms  late 18ms  4 fps"


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "  day +14.22  open +0.63"),
        (120, "  LONG 0.021 +0.63  day +14.22  open +0.63  equity 10014.22"),
        (200, "  LONG 0.021 +0.63  day +14.22  open +0.63  equity 10014.22  free 9480.10 USDT" + RUN),
    ],
)
def test_the_money_at_three_sizes(calm, width, words) -> None:
    assert text_of(money_row(calm, "BTCUSDT", width)).rstrip() == MONEY + words


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, ""),
        (120, "  12 KB/s  funding +0.0100% in 3h55m"),
        (200, "  12 KB/s  funding +0.0100% in 3h55m  UTC 12:04:33"),
    ],
)
def test_the_machine_at_three_sizes(calm, width, words) -> None:
    row = machine_row(calm, "BTCUSDT", width, Vitals(fps=4, bytes_s=12_400))
    assert text_of(row).rstrip() == MACHINE + words


@pytest.mark.parametrize("width", range(46, 200, 7))
def test_what_must_always_be_there_is(calm, width) -> None:
    money = text_of(money_row(calm, "BTCUSDT", width))
    for word in (" SIM ", " ARMED ", "BTCUSDT 64117.45", "day +14.22"):
        assert word in money
    assert " LIVE 0.0s " in text_of(machine_row(calm, "BTCUSDT", width, None))


@pytest.mark.parametrize("width", range(40, 201))
def test_a_number_stands_whole_or_not_at_all(view, width) -> None:
    vitals = Vitals(2, 12_400, "loop slow")

    def numbers(width: int) -> set[str]:
        rows = money_row(view, "BTCUSDT", width), machine_row(view, "BTCUSDT", width, vitals)
        return set(re.findall(r"[\d.:]+", " ".join(map(text_of, rows))))

    assert numbers(width) <= numbers(300)


@pytest.mark.parametrize(
    ("changes", "base", "words"),
    [
        ({"armed": True}, "bar", (" ARMED ",)),
        ({"armed": False}, "safe", (" SAFE ",)),
        ({"trading_state": "HALTED"}, "halted", (" ARMED ", " HALTED ")),
        ({"trading_state": "HALTED", "armed": False}, "halted", (" SAFE ", " HALTED ")),
        ({"trading_state": "REDUCING"}, "bar", (" REDUCING ",)),
        ({"blind": True}, "bar", (" BLIND ",)),
    ],
)
def test_the_whole_row_says_whether_risk_may_be_opened(calm, changes, base, words) -> None:
    row = money_row(replace(calm, **changes), "BTCUSDT", 120)
    assert row[-1][1] == base
    assert ink_of(row, "BTCUSDT") == base
    for word in words:
        assert word in text_of(row)


@pytest.mark.parametrize(
    ("mode", "ink"),
    [
        ("SIM", "paper"),
        ("PAPER", "paper"),
        ("REPLAY", "replay"),
        ("BYBIT LIVE", "live"),
        ("BYBIT TESTNET", "paper"),
        ("BYBIT DEMO", "paper"),
        ("BYBIT", "live"),
        ("", "live"),
    ],
)
def test_a_badge_that_is_not_known_to_be_harmless_looks_live(calm, mode, ink) -> None:
    assert money_row(replace(calm, mode=mode), "BTCUSDT", 80)[0] == (f" {mode} ", ink)


def test_a_price_that_is_not_live_is_doubted(view) -> None:
    row = money_row(view, "SOLUSDT", 120)
    assert ("171.605?", "bar-stale") in row
    assert ink_of(machine_row(view, "SOLUSDT", 120, None), "STALE 7.3s") == "alarm"


def test_what_is_not_known_is_a_dash(view) -> None:
    row = text_of(money_row(view, "XRPUSDT", 120))
    assert f"XRPUSDT {UNKNOWN}?" in row
    assert f"24h {UNKNOWN}" in row
    assert " NO DATA " in text_of(machine_row(view, "XRPUSDT", 120, None))
    waiting = replace(view, symbols=(), rest_ms=None, read_back_age_ms=None, breaker=())
    machine = text_of(machine_row(waiting, "BTCUSDT", 120, None))
    assert f"CB {UNKNOWN}" in machine
    assert f"account unproven {UNKNOWN}" in machine
    assert f"rest {UNKNOWN}" in machine


def test_a_position_on_a_market_that_is_not_live_is_doubted(view) -> None:
    assert "SHORT 0.5 -2.85?" in text_of(money_row(view, "ETHUSDT", 120))


def test_open_results_with_an_old_mark_are_doubted(view) -> None:
    assert "open -2.22?" in text_of(money_row(view, "BTCUSDT", 120))


def test_losses_have_a_minus_and_flat_is_said(calm) -> None:
    row = money_row(replace(calm, positions=(), day_pnl_usdt=Decimal("-1.8")), "BTCUSDT", 120)
    assert ("-1.80", "bar-bad") in row
    assert "flat" in text_of(row)
    assert "open 0.00" in text_of(row)


def test_what_holds_entries_back_is_said(view) -> None:
    row = machine_row(replace(view, why="4 losses in a row; no entries for 900 s"), "BTCUSDT", 80, None)
    assert "CB OPEN  no entries: 4 losses in a row; no entries for 900 s" in text_of(row)


@pytest.mark.parametrize("state", ["HALTED", "OBSERVING"])
def test_why_a_person_must_look_is_read_first_on_a_small_screen(calm, state) -> None:
    why = "another Breakwall trades on this account: order bw-1"
    stopped = replace(
        calm, trading_state=state, observing=why, why=f"private link down: closed; observing only: {why}"
    )
    assert f" {state} " in text_of(money_row(stopped, "BTCUSDT", 80))
    assert f"{state}: {why}" in text_of(machine_row(stopped, "BTCUSDT", 80, None))


def test_what_is_shut_or_not_written_is_a_word(calm) -> None:
    shut = (ApiView("order", "OPEN", calm.at_ms + 23_000), ApiView("stop", "CLOSED"))
    row = text_of(machine_row(replace(calm, api=shut, ledger_trouble="locked"), "BTCUSDT", 80, None))
    assert "API order OPEN 23s" in row
    assert " LEDGER! " in row
    limit = LimitView("orders", "/v5/order/create", cap=10, size=8.0, left=2.0, reserve=2.4)
    assert "API orders 75% used" in text_of(machine_row(replace(calm, limits=(limit,)), "BTCUSDT", 120, None))
    assert "used" not in text_of(machine_row(replace(calm, limits=(replace(limit, left=8.0),)), "BTCUSDT", 120, None))
    rule = RuleView("cooldown", Decimal(0), Decimal(0), "", True, calm.at_ms + 9_000, "BTCUSDT", "pause")
    resting = replace(calm, breaker=(*calm.breaker, rule))
    assert "cooldown 9s" in text_of(machine_row(resting, "BTCUSDT", 80, None))
    assert "cooldown" not in text_of(machine_row(resting, "ETHUSDT", 80, None))


def test_a_slow_screen_says_why(calm) -> None:
    assert "2 fps: loop slow" in text_of(machine_row(calm, "BTCUSDT", 80, Vitals(2, 900, "loop slow")))


def test_an_account_that_was_not_read_lately_is_unproven(calm) -> None:
    assert "account unproven 11s" in text_of(machine_row(replace(calm, read_back_age_ms=11_000), "BTCUSDT", 80, None))


@pytest.mark.asyncio
async def test_before_there_is_an_engine_it_says_so(frame) -> None:
    app = Cockpit(Settings(), SystemClock())
    async with app.run_test(size=(80, 24)):
        await until(lambda: "starting" in frame(app))
        assert frame(app).splitlines()[0] == " starting: no market and no account yet"


def test_both_rows_are_there(ink, look, view) -> None:
    assert len(Status(ink, look).rows(view, 80, 2)) == 2


@pytest.mark.parametrize(("age_ms", "ink"), [(0, "bar-good"), (1_999, "bar-good"), (2_000, "bar-warn")])
def test_a_live_book_that_falls_silent_is_not_shown_as_good(view, make_view, make_market, age_ms, ink) -> None:
    market = make_market(age_ms=age_ms)
    assert ink_of(machine_row(make_view(symbols=(market,)), "BTCUSDT", 120, None), "LIVE") == ink


def test_a_flat_position_is_not_taken_for_a_flat_trend(calm) -> None:
    market = replace(calm.market("BTCUSDT"), trend="flat")
    flat = replace(calm, positions=(), symbols=(market,))
    assert "trend ■ flat  pos flat  day" in text_of(money_row(flat, "BTCUSDT", 120))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_symbol_that_takes_no_entries_says_so_at_every_size(calm, width) -> None:
    market = replace(calm.symbols[0], reducing="the exchange ends this contract in 3 h 20 min")
    row = text_of(machine_row(replace(calm, symbols=(market, *calm.symbols[1:])), "BTCUSDT", width, None))
    assert " NO ENTRIES HERE " in row
    assert ("ends this contract in 3 h 20 min" in row) is (width > 80)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age_ms": 12_000}, "movers 1 of 612 12s"),
        ({"age_ms": None}, "movers looking"),
        ({"age_ms": 12_000, "trouble": "HTTP 502"}, "screener: HTTP 502"),
    ],
)
def test_how_the_movers_were_found_is_told(calm, changes, words) -> None:
    scan = replace(ScreenerView(None, 612, 212, (("DOGEUSDT", Decimal("0.31")),)), **changes)
    assert words in text_of(machine_row(replace(calm, screener=scan), "BTCUSDT", 160, None))
    assert "movers" not in text_of(machine_row(calm, "BTCUSDT", 160, None))
