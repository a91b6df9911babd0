"""What the exchange tells of key, account and markets, judged case by case."""

from decimal import Decimal

import pytest

from breakwall.doctor import account as judged
from breakwall.doctor.finding import Verdict
from breakwall.model.units import Instrument
from breakwall.settings import RiskSettings, Settings

PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
GOOD_KEY = {"permissions": {"ContractTrade": ["Order", "Position"]}, "readOnly": 0, "ips": ["1.2.3.4"], "uta": 1}


def rule(symbol: str, min_lots: int = 1, **other: object) -> Instrument:
    return Instrument(symbol, Decimal("0.1"), Decimal("0.001"), min_lots, 10**6, 10**6, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(("expected", "verdict"), [("", PASS), ("7", PASS), ("8", FAIL), ("77", FAIL)])
def test_the_account_is_the_one_that_is_meant(expected: str, verdict: Verdict) -> None:
    assert judged.whose("7", expected).verdict is verdict


@pytest.mark.parametrize(
    ("told", "verdicts", "words"),
    [
        ({}, [PASS], "bound to 1.2.3.4"),
        ({"ips": []}, [PASS, WARN], "works from every address"),
        ({"ips": ["*"], "deadlineDay": 3}, [PASS, WARN, WARN], "expires in 3 days"),
        ({"readOnly": 1}, [FAIL], "a read-only key"),
        (
            {"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["Withdraw"]}},
            [FAIL],
            "Wallet.Withdraw",
        ),
        ({"uta": 0}, [FAIL], "classic account"),
    ],
)
def test_the_key(told: dict[str, object], verdicts: list[Verdict], words: str) -> None:
    found = judged.key(GOOD_KEY | told)
    assert [finding.verdict for finding in found] == verdicts
    assert any(words in finding.words for finding in found)
    assert all(finding.remedy for finding in found if finding.verdict is not PASS)


@pytest.mark.parametrize(
    ("status", "mode", "holds", "verdicts"),
    [
        (5, "ISOLATED_MARGIN", True, [PASS, PASS]),
        (6, "REGULAR_MARGIN", False, [PASS, WARN]),
        (6, "REGULAR_MARGIN", True, [PASS, FAIL]),
        (3, "ISOLATED_MARGIN", False, [FAIL, PASS]),
    ],
)
def test_type_and_margin_mode(status: int, mode: str, holds: bool, verdicts: list[Verdict]) -> None:
    found = judged.account({"unifiedMarginStatus": status, "marginMode": mode}, holds=holds)
    assert [finding.verdict for finding in found] == verdicts


def test_hedge_mode_is_a_fault() -> None:
    one_way, hedge = [{"positionIdx": 0}], [{"positionIdx": 1}, {"positionIdx": 2}]
    assert judged.position_mode({"BTCUSDT": one_way}).verdict is PASS
    found = judged.position_mode({"BTCUSDT": one_way, "ETHUSDT": hedge})
    assert (found.verdict, found.found) == (FAIL, "hedge in ETHUSDT")


@pytest.mark.parametrize(
    ("row", "most", "verdict", "words"),
    [
        ({"leverage": "10", "size": "1"}, 100, PASS, "10"),
        ({"leverage": "5", "size": "0"}, 100, PASS, "the start sets it in BTCUSDT"),
        ({"leverage": "5", "size": "1"}, 100, FAIL, "with an open position"),
        ({"leverage": "10", "size": "0"}, 8, FAIL, "more than BTCUSDT allows"),
    ],
)
def test_leverage(row: dict[str, object], most: int, verdict: Verdict, words: str) -> None:
    rules = {"BTCUSDT": rule("BTCUSDT", max_leverage=Decimal(most))}
    found = judged.leverage(Decimal(10), {"BTCUSDT": [row]}, rules)
    assert found.verdict is verdict
    assert words in found.found


def test_leverage_off_the_steps_of_a_market() -> None:
    rules = {"BTCUSDT": rule("BTCUSDT", leverage_step=Decimal("0.5"))}
    found = judged.leverage(Decimal("10.2"), {}, rules)
    assert (found.verdict, found.remedy) == (FAIL, "a multiple of 0.5")


@pytest.mark.parametrize(
    ("infos", "words"),
    [
        ([], "working orders stay"),
        (None, "working orders stay"),
        ([{"product": "OPTIONS", "dcpStatus": "ON", "timeWindow": "9"}], "working orders stay"),
        ([{"product": "DERIVATIVES", "dcpStatus": "OFF", "timeWindow": "9"}], "working orders stay"),
        ([{"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "9"}], "withdrawn 9 s after"),
    ],
)
def test_what_the_exchange_does_when_we_are_gone(infos: object, words: str) -> None:
    found = judged.dead_man({"dcpInfos": infos})
    assert (found.verdict, words in found.found) == (PASS, True)


@pytest.mark.parametrize(
    ("equity", "verdicts", "words"),
    [
        (None, [PASS], "BTCUSDT 60.00, ETHUSDT 5.00 USDT; the largest allowed is 5000.00"),
        (Decimal(10_000), [PASS], "the largest allowed is 5000.00"),
        (Decimal(40), [WARN, PASS], "BTCUSDT 60.00 USDT at least, 20.00 at most: never traded"),
        (Decimal(8), [FAIL], "never traded"),
    ],
)
def test_the_smallest_order_against_the_largest_allowed(
    equity: Decimal | None, verdicts: list[Verdict], words: str
) -> None:
    """BTC: one lot of 0.001 at 60,000; ETH: 0.001 at 3,000 is below the exchange's 5 USDT."""
    rules = {symbol: rule(symbol) for symbol in ("BTCUSDT", "ETHUSDT")}
    prices = {"BTCUSDT": Decimal(60_000), "ETHUSDT": Decimal(3_000)}
    found = judged.smallest_order(RiskSettings(), equity, rules, prices)
    assert [finding.verdict for finding in found] == verdicts
    assert any(words in finding.found for finding in found)


def test_markets_that_cannot_be_traded_are_named() -> None:
    rules = {"BTCUSDT": rule("BTCUSDT"), "ETHUSDT": rule("ETHUSDT", status="Closed")}
    found = judged.markets(("BTCUSDT", "ETHUSDT", "NOPE"), rules)
    assert (found.verdict, found.found.partition(":")[0]) == (FAIL, "ETHUSDT (Closed), NOPE (no such symbol)")
    assert judged.markets(("BTCUSDT",), rules).verdict is PASS


@pytest.mark.parametrize(
    ("coins", "verdict"),
    [
        ([{"coin": "USDT", "equity": "10"}], PASS),
        ([{"coin": "USDT", "equity": "9.99"}], FAIL),
        ([{"coin": "BTC", "equity": "3"}], FAIL),
        ("nothing", FAIL),
    ],
)
def test_the_balance_is_that_of_usdt(coins: object, verdict: Verdict) -> None:
    assert judged.balance(RiskSettings(), [{"coin": coins}])[0].verdict is verdict


@pytest.mark.parametrize(("taker", "verdict"), [("0.00055", PASS), ("0.0001", PASS), ("0.0006", WARN)])
def test_fees_beside_those_of_the_settings(taker: str, verdict: Verdict) -> None:
    rows = [{"symbol": "BTCUSDT", "takerFeeRate": taker, "makerFeeRate": "0.0002"}]
    assert judged.fees(Settings(), rows).verdict is verdict
    assert judged.fees(Settings(), []).verdict is WARN


def test_a_budget_that_others_use_up_is_told() -> None:
    assert judged.limits({"get_positions": (50, 49), "get_fee_rates": (5, 4)}).verdict is PASS
    found = judged.limits({"get_positions": (50, 9)})
    assert (found.verdict, found.found) == (WARN, "positions 9 of 50 left")
    assert judged.limits({}).verdict is WARN
