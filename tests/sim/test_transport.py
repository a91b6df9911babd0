"""The network inside the loop: latency, order, what each fault means, and what belongs to the world."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from breakwall.model.events import Link
from breakwall.ports import HttpAnswer, HttpRequest, TransportError
from breakwall.sim.loop import Process, run
from breakwall.sim.network import Network, Session
from breakwall.sim.transport import LoopTransport
from breakwall.venues.exchange.faults import Fault, FaultKind, Faults

ORDER = HttpRequest("POST", "", "/v5/order/create", body=b"{}", timeout_s=1.0)
PRIVATE = "ws://sim/v5/private"
PUBLIC = "ws://sim/v5/public/linear"


class Echo:
    """An exchange that remembers what reached it and repeats what its sockets hear."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.sends: list[Callable[[str], None]] = []
        self.closed = 0

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        self.seen.append(request.path)
        return HttpAnswer(200, b"ok")

    def session(self, kind: str, send: Callable[[str], None]) -> Session:
        self.sends.append(send)
        return EchoSession(self, kind, send)


class EchoSession:
    def __init__(self, echo: Echo, kind: str, send: Callable[[str], None]) -> None:
        self._echo = echo
        self._kind = kind
        self._send = send

    def on_text(self, text: str, now_ms: int) -> None:
        self._echo.seen.append(f"{self._kind} {text}")
        self._send(text)

    def close(self) -> None:
        self._echo.closed += 1


def always(kind: FaultKind, link: Link = Link.REST, *, delay_s: float = 0.0, match: str = "", code: int = 0) -> Fault:
    return Fault(kind, 0.0, link=link, match=match, delay_s=delay_s, code=code)


Story = Callable[[LoopTransport, Echo, Network], Coroutine[Any, Any, Any]]


def play(story: Story, *plan: Fault, seed: int = 1) -> Any:
    async def main() -> Any:
        echo = Echo()
        network = Network(
            echo, lambda: int(asyncio.get_running_loop().time() * 1000), seed, faults=Faults(plan, seed)
        )
        return await story(LoopTransport(network), echo, network)

    return run(main(), seed=seed)


async def ask(transport: LoopTransport, echo: Echo, network: Network) -> tuple[object, list[str], float]:
    answer: object
    try:
        answer = await transport.request(ORDER)
    except TransportError as error:
        answer = error
    await asyncio.sleep(0)
    return answer, echo.seen, asyncio.get_running_loop().time()


def test_a_request_is_answered_after_two_latencies() -> None:
    answer, seen, took_s = play(ask)
    assert answer == HttpAnswer(200, b"ok")
    assert seen == ["/v5/order/create"]
    assert 0.010 <= took_s <= 0.160


@pytest.mark.parametrize(
    ("fault", "reaches", "wanted", "took_s"),
    [
        (always(FaultKind.REQUEST_LOST), False, "no answer within 1 s", 1.0),
        (always(FaultKind.ANSWER_LOST), True, "no answer within 1 s", 1.0),
        (always(FaultKind.ANSWER_RESET), True, "connection reset", 0.0),
        (always(FaultKind.ANSWER_LATE, delay_s=2.0), True, "no answer within 1 s", 1.0),
        (always(FaultKind.ANSWER_LATE, delay_s=0.5), True, 200, 0.5),
        (always(FaultKind.REQUEST_LATE, delay_s=0.5), True, 200, 0.5),
        (Fault(FaultKind.LINK_CLOGGED, 0.0, 0.4), True, 200, 0.4),
        (always(FaultKind.ANSWER_BAD), True, 502, 0.0),
        (always(FaultKind.REFUSED, code=403), False, 403, 0.0),
        (always(FaultKind.REFUSED, code=10006), False, b"10006", 0.0),
        (always(FaultKind.ANSWER_UNCLEAR, code=10016), True, b"10016", 0.0),
        (always(FaultKind.ANSWER_GARBLED), True, b"o", 0.0),
        (always(FaultKind.ANSWER_BAD, match="/v5/position"), True, 200, 0.0),
    ],
    ids=lambda value: value.kind.name if isinstance(value, Fault) else None,
)
def test_request_faults(fault: Fault, reaches: bool, wanted: str | int | bytes, took_s: float) -> None:
    answer, seen, took = play(ask, fault)
    assert seen == (["/v5/order/create"] if reaches else [])
    assert took_s <= took <= took_s + 0.2
    if isinstance(wanted, int | bytes):
        assert isinstance(answer, HttpAnswer)
        assert wanted == answer.status if isinstance(wanted, int) else wanted in answer.body
    else:
        assert isinstance(answer, TransportError)
        assert answer.sent
        assert wanted in str(answer)


