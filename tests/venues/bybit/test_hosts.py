"""No address leads anywhere but where the settings say."""

import pytest

from breakwall.ports import VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.hosts import checked, world_of

HERE = {"rest_url": "http://127.0.0.1:9", "public_url": "ws://127.0.0.1:9/a", "private_url": "ws://127.0.0.1:9/b"}


@pytest.mark.parametrize("environment", ["mainnet", "testnet", "demo"])
def test_the_exchanges_own_addresses_are_fine(environment: str) -> None:
    assert checked(VenueSettings.model_validate({"environment": environment})).rest.startswith("https://api")


@pytest.mark.parametrize(
    "given",
    [
        HERE,
        HERE | {"trade_url": "ws://[::1]:9/c", "environment": "mainnet"},
        {
            "environment": "mainnet",
            "rest_url": "https://api.bybit.nl",
            "private_url": "wss://stream.bybit.nl/v5/private",
        },
        {"environment": "mainnet", "rest_url": "https://api.bytick.com/"},
        {"environment": "demo", "public_url": "wss://stream.bybit.nl/v5/public/linear"},
        {"rest_url": "https://api-testnet.bybit.nl:443"},
    ],
)
def test_other_addresses_of_the_same_world_are_fine(given: dict[str, str]) -> None:
    checked(VenueSettings.model_validate(given))


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"rest_url": "https://api.bybit.com"}, 6, 'rest_url: expected an address of environment = "testnet"'),
        ({"rest_url": "https://bybit.example"}, 6, "which leads to mainnet"),
        ({"private_url": "wss://stream-demo.bybit.com/v5/private"}, 6, "which leads to demo"),
        (
            {"environment": "mainnet", "private_url": "wss://stream-testnet.bybit.com/v5/private"},
            6,
            "leads to testnet",
        ),
        ({"environment": "mainnet", "trade_url": "wss://stream-demo.bybit.com/v5/trade"}, 6, "leads to demo"),
        ({"environment": "demo", "public_url": "wss://stream-testnet.bybit.com/x"}, 6, "leads to testnet"),
        ({"environment": "demo", "trade_url": "wss://stream.bybit.com/v5/trade"}, 6, "leads to mainnet"),
        (HERE | {"private_url": ""}, 6, "all of them on this machine or none"),
        (HERE | {"trade_url": "wss://stream.bybit.com/v5/trade"}, 6, "all of them on this machine or none"),
        ({"rest_url": "http://api-testnet.bybit.com"}, 6, "expected https://"),
        ({"public_url": "ws://stream-testnet.bybit.com/v5/public/linear"}, 6, "expected wss://"),
        ({"rest_url": "http://127.0.0.1.bybit.example"}, 6, "expected https://"),
        ({"rest_url": "http://localhost@api-testnet.bybit.com"}, 6, "found more in it"),
        ({"rest_url": "https://api-testnet.bybit.com?key=x"}, 6, "found more in it"),
        ({"rest_url": "api-testnet.bybit.com"}, 2, "write the whole address"),
        ({"rest_url": "wss://api-testnet.bybit.com"}, 2, "expected https://"),
        ({"public_url": "https://stream-testnet.bybit.com"}, 2, "expected wss://"),
        ({"rest_url": "https://[::1"}, 2, "write the whole address"),
        ({"rest_url": "https://api-testnet.bybit.com:99999"}, 2, "write the whole address"),
        ({"rest_url": "https://\x1b[31m"}, 2, "write the whole address"),
    ],
)
def test_what_leads_elsewhere_is_refused(given: dict[str, str], code: int, words: str) -> None:
    with pytest.raises(VenueError) as caught:
        checked(VenueSettings.model_validate(given))
    assert (caught.value.code, words in str(caught.value)) == (code, True), caught.value
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "world"),
    [
        ("https://demo.bybit.com", "demo"),
        ("https://testnetwork.bybit.com", "mainnet"),
        ("https://api.testnet.example", "mainnet"),
        ("https://127.0.0.1:1", "this machine"),
        ("http://127.0.0.1.evil.example", "mainnet"),
    ],
)
def test_a_host_that_does_not_say_so_itself_is_real_money(url: str, world: str) -> None:
    assert world_of(url) == world
