"""The inbox: lanes, sequence numbers, and whole symbols dropped instead of single deltas."""

import asyncio
from collections.abc import Iterator

import pytest

from breakwall.engine.inbox import Inbox
from breakwall.model.events import BookDelta, BookLost, BookSnapshot, Command, CommandKind, Event, Tick, Trades


class SteppedClock:
    """A clock that a test moves by hand, also backwards."""

    def __init__(self, now_ms: int = 1_000) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def now_ns(self) -> int:
        return self.now * 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def snapshot(symbol: str, update_id: int = 1) -> BookSnapshot:
    return BookSnapshot(symbol, [(100, 1)], [(101, 1)], update_id, update_id, 0, 200)


def delta(symbol: str, update_id: int) -> BookDelta:
    return BookDelta(symbol, [(100, 2)], [], update_id, update_id, 0, 200)


def taken(inbox: Inbox) -> Iterator[Event]:
    while (item := inbox.take()) is not None:
        yield item.stamped.event


def test_people_and_orders_overtake_market_data() -> None:
    inbox = Inbox(SteppedClock(), market_limit=100)
    flatten = Command(CommandKind.FLATTEN)
    for event in (snapshot("A"), delta("A", 2), flatten):
        inbox.put(event)
    assert list(taken(inbox)) == [flatten, snapshot("A"), delta("A", 2)]


def test_sequence_is_given_on_leaving_and_time_never_goes_back() -> None:
    clock = SteppedClock()
    inbox = Inbox(clock, market_limit=100)
    inbox.put(delta("A", 1))
    inbox.put(Tick())
    first = inbox.take()
    clock.now -= 500
    second = inbox.take()
    assert first is not None
    assert second is not None
    assert (first.stamped.seq, second.stamped.seq) == (1, 2)
    assert isinstance(first.stamped.event, Tick)
    assert second.stamped.at_ms == first.stamped.at_ms == 1_000


def test_a_full_lane_drops_the_whole_symbol_until_its_next_snapshot() -> None:
    inbox = Inbox(SteppedClock(), market_limit=4)
    for update_id in range(1, 4):
        inbox.put(delta("FAST", update_id))
    inbox.put(delta("SLOW", 1))
    inbox.put(delta("FAST", 4))
    inbox.put(delta("FAST", 5))
    lost, *rest = taken(inbox)
    assert isinstance(lost, BookLost)
    assert lost.symbol == "FAST"
    assert "4 market events" in lost.reason
    assert rest == [delta("SLOW", 1)]
    inbox.put(delta("FAST", 6))
    assert list(taken(inbox)) == []
    inbox.put(snapshot("FAST", 7))
    inbox.put(delta("FAST", 8))
    assert list(taken(inbox)) == [snapshot("FAST", 7), delta("FAST", 8)]


def test_a_lane_full_of_hundreds_makes_room_at_once_and_says_whose_books_are_lost() -> None:
    inbox = Inbox(SteppedClock(), market_limit=1_000)
    for update_id in range(1, 4):
        for number in range(333):
            inbox.put(delta(f"S{number:03d}", update_id))
    inbox.put(delta("S332", 4))
    inbox.put(delta("LAST", 1))
    events = list(taken(inbox))
    lost = {event.symbol for event in events if isinstance(event, BookLost)}
    kept = [event for event in events if isinstance(event, BookDelta)]
    assert "LAST" in lost
    assert len(kept) <= 750 < len(kept) + 4
    assert {event.symbol for event in kept}.isdisjoint(lost)
    assert all(sum(event.symbol == name for event in kept) == 3 for name in {event.symbol for event in kept})


def test_the_limit_holds_for_every_kind_of_market_event() -> None:
    inbox = Inbox(SteppedClock(), market_limit=10)
    for update_id in range(1, 12):
        inbox.put(delta("A", update_id))
        inbox.put(Trades("B", ()))
    for _ in range(2_000):
        inbox.put(Trades("A", ()))
        inbox.put(Trades("B", ()))
        inbox.put(snapshot("A"))
    assert sum(1 for event in taken(inbox) if not isinstance(event, BookLost)) <= 10


@pytest.mark.asyncio
async def test_wait_returns_at_once_when_something_is_there_and_wakes_on_put() -> None:
    inbox = Inbox(SteppedClock(), market_limit=10)
    waiter = asyncio.create_task(inbox.wait())
    await asyncio.sleep(0)
    assert not waiter.done()
    inbox.put(Tick())
    await asyncio.wait_for(waiter, 60)
    await asyncio.wait_for(inbox.wait(), 60)
