"""One look at everything, in the order in which it can go wrong."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

from msgspec import Struct

from breakwall.bans import Ban
from breakwall.doctor import account as judged
from breakwall.doctor import here, sockets
from breakwall.doctor.finding import Finding, Verdict, bad, doubtful, good, skipped
from breakwall.doctor.line import Line, LostError, RefusedError
from breakwall.keys import Keys
from breakwall.model.text import file_name
from breakwall.model.units import Instrument
from breakwall.places import ban_file, config_folder, state_folder
from breakwall.ports import Clock, Transport
from breakwall.settings import Settings
from breakwall.storage.runs import InstanceLock
from breakwall.venues.bybit.endpoints import Signer, Urls
from breakwall.venues.bybit.reports import Record, RecordError, instrument_of, needed, number, text
from breakwall.venues.limiter import BAN_MS

_TIMES = 5
_NETWORK = "check the network and the firewall; look at the exchange's status page"
_OF_A_KEY = "key, account, modes, leverage, balance, fees, limits and private sockets"
_GIVE_A_KEY = "name it with --env-file, or see the runbook's chapter on keys"
_KEY = "check key, secret, the addresses it is bound to, and [venue] environment"


class Examination(Struct, frozen=True):
    """`account` is the exchange's number of the account, empty where it was not told; `reached`: it answers."""

    findings: tuple[Finding, ...]
    account: str = ""
    reached: bool = True

    def faults(self, *, strict: bool) -> tuple[Finding, ...]:
        """What forbids trading; `strict`: with what could not be looked at, and matters to a trade."""
        skips = {finding.point for finding in self.findings if strict and finding.verdict is Verdict.SKIP} - _OPTIONAL
        return tuple(
            finding for finding in self.findings if finding.verdict is Verdict.FAIL or finding.point in skips
        )

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.WARN)


_OPTIONAL = frozenset({"terminal", "tmux", "disk"})
"""Points that no order depends on."""


def of_machine(settings: Settings, environ: Mapping[str, str], folder: Path) -> tuple[Finding, ...]:
    """What needs no exchange; `folder` is where the runs are."""
    return (
        here.python(),
        here.text_encoding(),
        *here.terminal(settings, environ),
        *here.tmux(environ),
        *here.folders(state_folder(), config_folder(), folder),
        here.disk(folder, settings),
    )


async def of_key(settings: Settings, urls: Urls, keys: Keys, clock: Clock) -> Examination:
    """Whose key it is, and whether it may be used: the least that a start must know."""

    def look(line: Line) -> tuple[list[Finding], str]:
        line.measure_time(1)
        return _key(line, settings.venue.account)

    if banned := _banned(urls, clock):
        return banned
    line = Line(urls.rest, keys, clock)
    try:
        findings, account = await asyncio.to_thread(look, line)
    except LostError as error:
        return _lost(line, error, clock)
    finally:
        line.close()
    return Examination(tuple(findings), account)


async def of_venue(
    settings: Settings, urls: Urls, keys: Keys | None, environment: str, clock: Clock, transport: Transport
) -> Examination:
    """What the exchange says of itself, of the key and of the account.

    `environment`: whose locks would tell of another cockpit; empty: they are ours already.
    """
    if banned := _banned(urls, clock):
        return banned
    line = Line(urls.rest, keys, clock)
    findings: list[Finding] = []
    try:
        rules, account = await asyncio.to_thread(_over_rest, line, settings, findings, has_key=keys is not None)
    except LostError as error:
        return _lost(line, error, clock, findings)
    finally:
        line.close()
    signer = None
    if keys is not None:
        findings.insert(0, good("key from", keys.source))
        signer = Signer(keys.key.reveal(), keys.secret.reveal(), settings.venue.recv_window_ms)
        if environment:
            names = (keys.key.reveal(), account)
            findings.append(here.rival(*(InstanceLock("bybit", environment, name) for name in names if name)))
    venue_ms = int(clock.now_ms() + line.offset_ms)
    symbol = next(iter(rules), settings.symbols[0])
    looks = [sockets.public(transport, clock, urls.public, symbol)]
    if signer is not None:
        looks.append(sockets.private(transport, clock, urls.private, signer, venue_ms))
        looks.append(sockets.trade(transport, clock, urls.trade, signer, venue_ms))
    return Examination((*findings, *await asyncio.gather(*looks)), account)


def _lost(line: Line, error: LostError, clock: Clock, findings: Sequence[Finding] = ()) -> Examination:
    """The exchange is not reached, or not any more; a ban is kept for whoever starts next."""
    if line.banned:
        Ban(ban_file(line.base)).tell(clock.now_ms() + BAN_MS)
    return Examination((*findings, bad("REST", f"{line.base}: {error}", _NETWORK)), reached=False)


def _banned(urls: Urls, clock: Clock) -> Examination | None:
    """Asking would only make it longer."""
    until_ms = Ban(ban_file(urls.rest)).until_ms(clock.now_ms())
    if not until_ms:
        return None
    at = f"{datetime.fromtimestamp(until_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    remedy = "wait; stops stay on the exchange. From another address: remove its file in `bans` of the state folder"
    return Examination((bad("REST", f"our address is banned until {at}: nothing was asked", remedy),), reached=False)


