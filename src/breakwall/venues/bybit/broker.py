"""Orders and account on Bybit v5: the `Broker` port over signed REST, the private and the trade socket."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec import structs

from breakwall import points
from breakwall.model.actions import CancelOrder, MoveStop, OrderKind, PlaceOrder
from breakwall.model.api import ApiGroup, Bars
from breakwall.model.events import (
    Account,
    Fill,
    Instruments,
    Link,
    LinkChanged,
    OrderAnswer,
    OrderReport,
    OrderReports,
    Outcome,
    OutcomeKind,
    PositionReports,
    ReadBack,
    ReadBackFailed,
    Wallet,
)
from breakwall.model.units import Instrument
from breakwall.model.view import LimitView
from breakwall.points import Point
from breakwall.ports import ApprovedIntent, Clock, Frame, Sink, Transport
from breakwall.settings import VenueSettings
from breakwall.venues.bybit import candles, dead_man, outcome
from breakwall.venues.bybit.admission import Admission
from breakwall.venues.bybit.endpoints import (
    CANCEL,
    CREATE,
    EXECUTIONS,
    OPEN_ORDERS,
    ORDER_HISTORY,
    POSITIONS,
    TRADING_STOP,
    WALLET,
    Signer,
    Urls,
)
from breakwall.venues.bybit.order_entry import OrderEntry
from breakwall.venues.bybit.reports import AccountRecords, PrivateCodec, RecordError, dict_in, text
from breakwall.venues.bybit.rest import ReadError, Reply, Rest, together
from breakwall.venues.bybit.scanner import Scanner
from breakwall.venues.bybit.trade_socket import TradeSocket
from breakwall.venues.topics import Topic
from breakwall.venues.websocket import Pace, Stream

PRIVATE_TOPICS = tuple(Topic(name) for name in ("order", "execution", "position", "wallet"))
RULES_EVERY_S = 120.0
RULES_DOUBTED_S = 10.0  # the same once an order or a frame looked as if the rules had changed
RULES_LOOK_S = 2.0
OVERLAP_MS = 60_000  # executions are asked from a minute before the last one seen
WINDOW_MS = 7 * 86_400_000 - OVERLAP_MS  # the venue's longest span of one question
ALL_OPEN = {"category": "linear", "settleCoin": "USDT", "openOnly": 0, "limit": 50}
ALL_HELD = {"category": "linear", "settleCoin": "USDT", "limit": 200}
_GONE = frozenset({"Cancelled", "Deactivated", "Rejected"})

_log = logging.getLogger(__name__)


class BybitBroker:
    """One account, one-way mode, isolated margin, USDT perpetuals of the prepared symbols.

    `instruments` holds their current rules; it is replaced in place, so a reader may keep it.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        sink: Sink,
        urls: Urls,
        key: str,
        secret: str,
        settings: VenueSettings,
        leverage: Decimal,
        rng: random.Random,
    ) -> None:
        self.instruments: dict[str, Instrument] = {}
        self._rules_doubted = False
        self._clock = clock
        self._sink = sink
        self._settings = settings
        signer = Signer(key, secret, settings.recv_window_ms)
        self._rest = Rest(transport, clock, sink, urls.rest, signer, settings.request_timeout_s)
        self._admission = Admission(self._rest, settings, leverage)
        self._records = AccountRecords(self.instruments)
        self._codec = PrivateCodec(self._records)
        self._stream = Stream(
            name="private",
            url=urls.private,
            transport=transport,
            clock=clock,
            listener=self,
            settings=settings,
            rng=rng,
            pace=Pace(clock),
            login=lambda: signer.login(self._rest.terms.venue_ms()),
        )
        self._stream.follow(PRIVATE_TOPICS)
        self._trade: TradeSocket | None = None
        if urls.trade and settings.order_entry == "ws":
            terms = self._rest.terms
            self._trade = TradeSocket(urls.trade, transport, clock, sink, settings, rng, signer, terms)
            self._rest.on_return.append(self._trade.hurry)
        self._rest.on_return.append(self._stream.hurry)
        self._entry = OrderEntry(self._rest, self._trade, clock)

    @property
    def venue_offset_ms(self) -> float:
        """The venue's clock minus ours, from every REST answer."""
        return self._rest.terms.time.offset_ms

    def scanner(self, refresh_s: float) -> Scanner:
        """Who looks over all contracts with this account's key, and makes more of them ready."""
        return Scanner(self._rest, self._admission, self.instruments, self._clock, self._sink, refresh_s)

    async def prepare(self, symbols: Iterable[str], held: Iterable[str] = ()) -> tuple[Account, Instruments]:
        """See `Admission`; raises VenueError with code 3 or 6."""
        account, instruments = await self._admission.admit(symbols, held)
        self.instruments.update(instruments)
        if account.dcp_s:
            self._stream.follow((*PRIVATE_TOPICS, Topic(dead_man.TOPIC)))
        return account, Instruments(tuple(instruments.values()))

    async def execute(self, approved: ApprovedIntent) -> Outcome:
        """Send one command. Reducing ones may spend the reserved budget and are worth waiting for."""
        if approved.reducing:
            await points.linger("broker: before a stop, close or cancel", self._clock.sleep)
        began_ns = self._clock.now_ns()
        intent, urgent = approved.intent, approved.reducing
        instrument = self.instruments.get(intent.symbol)
        if isinstance(intent, CancelOrder):
            result = await self._cancel(intent)
        elif instrument is None:
            result = _outcome(intent, OutcomeKind.REFUSED, f"{intent.symbol}: no trading rules, prepare it first")
        elif isinstance(intent, PlaceOrder):
            result = await self._place(intent, instrument, urgent=urgent)
        else:
            result = await self._move_stop(intent, instrument)
        self._rules_doubted |= result.code in outcome.STRANGE_RULES
        return structs.replace(result, round_trip_ms=(self._clock.now_ns() - began_ns) / 1e6)

    async def query(self, client_id: str, symbol: str) -> OrderAnswer:
        """Open orders, then history, then executions: an order with executions is never "not there"."""
        wanted = {"category": "linear", "symbol": symbol, "orderLinkId": client_id}
        await points.linger("broker: before a query", self._clock.sleep)
        try:
            report = await self._find(wanted)
            if report is None and await self._rest.read_list(EXECUTIONS, wanted):
                reason = f"{client_id}: has executions, but the venue shows no order yet"
                return OrderAnswer(client_id, symbol, None, readable=False, reason=reason)
        except (ReadError, RecordError) as error:
            return OrderAnswer(client_id, symbol, None, readable=False, reason=str(error))
        return OrderAnswer(client_id, symbol, report)

    async def read_back(self, purpose: str, since_ms: int) -> ReadBack | ReadBackFailed:
        """Everything or nothing: one part that cannot be read fails the whole. `since_ms` is the venue's time."""
        asked_ms = self._clock.now_ms()
        await points.linger("broker: before a read-back", self._clock.sleep)
        try:
            async with together() as group:
                orders = group.create_task(self._rest.read_list(OPEN_ORDERS, ALL_OPEN))
                positions = group.create_task(self._rest.read_list(POSITIONS, ALL_HELD))
                fills = group.create_task(self._fills(since_ms))
                wallet = group.create_task(self._wallet())
            reports = self._records.orders(orders.result()), self._records.positions(positions.result())
            strangers = self._records.strangers([*orders.result(), *positions.result()])
        except (ReadError, RecordError) as error:
            refused = isinstance(error, ReadError) and error.alarm
            return ReadBackFailed(str(error), purpose, Bars.PERSON if refused else Bars.NOTHING)
        return ReadBack(
            *reports,
            fills.result(),
            wallet.result(),
            asked_ms=asked_ms,
            purpose=purpose,
            strangers=tuple(sorted(strangers)),
        )

    def doubt_rules(self) -> None:
        """Somebody has seen what does not fit the trading rules: they are read again soon."""
        self._rules_doubted = True

    def reset_api(self, group: ApiGroup) -> None:
        """A person closes the API breaker of a group; a ban of our address is the venue's to end."""
        self._rest.terms.circuits.reset(group)

    def on_return(self, tell: Callable[[], None]) -> None:
        """Who is to know that the venue answers again after a failure."""
        self._rest.on_return.append(tell)

    def honour_ban(self, until_ms: int, tell: Callable[[int], None]) -> None:
        """A ban of our address from before this start, and who is to know of each; see `Terms.honour`."""
        self._rest.terms.honour(until_ms, tell)

    def limits(self) -> tuple[LimitView, ...]:
        """What may still be asked for in this second."""
        return self._rest.terms.limits()

    async def run(self) -> None:
        """The private stream, the trade socket, and the symbols' rules now and then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream.run(), name="private stream")
            if self._trade is not None:
                group.create_task(self._trade.run(), name="trade socket")
            group.create_task(self._follow_rules(), name="trading rules")
            recent = candles.keep_reading(self._rest, self.instruments, self._clock, self._sink)
            group.create_task(recent, name="last minutes")

    def on_frame(self, frame: Frame) -> None:
        self._sink.put(self._codec.decode(frame.data), frame)

    def on_link(self, up: bool, reason: str) -> None:
        """Nothing is replayed after a disconnect: "up" is the sign to read everything back."""
        self._sink.put(LinkChanged(Link.PRIVATE, up, reason))

    def on_silence(self, topic: str, reason: str) -> None:
        """Private topics may be silent for hours; a refused one ends the socket, which `on_link` tells."""

    async def _place(self, intent: PlaceOrder, instrument: Instrument, *, urgent: bool) -> Outcome:
        if not intent.reduce_only and intent.stop_ticks is None:
            return _outcome(intent, OutcomeKind.REFUSED, "an entry without a stop never leaves")
        body = order_body(intent, instrument, self._settings.stop_trigger)
        sent = Point.CLOSE_SENT if intent.reduce_only else Point.ORDER_SENT
        reply = await self._entry.write(CREATE, body, urgent=urgent, sent=sent)
        if reply.verdict.code != outcome.DUPLICATE_ID:
            return _from_reply(intent, reply)
        answer = await self.query(intent.client_id, intent.symbol)
        if answer.report is None:
            return _outcome(
                intent, OutcomeKind.UNKNOWN, f"{reply.verdict.reason}; {answer.reason or 'not shown yet'}"
            )
        self._sink.put(OrderReports((answer.report,)))
        return _outcome(intent, OutcomeKind.CONFIRMED, "adopted: it was there already", answer.report.order_id)

    async def _cancel(self, intent: CancelOrder) -> Outcome:
        """An order that is gone was not necessarily cancelled: look what became of it."""
        identity = {"orderId": intent.order_id} if intent.order_id else {"orderLinkId": intent.target}
        wanted = {"category": "linear", "symbol": intent.symbol, **identity}
        reply = await self._entry.write(CANCEL, wanted, urgent=True)
        if reply.verdict.code not in outcome.ORDER_GONE:
            return _from_reply(intent, reply)
        try:
            report = await self._find(wanted)
        except (ReadError, RecordError) as error:
            return _outcome(intent, OutcomeKind.UNKNOWN, str(error))
        if report is None:
            return _outcome(intent, OutcomeKind.REJECTED, f"{reply.verdict.reason}; the venue does not show it")
        self._sink.put(OrderReports((report,)))
        kind = OutcomeKind.CONFIRMED if report.status in _GONE else OutcomeKind.REJECTED
        return _outcome(intent, kind, f"it is {report.status} already", report.order_id)

    async def _move_stop(self, intent: MoveStop, instrument: Instrument) -> Outcome:
        """One call replaces the stop in place. "Not modified" also covers a wrong request: read it back."""
        body = stop_body(intent, instrument, self._settings.stop_trigger)
        sent = Point.BREAKEVEN_SENT if intent.why.startswith("breakeven") else Point.STOP_SENT
        reply = await self._rest.write(TRADING_STOP, body, urgent=True, sent=sent)
        if reply.verdict.code != outcome.NOT_MODIFIED:
            return _from_reply(intent, reply)
        params = {"category": "linear", "symbol": intent.symbol}
        try:
            reports = self._records.positions(await self._rest.read_list(POSITIONS, params))
        except (ReadError, RecordError) as error:
            return _outcome(intent, OutcomeKind.UNKNOWN, f"{reply.verdict.reason}; not read back: {error}")
        self._sink.put(PositionReports(reports))
        stands = any(report.lots and report.stop_ticks == intent.stop_ticks for report in reports)
        if stands:
            return _outcome(intent, OutcomeKind.CONFIRMED, "read back: it stands")
        found = ", ".join(str(report.stop_ticks) for report in reports) or "no position"
        reason = f"stop: expected {intent.stop_ticks} ticks, read back {found}"
        return _outcome(intent, OutcomeKind.REJECTED, reason)

    async def _find(self, wanted: dict[str, str]) -> OrderReport | None:
        """One order wherever it is; with an id the venue looks through open and recently closed ones."""
        for endpoint in (OPEN_ORDERS, ORDER_HISTORY):
            reports = self._records.orders(await self._rest.read_list(endpoint, wanted))
            if reports:
                return reports[0]
        return None

    async def _fills(self, since_ms: int) -> tuple[Fill, ...]:
        """Executions since a minute before `since_ms`, oldest first, at most the venue's seven days."""
        start = max(since_ms - OVERLAP_MS, self._rest.terms.venue_ms() - WINDOW_MS)
        params = {"category": "linear", "startTime": start, "limit": 100}
        fills = self._records.fills(await self._rest.read_list(EXECUTIONS, params))
        return tuple(sorted(fills, key=lambda fill: (fill.at_ms, fill.seq, fill.exec_id)))

    async def _wallet(self) -> Wallet:
        params = {"accountType": "UNIFIED", "coin": "USDT"}
        return self._records.wallet(await self._rest.read_list(WALLET, params), self._rest.terms.venue_ms())

    async def _follow_rules(self) -> None:
        """Ticks, lots and status change while we run; a changed symbol gets the next version number."""
        waited_s = 0.0
        while True:
            await self._clock.sleep(RULES_LOOK_S)
            waited_s += RULES_LOOK_S
            if waited_s < (RULES_DOUBTED_S if self._rules_doubted else RULES_EVERY_S):
                continue
            waited_s, self._rules_doubted = 0.0, False
            await points.linger("broker: before the rules", self._clock.sleep)
            asked = tuple(self.instruments)
            try:
                listed = await self._admission.instruments(asked)
            except ReadError as error:
                _log.warning("trading rules not refreshed: %s", error)
                continue
            if self._adopt(asked, listed):
                self._sink.put(Instruments(tuple(self.instruments.values())))

    def _adopt(self, asked: Iterable[str], listed: dict[str, Instrument]) -> bool:
        """Of those that were asked for, a symbol the venue no longer lists is closed; others may have come since."""
        changed = False
        for symbol in asked:
            known = self.instruments[symbol]
            rules = listed.get(symbol) or structs.replace(known, status="Closed")
            if structs.replace(rules, version=known.version) != known:
                self.instruments[symbol] = structs.replace(rules, version=known.version + 1)
                changed = True
        return changed


