"""The rate budget: token buckets per endpoint, with a slice that only protection may spend.

Time is an argument (`at_ms`, any steady clock). Local buckets hold 80 % of each cap with a reserve for
cancels, stops and closes; a wait after 10006 is clamped to 50 ms .. 5 s; after HTTP 403 there is no
REST request at all until the time the venue states, or for 10 minutes. What goes over a trade socket spends the same
tokens, but neither the address's nor is it stopped by a ban: that is counted in HTTP requests. Source of caps and
headers: Bybit v5, rate-limit.
"""

from collections.abc import Mapping

from msgspec import Struct

SHARE = 0.8
RESERVE = 0.3
ADDRESS_PER_SECOND = 120  # 600 requests per 5 s and address
BAN_MS = 600_000
BAN_MOST_MS = 86_400_000
WAIT_LEAST_MS = 50
WAIT_MOST_MS = 5_000
BUSY_MS = 1_000
"""How long what protects nothing keeps off after the venue said that it is too busy."""


class Budget(Struct, frozen=True):
    """What one endpoint may still do: `left` of `size`, of which `reserve` is for protection; `cap` is the venue's
    own limit for one second, `wait_ms` how long anything but protection has to wait.
    """

    path: str
    cap: int
    size: float
    left: float
    reserve: float
    wait_ms: int


class Bucket:
    """Up to `size` tokens, refilled evenly each second; ordinary requests leave `reserve` untouched."""

    __slots__ = ("_at_ms", "_busy_until_ms", "_paused_until_ms", "_tokens", "reserve", "size")

    def __init__(self, per_second: float) -> None:
        self.size = max(1.0, per_second * SHARE)
        self.reserve = self.size * RESERVE if self.size > 2 else 0.0
        self._tokens = self.size
        self._at_ms = 0
        self._paused_until_ms = 0
        self._busy_until_ms = 0

    def left(self, at_ms: int) -> float:
        self._refill(at_ms)
        return max(0.0, self._tokens)

    def wait_ms(self, at_ms: int, *, urgent: bool) -> int:
        """Milliseconds until a token may be taken; 0 is now."""
        self._refill(at_ms)
        paused = max(0, self._paused_until_ms - at_ms, 0 if urgent else self._busy_until_ms - at_ms)
        missing = 1.0 + (0.0 if urgent else self.reserve) - self._tokens
        if missing <= 0:
            return paused
        return max(paused, 1 + int(missing * 1000 / self.size))

    def take(self) -> None:
        self._tokens -= 1.0

    def pause(self, until_ms: int) -> None:
        self._paused_until_ms = max(self._paused_until_ms, until_ms)

    def busy(self, until_ms: int) -> None:
        """Until then only protection."""
        self._busy_until_ms = max(self._busy_until_ms, until_ms)

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

    def acquire(self, path: str, at_ms: int, *, urgent: bool = False, rest: bool = True) -> int:
        """Take one request's budget and return 0, or take nothing and return the milliseconds to wait.

        `rest` False: it goes over a trade socket, where neither a ban nor the address's budget holds it up.
        """
        wait = self.banned_ms(at_ms) if rest else 0
        buckets = [self._address] if rest else []
        if path in self._buckets:
            buckets.append(self._buckets[path])
        wait = max([wait, *(bucket.wait_ms(at_ms, urgent=urgent) for bucket in buckets)])
        if wait == 0:
            for bucket in buckets:
                bucket.take()
        return wait

    def banned_ms(self, at_ms: int) -> int:
        """Milliseconds left of a ban of our address; 0: none."""
        return max(0, self._banned_until_ms - at_ms)

    def budgets(self, at_ms: int) -> list[Budget]:
        """What is left of each endpoint."""
        return [_budget(path, self._caps[path], bucket, at_ms) for path, bucket in self._buckets.items()]

    def address(self, at_ms: int) -> Budget:
        """What is left of the address's own budget; a ban is a long wait."""
        return _budget("", ADDRESS_PER_SECOND, self._address, at_ms, self.banned_ms(at_ms))

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
        self._caps.setdefault(path, ADDRESS_PER_SECOND)
        self._buckets.setdefault(path, Bucket(self._caps[path])).pause(at_ms + wait)
        return wait

    def busy(self, at_ms: int) -> None:
        """The venue is too busy for us: what protects nothing keeps off for a second, on every endpoint."""
        for bucket in (self._address, *self._buckets.values()):
            bucket.busy(at_ms + BUSY_MS)

    def ban(self, until_ms: int) -> None:
        """No REST request until then, as is known from before."""
        self._banned_until_ms = max(self._banned_until_ms, until_ms)

    def banned(self, at_ms: int, headers: Mapping[str, str], venue_ms: int) -> int:
        """The venue said 403: until when nothing leaves, also noted here.

        That is the time it states (seconds to wait, or a moment on its own clock, now `venue_ms`), else ten minutes.
        """
        seconds, reset = _whole(headers.get("retry-after")), _whole(headers.get("x-bapi-limit-reset-timestamp"))
        stated = seconds * 1000 if seconds else (reset or 0) - venue_ms
        self.ban(at_ms + (min(stated, BAN_MOST_MS) if stated > 0 else BAN_MS))
        return self._banned_until_ms


def _budget(path: str, cap: int, bucket: Bucket, at_ms: int, held_ms: int = 0) -> Budget:
    wait_ms = max(held_ms, bucket.wait_ms(at_ms, urgent=False))
    return Budget(path, cap, bucket.size, bucket.left(at_ms), bucket.reserve, wait_ms)


def _whole(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
