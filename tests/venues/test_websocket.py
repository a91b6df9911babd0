"""A stream's life in virtual time: start, silence, half-open sockets, refusals, storms."""

import asyncio
import itertools
import random

import pytest

from breakwall.ports import Frame, TransportError
from breakwall.settings import VenueSettings
from breakwall.venues.topics import CHARS_PER_REQUEST, Topic, in_requests
from breakwall.venues.websocket import BYTES_AT_ONCE, CONNECTS_AT_ONCE, Pace, Stream

SETTINGS = VenueSettings(ping_interval_s=20, pong_timeout_s=10, book_silence_s=4)
BOOK = Topic("orderbook.50.BTCUSDT", speaks_first=True, silence_s=4)
TRADES = Topic("publicTrade.BTCUSDT")


class Diary:
    """What the stream told its owner."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.links: list[tuple[bool, str]] = []
        self.silences: list[tuple[str, str]] = []

    def on_frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def on_link(self, up: bool, reason: str) -> None:
        self.links.append((up, reason))

    def on_silence(self, topic: str, reason: str) -> None:
        self.silences.append((topic, reason))


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def stream(venue, clock, diary):
    def make(login=None, settings=SETTINGS) -> Stream:
        return Stream("s", "ws://x", venue, clock, diary, settings, random.Random(1), Pace(clock), login)

    return make


def speak(socket, topic: str = BOOK.name) -> None:
    socket.say({"topic": topic, "data": {}})


async def live(stream: Stream, seconds: float) -> None:
    """Let the stream run for a while, then cancel it; anything it raised comes out here."""
    task = asyncio.ensure_future(stream.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_subscribes_and_passes_every_frame_on(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([BOOK, TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(0.1)
        speak(venue.sockets[0])
        await asyncio.sleep(0.1)
        assert s.up
        task.cancel()
        await asyncio.sleep(0.1)
        assert venue.sockets[0].closed

    virtual(main())
    assert venue.sockets[0].args("subscribe") == [[BOOK.name, TRADES.name]]
    assert diary.links == [(True, "")]
    assert [frame.data[:9] for frame in diary.frames] == [b'{"op":"su', b'{"topic":']
    assert {frame.conn for frame in diary.frames} == {"s#1"}


@pytest.mark.parametrize("size", [100, 9_000])
def test_gives_way_while_frames_wait(venue, stream, diary, virtual, size) -> None:
    """A backlog is read in small helpings: the loop turns between them, or nobody works on what was read."""
    seen: list[int] = []
    backlog = 10 * BYTES_AT_ONCE

    async def main() -> None:
        s = stream()
        s.follow([BOOK])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(0.1)
        for _ in range(backlog // size + 1):
            venue.sockets[0].say({"topic": BOOK.name, "data": {"b": "x" * size}})
        while not seen or seen[-1] < backlog:
            await asyncio.sleep(0)
            seen.append(sum(len(frame.data) for frame in diary.frames))
        task.cancel()

    virtual(main())
    helpings = [after - before for before, after in itertools.pairwise(seen)]
    assert max(helpings) <= 2 * (BYTES_AT_ONCE + size)


def test_sockets_come_back_together_and_then_one_a_second(clock, virtual) -> None:
    turns: list[float] = []

    async def main() -> None:
        pace = Pace(clock)
        began = clock.now_ns()
        for number in range(CONNECTS_AT_ONCE + 2):
            await pace.turn(f"s{number}")
            turns.append((clock.now_ns() - began) / 1e9)
        await clock.sleep(3.5)
        for name in ("s0", "s1", "s2", "s0"):
            await pace.turn(name)
            turns.append((clock.now_ns() - began) / 1e9)

    virtual(main())
    assert turns[: CONNECTS_AT_ONCE + 2] == pytest.approx([0.0] * CONNECTS_AT_ONCE + [1.0, 2.0])
    assert turns[CONNECTS_AT_ONCE + 2 :] == pytest.approx([5.5, 5.5, 5.5, 6.5])


def test_logs_in_before_it_subscribes(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream(login=lambda: '{"op":"auth","args":["k",1,"s"]}')
        s.follow([TRADES])
        await live(s, 1)

    virtual(main())
    assert [request["op"] for request in venue.sockets[0].sent] == ["auth", "subscribe"]
    assert diary.links == [(True, "")]


def test_a_refused_login_is_said_and_tried_again_more_and_more_slowly(venue, stream, diary, virtual) -> None:
    venue.before_connect = lambda socket: setattr(socket, "login_ok", False)

    async def main() -> None:
        s = stream(login=lambda: '{"op":"auth","args":[]}')
        s.follow([TRADES])
        await live(s, 60)

    virtual(main())
    assert not any(up for up, _ in diary.links)
    assert "login refused (bad key)" in diary.links[0][1]
    gaps = [b - a for a, b in zip(venue.connected_at, venue.connected_at[1:], strict=False)]
    assert min(gaps) > 0.999
    assert max(gaps) > 7
    assert all(socket.args("subscribe") == [] for socket in venue.sockets)


def test_pings_and_lives_when_nothing_happens(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        await live(s, 65)

    virtual(main())
    assert len(venue.sockets) == 1
    assert [request["op"] for request in venue.sockets[0].sent].count("ping") == 3


def test_a_half_open_socket_is_found_by_the_missing_pong(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(1)
        venue.sockets[0].quiet = True
        await asyncio.sleep(40)
        task.cancel()

    virtual(main())
    assert len(venue.sockets) == 2
    assert "nothing heard for 10 s after a ping" in diary.links[1][1]
    assert diary.links[2] == (True, "")
    assert venue.sockets[0].closed


def test_frequent_pings_do_not_hide_a_dead_socket(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream(settings=VenueSettings(ping_interval_s=2, pong_timeout_s=5))
        s.follow([TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(1)
        venue.sockets[0].quiet = True
        await asyncio.sleep(10)
        task.cancel()

    virtual(main())
    assert "after a ping" in diary.links[1][1]


def test_a_dropped_socket_is_replaced_and_everything_subscribed_again(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([BOOK, TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(2)
        speak(venue.sockets[0])
        venue.sockets[0].drop()
        await asyncio.sleep(2)
        task.cancel()

    virtual(main())
    assert venue.sockets[1].args("subscribe") == [[BOOK.name, TRADES.name]]
    assert [up for up, _ in diary.links] == [True, False, True]
    assert "1006" in diary.links[1][1]


def test_a_silent_book_is_asked_again_and_then_the_socket_is_given_up(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([BOOK, TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(0.5)
        speak(venue.sockets[0])
        await asyncio.sleep(5)
        assert diary.silences == [(BOOK.name, f"{BOOK.name} silent for 4 s")]
        assert venue.sockets[0].args("unsubscribe") == [[BOOK.name]]
        assert venue.sockets[0].args("subscribe")[1:] == [[BOOK.name]]
        await asyncio.sleep(6)
        task.cancel()

    virtual(main())
    assert len(venue.sockets) == 2
    assert "stays silent after it was subscribed again" in diary.links[1][1]


def test_a_book_that_speaks_again_is_forgiven(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([BOOK])
        task = asyncio.ensure_future(s.run())
        for _ in range(4):
            await asyncio.sleep(5)
            speak(venue.sockets[0])
        task.cancel()

    virtual(main())
    assert len(venue.sockets) == 1
    assert len(diary.silences) == 4


def test_a_first_snapshot_that_never_comes_is_asked_again(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([BOOK])
        await live(s, 6)

    virtual(main())
    assert len(venue.sockets[0].args("subscribe")) == 2
    assert diary.silences


def test_an_unanswered_subscription_ends_the_socket(venue, stream, diary, virtual) -> None:
    venue.before_connect = lambda socket: setattr(socket, "quiet", True)

    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        await live(s, 13)

    virtual(main())
    assert "no answer to the subscription of publicTrade.BTCUSDT" in diary.links[0][1]


def test_one_refused_topic_does_not_take_the_others_with_it(venue, stream, diary, virtual) -> None:
    bad = "publicTrade.NOPE"
    venue.before_connect = lambda socket: socket.refused.add(bad)

    async def main() -> None:
        s = stream()
        s.follow([TRADES, Topic(bad)])
        await live(s, 2)

    virtual(main())
    assert venue.sockets[0].args("subscribe") == [[TRADES.name, bad], [TRADES.name], [bad]]
    assert diary.silences == [(bad, f"the venue refuses {bad}: handler not found:{bad}")]
    assert diary.links == [(True, "")]


def test_an_account_s_socket_without_all_its_topics_is_not_up(venue, stream, diary, virtual) -> None:
    venue.before_connect = lambda socket: socket.refused.add("position")

    async def main() -> None:
        s = stream(login=lambda: '{"op":"auth","args":[]}')
        s.follow([Topic("order"), Topic("position")])
        await live(s, 2)

    virtual(main())
    assert diary.links[0] == (False, "s: the venue refuses order, position: handler not found:position")
    assert not any(up for up, _ in diary.links)


def test_wishes_change_while_the_socket_is_open(venue, stream, virtual) -> None:
    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(0.5)
        s.follow([BOOK])
        await asyncio.sleep(0.1)
        s.renew(BOOK.name)
        speak(venue.sockets[0])
        await asyncio.sleep(0.1)
        s.renew(BOOK.name)
        s.renew("unknown")
        await asyncio.sleep(0.1)
        task.cancel()

    virtual(main())
    sent = [(request["op"], request["args"]) for request in venue.sockets[0].sent]
    assert sent == [
        ("subscribe", [TRADES.name]),
        ("unsubscribe", [TRADES.name]),
        ("subscribe", [BOOK.name]),
        ("unsubscribe", [BOOK.name]),
        ("subscribe", [BOOK.name]),
    ]


def test_a_storm_of_drops_stays_within_one_connection_a_second(venue, stream, diary, virtual) -> None:
    venue.before_connect = lambda socket: socket.drop()

    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        await live(s, 600)

    virtual(main())
    gaps = [b - a for a, b in zip(venue.connected_at, venue.connected_at[1:], strict=False)]
    assert min(gaps) > 0.999
    assert max(gaps) <= 15.1
    assert 40 < len(gaps) < 100


@pytest.mark.parametrize("turns", range(4))
def test_a_cancel_is_heeded_although_the_socket_dies_in_the_same_moment(venue, stream, virtual, turns) -> None:
    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(1)
        venue.sockets[0].drop()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=100)
        assert done

    virtual(main())


def test_no_socket_at_all_is_a_link_that_is_down(venue, stream, diary, virtual) -> None:
    async def refuse(url: str):
        raise TransportError("connection refused", sent=False)

    venue.connect = refuse

    async def main() -> None:
        s = stream()
        s.follow([TRADES])
        await live(s, 3)

    virtual(main())
    assert diary.links[0] == (False, "connection refused")


def test_who_knows_that_the_venue_is_back_hurries_the_next_attempt(venue, stream, diary, virtual) -> None:
    """After long in vain it would rest for many seconds more."""

    async def main() -> tuple[int, float]:
        s = stream()
        venue.before_connect = refuse_connection
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(60)
        before = len(venue.connected_at)
        venue.before_connect = lambda socket: None
        s.hurry()
        asked = asyncio.get_running_loop().time()
        await asyncio.sleep(3)
        assert s.up
        task.cancel()
        return before, venue.connected_at[before] - asked

    before, waited_s = virtual(main())
    assert before < 12
    assert waited_s <= 1
    assert [up for up, _ in diary.links][-1] is True


def refuse_connection(socket) -> None:
    raise TransportError("connection refused", sent=False)


def test_a_stream_without_topics_carries_its_owner_s_requests(venue, stream, diary, virtual) -> None:
    async def main() -> None:
        s = stream(login=lambda: '{"op":"auth","args":[]}')
        with pytest.raises(TransportError) as caught:
            await s.send("early")
        assert not caught.value.sent
        task = asyncio.ensure_future(s.run())
        await asyncio.sleep(0.1)
        await s.send('{"op":"order","req_id":1}')
        s.give_up("it owes an answer")
        assert not s.up
        await asyncio.sleep(3)
        assert [request["op"] for request in venue.sockets[0].sent] == ["auth", "order"]
        assert (len(venue.sockets), s.up) == (2, True)
        task.cancel()

    virtual(main())
    assert diary.links == [(True, ""), (False, "it owes an answer"), (True, "")]


@pytest.mark.parametrize("answer", [{"retCode": 10004, "retMsg": "bad sign"}, {"success": False, "ret_msg": "no"}])
def test_a_login_is_refused_in_either_spelling(venue, stream, diary, virtual, answer) -> None:
    def quiet(socket) -> None:
        socket.quiet = True
        socket.say({"op": "auth"} | answer)

    venue.before_connect = quiet
    virtual(live(stream(login=lambda: '{"op":"auth"}'), 0.1))
    assert [up for up, _ in diary.links] == [False]
    assert "login refused" in diary.links[0][1]


def test_topics_go_in_small_requests() -> None:
    names = [f"t{n}" for n in range(23)]
    assert [len(chunk) for chunk in in_requests(names)] == [10, 10, 3]
    long = ["x" * 9000] * 4
    assert all(sum(map(len, chunk)) <= CHARS_PER_REQUEST for chunk in in_requests(long))
    assert in_requests([]) == []
