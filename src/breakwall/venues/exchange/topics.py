"""What public topics have in common: readers who come and go, frames computed once for all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec

from breakwall.venues.exchange.listing import Listing

Send = Callable[[str], None]
"""Takes one text frame of one session."""

SNAPSHOT_DELAY_MS = 5  # clients may register their handlers after the subscription is sent

_encoder = msgspec.json.Encoder()


class Topic:
    """Readers of one topic; new ones wait for a moment first."""

    __slots__ = ("listing", "name", "readers", "waiting")

    def __init__(self, name: str, listing: Listing) -> None:
        self.name = name
        self.listing = listing
        self.readers: list[Send] = []
        self.waiting: list[tuple[int, Send]] = []

    def join(self, send: Send, now_ms: int) -> None:
        """A reader who subscribes again gets a new snapshot."""
        self.leave(send)
        self.waiting.append((now_ms + SNAPSHOT_DELAY_MS, send))

    def leave(self, send: Send) -> None:
        # Lists are replaced, never changed: a reader may leave while it is being told.
        self.readers = [reader for reader in self.readers if reader != send]
        self.waiting = [waiter for waiter in self.waiting if waiter[1] != send]

    def begin_again(self, now_ms: int) -> None:
        """The contract has other rules: every reader gets what a new one gets."""
        for send in self.readers:
            self.join(send, now_ms)

    def close(self) -> None:
        """Nobody reads it any more."""

    def admit(self, now_ms: int) -> list[Send]:
        """Those who have waited long enough become readers."""
        admitted = [send for due_ms, send in self.waiting if due_ms <= now_ms]
        if admitted:
            self.waiting = [waiter for waiter in self.waiting if waiter[0] > now_ms]
            self.readers = self.readers + admitted
        return admitted

    def tell(self, readers: list[Send], message: dict[str, object]) -> None:
        if readers:
            text = _encoder.encode(message).decode()
            for send in readers:
                send(text)


class Paced(Topic, ABC):
    """A topic of snapshot and deltas, pushed on a fixed grid of time."""

    __slots__ = ("_next_ms", "_period_ms")

    def __init__(self, name: str, listing: Listing, period_ms: int) -> None:
        super().__init__(name, listing)
        self._period_ms = period_ms
        self._next_ms = 0

    def publish(self, now_ms: int) -> None:
        """Readers get what changed; those who come in now get what they have by then, whole."""
        if now_ms >= self._next_ms:
            self._next_ms = (now_ms // self._period_ms + 1) * self._period_ms
            self._update(now_ms)
        admitted = self.admit(now_ms)
        snapshot = self._snapshot(now_ms) if admitted else None
        if snapshot is not None:
            self.tell(admitted, snapshot)

    @abstractmethod
    def _update(self, now_ms: int) -> None:
        """Tell the readers what changed."""

    def _snapshot(self, now_ms: int) -> dict[str, object] | None:  # noqa: ARG002 - for those who override it
        """The whole, for new readers; None where only news is told."""
        return None
