"""A socket that must live: connect, log in, subscribe, ping, watch for silence, and start again.

Knows the frame conventions of Bybit v5's stream sockets (`op`, `topic`, `req_id`), nothing of their
content. Source: Bybit v5, websocket/wss-authentication and ws/connect.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

import msgspec

from breakwall import points
from breakwall.ports import Clock, Frame, Socket, Transport, TransportError
from breakwall.settings import VenueSettings
from breakwall.venues.topics import ControlFrame, Request, Topic, Watched, control_of, in_requests

CONNECT_GAP_S = 1.0
CONNECTS_AT_ONCE = 10
BYTES_AT_ONCE = 16_384  # 35 deltas or two snapshots, 1 ms of reading: no more than the inbox drains in a turn
PING = '{"op":"ping"}'

_TOPIC_HEAD = b'{"topic":"'


class Pace:
    """Connection attempts of all streams that share it: each tries at most once a second; all together too, but for
    ten at once where none was for as long. So the sockets of hundreds of symbols are back together after a break.

    The venue allows 500 in five minutes.
    """

    def __init__(self, clock: Clock, gap_s: float = CONNECT_GAP_S) -> None:
        self._clock = clock
        self._gap_ns = int(gap_s * 1e9)
        self._next_ns = 0
        self._last_ns: dict[str, int] = {}

    async def turn(self, name: str) -> None:
        """Wait until the stream of this name may try."""
        now = self._clock.now_ns()
        ours = max(self._next_ns, now - (CONNECTS_AT_ONCE - 1) * self._gap_ns)
        self._next_ns = ours + self._gap_ns
        mine = self._last_ns[name] = max(now, ours, self._last_ns.get(name, now - self._gap_ns) + self._gap_ns)
        if mine > now:
            await self._clock.sleep((mine - now) / 1e9)


class Listener(Protocol):
    """What a stream tells its owner; all of it synchronously, none of it may raise."""

    def on_frame(self, frame: Frame) -> None:
        """Every text frame, acknowledgements and pongs included."""

    def on_link(self, up: bool, reason: str) -> None:
        """Up: logged in and every subscription acknowledged. Down: after having been up, or a failed attempt."""

    def on_silence(self, topic: str, reason: str) -> None:
        """This topic cannot be vouched for; it was asked for again, or the venue refuses it."""


class Stream:
    """Keeps one socket and its subscriptions alive until cancelled.

    `login` makes the text of the auth request at the moment it is needed; none for public sockets. One that follows
    no topic is there for its owner's own requests.
    """

    def __init__(
        self,
        name: str,
        url: str,
        transport: Transport,
        clock: Clock,
        listener: Listener,
        settings: VenueSettings,
        rng: random.Random,
        pace: Pace,
        login: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.conn = ""  # the current connection in recordings
        self._url = url
        self._transport = transport
        self._clock = clock
        self._listener = listener
        self._settings = settings
        self._rng = rng
        self._pace = pace
        self._login = login
        self._wanted: dict[str, Topic] = {}
        self._live: dict[bytes, Watched] = {}
        self._renewals: dict[str, None] = {}
        self._refused: dict[str, str] = {}
        self._requests: dict[str, Request] = {}
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._heard_ns = 0
        self._pinged_ns = 0
        self._asked = 0
        self._connects = 0
        self._socket: Socket | None = None
        self._fault = ""
        self._up = False

    def follow(self, topics: Iterable[Topic]) -> None:
        """Subscribe exactly these topics, now and after each reconnect."""
        self._wanted = {topic.name: topic for topic in topics}
        self._refused = {name: why for name, why in self._refused.items() if name in self._wanted}
        self._changed.set()

    def renew(self, name: str) -> None:
        """Unsubscribe and subscribe one topic, so that it begins with a new snapshot.

        Nothing to do while the last subscription's first message is still on its way.
        """
        watched = self._live.get(name.encode())
        if name in self._wanted and (watched is None or watched.spoke):
            self._renewals[name] = None
            self._refused.pop(name, None)
            self._changed.set()

    @property
    def up(self) -> bool:
        return self._up

    async def send(self, text: str) -> None:
        """A request of the owner's own. Raises TransportError, with `sent` False where surely nothing has left."""
        if self._socket is None or not self._up:
            raise TransportError(f"{self.name}: not connected", sent=False)
        await self._socket.send(text)

    def hurry(self) -> None:
        """The venue is there again, as its other interface shows: do not rest any longer before the next attempt."""
        self._hurry.set()

    def give_up(self, reason: str) -> None:
        """End this connection and begin another: its owner cannot trust it any more."""
        self._up = False
        self._fault = reason
        self._changed.set()

    async def run(self) -> None:
        """Connect again and again, with back-off and jitter, until cancelled."""
        failures = 0
        while True:
            await self._pace.turn(self.name)
            points.stumble("stream: before a connect")
            await points.linger("stream: before a connect", self._clock.sleep)
            began_ns = self._clock.now_ns()
            reason = await self._live_once()
            self._listener.on_link(False, reason)
            lived_s = (self._clock.now_ns() - began_ns) / 1e9
            failures = 1 if lived_s >= self._settings.reconnect_cap_s else failures + 1
            if await self._hurried(self._pause_s(failures)):
                failures = 0

    async def _hurried(self, pause_s: float) -> bool:
        """Rest until the next attempt; whether somebody knows that it need not wait."""
        self._hurry.clear()
        try:
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    def _pause_s(self, failures: int) -> float:
        """Exponential back-off with jitter over its upper half."""
        settings = self._settings
        whole: float = min(settings.reconnect_cap_s, settings.reconnect_first_s * 2 ** min(failures - 1, 16))
        return whole * (0.5 + 0.5 * self._rng.random())

    async def _live_once(self) -> str:
        """One connection from its opening to its end; returns why it ended."""
        self._up = False
        self._live.clear()
        self._requests.clear()
        self._renewals.clear()
        self._refused.clear()
        self._fault = ""
        try:
            socket = await self._transport.connect(self._url)
        except TransportError as error:
            return str(error)
        reason = "closed"
        self._connects += 1
        self.conn = f"{self.name}#{self._connects}"
        self._socket = socket
        try:
            self._heard_ns = self._pinged_ns = self._clock.now_ns()
            await points.linger("stream: before the login", self._clock.sleep)
            if self._login is not None:
                await self._log_in(socket, self._login())
            await points.linger("stream: before subscribing", self._clock.sleep)
            await self._settle(socket)
            self._rise()
            await first_end(self._listen(socket), self._watch(socket))
        except TransportError as lost:
            reason = str(lost)
        finally:
            self._up, self._socket = False, None
            await socket.close()
        return reason

    async def _log_in(self, socket: Socket, text: str) -> None:
        await socket.send(text)
        try:
            async with asyncio.timeout(self._settings.pong_timeout_s):
                while True:
                    control = self._hear(await socket.receive())
                    if control is not None and control.op == "auth":
                        break
        except TimeoutError as error:
            raise TransportError(f"{self.name}: no answer to the login") from error
        if not control.ok:
            raise TransportError(f"{self.name}: login refused ({control.text}); check key, environment and clock")

    async def _listen(self, socket: Socket) -> None:
        """Hear frames as they come. Waiting ones come without giving way to the loop, so that after a hold-up
        the reading would starve those who work on what was read: give way after each few, or few large ones.
        """
        receive = socket.receive
        while True:
            heard = 0
            while heard < BYTES_AT_ONCE:
                data = await receive()
                heard += len(data)
                self._hear(data)
            points.stumble("stream: reading")
            await points.linger("stream: reading", self._clock.sleep)
            await asyncio.sleep(0)

    def _hear(self, data: bytes) -> ControlFrame | None:
        """Note who spoke, pass the frame on; returns it read where it is not data of a topic."""
        at_ns = self._heard_ns = self._clock.now_ns()
        control: ControlFrame | None = None
        if data.startswith(_TOPIC_HEAD):
            topic = data[len(_TOPIC_HEAD) : data.find(b'"', len(_TOPIC_HEAD))]
        else:
            control = control_of(data)
            topic = control.topic.encode()
        watched = self._live.get(topic)
        if watched is not None:
            watched.heard_ns = at_ns
            watched.spoke = True
            watched.asked_again = False
        self._listener.on_frame(Frame(self.conn, at_ns, data))
        if control is not None and control.op == "subscribe":
            self._on_answer(control)
        return control

    def _on_answer(self, control: ControlFrame) -> None:
        key = str(control.req_id)
        request = self._requests.pop(key or next(iter(self._requests), ""), None)
        if request is None:
            return
        if not control.success and "already" not in control.text.lower():
            self._on_refusal(request.names, control.text)
        self._rise()

    def _rise(self) -> None:
        """Tell that it is up, once nothing is asked for any more."""
        settled = all(name.encode() in self._live or self._refused.get(name) for name in self._wanted)
        if settled and not self._requests and not self._up and not self._fault:
            self._up = True
            self._listener.on_link(True, "")

    def _on_refusal(self, names: tuple[str, ...], why: str) -> None:
        """One bad topic fails its whole request: ask for each alone, and give up the one that fails alone.

        A socket with a login is about one account: without one of its topics it is not up at all.
        """
        if self._login is not None:
            raise TransportError(f"{self.name}: the venue refuses {', '.join(names)}: {why}")
        for name in names:
            self._live.pop(name.encode(), None)
            self._refused[name] = why if len(names) == 1 else ""
        if len(names) == 1:
            self._listener.on_silence(names[0], f"the venue refuses {names[0]}: {why}")
        self._changed.set()

    async def _watch(self, socket: Socket) -> None:
        """Pings, deadlines and changed wishes; raises TransportError where the socket is as good as dead."""
        settings = self._settings
        turn_s = min(1.0, settings.ping_interval_s / 4, settings.pong_timeout_s / 4, settings.book_silence_s / 4)
        while True:
            try:
                async with asyncio.timeout(turn_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            if self._fault:
                raise TransportError(self._fault)
            points.stumble("stream: watching")
            await points.linger("stream: watching", self._clock.sleep)
            now = self._clock.now_ns()
            self._check_answers(now)
            self._check_silence(now)
            await self._settle(socket)
            await self._keep_alive(socket, now)

    async def _keep_alive(self, socket: Socket, now: int) -> None:
        """Ping when due; any frame is as good an answer as the pong."""
        settings = self._settings
        since_ping_s = (now - self._pinged_ns) / 1e9
        if self._heard_ns < self._pinged_ns:
            if since_ping_s > settings.pong_timeout_s:
                raise TransportError(f"{self.name}: nothing heard for {settings.pong_timeout_s:g} s after a ping")
        elif since_ping_s >= settings.ping_interval_s:
            self._pinged_ns = now
            await socket.send(PING)

    def _check_answers(self, now: int) -> None:
        for request in self._requests.values():
            if now - request.sent_ns > self._settings.pong_timeout_s * 1e9:
                raise TransportError(f"{self.name}: no answer to the subscription of {request.names[0]}")

    def _check_silence(self, now: int) -> None:
        """A topic that should speak is asked for again once; still silent, the socket is given up."""
        for watched in self._live.values():
            topic = watched.topic
            due = topic.silence_s > 0 and (watched.spoke or topic.speaks_first)
            if not due or now - watched.heard_ns <= topic.silence_s * 1e9:
                continue
            if watched.asked_again:
                raise TransportError(f"{self.name}: {topic.name} stays silent after it was subscribed again")
            self._listener.on_silence(topic.name, f"{topic.name} silent for {topic.silence_s:g} s")
            self._renewals[topic.name] = None

    async def _settle(self, socket: Socket) -> None:
        """Bring the socket's subscriptions to what is wanted."""
        renewals, self._renewals = self._renewals, {}
        gone = [key.decode() for key in self._live if key.decode() not in self._wanted]
        again = [name for name in renewals if name.encode() in self._live and name in self._wanted]
        for names in in_requests(gone + again):
            await socket.send(self._text("unsubscribe", names))
        for name in gone:
            del self._live[name.encode()]
        fresh = [n for n in self._wanted if n.encode() not in self._live and not self._refused.get(n)]
        alone = [name for name in fresh if name in self._refused]
        together = [name for name in fresh if name not in self._refused] + again
        for names in [*in_requests(together), *((name,) for name in alone)]:
            now = self._clock.now_ns()
            for name in names:
                self._refused.pop(name, None)
                watched = self._live[name.encode()] = Watched(self._wanted[name], now)
                watched.asked_again = name in renewals
            text = self._text("subscribe", names)
            self._requests[str(self._asked)] = Request(names, now)
            await socket.send(text)

    def _text(self, operation: str, names: tuple[str, ...]) -> str:
        self._asked += 1
        body = {"op": operation, "req_id": str(self._asked), "args": names}
        return msgspec.json.encode(body).decode()


async def first_end(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, then end the others; the first's error comes out.

    Not a task group: on Python 3.11 that one swallows a cancel which comes together with an error of a child.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()
