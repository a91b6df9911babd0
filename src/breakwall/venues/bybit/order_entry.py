"""Which way an order goes: the trade socket while it can be trusted, else REST; by the usual door, or by the second.

The second door are batches, which have budgets of their own (Bybit v5, rate-limit). What must not wait goes by it
where the usual budget is spent, so that twice as many closes leave at once. A request over REST costs more than a
frame: of closes and cancels that leave by it in the same moment the first leaves alone, and the others together.
Each item of a batch has its own answer.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from breakwall import points
from breakwall.points import Point
from breakwall.ports import Clock, TransportError
from breakwall.venues.bybit import outcome
from breakwall.venues.bybit.endpoints import CANCEL, CANCEL_BATCH, CREATE, CREATE_BATCH, Endpoint, Params
from breakwall.venues.bybit.outcome import Reaction, Verdict
from breakwall.venues.bybit.reports import Record, RecordError, dict_in, records_in
from breakwall.venues.bybit.rest import Reply, Rest, insist, refused
from breakwall.venues.bybit.trade_socket import TradeSocket

_SECOND: Mapping[Endpoint, Endpoint] = {CREATE: CREATE_BATCH, CANCEL: CANCEL_BATCH}
BATCH_MOST = 10
"""Orders in one batch: the smaller of the two figures the venue tells. Source: Bybit v5, rate-limit and order."""
_SURELY_NOT = frozenset({Reaction.RETRY, Reaction.REFUSED, Reaction.RISK, Reaction.ALARM})

Convoy = dict[asyncio.Future[Reply | None], Params]
"""Orders that leave together, by who waits for their answer; None is for one that has to go alone."""


class OrderEntry:
    """Sends orders and cancels. Without a `socket` everything goes over REST."""

    def __init__(self, rest: Rest, socket: TradeSocket | None, clock: Clock) -> None:
        self._rest = rest
        self._terms = rest.terms
        self._socket = socket
        self._clock = clock
        self._leaving: set[Endpoint] = set()  # where somebody has left in this turn of the loop
        self._convoys: dict[Endpoint, Convoy] = {}

    async def write(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """A create or cancel; see `insist`. `sent` is the crash point when its bytes are out."""
        points.stumble("order entry: before a command")
        first = await self._join(endpoint, body, sent) if urgent and self._ready is None else None

        async def once() -> Reply:
            nonlocal first
            reply, first = first, None
            return reply or await self._once(endpoint, body, urgent=urgent, sent=sent)

        return await insist(once, self._clock, urgent=urgent)

    async def _once(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None) -> Reply:
        """Over one way only, unless surely nothing has left by it."""
        socket = self._ready
        reply = await self._by(socket, endpoint, body, urgent=urgent, sent=sent)
        if socket is None or reply.sent or reply.verdict.reaction is not Reaction.AMBIGUOUS:
            return reply
        return await self._by(None, endpoint, body, urgent=urgent, sent=sent)

    async def _by(
        self, socket: TradeSocket | None, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None
    ) -> Reply:
        """One order by whichever of its doors has budget; only what is `urgent` waits for it."""
        doors = (endpoint, _SECOND[endpoint]) if urgent else (endpoint,)
        door = await self._terms.admit(doors, urgent=urgent, rest=socket is None)
        if isinstance(door, str):
            return refused(door)
        if door is endpoint:
            return await self._send(socket, door, body, urgent=urgent, sent=sent)
        return self._items(door, [body], await self._send(socket, door, _packed([body]), urgent=urgent, sent=sent))[0]

    # Together

    async def _join(self, endpoint: Endpoint, body: Params, sent: Point | None) -> Reply | None:
        """The answer to one of several that leave now; None for one that is to go alone."""
        if endpoint not in self._leaving:
            self._leaving.add(endpoint)
            asyncio.get_running_loop().call_soon(self._leaving.discard, endpoint)
            return None
        mine: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        convoy = self._convoys.setdefault(endpoint, {})
        convoy[mine] = body
        if len(convoy) == 1:
            await self._lead(endpoint, convoy, sent)
        return await mine

    async def _lead(self, endpoint: Endpoint, convoy: Convoy, sent: Point | None) -> None:
        """Send as many as fit and have budget; the others, and all of them where nothing was done, go alone."""
        replies: dict[asyncio.Future[Reply | None], Reply | None] = {}
        try:
            await asyncio.sleep(0)  # all who leave in this turn of the loop are aboard
            del self._convoys[endpoint]
            door = _SECOND[endpoint]
            granted = self._terms.grant(door, min(len(convoy), BATCH_MOST))
            aboard, behind = list(convoy)[:granted], list(convoy)[granted:]
            _answer(behind, replies)
            if aboard:
                bodies = [convoy[waiting] for waiting in aboard]
                replies = dict.fromkeys(aboard, Reply(outcome.unknown("given up on the way")))
                reply = await self._rest.send(door, _packed(bodies), urgent=True, sent=sent)
                undone = reply.verdict.reaction in _SURELY_NOT or not reply.sent
                replies = {} if undone else dict(zip(aboard, self._items(door, bodies, reply), strict=True))
        finally:
            if self._convoys.get(endpoint) is convoy:
                del self._convoys[endpoint]
            _answer(convoy, replies)

    # Either way

    @property
    def _ready(self) -> TradeSocket | None:
        return self._socket if self._socket is not None and self._socket.ready else None

    async def _send(
        self, socket: TradeSocket | None, door: Endpoint, body: Params, *, urgent: bool, sent: Point | None
    ) -> Reply:
        """One request that was admitted. Where the socket is refused, not the order, REST has the last word."""
        if socket is None:
            return await self._rest.send(door, body, urgent=urgent, sent=sent)
        sent_ms = self._clock.now_ns() / 1e6
        try:
            answer = await socket.ask(door, body, soon=not urgent, sent=sent)
        except TransportError as error:
            if error.sent:
                self._terms.failed(door, str(error))
            return Reply(outcome.unknown(str(error)), sent=error.sent)
        verdict = self._terms.heard(door, answer, answer.headers, sent_ms)
        if answer.code == outcome.RESTARTING:
            socket.give_up(verdict.reason)
        elif answer.code in outcome.NOT_BY_SOCKET:
            socket.shun(verdict.reason)
            verdict = Verdict(Reaction.RETRY, answer.code, verdict.reason)
        return Reply(verdict, answer.result, answer.extra)

    def _items(self, door: Endpoint, bodies: Sequence[Params], reply: Reply) -> list[Reply]:
        """What became of each order of a batch, whose envelope succeeds whatever became of them."""
        if not reply.verdict.ok:
            return [reply] * len(bodies)
        try:
            codes, rows = records_in(dict_in(reply.extra)), records_in(dict_in(reply.result))
            replies = [_item(*told) for told in zip(bodies, codes, rows, strict=True)]
        except (RecordError, KeyError, ValueError) as error:
            reason = f"{door.path}: expected what became of {len(bodies)} orders, found {error!r}"
            return [Reply(outcome.unknown(reason))] * len(bodies)
        if any(item.verdict.code == outcome.RATE_LIMIT for item in replies):
            self._terms.exceeded(door)
        return replies


def _item(body: Params, told: Record, row: Record) -> Reply:
    """Raises KeyError or ValueError where it is no answer, or one to another order."""
    asked, answered = str(body.get("orderLinkId", "")), str(row.get("orderLinkId") or "")
    if asked and answered and asked != answered:
        raise ValueError(f"{answered} in the place of {asked}")
    return Reply(outcome.of_code(int(str(told["code"])), str(told.get("msg", ""))), row)


def _packed(bodies: Sequence[Params]) -> Params:
    """The request of a batch."""
    items = [{name: value for name, value in body.items() if name != "category"} for body in bodies]
    return {"category": bodies[0]["category"], "request": items}


def _answer(
    waiting: "Iterable[asyncio.Future[Reply | None]]", replies: "Mapping[asyncio.Future[Reply | None], Reply | None]"
) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(replies.get(each))
