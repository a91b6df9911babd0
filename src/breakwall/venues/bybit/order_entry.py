"""Which way an order goes: the trade socket while it can be trusted, else REST; by the usual door, or by the second.

Batches have budgets of their own (Bybit v5, rate-limit). What must not wait goes as a batch of one where the usual
budget is spent, so that twice as many closes leave at once, and each still has its own answer.
"""

from collections.abc import Mapping

from breakwall import points
from breakwall.points import Point
from breakwall.ports import Clock, TransportError
from breakwall.venues.bybit import outcome
from breakwall.venues.bybit.endpoints import CANCEL, CANCEL_BATCH, CREATE, CREATE_BATCH, Endpoint, Params
from breakwall.venues.bybit.outcome import Reaction, Verdict
from breakwall.venues.bybit.reports import RecordError, dict_in, records_in
from breakwall.venues.bybit.rest import Reply, Rest, insist, refused
from breakwall.venues.bybit.trade_socket import TradeSocket

_SECOND: Mapping[Endpoint, Endpoint] = {CREATE: CREATE_BATCH, CANCEL: CANCEL_BATCH}
_BATCHES = frozenset(_SECOND.values())


class OrderEntry:
    """Sends orders and cancels. Without a `socket` everything goes over REST."""

    def __init__(self, rest: Rest, socket: TradeSocket | None, clock: Clock) -> None:
        self._rest = rest
        self._socket = socket
        self._clock = clock

    async def write(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """A create or cancel; see `insist`. `sent` is the crash point when its bytes are out."""
        points.stumble("order entry: before a command")
        return await insist(lambda: self._once(endpoint, body, urgent=urgent, sent=sent), self._clock, urgent=urgent)

    async def _once(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None) -> Reply:
        """Over one way only, unless surely nothing has left by it."""
        doors = (endpoint, _SECOND[endpoint]) if urgent else (endpoint,)
        if self._socket is not None and self._socket.ready:
            door = await self._rest.terms.admit(doors, urgent=urgent, rest=False)
            if isinstance(door, str):
                return refused(door)
            try:
                return await self._ask(self._socket, door, body, urgent=urgent, sent=sent)
            except TransportError as error:
                if error.sent:
                    self._rest.terms.failed(door, str(error))
                    return Reply(outcome.unknown(str(error)))
        door = await self._rest.terms.admit(doors, urgent=urgent)
        if isinstance(door, str):
            return refused(door)
        return self._item(door, await self._rest.send(door, _packed(door, body), urgent=urgent, sent=sent))

    async def _ask(
        self, socket: TradeSocket, door: Endpoint, body: Params, *, urgent: bool, sent: Point | None
    ) -> Reply:
        """Raises TransportError. Where the socket is refused, not the order, REST has the last word."""
        sent_ms = self._clock.now_ns() / 1e6
        answer = await socket.ask(door, _packed(door, body), soon=not urgent, sent=sent)
        verdict = self._rest.terms.heard(door, answer, answer.headers, sent_ms)
        if answer.code == outcome.RESTARTING:
            socket.give_up(verdict.reason)
        elif answer.code in outcome.NOT_BY_SOCKET:
            socket.shun(verdict.reason)
            verdict = Verdict(Reaction.RETRY, answer.code, verdict.reason)
        return self._item(door, Reply(verdict, answer.result, answer.extra))

    def _item(self, door: Endpoint, reply: Reply) -> Reply:
        """What became of the one order in a batch, whose envelope succeeds whatever became of it."""
        if door not in _BATCHES or not reply.verdict.ok:
            return reply
        try:
            (told,) = records_in(dict_in(reply.extra))
            verdict = outcome.of_code(int(str(told["code"])), str(told.get("msg", "")))
            (row,) = records_in(dict_in(reply.result))
        except (RecordError, KeyError, ValueError) as error:
            return Reply(outcome.unknown(f"{door.path}: expected what became of one order, found {error!r}"))
        if verdict.code == outcome.RATE_LIMIT:
            self._rest.terms.exceeded(door)
        return Reply(verdict, row)


def _packed(door: Endpoint, body: Params) -> Params:
    if door not in _BATCHES:
        return body
    item = {name: value for name, value in body.items() if name != "category"}
    return {"category": body["category"], "request": [item]}
