"""The API breaker: where a group of endpoints keeps failing, only protection goes on asking it.

Failures are time-outs, lost connections, HTTP 5xx, unreadable answers and the venue's own "I failed"; whatever the
venue says of our business is an answer, and so a success. Stops, closes, cancels and what is read to prove them
(`always`) pass in every state: better one more request in vain than a position nobody looks after.

| state | asked for a request | success | failure |
|---|---|---|---|
| CLOSED | passes | CLOSED, counts anew | the 5th in a row: OPEN for 30 s |
| OPEN, before its time | only `always` passes | CLOSED | OPEN, no longer than before |
| OPEN, after its time | passes as the probe: HALF-OPEN | CLOSED | OPEN for twice as long, at most 5 min |
| HALF-OPEN | only `always` passes, or another probe after 30 s | CLOSED | OPEN for twice as long, at most 5 min |

A reset by hand closes from any state. A ban of our address is no circuit: it ends when the venue says, for all.
"""

from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.ports import Sink

FAILURES = 5
FIRST_MS = 30_000
MOST_MS = 300_000
PROBE_MS = 30_000
"""A probe of which nothing was heard for so long is lost."""


class Circuit:
    """One group. Times are engine time in ms; see the table above."""

    __slots__ = ("_probe_ms", "_span_ms", "failures", "group", "reason", "state", "until_ms")

    def __init__(self, group: ApiGroup) -> None:
        self.group = group
        self.state = ApiState.CLOSED
        self.failures = 0
        self.reason = ""
        self.until_ms: int | None = None
        self._span_ms = FIRST_MS
        self._probe_ms = 0

    @property
    def health(self) -> ApiHealth:
        return ApiHealth(self.group, self.state, self.reason, self.until_ms, self.failures)

    def refusal(self, at_ms: int, *, always: bool) -> str:
        """Why a request must not leave now; '' where it may, which may make it the probe."""
        if self.state is ApiState.CLOSED:
            return ""
        due = self.until_ms is not None and at_ms >= self.until_ms
        if (self.state is ApiState.OPEN and due) or (
            self.state is ApiState.HALF_OPEN and at_ms - self._probe_ms >= PROBE_MS
        ):
            self.state, self._probe_ms, self.until_ms = ApiState.HALF_OPEN, at_ms, None
            return ""
        if always:
            return ""
        wait = (
            "a probe is out" if self.until_ms is None else f"the next try is in {(self.until_ms - at_ms) // 1000} s"
        )
        return f"API breaker of {self.group.value}: {wait}; {self.failures} failures, the last: {self.reason}"

    def succeeded(self) -> None:
        """It answers: all is well again."""
        self.state, self.failures, self.reason = ApiState.CLOSED, 0, ""
        self.until_ms, self._span_ms = None, FIRST_MS

    def failed(self, reason: str, at_ms: int) -> None:
        self.failures += 1
        self.reason = reason
        if self.state is ApiState.HALF_OPEN:
            self._span_ms = min(MOST_MS, 2 * self._span_ms)
            self._open(at_ms)
        elif self.state is ApiState.CLOSED and self.failures >= FAILURES:
            self._open(at_ms)

    def _open(self, at_ms: int) -> None:
        self.state, self.until_ms = ApiState.OPEN, at_ms + self._span_ms


class Circuits:
    """All groups of one venue; every change of one is told to the sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._circuits: dict[ApiGroup, Circuit] = {
            group: Circuit(group) for group in ApiGroup if group is not ApiGroup.ALL
        }
        self._told = dict.fromkeys(ApiGroup, ApiState.CLOSED)
        self._banned_until_ms = 0

    def refusal(self, group: ApiGroup, at_ms: int, *, always: bool) -> str:
        circuit = self._circuits[group]
        refusal = circuit.refusal(at_ms, always=always)
        self._tell(circuit.health)
        return refusal

    def succeeded(self, group: ApiGroup, at_ms: int) -> None:
        """An answer after its time is also the end of a ban."""
        self._circuits[group].succeeded()
        self._tell(self._circuits[group].health)
        if at_ms >= self._banned_until_ms:
            self._tell(ApiHealth(ApiGroup.ALL, ApiState.CLOSED))

    def failed(self, group: ApiGroup, reason: str, at_ms: int) -> None:
        circuit = self._circuits[group]
        circuit.failed(reason, at_ms)
        self._tell(circuit.health)

    def banned(self, reason: str, until_ms: int) -> None:
        """Our address is banned: nothing at all leaves until then."""
        self._banned_until_ms = until_ms
        self._tell(ApiHealth(ApiGroup.ALL, ApiState.BANNED, reason, until_ms))

    def reset(self, group: ApiGroup) -> None:
        """A person closes a group, or ALL of them."""
        for each, circuit in self._circuits.items():
            if group in {each, ApiGroup.ALL}:
                circuit.succeeded()
                self._tell(circuit.health)

    def _tell(self, health: ApiHealth) -> None:
        """Changes only."""
        if self._told[health.group] is not health.state:
            self._told[health.group] = health.state
            self._sink.put(health)
