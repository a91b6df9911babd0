"""What must be true of clock, key, account and symbols before anything is traded on Bybit.

The margin mode is set where nothing is open; the position mode and an open position's leverage are
never changed. Source: Bybit v5, account/account-info, account/set-margin-mode,
position/leverage, user/apikey-info, account/set-price-limit.
"""

import logging
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from breakwall.model.events import Account
from breakwall.model.text import sanitise
from breakwall.model.units import Instrument, fixed
from breakwall.ports import VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit import dead_man, outcome
from breakwall.venues.bybit.endpoints import (
    ACCOUNT_INFO,
    FEE_RATE,
    INSTRUMENTS,
    KEY_INFO,
    POSITIONS,
    SET_AUTO_MARGIN,
    SET_LEVERAGE,
    SET_LIMIT_PRICE_ACTION,
    SET_MARGIN_MODE,
)
from breakwall.venues.bybit.key_audit import audit
from breakwall.venues.bybit.reports import (
    Record,
    RecordError,
    dict_in,
    instrument_of,
    number,
    text,
    whole,
)
from breakwall.venues.bybit.rest import ReadError, Rest, together

SAFETY, UNREACHABLE = 6, 3
UNIFIED_2 = frozenset({5, 6})
ISOLATED = "ISOLATED_MARGIN"

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Admission:
    """Checks an account once at start. Every refusal is a VenueError with its remedy."""

    def __init__(self, rest: Rest, settings: VenueSettings, leverage: Decimal) -> None:
        self._rest = rest
        self._settings = settings
        self._leverage = leverage

    async def admit(self, symbols: Iterable[str], held: Iterable[str] = ()) -> tuple[Account, dict[str, Instrument]]:
        """The account's facts and the rules of these symbols, and of those that may still be `held`.

        Where something may be held, a symbol that is not to be had does not keep the rest from being looked after.
        """
        asked, managed = tuple(symbols), tuple(held)
        wanted = tuple(dict.fromkeys((*asked, *managed)))
        self._refuse_while_banned()
        await self._read("clock", self._rest.measure_time)
        async with together() as group:
            key = group.create_task(self._read("key", lambda: self._rest.read(KEY_INFO, {})))
            account = group.create_task(self._read("account", lambda: self._rest.read(ACCOUNT_INFO, {})))
            listed = group.create_task(self._read("instruments", lambda: self.instruments(wanted)))
        _check_key(key.result())
        instruments = listed.result()
        for symbol in asked if not managed else ():
            self._check_symbol(symbol, instruments.get(symbol))
        for symbol in [symbol for symbol in wanted if symbol not in instruments]:
            _log.warning("%s: the venue does not list it (any more); it is not followed", symbol)
        wanted = tuple(symbol for symbol in wanted if symbol in instruments)
        async with together() as group:
            rows = {symbol: group.create_task(self._position_rows(symbol)) for symbol in wanted}
        for symbol in wanted:
            _check_position_mode(symbol, rows[symbol].result())
        await self._isolate(account.result())
        await self._refuse_repricing()
        async with together() as group:
            for symbol in wanted:
                group.create_task(self._settle(symbol, rows[symbol].result()))
        taker, maker = await self._fees(wanted)
        dcp_s = await dead_man.arm(self._rest, self._settings)
        _log.info(
            "without us the venue %s", f"withdraws working orders after {dcp_s} s" if dcp_s else "keeps all orders"
        )
        return Account(text(key.result(), "userID"), taker, maker, dcp_s=dcp_s), instruments

    async def admit_more(self, symbol: str, instrument: Instrument | None) -> None:
        """Make one more symbol ready while we run; raises VenueError naming what is wrong with it."""
        self._check_symbol(symbol, instrument)
        rows = await self._position_rows(symbol)
        _check_position_mode(symbol, rows)
        await self._settle(symbol, rows)

    async def instruments(self, wanted: Iterable[str]) -> dict[str, Instrument]:
        """Current rules of the wanted symbols the venue lists; raises ReadError."""
        names = set(wanted)
        rows = await self._rest.read_list(INSTRUMENTS, {"category": "linear", "limit": 1000})
        try:
            return {text(row, "symbol"): instrument_of(row) for row in rows if text(row, "symbol") in names}
        except RecordError as error:
            raise ReadError(f"{INSTRUMENTS.path}: {error}") from error

    def _refuse_while_banned(self) -> None:
        """Asking would only make it longer; stops that stand at the venue need nobody."""
        until_ms = self._rest.terms.banned_until_ms
        if until_ms:
            at = f"{datetime.fromtimestamp(until_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
            message = (
                f"{self._rest.host}: expected to be answered, found our address banned until {at} (HTTP 403); "
                "nothing was sent. Start again then; stops stay on the exchange. From another address: "
                "remove its file in the state folder's `bans`"
            )
            raise VenueError(message, code=UNREACHABLE)

    def _check_symbol(self, symbol: str, instrument: Instrument | None) -> None:
        if instrument is None or not instrument.tradable:
            found = "no such symbol" if instrument is None else sanitise(instrument.unfit, 80)
            _refuse(f"symbol {symbol}", "a living USDT perpetual", found, "remove it from `symbols`")
        if self._leverage > instrument.max_leverage:
            most = fixed(instrument.max_leverage)
            _refuse(f"{symbol} leverage", f"at most {most}", fixed(self._leverage), "lower [risk] leverage")
        if self._leverage % instrument.leverage_step:
            steps = f"a multiple of {fixed(instrument.leverage_step)}"
            _refuse(f"{symbol} leverage", steps, fixed(self._leverage), "change [risk] leverage")

    async def _position_rows(self, symbol: str) -> list[Record]:
        params = {"category": "linear", "symbol": symbol}
        return await self._read(f"{symbol} position", lambda: self._rest.read_list(POSITIONS, params))

    async def _isolate(self, account: Record) -> None:
        """Margin mode belongs to the whole account: set only while nothing is open."""
        status = whole(account, "unifiedMarginStatus")
        if status not in UNIFIED_2:
            _refuse("account type", "a Unified Trading Account 2.0", f"status {status}", "upgrade it at the venue")
        found = text(account, "marginMode")
        if found == ISOLATED:
            return
        params = {"category": "linear", "settleCoin": "USDT", "limit": 200}
        if await self._read("positions", lambda: self._rest.read_list(POSITIONS, params)):
            _refuse("margin mode", ISOLATED, f"{found} with open positions", "close them, then start again")
        reply = await self._rest.write(SET_MARGIN_MODE, {"setMarginMode": ISOLATED}, urgent=True)
        again = text(await self._read("account", lambda: self._rest.read(ACCOUNT_INFO, {})), "marginMode")
        if again != ISOLATED:
            why = "; ".join(filter(None, (reply.verdict.reason, *_reasons(reply.result))))
            found = f"{again} after setting it" + (f" ({why})" if why else "")
            _refuse("margin mode", ISOLATED, found, "set isolated margin at the venue")

    async def _refuse_repricing(self) -> None:
        """Without this the venue silently moves a limit price that is out of its band."""
        body = {"category": "linear", "modifyEnable": False}
        reply = await self._rest.write(SET_LIMIT_PRICE_ACTION, body, urgent=True)
        if not reply.verdict.ok:
            _log.warning("the venue may re-price limit orders out of its band: %s", reply.verdict.reason)

    async def _settle(self, symbol: str, rows: list[Record]) -> None:
        """Leverage as it is to be, and no margin but what an order takes: the rest of the balance is not at risk."""
        await self._set_leverage(symbol, rows)
        if any(whole(row, "autoAddMargin") for row in rows):
            body = {"category": "linear", "symbol": symbol, "autoAddMargin": 0, "positionIdx": 0}
            reply = await self._rest.write(SET_AUTO_MARGIN, body, urgent=True)
            if not reply.verdict.ok:
                reason = reply.verdict.reason
                _log.warning("%s: the venue may add margin from the balance by itself: %s", symbol, reason)

    async def _set_leverage(self, symbol: str, rows: list[Record]) -> None:
        found = {number(row, "leverage") for row in rows} or {Decimal(0)}
        if found == {self._leverage}:
            return
        wanted = fixed(self._leverage)
        if any(number(row, "size") for row in rows):
            was = ", ".join(fixed(value) for value in sorted(found))
            _refuse(f"{symbol} leverage", wanted, f"{was} with an open position", "close it, or set [risk] leverage")
        body = {"category": "linear", "symbol": symbol, "buyLeverage": wanted, "sellLeverage": wanted}
        reply = await self._rest.write(SET_LEVERAGE, body, urgent=True)
        if not reply.verdict.ok and reply.verdict.code != outcome.SAME_LEVERAGE:
            _refuse(f"{symbol} leverage", wanted, reply.verdict.reason, "set it at the venue, or [risk] leverage")

    async def _fees(self, symbols: tuple[str, ...]) -> tuple[Decimal, Decimal]:
        """The highest taker and maker rate of the symbols; the settings' where the venue does not tell."""
        taker: list[Decimal] = []
        maker: list[Decimal] = []
        try:
            for row in await self._rest.read_list(FEE_RATE, {"category": "linear"}):
                if text(row, "symbol") in symbols:
                    taker.append(number(row, "takerFeeRate"))
                    maker.append(number(row, "makerFeeRate"))
        except (ReadError, RecordError) as error:
            _log.warning("fee rates not readable, taking those of [venue]: %s", error)
        return max(taker, default=self._settings.taker_fee), max(maker, default=self._settings.maker_fee)

    async def _read(self, what: str, reading: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await reading()
        except (ReadError, RecordError) as error:
            alarm = isinstance(error, ReadError) and error.alarm
            remedy = (
                "check key, secret and [venue] environment" if alarm else "check the network and the venue's status"
            )
            message = f"{what}: expected an answer from the venue, found {error}; {remedy}"
            raise VenueError(message, code=SAFETY if alarm else UNREACHABLE) from error


def _reasons(result: object) -> list[str]:
    """Why the venue does not change the margin mode, in its own words."""
    told = dict_in(result).get("reasons")
    return [sanitise(text(dict_in(one), "reasonMsg"), 120) for one in told] if isinstance(told, list) else []


def _check_key(key: Record) -> None:
    """Refuse what is dangerous, warn of what will fail, say what the key is."""
    found = audit(key)
    if found.fault is not None:
        _refuse("API key", found.fault.expected, found.fault.found, found.fault.remedy)
    _log.info("%s", found.words)
    for warning in found.warnings:
        _log.warning("%s", warning)


def _check_position_mode(symbol: str, rows: list[Record]) -> None:
    if any(whole(row, "positionIdx") for row in rows):
        _refuse(
            f"{symbol} position mode", "one-way", "hedge", "switch it at the venue; it is never switched from here"
        )


def _refuse(thing: str, expected: str, found: str, remedy: str) -> NoReturn:
    raise VenueError(f"{thing}: expected {expected}, found {found}; {remedy}", code=SAFETY)