def _over_rest(
    line: Line, settings: Settings, findings: list[Finding], *, has_key: bool
) -> tuple[dict[str, Instrument], str]:
    """Everything that is asked over REST, to `findings`; the markets' rules and the account's number.

    Raises LostError where the exchange is not reached, or not any more.
    """
    line.measure_time(_TIMES)
    how = "over TLS, its certificate is valid" if line.base.startswith("https:") else "on this machine, without TLS"
    findings.append(good("REST", f"reached {how}; half of the answers within {median(line.trips_ms):.0f} ms"))
    findings.append(_clock(line.offset_ms, settings))
    rules: dict[str, Instrument] = {}
    prices: dict[str, Decimal] = {}

    def look_at_markets() -> list[Finding]:
        rules.update(_rules(line, settings.symbols))
        prices.update(_prices(line, rules))
        return [judged.markets(settings.symbols, rules)]

    findings += _asked("markets", look_at_markets, _NETWORK)
    if not has_key:
        findings.append(skipped("account", f"no key: {_OF_A_KEY} not looked at", _GIVE_A_KEY))
        return rules, ""
    of_key, account = _key(line, settings.venue.account)
    findings += of_key
    if account:
        findings += _account(line, settings, rules, prices)
    return rules, account


def _key(line: Line, expected: str) -> tuple[list[Finding], str]:
    """What the key is, and the number of its account, empty where that is not told; `expected` empty: any.

    Raises LostError.
    """
    try:
        told = line.result("get_api_key_information")
        account = file_name(needed(told, "userID"))
        return [judged.whose(account, expected), *judged.key(told)], account
    except (RefusedError, RecordError) as error:
        return [bad("key", str(error), _KEY)], ""


def _account(
    line: Line, settings: Settings, rules: dict[str, Instrument], prices: dict[str, Decimal]
) -> list[Finding]:
    rows: dict[str, list[Record]] = {}
    equity: list[Decimal] = []

    def look_at_account() -> list[Finding]:
        holds = bool(line.rows("get_positions", category="linear", settleCoin="USDT"))
        return judged.account(line.result("get_account_info"), holds=holds)

    def look_at_positions() -> list[Finding]:
        rows.update({symbol: [*line.rows("get_positions", category="linear", symbol=symbol)] for symbol in rules})
        return [judged.position_mode(rows), judged.leverage(settings.risk.leverage, rows, rules)]

    def look_at_money() -> list[Finding]:
        wallet: list[Record] = [*line.rows("get_wallet_balance", accountType="UNIFIED")]
        finding, usdt = judged.balance(settings.risk, wallet)
        equity.append(usdt)
        return [finding]

    def look_at_fees() -> list[Finding]:
        return [judged.fees(settings, [*line.rows("get_fee_rates", category="linear")])]

    def look_at_dead_man() -> list[Finding]:
        return [judged.dead_man(line.result("query_dcp_info"))]

    findings = [
        *_asked("account type", look_at_account, _NETWORK),
        *_asked("position mode", look_at_positions, _NETWORK),
        *_asked("balance", look_at_money, _NETWORK),
        *_asked("disconnect", look_at_dead_man, "nothing: stops do not need it", doubtful),
    ]
    findings += judged.smallest_order(settings.risk, equity[0] if equity else None, rules, prices)
    findings += _asked("fees", look_at_fees, "nothing: the start takes those of [venue]", doubtful)
    return [*findings, judged.limits(line.limits)]


def _asked(
    point: str,
    look: Callable[[], list[Finding]],
    remedy: str,
    fault: Callable[[str, str, str], Finding] = bad,
) -> list[Finding]:
    """What a look finds; what is refused or cannot be read is a `fault` of its point. Raises LostError."""
    try:
        return look()
    except (RefusedError, RecordError) as error:
        return [fault(point, str(error), remedy)]
    except LostError as error:
        if fault is bad:
            raise LostError(f"{point}: {error}") from error
        return [fault(point, str(error), remedy)]


def _clock(offset_ms: float, settings: Settings) -> Finding:
    words, off_ms = f"ours is {-offset_ms:+.0f} ms off the exchange's", abs(offset_ms)
    remedy = "timedatectl set-ntp true, or chronyc makestep"
    if off_ms > settings.breaker.clock_halt_ms:
        return bad("clock", words, remedy)
    return (doubtful("clock", words, remedy)) if off_ms > settings.breaker.clock_warn_ms else good("clock", words)


def _rules(line: Line, symbols: tuple[str, ...]) -> dict[str, Instrument]:
    """Trading rules of those markets that the exchange lists."""
    rows = line.rows("get_instruments_info", category="linear", limit=1000)
    return {text(row, "symbol"): instrument_of(row) for row in rows if text(row, "symbol") in symbols}


def _prices(line: Line, rules: dict[str, Instrument]) -> dict[str, Decimal]:
    rows = line.rows("get_tickers", category="linear") if rules else []
    return {text(row, "symbol"): number(row, "markPrice") for row in rows if text(row, "symbol") in rules}
