"""Panic against an embedded exchange that answers, fails, lies and refuses."""

import json
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from breakwall import keys
from breakwall.panic import line as lines
from breakwall.panic import orders
from breakwall.panic.command import main
from breakwall.panic.line import LostError, PlainWay
from breakwall.places import mark_of_panic
from breakwall.ports import HttpAnswer, HttpRequest

CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
POSITIONS, ORDERS = "/v5/position/list", "/v5/order/realtime"
HOSTILE = "EVIL\x1b[2J\x1b]52;c;aGk=\x07\u202eUSDT"


def refusal(code: int, message: str = "no", **headers: str) -> HttpAnswer:
    body = {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 1}
    return HttpAnswer(200, json.dumps(body).encode(), headers)


def times(number: int, path: str, answer: HttpAnswer, *, done: bool = False) -> Callable[..., HttpAnswer]:
    """Answer so for the first requests to a path; `done`: although the exchange did what was asked."""
    left = [number]

    def spoil(request: HttpRequest, truth: Callable[[], HttpAnswer]) -> HttpAnswer:
        if request.path != path or not left[0]:
            return truth()
        left[0] -= 1
        if done:
            truth()
        return answer

    return spoil


def test_all_is_cancelled_closed_and_proven(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.open_long("ETHUSDT", "0.5")
    venue.rest_buy("SOLUSDT", "2", "bw-1-2-e")
    venue.rest_buy("DOGEUSDT", "100", "by-hand")
    told = panic()
    assert (told.code, told.receipt["panic"]) == (0, "flat"), told.said
    assert (venue.held(), venue.orders()) == ({}, [])
    closed = {row["symbol"]: (row["side"], row["size"]) for row in told.receipt["closed"]}
    assert closed == {"BTCUSDT": ("long", "0.020"), "ETHUSDT": ("long", "0.50")}
    assert all(float(row["price"]) > 0 and float(row["fee_usdt"]) > 0 for row in told.receipt["closed"])
    assert len(told.receipt["cancelled"]) == 2
    assert told.receipt["proven_s"] > told.receipt["flat_s"] > 0
    assert "later   BTCUSDT stop of the position" in told.said
    assert all(body["reduceOnly"] for path, body in venue.asked[-4:] if path == CREATE)


@pytest.mark.parametrize("client", ["plain", "pybit"])
def test_each_of_the_two_ways_does_it_alone(venue, panic, client: str) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.rest_buy("SOLUSDT", "2", "bw-1-2-e")
    told = panic("--client", client)
    assert told.code == 0, told.said
    assert (venue.held(), venue.orders()) == ({}, [])


def test_where_the_first_way_is_broken_the_second_takes_over(venue, panic, monkeypatch) -> None:
    venue.open_long("BTCUSDT", "0.02")

    def broken(*_request: object) -> None:
        raise LostError("certificate verify failed")

    monkeypatch.setattr(PlainWay, "call", broken)
    told = panic()
    assert told.code == 0, told.said
    assert "certificate verify failed; trying again" in told.said


def test_only_mine_leaves_the_orders_of_others(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.rest_buy("BTCUSDT", "0.01", "bw-1-2-e")
    venue.rest_buy("BTCUSDT", "0.01", "by-hand")
    told = panic("--scope", "mine")
    assert told.code == 0, told.said
    assert [row["orderLinkId"] for row in venue.orders()] == ["by-hand"]
    assert "[by-hand]" in told.receipt["left_alone"][0]


def test_one_symbol_leaves_the_others(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.open_long("ETHUSDT", "0.5")
    venue.rest_buy("BTCUSDT", "0.01", "by-hand")
    told = panic("--symbol", "btcusdt")
    assert (told.code, told.receipt["scope"]) == (0, "symbol"), told.said
    assert list(venue.held()) == ["ETHUSDT"]
    assert {row["symbol"] for row in venue.orders()} == {"ETHUSDT"}


def test_a_dry_run_shows_and_does_nothing(venue, panic, home: Path) -> None:
    venue.open_long("BTCUSDT", "0.02")
    asked = len(venue.asked)
    told = panic("--dry-run", yes=False)
    assert told.code == 0
    assert "close   BTCUSDT long 0.020" in told.said
    assert len(venue.asked) == asked
    assert not list(home.rglob("*.panic"))


@pytest.mark.parametrize(
    ("tty", "answer", "code", "closed"), [(False, "y", 2, False), (True, "", 130, False), (True, "Y", 0, True)]
)
def test_it_asks_on_a_terminal_and_refuses_without(venue, panic, monkeypatch, tty, answer, code, closed) -> None:
    venue.open_long("BTCUSDT", "0.02")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: tty, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: f"{answer}\n", raising=False)
    told = panic(yes=False)
    assert told.code == code, told.said
    assert (venue.held() == {}) is closed


def test_it_leaves_a_mark_for_the_cockpit(venue, panic, home: Path) -> None:
    assert panic().code == 0
    mark = mark_of_panic("bybit", "embedded", venue.where.api_key)
    assert json.loads(mark.read_text())["why"] == "breakwall panic"
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    assert [path for path in home.rglob("*") if path.is_file()] == [mark]


def in_turn(*spoils: Callable[..., HttpAnswer]) -> Callable[..., HttpAnswer]:
    """Each has its say about every answer, the first the last word."""

    def spoil(request: HttpRequest, truth: Callable[[], HttpAnswer]) -> HttpAnswer:
        answer = truth
        for one in reversed(spoils):
            answer = partial(one, request, answer)
        return answer()

    return spoil


BAD_NETWORK = in_turn(
    times(1, CREATE, HttpAnswer(502, b"<html>bad gateway</html>")),
    times(1, CREATE, HttpAnswer(200, b"<html>captive portal</html>"), done=True),
    times(1, POSITIONS, HttpAnswer(200, b'{"retCode":0,"result":{"list":[{"symbol":"BTCUSDT","size":"NaN"')),
    times(1, "/v5/market/time", HttpAnswer(500, b"")),
)
BAD_EXCHANGE = in_turn(
    times(1, POSITIONS, HttpAnswer(200, b'{"retCode":0,"result":{"list":[{"symbol":"B","size":"-1"}]}}')),
    times(1, POSITIONS, refusal(10016, "server error")),
    times(1, CANCEL, refusal(10016, "server error")),
    times(1, CANCEL, refusal(110001, "order not exists"), done=True),
    times(99, "/v5/execution/list", HttpAnswer(500, b"")),
)
BUSY_EXCHANGE = in_turn(
    times(1, CREATE, refusal(10006, "too many visits", **{"X-Bapi-Limit-Reset-Timestamp": "1"})),
    times(1, POSITIONS, refusal(10002, "your timestamp")),
)


@pytest.mark.parametrize("spoil", [BAD_NETWORK, BAD_EXCHANGE, BUSY_EXCHANGE])
def test_what_goes_wrong_for_a_while_is_tried_again(venue, panic, spoil) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.rest_buy("SOLUSDT", "2", "bw-1-2-e")
    venue.rest_buy("DOGEUSDT", "100", "bw-1-3-e")
    venue.spoil = spoil
    told = panic("--for", "20s")
    assert (told.code, told.receipt["panic"]) == (0, "flat"), told.said
    venue.spoil = None
    assert (venue.held(), venue.orders()) == ({}, [])


@pytest.mark.parametrize(("ahead_ms", "client"), [(3_600_000, "plain"), (-3_600_000, "pybit")])
def test_a_wrong_clock_of_ours_is_of_no_importance(venue, panic, ahead_ms: int, client: str) -> None:
    venue.open_long("BTCUSDT", "0.02")
    told = panic("--client", client)
    assert told.code == 0, told.said
    assert abs(told.receipt["clock_offset_ms"] - ahead_ms) < 1000


def test_one_symbol_that_cannot_be_closed_keeps_its_stop_and_holds_up_no_other(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.open_long("ETHUSDT", "0.5")

    def spoil(request: HttpRequest, truth: Callable[[], HttpAnswer]) -> HttpAnswer:
        stuck = request.path == CREATE and json.loads(request.body)["symbol"] == "BTCUSDT"
        return refusal(110066, "trading is not allowed\x1b[31m") if stuck else truth()

    venue.spoil = spoil
    told = panic("--for", "1s")
    assert (told.code, told.receipt["panic"]) == (4, "not flat")
    ((symbol, stop),) = venue.held().items()
    assert symbol == "BTCUSDT"
    assert float(stop) > 0
    assert any("BTCUSDT long 0.020" in words for words in told.receipt["remains"])
    assert told.receipt["troubles"]["BTCUSDT"].startswith("110066")
    assert not [body for path, body in venue.asked if path == CANCEL and body["symbol"] == "BTCUSDT"]
    assert "\x1b" not in told.said


@pytest.mark.parametrize("answer", [refusal(10016, "server error"), HttpAnswer(502, b"<html>")])
def test_orders_that_cannot_be_read_keep_no_position_from_being_closed(venue, panic, answer) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.spoil = times(999, ORDERS, answer)
    told = panic("--for", "2s")
    assert told.code == 4, told.said
    assert any("orders could not be read" in words for words in told.receipt["remains"])
    venue.spoil = None
    assert venue.held() == {}


def test_positions_that_cannot_be_read_keep_no_entry_from_being_cancelled_and_every_stop(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")
    venue.rest_buy("SOLUSDT", "2", "bw-1-2-e")
    venue.spoil = times(999, POSITIONS, refusal(10016, "server error"))
    told = panic("--for", "2s")
    assert told.code == 4, told.said
    assert any("positions could not be read" in words for words in told.receipt["remains"])
    venue.spoil = None
    assert float(venue.held()["BTCUSDT"]) > 0
    assert [row["symbol"] for row in venue.orders()] == ["BTCUSDT"]


def test_one_row_that_cannot_be_read_holds_up_no_other(venue, panic) -> None:
    venue.open_long("BTCUSDT", "0.02")

    def spoil(request: HttpRequest, truth: Callable[[], HttpAnswer]) -> HttpAnswer:
        answer = truth()
        if request.path != POSITIONS:
            return answer
        told = json.loads(answer.body)
        told["result"]["list"].append({"symbol": "ODDUSDT", "size": "a lot", "side": "Buy"})
        return HttpAnswer(200, json.dumps(told).encode())

    venue.spoil = spoil
    told = panic("--for", "2s")
    assert told.code == 4, told.said
    assert any("ODDUSDT" in words for words in told.receipt["remains"])
    venue.spoil = None
    assert venue.held() == {}


def test_where_market_orders_find_nobody_limits_step_through_the_price(venue, panic, monkeypatch) -> None:
    monkeypatch.setattr(orders, "RETRY_S", 0.05)
    venue.open_long("BTCUSDT", "0.02")

    def spoil(request: HttpRequest, truth: Callable[[], HttpAnswer]) -> HttpAnswer:
        body = json.loads(request.body) if request.path == CREATE else {}
        taken = {"retCode": 0, "retMsg": "OK", "result": {"orderId": "x"}, "time": 1}
        if body.get("orderType") == "Market":
            return HttpAnswer(200, json.dumps(taken).encode())  # accepted, and cancelled for want of liquidity
        return truth()

    venue.spoil = spoil
    told = panic()
    assert told.code == 0, told.said
    assert "with a limit of" in told.said
    limits = [body for path, body in venue.asked if path == CREATE and body.get("timeInForce") == "IOC"]
    assert limits
    assert all(body["reduceOnly"] and body["side"] == "Sell" for body in limits)


def test_a_short_is_closed_by_buying(venue, panic) -> None:
    venue.place("BTCUSDT", "0.02", side="Sell")
    venue.until(venue.held)
    told = panic()
    assert (told.code, told.receipt["closed"][0]["side"]) == (0, "short"), told.said


def test_strings_of_the_exchange_stay_text(venue, panic) -> None:
    row = {"symbol": HOSTILE, "side": "Buy", "size": "1", "avgPrice": HOSTILE, "stopLoss": HOSTILE}
    body = {"retCode": 0, "retMsg": "", "result": {"list": [row]}, "time": 1}
    venue.spoil = times(999, POSITIONS, HttpAnswer(200, json.dumps(body).encode()))
    told = panic("--for", "500ms")
    assert told.code == 4
    assert "EVIL[2J" in told.said
    assert not {char for char in told.said + json.dumps(told.receipt, ensure_ascii=False) if char in "\x1b\x07\u202e"}


def test_a_key_that_is_refused_is_code_6(venue, panic, monkeypatch) -> None:
    monkeypatch.setenv(keys.LOOPBACK[0], "another-key")
    told = panic()
    assert told.code == 6
    assert "10003: API key is invalid" in told.said
    assert "another-key" not in told.said


def test_an_exchange_that_is_not_there_is_code_3(venue, capsys, home) -> None:
    assert main(["--yes", "--url", "http://127.0.0.1:9", "--for", "300ms"]) == 3
    assert "nothing is known; stops stay" in capsys.readouterr().err


def test_no_secret_is_said_or_written(venue, panic, home: Path, monkeypatch) -> None:
    venue.open_long("BTCUSDT", "0.02")
    secrets = (venue.where.api_key, venue.where.api_secret)
    echo = refusal(10016, f"your key {secrets[0]} and {secrets[1]}")
    venue.spoil = times(3, POSITIONS, echo)
    told = panic("--for", "10s")
    everything = told.said + json.dumps(told.receipt)
    everything += "".join(path.read_text() for path in home.rglob("*") if path.is_file())
    assert "your key *** and ***" in told.said
    assert not [secret for secret in secrets if secret in everything]


@pytest.mark.parametrize(
    ("words", "environ", "code", "said"),
    [
        ([], {}, 2, "expected an API key or a demo that is alive, found neither"),
        (["--url", "http://127.0.0.1:9"], {}, 2, "expected BREAKWALL_SIM_KEY and BREAKWALL_SIM_SECRET"),
        (["--url", "http://127.0.0.1:9"], {"BYBIT_API_KEY": "k"}, 6, "a live key is never sent"),
        (["--url", "https://api.bybit.com"], {}, 2, "expected an address on this machine"),
        (["--environment", "mainnet"], {}, 2, "BYBIT_API_KEY and BYBIT_API_SECRET"),
        (["--environment", "moon"], {}, 2, "invalid choice"),
        (["--symbol", "BTC;rm"], {}, 2, "expected a market such as BTCUSDT"),
        (["--symbol", "BTCUSDT", "--scope", "account"], {}, 2, "leave one of them out"),
        (["--for", "soon"], {}, 2, "expected a span"),
        (["--config", "nowhere.toml"], {}, 2, "nowhere.toml: cannot be read"),
        (["--env-file", "nowhere.env"], {}, 2, "nowhere.env: cannot be read"),
        (["--help"], {}, 0, ""),
    ],
)
def test_what_cannot_be_asked_is_said(home: Path, capsys, monkeypatch, words, environ, code, said) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    assert main(["--yes", *words]) == code
    assert said in capsys.readouterr().err


def test_the_answer_of_a_banned_address_is_waited_for(venue) -> None:
    with pytest.raises(lines.RefusedError, match="banned") as caught:
        lines.opened(403, {}, b"", lines.VenueClock())
    assert caught.value.wait_s > 0
