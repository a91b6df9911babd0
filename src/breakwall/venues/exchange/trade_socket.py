"""Order entry over the trade socket: the same acts, limits and codes as over REST, in other envelopes.

Source: Bybit v5 websocket trade guideline. The answer says "accepted"; pushes of the private socket may be earlier.
"""

from collections.abc import Callable, Mapping

from breakwall.venues.exchange.desk import Reply, serve
from breakwall.venues.exchange.fields import bad
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record
from breakwall.venues.exchange.routes import OPERATIONS, ROUTES
from breakwall.venues.exchange.streams import Later, Send, Session, args_of

_MOST_ID = 36
_MOST_A_SECOND = 100  # in one session, of any operation; the venue does not tell its own figure
_PING, _AUTH = "ping", "auth"


class TradeSession(Session):
    """One client's order socket."""

    __slots__ = ("_authenticated", "_second", "_used")

    def __init__(self, conn_id: str, floor: Floor, send: Send, cut: Callable[[], None], later: Later) -> None:
        super().__init__(conn_id, floor, send, cut, later)
        self._authenticated = False
        self._used: set[str] = set()
        self._second = (0, 0)

    def _misread(self, now_ms: int) -> None:
        self._reply({"op": ""}, Reply(10001, "Request is not valid JSON", {}), now_ms)

    def _act(self, message: Record, now_ms: int) -> None:
        operation = message.get("op")
        if operation == _PING:
            self._greet(message, "pong", Reply(0, "OK", {}), now_ms, {"data": [str(now_ms)]})
        elif operation == _AUTH:
            self._greet(message, _AUTH, self._auth(message, now_ms), now_ms)
        else:
            self._reply(message, self._order(message, now_ms), now_ms)

    def _auth(self, message: Record, now_ms: int) -> Reply:
        if self._authenticated:
            return Reply(20001, "Repeat auth", {})
        refusal = self.floor.keys.refuses_socket(args_of(message), now_ms)
        self._authenticated = refusal is None
        return Reply(0, "OK", {}) if refusal is None else Reply(refusal.code, refusal.message, {})

    def _order(self, message: Record, now_ms: int) -> Reply:
        path = OPERATIONS.get(str(message.get("op")))
        try:
            if path is None:
                raise Refusal(10404, f"op type is not found: {message.get('op')!r:.60}")
            body = self._admitted(message, now_ms)
        except Refusal as refusal:
            return Reply(refusal.code, refusal.message, refusal.result)
        return serve(ROUTES["POST", path], path, self.floor, Ask(body, now_ms))

    def _admitted(self, message: Record, now_ms: int) -> Mapping[str, object]:
        """The body of an order request that may pass: the session, the id, the time and the arguments are right."""
        if not self._authenticated:
            raise Refusal(10003, "Request not authorized: send auth first")
        self._count(now_ms)
        self._identify(message.get("reqId"))
        header = message.get("header")
        self.floor.keys.check_time(header if isinstance(header, dict) else {}, now_ms)
        self.floor.keys.check_writing(now_ms)
        args = args_of(message)
        body = args[0] if len(args) == 1 else None
        if not isinstance(body, dict):
            raise bad("params error: args: expected one object")
        if body.get("category") != "linear":
            raise Refusal(10404, f"category is not supported: {body.get('category')!r:.60}")
        return body

    def _count(self, now_ms: int) -> None:
        second, count = self._second
        count = count + 1 if second == now_ms // 1000 else 1
        self._second = (now_ms // 1000, count)
        if count > _MOST_A_SECOND:
            raise Refusal(20003, "Too frequent requests under the same session")

    def _identify(self, request_id: object) -> None:
        """Ids are optional and unique in a session."""
        name = "" if request_id is None else str(request_id)
        if len(name) > _MOST_ID:
            raise bad(f"params error: reqId: expected up to {_MOST_ID} characters, found {len(name)}")
        if name in self._used:
            raise Refusal(20006, "reqId is duplicated")
        if name:
            self._used.add(name)

    def _greet(self, message: Record, operation: str, reply: Reply, now_ms: int, more: Record | None = None) -> None:
        self._envelope(
            message, {"retCode": reply.code, "retMsg": reply.message, "op": operation, **(more or {})}, now_ms
        )

    def _reply(self, message: Record, reply: Reply, now_ms: int) -> None:
        limit = {} if reply.allowance is None else reply.allowance.texts()
        answer = {
            "retCode": reply.code,
            "retMsg": reply.message,
            "op": str(message.get("op", "")),
            "data": reply.result,
            "retExtInfo": reply.extra,
            "header": {**limit, "Traceid": f"{self.conn_id}-{len(self._used)}", "Timenow": str(now_ms)},
        }
        self._envelope(message, answer, now_ms)

    def _envelope(self, message: Record, answer: Record, now_ms: int) -> None:
        """A request without `reqId` is answered without one."""
        if message.get("reqId") is not None:
            answer = {"reqId": message["reqId"], **answer}
        self._say({**answer, "connId": self.conn_id}, now_ms)
