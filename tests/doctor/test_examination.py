"""The doctor before a served exchange: what it finds, and that it never raises."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.doctor import line, sockets
from breakwall.doctor.examination import Examination, of_key, of_venue
from breakwall.doctor.finding import Verdict
from breakwall.doctor.line import Line, LostError
from breakwall.keys import Keys, Secret
from breakwall.places import ban_file
from breakwall.settings import Settings
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, listening
from breakwall.venues.transport import AiohttpTransport

SETTINGS = Settings.model_validate({"symbols": ["SOLUSDT"]})
KEYS = Keys(Secret("doctor-key"), Secret("doctor-secret"), "a test")
OTHERS = Keys(Secret("other-key"), Secret("other-secret"), "a test")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault of the exchange's."""
    monkeypatch.setattr(sockets, "PATIENCE_S", 60.0)
    monkeypatch.setattr(line, "TIMEOUT_S", 60.0)


def examined(
    keys: Keys | None = KEYS,
    *,
    change: Callable[[Exchange], object] = id,
    ahead_ms: int = 0,
    facts: dict[str, object] | None = None,
    settings: Settings = SETTINGS,
) -> Examination:
    """What the doctor says of an exchange on which this was changed; its clock may be ahead of ours."""

    class Ahead(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() + ahead_ms

    async def run() -> Examination:
        clock = Ahead()
        key, secret = KEYS.key.reveal(), KEYS.secret.reveal()
        exchange = Exchange(
            5, "calm", clock.now_ms(), symbols=("SOLUSDT",), api_key=key, api_secret=secret, key_facts=facts
        )
        change(exchange)
        transport = AiohttpTransport()
        try:
            async with listening(Server(exchange, clock), 0) as where:
                urls = Urls(where.http, where.public, where.private, where.trade)
                return await of_venue(settings, urls, keys, "", SystemClock(), transport)
        finally:
            await transport.close()

    return asyncio.run(run())


def verdicts(seen: Examination) -> dict[str, Verdict]:
    return {finding.point: finding.verdict for finding in seen.findings}


def test_an_account_that_is_as_it_must_be() -> None:
    changed: list[Exchange] = []
    seen = examined(change=changed.append)
    assert seen.faults(strict=True) == ()
    assert seen.warnings == ()
    assert seen.account.isdecimal()
    points = (
        "REST clock markets key position-mode leverage balance fees limits public-socket private-socket trade-socket"
    )
    assert {point.replace("-", " ") for point in points.split()} <= set(verdicts(seen))
    assert changed[0].account.reprice  # it only looks: a start would have switched this off


@pytest.mark.parametrize(
    ("facts", "point"),
    [
        ({"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]}}, "key"),
        ({"expiredAt": "2020-01-01T00:00:00Z"}, "key"),
    ],
)
def test_a_key_that_may_not_be_used(facts: dict[str, object], point: str) -> None:
    assert point in [fault.point for fault in examined(facts=facts).faults(strict=False)]


def test_a_key_of_nobody_is_a_fault_and_the_rest_is_looked_at_all_the_same() -> None:
    seen = examined(OTHERS)
    found = verdicts(seen)
    assert (found["key"], found["private socket"], found["trade socket"]) == (
        Verdict.FAIL,
        Verdict.FAIL,
        Verdict.WARN,
    )
    assert (found["REST"], found["markets"], found["public socket"]) == (Verdict.PASS,) * 3
    assert seen.account == ""


def test_a_start_knows_at_once_that_it_is_another_account() -> None:
    other = Settings.model_validate({"symbols": ["SOLUSDT"], "venue": {"account": "4711"}})
    assert [fault.point for fault in examined(settings=other).faults(strict=False)] == ["account"]


def test_without_a_key_it_says_what_it_could_not_look_at() -> None:
    seen = examined(None)
    assert verdicts(seen)["account"] is Verdict.SKIP
    assert seen.faults(strict=False) == ()
    assert [fault.point for fault in seen.faults(strict=True)] == ["account"]


@pytest.mark.parametrize(("ahead_ms", "verdict"), [(500, Verdict.WARN), (-500, Verdict.WARN), (5_000, Verdict.FAIL)])
def test_a_clock_that_is_wrong_is_told_and_does_not_blind_it(ahead_ms: int, verdict: Verdict) -> None:
    strict = Settings.model_validate({"symbols": ["SOLUSDT"], "breaker": {"clock_warn_ms": 10}})
    found = verdicts(examined(ahead_ms=ahead_ms, settings=strict))
    assert (found["clock"], found["key"], found["private socket"]) == (verdict, Verdict.PASS, Verdict.PASS)


def test_hedge_mode_and_markets_that_are_not_there() -> None:
    both = SETTINGS.model_copy(update={"symbols": ("SOLUSDT", "NOPEUSDT")})
    found = verdicts(examined(change=lambda exchange: exchange.account.switch("SOLUSDT", hedge=True), settings=both))
    assert (found["position mode"], found["markets"]) == (Verdict.FAIL, Verdict.FAIL)


def test_an_exchange_that_fails_is_no_fault_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a machine that starts by itself would take a bad gateway for a refusal, and stay down."""
    asked = Line.result

    def result(self: Line, question: str, **params: object) -> dict[str, object]:
        if question == "get_api_key_information":
            raise LostError("HTTP 502")
        return asked(self, question, **params)

    monkeypatch.setattr(Line, "result", result)
    seen = examined()
    assert not seen.reached
    (fault,) = seen.faults(strict=False)
    assert (fault.point, fault.found.endswith(": HTTP 502")) == ("REST", True)
    assert verdicts(seen)["markets"] is Verdict.PASS


def test_a_ban_is_kept_for_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def banned(self: Line, question: str, **params: object) -> dict[str, object]:
        self.banned = True
        raise LostError("banned", again=False)

    monkeypatch.setattr(Line, "result", banned)
    assert not examined().reached
    for thread in threading.enumerate():
        if thread.name == "ban":
            thread.join()
    (file,) = (tmp_path / "breakwall/bans").iterdir()
    assert int(file.read_text()) > SystemClock().now_ms()


def test_a_banned_address_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    until_ms = SystemClock().now_ms() + 60_000

    urls = Urls("http://127.0.0.1:9", "ws://127.0.0.1:9/a", "ws://127.0.0.1:9/b")
    file = ban_file(urls.rest)
    file.parent.mkdir(parents=True)
    file.write_text(f"{until_ms}\n")
    seen = asyncio.run(of_key(SETTINGS, urls, KEYS, SystemClock()))
    assert (seen.reached, "our address is banned until" in seen.findings[0].found) == (False, True)


def test_nobody_there() -> None:
    clock, transport = SystemClock(), AiohttpTransport()
    urls = Urls("http://127.0.0.1:9", "ws://127.0.0.1:9/a", "ws://127.0.0.1:9/b")
    for seen in (
        asyncio.run(of_venue(SETTINGS, urls, KEYS, "embedded", clock, transport)),
        asyncio.run(of_key(SETTINGS, urls, KEYS, clock)),
    ):
        assert not seen.reached
        (fault,) = seen.faults(strict=False)
        assert (fault.point, fault.found) == ("REST", "http://127.0.0.1:9: no connection")
