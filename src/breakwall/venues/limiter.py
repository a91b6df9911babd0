"""The rate budget: token buckets per endpoint, with a slice that only protection may spend.

Time is an argument (`at_ms`, any steady clock). Local buckets hold 80 % of each cap with a reserve for
cancels, stops and closes; a wait after 10006 is clamped to 50 ms .. 5 s; after HTTP 403 there is no
request at all until the time the venue states, or for 10 minutes. Source of caps and headers: Bybit v5, rate-limit.
"""

from collections.abc import Mapping

SHARE = 0.8
RESERVE = 0.3
ADDRESS_PER_SECOND = 120  # 600 requests per 5 s and address
BAN_MS = 600_000
BAN_MOST_MS = 86_400_000
WAIT_LEAST_MS = 50
WAIT_MOST_MS = 5_000


class Bucket:
    """Up to `size` tokens, refilled evenly each second; ordinary requests leave `reserve` untouched."""

    __slots__ = ("_at_ms", "_paused_until_ms", "_tokens", "reserve", "size")

    def __init__(self, per_second: float) -> None:
        self.size = max(1.0, per_second * SHARE)
        self.reserve = self.size * RESERVE if self.size > 2 else 0.0
        self._tokens = self.size
        self._at_ms = 0
        self._paused_until_ms = 0

    def wait_ms(self, at_ms: int, *, urgent: bool) -> int:
        """Milliseconds until a token may be taken; 0 is now."""
        self._refill(at_ms)
        paused = max(0, self._paused_until_ms - at_ms)
        missing = 1.0 + (0.0 if urgent else self.reserve) - self._tokens
        if missing <= 0:
            return paused
        return max(paused, 1 + int(missing * 1000 / self.size))

    def take(self) -> None:
        self._tokens -= 1.0

    def pause(self, until_ms: int) -> None:
        self._paused_until_ms = max(self._paused_until_ms, until_ms)

    def at_most(self, tokens: float, at_ms: int) -> None:
        """The venue says fewer are left than we thought (somebody else spends from the same budget)."""
        self._refill(at_ms)
        self._tokens = min(self._tokens, tokens)

    def _refill(self, at_ms: int) -> None:
        if at_ms > self._at_ms:
            self._tokens = min(self.size, self._tokens + self.size * (at_ms - self._at_ms) / 1000)
            self._at_ms = at_ms


class Limiter:
    """Budgets of all endpoints of one key, and of the address they share.

    `caps` maps an endpoint's path to the venue's requests per second; others share `ADDRESS_PER_SECOND` only.
    """

    def __init__(self, caps: Mapping[str, int]) -> None:
        self._buckets = {path: Bucket(cap) for path, cap in caps.items()}
        self._caps = dict(caps)
        self._address = Bucket(ADDRESS_PER_SECOND)
        self._banned_until_ms = 0

    def acquire(self, path: str, at_ms: int, *, urgent: bool = False) -> int:
        """Take one request's budget and return 0, or take nothing and return the milliseconds to wait."""
        wait = max(0, self._banned_until_ms - at_ms)
        buckets = [self._address]
        if path in self._buckets:
            buckets.append(self._buckets[path])
        wait = max(wait, *(bucket.wait_ms(at_ms, urgent=urgent) for bucket in buckets))
        if wait == 0:
            for bucket in buckets:
                bucket.take()
        return wait

    def banned_ms(self, at_ms: int) -> int:
        """Milliseconds left of a ban of our address; 0: none."""
        return max(0, self._banned_until_ms - at_ms)

    def learn(self, path: str, headers: Mapping[str, str], at_ms: int) -> None:
        """Believe the answer's headers: a changed cap, and fewer requests left than we count."""
        cap, left = _whole(headers.get("x-bapi-limit")), _whole(headers.get("x-bapi-limit-status"))
        if cap is None or cap <= 0:
            return
        if self._caps.get(path) != cap:
            self._caps[path] = cap
            self._buckets[path] = Bucket(cap)
        if left is not None:
            self._buckets[path].at_most(max(0.0, left - cap * (1 - SHARE)), at_ms)

    def exceeded(self, path: str, headers: Mapping[str, str], at_ms: int, venue_ms: int) -> int:
        """The venue said 10006: how long to keep off this endpoint, also noted here.

        `venue_ms` is the venue's clock now, to which its reset time belongs; a missing or past reset
        time means the shortest wait.
        """
        reset = _whole(headers.get("x-bapi-limit-reset-timestamp"))
        wait = WAIT_LEAST_MS if reset is None else min(WAIT_MOST_MS, max(WAIT_LEAST_MS, reset - venue_ms))
        bucket = self._buckets.setdefault(path, Bucket(self._caps.get(path, ADDRESS_PER_SECOND)))
        bucket.pause(at_ms + wait)
        return wait

    def banned(self, at_ms: int, headers: Mapping[str, str], venue_ms: int) -> int:
        """The venue said 403: until when nothing leaves, also noted here.

        That is the time it states (seconds to wait, or a moment on its own clock, now `venue_ms`), else ten minutes.
        """
        seconds, reset = _whole(headers.get("retry-after")), _whole(headers.get("x-bapi-limit-reset-timestamp"))
        stated = seconds * 1000 if seconds else (reset or 0) - venue_ms
        self._banned_until_ms = max(
            self._banned_until_ms, at_ms + (min(stated, BAN_MOST_MS) if stated > 0 else BAN_MS)
        )
        return self._banned_until_ms


def _whole(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
