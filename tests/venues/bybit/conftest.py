"""The broker before a scripted venue."""

import random
from decimal import Decimal

import pytest

from breakwall.settings import VenueSettings
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from tests.venues.bybit.scripts import (
    ACCOUNT,
    CANCEL,
    CANCEL_BATCH,
    CREATE,
    CREATE_BATCH,
    FLAT,
    KEY,
    POSITIONS,
    RULES,
    WALLET,
    batch,
)


@pytest.fixture
def broker(venue, clock, notebook) -> BybitBroker:
    venue.say("/v5/user/query-api", KEY)
    venue.say(ACCOUNT, {"unifiedMarginStatus": 5, "marginMode": "ISOLATED_MARGIN"})
    venue.say("/v5/market/instruments-info", {"list": [RULES, RULES | {"symbol": "ETHUSDT"}], "nextPageCursor": ""})
    venue.say(POSITIONS, {"list": [FLAT]})
    venue.say(
        "/v5/account/fee-rate", {"list": [{"symbol": "BTCUSDT", "takerFeeRate": "0.0006", "makerFeeRate": "0.0001"}]}
    )
    venue.say("/v5/account/wallet-balance", WALLET)
    for path in (CREATE, CANCEL):
        venue.say(path, {"orderId": "o1", "orderLinkId": "bw-1-2-e"})
    for path in (CREATE_BATCH, CANCEL_BATCH):
        venue.say(path, batch)
    settings = VenueSettings(request_timeout_s=2)
    urls = Urls("http://x", "ws://x/public", "ws://x/private")
    return BybitBroker(venue, clock, notebook, urls, "KEY", "SECRET", settings, Decimal(10), random.Random(1))