def order_body(intent: PlaceOrder, instrument: Instrument, trigger: str) -> dict[str, object]:
    """The create request; an entry carries its stop for the whole position, triggered by `trigger`."""
    market = intent.kind is OrderKind.MARKET
    body: dict[str, object] = {
        "category": "linear",
        "symbol": intent.symbol,
        "side": intent.side.value,
        "orderType": intent.kind.value,
        "qty": instrument.qty_text(intent.lots),
        "timeInForce": "IOC" if market else intent.tif.value,
        "positionIdx": 0,
        "orderLinkId": intent.client_id,
        "reduceOnly": intent.reduce_only,
    }
    if not market and intent.limit_ticks is not None:
        body["price"] = instrument.price_text(intent.limit_ticks)
    if not intent.reduce_only:
        body |= _protection(intent.stop_ticks, intent.take_profit_ticks, instrument, trigger)
    return body


def stop_body(intent: MoveStop, instrument: Instrument, trigger: str) -> dict[str, object]:
    """The trading-stop request for the whole position."""
    body: dict[str, object] = {"category": "linear", "symbol": intent.symbol, "positionIdx": 0}
    return body | _protection(intent.stop_ticks, intent.take_profit_ticks, instrument, trigger)


def _protection(stop: int | None, target: int | None, instrument: Instrument, trigger: str) -> dict[str, object]:
    """`tpslMode` is always said: the account's default may be another."""
    fields: dict[str, object] = {}
    if stop is not None:
        fields = {"stopLoss": instrument.price_text(stop), "slTriggerBy": trigger, "slOrderType": "Market"}
    if target is not None:
        fields |= {"takeProfit": instrument.price_text(target), "tpTriggerBy": trigger, "tpOrderType": "Market"}
    return fields | {"tpslMode": "Full"} if fields else fields


def _from_reply(intent: PlaceOrder | CancelOrder | MoveStop, reply: Reply) -> Outcome:
    """A request that never left is refused by us, whatever else is unknown."""
    verdict = reply.verdict
    kind = verdict.kind if reply.sent else OutcomeKind.REFUSED
    order_id = text(dict_in(reply.result), "orderId")
    said = _outcome(intent, kind, verdict.reason, order_id)
    return structs.replace(said, code=verdict.code, bars=verdict.bars)


def _outcome(
    intent: PlaceOrder | CancelOrder | MoveStop, kind: OutcomeKind, reason: str, order_id: str = ""
) -> Outcome:
    operation = "place" if isinstance(intent, PlaceOrder) else "cancel" if isinstance(intent, CancelOrder) else "stop"
    return Outcome(operation, intent.symbol, intent.client_id, kind, reason=reason, order_id=order_id)
