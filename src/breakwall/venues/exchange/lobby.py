"""All connected sockets of the exchange: who comes and goes, who is told what, who is cut off."""

from collections import deque
from collections.abc import Callable
from itertools import count

from breakwall.venues.exchange.bulletin import Bulletin
from breakwall.venues.exchange.dead_man import DeadMan
from breakwall.venues.exchange.floor import Floor
from breakwall.venues.exchange.records import Record
from breakwall.venues.exchange.streams import (
    DCP_TOPIC,
    Later,
    PrivateSession,
    PublicSession,
    Send,
    Session,
    frame,
)
from breakwall.venues.exchange.trade_socket import TradeSession

KINDS = ("public", "private", "trade", "status")
IDLE_MS = 600_000
"""A connection over which nothing goes for so long is cut, unless it asked for less."""

_SCAN_MS = 30_000
_WATCH_MS = 1_000
_MOST_NEW = 500
_NEW_WINDOW_MS = 300_000


class Lobby:
    """`later` acts after the reply delay, `bulletin` is what the status socket tells."""

    def __init__(self, floor: Floor, bulletin: Bulletin, dead_man: DeadMan, later: Later) -> None:
        self._floor = floor
        self._bulletin = bulletin
        self._dead_man = dead_man
        self._later = later
        self._sessions: dict[Session, int] = {}
        self._private: list[PrivateSession] = []
        self._numbers = count(1)
        self._arrivals: deque[int] = deque()
        self._next_watch_ms = self._next_scan_ms = 0

    def full(self, now_ms: int) -> bool:
        """Count one new connection; whether there have been too many in five minutes."""
        self._arrivals.append(now_ms)
        while self._arrivals[0] <= now_ms - _NEW_WINDOW_MS:
            self._arrivals.popleft()
        return len(self._arrivals) > _MOST_NEW

    def open(self, kind: str, send: Send, cut: Callable[[], None], idle_ms: int, now_ms: int) -> Session:
        """A new client on one of the sockets in `KINDS`; raises ValueError for another one."""
        session = self._session(kind, send, cut)
        session.live_ms = now_ms
        self._sessions = {known: limit for known, limit in self._sessions.items() if not known.closed}
        self._sessions[session] = idle_ms
        if isinstance(session, PrivateSession):
            self._private = [known for known in self._private if not known.closed] + [session]
        return session

    def _session(self, kind: str, send: Send, cut: Callable[[], None]) -> Session:
        name = f"conn-{next(self._numbers)}"
        if kind == "public":
            return PublicSession(name, self._floor, send, cut, self._later, self._floor.publisher)
        if kind == "status":
            return PublicSession(name, self._floor, send, cut, self._later, self._bulletin)
        if kind == "private":
            return PrivateSession(name, self._floor, send, cut, self._later)
        if kind == "trade":
            return TradeSession(name, self._floor, send, cut, self._later)
        raise ValueError(f"session: expected one of {', '.join(KINDS)}, found {kind!r}")

    def push(self, topic: str, data: list[Record], now_ms: int) -> None:
        """Tell the private sessions, each under the name it asked for."""
        readers = [session for session in self._private if not session.closed]
        message = {"id": f"push-{next(self._numbers)}", "topic": topic, "creationTime": now_ms, "data": data}
        for name in (topic, f"{topic}.linear"):
            if any(name in session.topics for session in readers):
                text = frame(message | {"topic": name})
                for session in readers:
                    session.push(name, text, now_ms)

    def tick(self, now_ms: int) -> None:
        """Each second: is somebody there who guards the orders? Each 30 s: who has been silent for too long?"""
        if now_ms < self._next_watch_ms:
            return
        self._next_watch_ms = now_ms + _WATCH_MS
        guarded = any(DCP_TOPIC in session.topics for session in self._private if not session.closed)
        self._dead_man.watch(guarded, now_ms)
        if now_ms >= self._next_scan_ms:
            self._next_scan_ms = now_ms + _SCAN_MS
            for session, idle_ms in list(self._sessions.items()):
                if not (session.closed or session.fed) and now_ms - session.live_ms >= idle_ms:
                    session.cut()
