"""What a key may do, and what it must not."""

import asyncio
import logging
import random
from decimal import Decimal

import pytest

from breakwall.clock import SystemClock
from breakwall.ports import VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.bybit.key_audit import audit
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, listening
from breakwall.venues.transport import AiohttpTransport

GOOD = {
    "readOnly": 0,
    "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": [], "Exchange": ["ExchangeHistory"]},
    "ips": ["203.0.113.7"],
    "deadlineDay": -2,
    "expiredAt": "1970-01-01T00:00:00Z",
    "uta": 1,
}


def rights(**groups: list[str]) -> dict[str, object]:
    return GOOD | {"permissions": {"ContractTrade": ["Order", "Position"], **groups}}


def test_a_key_that_can_only_trade_is_taken() -> None:
    found = audit(GOOD)
    assert found.fault is None
    assert found.warnings == ()
    assert found.words.endswith("bound to 203.0.113.7; does not expire")


def test_a_unified_key_names_its_right_otherwise() -> None:
    assert audit(GOOD | {"permissions": {"Derivatives": ["DerivativesTrade"]}}).fault is None


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (rights(Wallet=["Withdraw"]), "Wallet.Withdraw"),
        (rights(Wallet=["AccountTransfer"]), "Wallet.AccountTransfer"),
        (rights(Wallet=["SubMemberTransfer"]), "Wallet.SubMemberTransfer"),
        (rights(Wallet=["SubMemberTransferList", "AccountTransfer"]), "Wallet.SubMemberTransferList"),
        (rights(Elsewhere=["withdraw\x1b[2Jal"]), "Elsewhere.withdraw[2Jal"),
        (GOOD | {"readOnly": 1}, "a read-only key"),
        (GOOD | {"permissions": {}}, "no permissions"),
        (GOOD | {"permissions": {"ContractTrade": ["Position"]}}, "ContractTrade.Position"),
        (GOOD | {"permissions": {"ContractTrade": ["Order"]}}, "ContractTrade.Order"),
        (GOOD | {"permissions": "all"}, "no permissions"),
        (GOOD | {"uta": 0}, "one of a classic account"),
    ],
)
def test_a_key_with_too_much_or_too_little_is_not(key: dict[str, object], found: str) -> None:
    fault = audit(key).fault
    assert fault is not None
    assert found in fault.found
    assert fault.remedy
    assert "\x1b" not in fault.found


@pytest.mark.parametrize(
    ("key", "warnings"),
    [
        (GOOD | {"ips": []}, ["works from every address"]),
        (GOOD | {"ips": ["*"], "deadlineDay": 90}, ["works from every address"]),
        (GOOD | {"ips": [""], "deadlineDay": 13}, ["works from every address", "expires in 13 days"]),
        (GOOD | {"deadlineDay": 14}, []),
        (GOOD | {"deadlineDay": 1}, ["expires in 1 days"]),
    ],
)
def test_what_will_fail_one_day_is_said(key: dict[str, object], warnings: list[str]) -> None:
    found = audit(key)
    assert found.fault is None
    assert len(found.warnings) == len(warnings)
    assert all(words in warning for words, warning in zip(warnings, found.warnings, strict=True))


async def prepare(key_facts: dict[str, object], notebook) -> None:
    """Start on an embedded exchange whose key tells this of itself."""
    clock = SystemClock()
    server = Server(Exchange(1, None, clock.now_ms(), key_facts=key_facts), clock)
    transport = AiohttpTransport()
    try:
        async with listening(server, 0) as where:
            urls = Urls(where.http, where.public, where.private)
            keys = (where.api_key, where.api_secret)
            broker = BybitBroker(
                transport, clock, notebook, urls, *keys, VenueSettings(), Decimal(10), random.Random(1)
            )
            await broker.prepare(["BTCUSDT"])
    finally:
        await transport.close()


def test_a_key_that_may_withdraw_stops_the_start(notebook) -> None:
    with pytest.raises(VenueError, match=r"found Wallet\.Withdraw; make a key that can only trade") as caught:
        asyncio.run(prepare({"permissions": {"ContractTrade": ["Order"], "Wallet": ["Withdraw"]}}, notebook))
    assert caught.value.code == 6


def test_the_start_says_what_the_key_is_and_what_is_wrong_with_it(notebook, caplog) -> None:
    caplog.set_level(logging.INFO)
    asyncio.run(prepare({"ips": [], "deadlineDay": 3, "expiredAt": "2030-01-02T00:00:00Z"}, notebook))
    said = "\n".join(caplog.messages)
    assert "not bound to an address; expires in 3 days (2030-01-02T00:00:00Z)" in said
    assert "works from every address" in said
    assert "expires in 3 days: renew it" in said