def test_a_request_sent_twice_arrives_twice_and_is_answered_once() -> None:
    answer, seen, _ = play(ask, always(FaultKind.REQUEST_TWICE))
    assert answer == HttpAnswer(200, b"ok")
    assert seen == ["/v5/order/create"] * 2


def test_healing_ends_every_fault() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> object:
        network.faults.heal()
        return (await ask(transport, echo, network))[0]

    assert play(story, *(always(kind) for kind in FaultKind)) == HttpAnswer(200, b"ok")


def test_what_was_sent_arrives_although_its_sender_was_cancelled_or_killed() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> list[str]:
        task = asyncio.create_task(transport.request(ORDER))
        process = Process("cockpit")
        process.start(transport.request(ORDER))
        await asyncio.sleep(0.001)
        task.cancel()
        process.kill()
        await asyncio.sleep(1)
        return echo.seen

    assert play(story) == ["/v5/order/create"] * 2


async def hear(transport: LoopTransport, echo: Echo, network: Network) -> list[str]:
    """Send a hundred frames, hear what comes back within ten seconds."""
    socket = await transport.connect(PUBLIC)
    for number in range(100):
        await socket.send(str(number))
        await asyncio.sleep(0.001)
    heard: list[str] = []
    try:
        async with asyncio.timeout(10):
            while True:
                heard.append((await socket.receive()).decode())
    except TimeoutError:
        heard.append("silence")
    except TransportError as error:
        heard.append(str(error))
    return heard


@pytest.mark.parametrize("seed", range(5))
def test_frames_of_one_socket_never_overtake_each_other(seed: int) -> None:
    late = Fault(FaultKind.FRAME_LATE, 0.0, probability=0.2, link=Link.PUBLIC, delay_s=0.3)
    assert play(hear, late, seed=seed) == [*map(str, range(100)), "silence"]


def test_a_dropped_frame_is_a_gap() -> None:
    assert play(hear, always(FaultKind.FRAME_DROPPED, Link.PUBLIC, match="7")) == [
        *(str(number) for number in range(100) if "7" not in str(number)),
        "silence",
    ]


def test_frames_come_twice_cut_off_or_all_at_once() -> None:
    twice = play(hear, always(FaultKind.FRAME_TWICE, Link.PUBLIC, match="50"))
    assert twice == [*map(str, range(51)), *map(str, range(50, 100)), "silence"]
    cut = play(hear, always(FaultKind.FRAME_GARBLED, Link.PUBLIC, match="50"))
    assert cut == [*map(str, range(50)), "5", *map(str, range(51, 100)), "silence"]
    clogged = play(hear, Fault(FaultKind.LINK_CLOGGED, 0.0, 3.0, link=Link.PUBLIC))
    assert clogged == [*map(str, range(100)), "silence"]


def test_where_only_one_direction_is_open_nothing_of_ours_arrives() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> tuple[list[str], bytes]:
        socket = await transport.connect(PUBLIC)
        await socket.send("anybody?")
        await asyncio.sleep(1)
        echo.sends[0]("hello")
        return echo.seen, await socket.receive()

    assert play(story, always(FaultKind.SOCKET_HALF_OPEN, Link.PUBLIC)) == ([], b"hello")


def test_a_closed_socket_says_so_after_what_was_in_flight() -> None:
    heard = play(hear, always(FaultKind.SOCKET_CLOSED, Link.PUBLIC, match="50"))
    assert heard == [*map(str, range(50)), "public socket: closed by the exchange"]


def test_a_half_open_socket_is_silent_both_ways_and_stays_so() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> tuple[str, int]:
        heard = await hear(transport, echo, network)
        network.faults.heal()
        socket = transport._sockets[0]
        before = len(echo.seen)
        await socket.send("anybody?")
        await asyncio.sleep(1)
        return heard[-1], len(echo.seen) - before

    assert play(story, always(FaultKind.SOCKET_SILENT, Link.PUBLIC, match="50")) == ("silence", 0)


