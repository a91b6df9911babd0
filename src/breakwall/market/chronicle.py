"""What happened to one symbol's walls: ids, events, counts, and the walls that ended lately."""

from collections import deque
from itertools import islice

from breakwall.market.walls import Wall, WallEvent

_ENDED_KEPT = 256
_EVENTS_KEPT = 1_000


class Chronicle:
    """Shared by both sides of a book. `version` changes whenever the walls in view may have.

    A wall's id is the engine's millisecond of its first sight, made unique: a position that remembers
    a wall across a restart can never mistake a new wall for it.
    """

    __slots__ = ("_ended", "_events", "_fresh", "_last_id", "built", "eaten", "pulled", "version")

    def __init__(self) -> None:
        self._last_id = 0
        self._events: deque[WallEvent] = deque(maxlen=_EVENTS_KEPT)
        self._ended: dict[int, Wall] = {}
        self._fresh: deque[Wall] = deque(maxlen=_EVENTS_KEPT)
        self.version = 0
        self.built = self.eaten = self.pulled = 0

    def number(self, at_ms: int) -> int:
        """A new id."""
        self._last_id = max(self._last_id + 1, at_ms)
        return self._last_id

    def tell(self, wall: Wall, kind: str, at_ms: int) -> None:
        """Record an event; that a wall went out of view is told once, however often it comes and goes."""
        if kind == "left":
            if wall.left_told:
                return
            wall.left_told = True
        self.built += kind == "built"
        self.eaten += kind == "eaten"
        self.pulled += kind == "pulled"
        self.version += 1
        self._events.append(wall.event(kind, at_ms))

    def close(self, wall: Wall, kind: str, at_ms: int) -> None:
        """The wall has ended; it can be looked up for a while, with how it ended."""
        wall.end = kind
        wall.ended_ms = at_ms
        self._ended[wall.wall_id] = wall
        self._fresh.append(wall)
        if len(self._ended) > _ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        self.tell(wall, kind, at_ms)

    def ended(self, wall_id: int) -> Wall | None:
        return self._ended.get(wall_id)

    def lately(self, since_ms: int, most: int) -> list[Wall]:
        """At most `most` walls that ended at or after `since_ms`, newest first."""
        newest = islice(reversed(self._ended.values()), most)
        return [wall for wall in newest if wall.ended_ms >= since_ms]

    def take_ended(self) -> tuple[Wall, ...]:
        """The walls that ended since the last call."""
        if not self._fresh:
            return ()
        fresh = tuple(self._fresh)
        self._fresh.clear()
        return fresh

    def take(self) -> tuple[WallEvent, ...]:
        """The events since the last call."""
        if not self._events:
            return ()
        events = tuple(self._events)
        self._events.clear()
        return events
