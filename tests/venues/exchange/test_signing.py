"""Signatures against the contract's vectors, and the window of signed requests."""

import pytest

from breakwall.ports import HttpRequest
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.signing import Keys

KEYS = Keys("TESTKEY", "TESTSECRET")
NOW = 1_700_000_000_000
GET_SIGN = "f805ff4f3587db4ed1b8f9c5414a19ff72e32d65e2ad9708222565091809de5b"
POST_SIGN = "9c5f1f13cbe238f5c53cf9eddbdd5c8046fb451b3bf38d671d9101b497cd2801"
SOCKET_SIGN = "83cab635ca907358b8d41b6576239a6b4e5e838bbc0514d3cee5545cc0e12872"
BODY = b'{"category": "linear", "symbol": "BTCUSDT", "side": "Buy"}'


def headers(sign: str, **change: str) -> dict[str, str]:
    base = {
        "x-bapi-api-key": "TESTKEY",
        "x-bapi-timestamp": str(NOW),
        "x-bapi-recv-window": "5000",
        "x-bapi-sign": sign,
    }
    return base | {key.replace("_", "-"): value for key, value in change.items()}


def test_vectors() -> None:
    get = HttpRequest("GET", "", "/v5/x", "category=linear&symbol=BTCUSDT")
    post = HttpRequest("POST", "", "/v5/x", body=BODY)
    KEYS.check_request(get, headers(GET_SIGN), NOW)
    KEYS.check_request(post, headers(POST_SIGN), NOW)
    assert KEYS.refuses_socket(["TESTKEY", 1_700_000_001_000, SOCKET_SIGN], NOW) is None
    assert KEYS.refuses_socket(["TESTKEY", "1700000001000", SOCKET_SIGN], NOW) is None


@pytest.mark.parametrize(
    ("change", "now_ms", "code"),
    [
        ({"x_bapi_api_key": "OTHER"}, NOW, 10003),
        ({"x_bapi_sign": GET_SIGN}, NOW, 10004),
        ({"x_bapi_sign": ""}, NOW, 10004),
        ({"x_bapi_timestamp": "soon"}, NOW, 10001),
        ({}, NOW + 5001, 10002),
        ({}, NOW - 1000, 10002),
    ],
)
def test_refusals(change: dict[str, str], now_ms: int, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        KEYS.check_request(HttpRequest("POST", "", "/v5/x", body=BODY), headers(POST_SIGN, **change), now_ms)
    assert refused.value.code == code


@pytest.mark.parametrize("now_ms", [NOW + 5000, NOW - 999])
def test_the_window_reaches_five_seconds_back_and_one_ahead(now_ms: int) -> None:
    KEYS.check_request(HttpRequest("POST", "", "/v5/x", body=BODY), headers(POST_SIGN), now_ms)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["TESTKEY", 1_700_000_001_000, GET_SIGN], "error sign!"),
        (["OTHER", 1_700_000_001_000, SOCKET_SIGN], "API key is invalid."),
        (["TESTKEY", "soon", SOCKET_SIGN], "Params Error"),
        ([], "Params Error"),
    ],
)
def test_sockets_that_stay_closed(args: list[object], reason: str) -> None:
    refusal = KEYS.refuses_socket(args, NOW)
    assert refusal is not None
    assert refusal.message == reason


def test_a_socket_signature_must_lie_ahead() -> None:
    refusal = KEYS.refuses_socket(["TESTKEY", 1_700_000_001_000, SOCKET_SIGN], NOW + 1000)
    assert refusal is not None
    assert (refusal.code, refusal.message) == (10004, "auth expired")


POST = HttpRequest("POST", "", "/v5/x", body=BODY)


@pytest.mark.parametrize(
    ("facts", "code"), [({"readOnly": 1}, 10005), ({"expiredAt": "2023-11-14T22:13:19Z"}, 33004)]
)
def test_what_a_key_may_not_do(facts: dict[str, object], code: int) -> None:
    with pytest.raises(Refusal) as refused:
        Keys("TESTKEY", "TESTSECRET", facts).check_request(POST, headers(POST_SIGN), NOW)
    assert refused.value.code == code


@pytest.mark.parametrize("expires", ["2023-11-14T22:13:21Z", "1970-01-01T00:00:00Z"])
def test_a_key_with_time_left_or_none_to_lose_may_trade(expires: str) -> None:
    Keys("TESTKEY", "TESTSECRET", {"expiredAt": expires}).check_request(POST, headers(POST_SIGN), NOW)


def test_a_reading_key_reads() -> None:
    get = HttpRequest("GET", "", "/v5/x", "category=linear&symbol=BTCUSDT")
    Keys("TESTKEY", "TESTSECRET", {"readOnly": 1}).check_request(get, headers(GET_SIGN), NOW)