def test_a_refused_connection_surely_never_left() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> bool:
        with pytest.raises(TransportError, match="refused") as caught:
            await transport.connect(PRIVATE)
        await transport.connect(PUBLIC)
        return caught.value.sent

    assert play(story, always(FaultKind.CONNECT_REFUSED, Link.PRIVATE)) is False


def test_closing_ends_both_sides() -> None:
    async def story(transport: LoopTransport, echo: Echo, network: Network) -> int:
        socket = await transport.connect(PRIVATE)
        await transport.close()
        with pytest.raises(TransportError, match="private socket: closed by us"):
            await socket.receive()
        with pytest.raises(TransportError, match="closed by us"):
            await socket.send("late")
        await asyncio.sleep(1)
        return echo.closed

    assert play(story) == 1


def test_the_same_seed_gives_the_same_wire() -> None:
    late = Fault(FaultKind.ANSWER_LATE, 0.0, probability=0.5, delay_s=0.3)

    async def story(transport: LoopTransport, echo: Echo, network: Network) -> list[float]:
        return [(await ask(transport, echo, network))[2] for _ in range(20)]

    assert play(story, late, seed=3) == play(story, late, seed=3)
    assert play(story, late, seed=3) != play(story, late, seed=4)


TRADE = "ws://sim/v5/trade"
ASKED = '{"reqId":"bw-1","op":"order.create","args":[{"orderLinkId":"a"}]}'


async def order(transport: LoopTransport, echo: Echo, network: Network) -> tuple[list[str], str]:
    """One order over the trade socket: what reached the exchange, what came back within ten seconds."""
    socket = await transport.connect(TRADE)
    await socket.send(ASKED)
    try:
        async with asyncio.timeout(10):
            heard = (await socket.receive()).decode()
    except TimeoutError:
        heard = "silence"
    except TransportError as error:
        heard = str(error)
    return echo.seen, heard


@pytest.mark.parametrize(
    ("fault", "times", "heard"),
    [
        (None, 1, ASKED),
        (always(FaultKind.REQUEST_LOST, match="/v5/order/create"), 0, "silence"),
        (always(FaultKind.REQUEST_LATE, delay_s=3.0), 1, ASKED),
        (always(FaultKind.REQUEST_TWICE, match="trade "), 2, ASKED),
        (always(FaultKind.REFUSED, code=10006), 0, '"retCode":10006'),
        (always(FaultKind.REFUSED, code=429), 0, '"retCode":10429'),
        (always(FaultKind.REFUSED, code=503), 0, '"retCode":10016'),
        (always(FaultKind.ANSWER_LOST), 1, "silence"),
        (always(FaultKind.ANSWER_LATE, delay_s=3.0), 1, ASKED),
        (always(FaultKind.ANSWER_RESET), 1, "trade socket: connection reset by peer"),
        (always(FaultKind.ANSWER_BAD), 1, '"retCode":10016'),
        (always(FaultKind.ANSWER_GARBLED), 1, ASKED[: len(ASKED) // 2]),
        (always(FaultKind.ANSWER_UNCLEAR, code=10000), 1, '"retCode":10000'),
        (always(FaultKind.SOCKET_CLOSED, Link.TRADE), 1, "trade socket: closed by the exchange"),
        (always(FaultKind.SOCKET_SILENT, Link.TRADE), 1, "silence"),
        (always(FaultKind.SOCKET_HALF_OPEN, Link.TRADE), 0, "silence"),
        (Fault(FaultKind.LINK_CLOGGED, 0.0, 2.0, link=Link.TRADE), 1, ASKED),
        (always(FaultKind.REQUEST_LOST, match="/v5/position"), 1, ASKED),
        (always(FaultKind.REQUEST_LOST, match="rest "), 1, ASKED),
    ],
    ids=lambda value: value.kind.name if isinstance(value, Fault) else None,
)
def test_an_order_on_the_trade_socket_meets_what_it_would_meet_over_rest(
    fault: Fault | None, times: int, heard: str
) -> None:
    seen, found = play(order, *([] if fault is None else [fault]))
    assert seen == [f"trade {ASKED}"] * times
    assert heard in found
    if heard in {ASKED, "silence"}:
        assert found == heard


def test_a_refused_order_is_answered_with_its_own_id_and_operation() -> None:
    _, heard = play(order, always(FaultKind.REFUSED, code=10016))
    assert '"reqId":"bw-1"' in heard
    assert '"op":"order.create"' in heard
