"""Signing against the contract's vectors, requests as on the wire, envelopes, the venue's time."""

from pathlib import Path

import msgspec
import pytest

import breakwall
from breakwall.ports import HttpAnswer
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.endpoints import (
    ALL,
    CAPS,
    CREATE,
    POSITIONS,
    TIME,
    Signer,
    UnreadableError,
    VenueTime,
    build,
    open_envelope,
    query_text,
    urls_of,
)

SIGNER = Signer("TESTKEY", "TESTSECRET", 5000)


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (b"category=linear&symbol=BTCUSDT", "f805ff4f3587db4ed1b8f9c5414a19ff72e32d65e2ad9708222565091809de5b"),
        (
            b'{"category": "linear", "symbol": "BTCUSDT", "side": "Buy"}',
            "9c5f1f13cbe238f5c53cf9eddbdd5c8046fb451b3bf38d671d9101b497cd2801",
        ),
    ],
)
def test_rest_signature_vectors(payload: bytes, signature: str) -> None:
    assert SIGNER.headers(1700000000000, payload) == {
        "X-BAPI-API-KEY": "TESTKEY",
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signature,
    }


def test_login_signature_vector() -> None:
    request = msgspec.json.decode(SIGNER.login(1700000001000 - 5000))
    signature = "83cab635ca907358b8d41b6576239a6b4e5e838bbc0514d3cee5545cc0e12872"
    assert request["op"] == "auth"
    assert request["args"] == ["TESTKEY", 1700000001000, signature]


def test_the_secret_has_no_text_form() -> None:
    assert "TESTSECRET" not in repr(SIGNER)
    assert not hasattr(SIGNER, "__dict__")


def test_a_get_signs_the_query_it_sends() -> None:
    params = {"category": "linear", "symbol": "BTCUSDT"}
    request = build(POSITIONS, params, "http://host", 2.0, SIGNER, 1700000000000)
    assert (request.query, request.body) == ("category=linear&symbol=BTCUSDT", b"")
    assert request.headers["X-BAPI-SIGN"].startswith("f805ff4f")
    assert request.timeout_s == 2.0


def test_a_post_signs_the_body_it_sends() -> None:
    request = build(CREATE, {"symbol": "BTCUSDT", "reduceOnly": False}, "http://host", 2.0, SIGNER, 1)
    assert (request.query, request.body) == ("", b'{"symbol":"BTCUSDT","reduceOnly":false}')
    assert request.headers["X-BAPI-SIGN"] == SIGNER.headers(1, request.body)["X-BAPI-SIGN"]
    assert request.headers["Content-Type"] == "application/json"


def test_public_endpoints_go_unsigned_and_private_ones_never() -> None:
    assert build(TIME, {}, "http://host", 1.0, None, 0).headers == {}
    with pytest.raises(ValueError, match="expected a signer"):
        build(CREATE, {}, "http://host", 1.0, None, 0)


def test_cursors_go_back_as_they_came() -> None:
    assert query_text({"cursor": "132766%3A2%2C1", "name": "a b&c"}) == "cursor=132766%3A2%2C1&name=a%20b%26c"


def test_every_private_endpoint_has_a_cap() -> None:
    assert {endpoint.path for endpoint in ALL if endpoint.signed} == set(CAPS)


@pytest.mark.parametrize("body", [b"<html>502</html>", b'{"retCode":0,"resu', b"[]", b"{}", b""])
def test_what_is_no_envelope_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="HTTP 200"):
        open_envelope(HttpAnswer(200, body))


def test_envelope_takes_numbers_as_text() -> None:
    envelope = open_envelope(HttpAnswer(200, b'{"retCode":"10001","retMsg":"no","time":"17","more":1}'))
    assert (envelope.code, envelope.message, envelope.time) == (10001, "no", 17)
    assert open_envelope(HttpAnswer(200, b'{"retCode":0,"retMsg":null,"time":null}')).code == 0


def test_the_quickest_answer_tells_the_time() -> None:
    time = VenueTime()
    assert time.offset_ms == 0.0
    time.learn(1000, 1200, 1700)
    time.learn(2000, 2010, 2505)
    time.learn(3000, 3900, 9000)
    assert time.offset_ms == 500.0
    assert time.at(10_000) == 10_500
    time.forget()
    assert time.offset_ms == 500.0
    time.learn(20_000, 20_010, 13_005)
    assert time.offset_ms == -7_000.0


def test_an_answer_of_a_venue_that_stood_still_does_not_set_the_clock() -> None:
    time = VenueTime()
    time.learn(0, 15_000, 15_000)
    assert time.offset_ms == 7_500.0  # better than nothing
    time.learn(20_000, 20_010, 20_005)
    time.forget()
    time.learn(30_000, 45_000, 45_000)
    assert time.offset_ms == 0.0


def test_an_answer_without_time_teaches_nothing() -> None:
    time = VenueTime()
    time.learn(1000, 1001, 0)
    assert time.offset_ms == 0.0


def test_hosts_by_environment_and_by_setting() -> None:
    assert urls_of(VenueSettings(environment="mainnet")).rest == "https://api.bybit.com"
    demo = urls_of(VenueSettings(environment="demo"))
    assert demo.public == "wss://stream.bybit.com/v5/public/linear"
    assert demo.private == "wss://stream-demo.bybit.com/v5/private"
    own = urls_of(VenueSettings(rest_url="http://127.0.0.1:1/", public_url="ws://p", private_url="ws://q"))
    assert (own.rest, own.public, own.private) == ("http://127.0.0.1:1", "ws://p", "ws://q")


@pytest.mark.parametrize(
    ("settings", "trade"),
    [
        ({"environment": "mainnet"}, "wss://stream.bybit.com/v5/trade"),
        ({"environment": "testnet"}, "wss://stream-testnet.bybit.com/v5/trade"),
        ({"environment": "demo"}, ""),
        ({"environment": "mainnet", "rest_url": "https://api.bybit.nl"}, ""),
        ({"environment": "mainnet", "private_url": "wss://stream.bybit.nl/v5/private"}, ""),
        ({"environment": "mainnet", "public_url": "wss://elsewhere"}, "wss://stream.bybit.com/v5/trade"),
        ({"environment": "mainnet", "rest_url": "https://api.bybit.nl", "trade_url": "wss://t"}, "wss://t"),
    ],
)
def test_orders_never_go_to_another_site_than_everything_else(settings: dict[str, str], trade: str) -> None:
    assert urls_of(VenueSettings(**settings)).trade == trade


def test_nothing_of_ours_cancels_all_orders_at_once() -> None:
    """It would take the protective stops as well."""
    source = Path(breakwall.__file__).parent
    ours = [
        *(source / "venues/bybit").glob("*.py"),
        *(source / "panic").glob("*.py"),
        *(source / "engine").glob("*.py"),
    ]
    assert ours
    assert [path.name for path in ours if "/cancel-all" in path.read_text(encoding="utf-8")] == []
