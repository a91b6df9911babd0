"""All contracts of Bybit at a glance: one list of tickers now and then; single ones are made ready when asked for.

Source: Bybit v5, market/tickers (all symbols in one answer) and market/instrument.
"""

import asyncio
from collections.abc import Iterable

from breakwall import points
from breakwall.model.listings import Admitted, Listed, Listings
from breakwall.model.units import Instrument
from breakwall.ports import Clock, Sink, VenueError
from breakwall.venues.bybit.admission import Admission
from breakwall.venues.bybit.endpoints import INSTRUMENTS, TICKERS
from breakwall.venues.bybit.reports import Record, RecordError, instrument_of, number, price, text
from breakwall.venues.bybit.rest import ReadError, Rest

AT_ONCE = 10
RULES_EVERY_S = 600.0
"""How often the rules of all contracts are read again, also where no new one has turned up."""


class Scanner:
    """`ports.Scanner`. `instruments` is the broker's own table: what was made ready is added to it."""

    def __init__(
        self,
        rest: Rest,
        admission: Admission,
        instruments: dict[str, Instrument],
        clock: Clock,
        sink: Sink,
        refresh_s: float,
    ) -> None:
        self._rest = rest
        self._admission = admission
        self._instruments = instruments
        self._clock = clock
        self._sink = sink
        self._refresh_s = refresh_s
        self._rules: dict[str, Instrument] = {}
        self._read_ns: int | None = None  # when all rules were last read
        self._wanted: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()

    async def run(self) -> None:
        """Look at once, then every `refresh_s`; whoever is asked for is made ready in between."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_around(), name="all markets")
            group.create_task(self._make_ready(), name="more symbols")

    def admit(self, symbols: Iterable[str]) -> None:
        self._wanted.put_nowait(tuple(symbols))

    async def _look_around(self) -> None:
        while True:
            points.stumble("scanner: before the list")
            await points.linger("scanner: before the list", self._clock.sleep)
            try:
                self._sink.put(Listings(await self._listed()))
            except (ReadError, RecordError) as error:
                self._sink.put(Listings((), str(error)))
            await self._clock.sleep(self._refresh_s)

    async def _make_ready(self) -> None:
        """A few at a time: nobody waits for them, and the venue counts each request."""
        while True:
            wanted = await self._wanted.get()
            for start in range(0, len(wanted), AT_ONCE):
                group = wanted[start : start + AT_ONCE]
                answers = dict(zip(group, await asyncio.gather(*map(self._refusal, group)), strict=True))
                ready = tuple(self._instruments[symbol] for symbol, why in answers.items() if not why)
                self._sink.put(Admitted(ready, tuple((symbol, why) for symbol, why in answers.items() if why)))

    async def _refusal(self, symbol: str) -> str:
        """Make it ready; why it cannot be traded, or ''. Of who was ready before, the broker has the rules, and they
        may change while others are still waited for.
        """
        rules = self._instruments.get(symbol) or self._rules.get(symbol)
        try:
            await self._admission.admit_more(symbol, rules)
        except VenueError as error:
            return str(error)
        assert rules is not None, "admission refuses a symbol without rules"
        self._instruments.setdefault(symbol, rules)
        return ""

    async def _listed(self) -> tuple[Listed, ...]:
        """Every contract the venue quotes, with what its rules say; raises ReadError or RecordError."""
        rows = await self._rest.read_list(TICKERS, {"category": "linear"})
        await self._keep_rules(rows)
        await asyncio.sleep(0)  # hundreds of rows are some milliseconds each time
        return tuple(_row(row, self._rules.get(text(row, "symbol"))) for row in rows)

    async def _keep_rules(self, rows: list[Record]) -> None:
        """Read all rules again when it is time, or when somebody is quoted whom nobody knows; before its market opens
        a contract is quoted in a phase of its own, and has no rules yet.
        """
        now_ns = self._clock.now_ns()
        new = any(not text(row, "curPreListingPhase") and text(row, "symbol") not in self._rules for row in rows)
        fresh = self._read_ns is not None and now_ns - self._read_ns < RULES_EVERY_S * 1e9
        if fresh and not new:
            return
        read = await self._rest.read_list(INSTRUMENTS, {"category": "linear", "limit": 1000})
        self._rules = {text(row, "symbol"): rules for row in read if (rules := _rules(row)) is not None}
        self._read_ns = now_ns


def _rules(row: Record) -> Instrument | None:
    """None for rules that cannot be read: one odd contract among hundreds must not hide all others."""
    try:
        return instrument_of(row)
    except RecordError:
        return None


def _row(row: Record, rules: Instrument | None) -> Listed:
    return Listed(
        symbol=text(row, "symbol"),
        turnover_usdt=number(row, "turnover24h"),
        change=number(row, "price24hPcnt"),
        bid=price(row, "bid1Price"),
        ask=price(row, "ask1Price"),
        tradable=rules is not None and rules.tradable,
        kind="" if rules is None else rules.kind,
        launched_ms=0 if rules is None else rules.launched_ms,
    )
