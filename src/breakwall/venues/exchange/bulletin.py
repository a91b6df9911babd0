"""The venue's announcements of maintenance: the `system.status` topic and its REST twin.

Source: Bybit v5 system-status pages.
"""

from collections.abc import Callable

import msgspec

from breakwall.venues.exchange.records import Record

TOPIC = "system.status"
Send = Callable[[str], None]
_encoder = msgspec.json.Encoder()


class Notice(msgspec.Struct, frozen=True):
    """One announced interruption of the futures product; `state`: scheduled, ongoing, completed or canceled.

    `services`: 1 trading, 2 trading over HTTP, 3 trading over sockets, 4 private stream, 5 market data.
    """

    notice_id: str
    title: str
    state: str
    begin_ms: int
    end_ms: int
    services: tuple[int, ...] = (1, 2, 3, 4, 5)

    def record(self) -> Record:
        return {
            "id": self.notice_id,
            "title": self.title,
            "state": self.state,
            "begin": str(self.begin_ms),
            "end": str(self.end_ms),
            "href": "",
            "serviceTypes": list(self.services),
            "product": [1],
            "uidSuffix": [],
            "maintainType": "1",
            "env": "1",
        }


class Bulletin:
    """Notices by id; readers are told of each new state as it is announced."""

    def __init__(self) -> None:
        self._notices: dict[str, Notice] = {}
        self._readers: list[Send] = []

    def announce(self, notice: Notice, now_ms: int) -> None:
        self._notices[notice.notice_id] = notice
        text = _encoder.encode({"topic": TOPIC, "ts": now_ms, "data": [notice.record()]}).decode()
        for send in list(self._readers):
            send(text)

    def rows(self, notice_id: str = "", state: str = "") -> list[Record]:
        """Newest first."""
        return [
            notice.record()
            for notice in reversed(self._notices.values())
            if notice_id in {"", notice.notice_id} and state in {"", notice.state}
        ]

    def refusal(self, topic: str) -> str:
        return "" if topic == TOPIC else f"error:handler not found,topic:{topic[:60]}"

    def subscribe(self, send: Send, topic: str, now_ms: int) -> str:
        """There is no first snapshot: only news is told."""
        del now_ms
        refusal = self.refusal(topic)
        if not refusal and send not in self._readers:
            self._readers.append(send)
        return refusal

    def unsubscribe(self, send: Send, topic: str) -> None:
        if topic == TOPIC:
            self.drop(send)

    def drop(self, send: Send) -> None:
        self._readers = [reader for reader in self._readers if reader != send]
