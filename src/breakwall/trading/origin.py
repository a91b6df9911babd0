"""Which event an action answers: the root of trace ids and client ids."""

from breakwall.model.ids import ClientId, trace


class Origin:
    """One event on its way through the core: run, sequence and engine time (ms).

    Made once per event; hands out client ids that are unique within the event and the same on every
    re-decision of the run.
    """

    __slots__ = ("_used", "at_ms", "run", "seq")

    def __init__(self, run: int, seq: int, at_ms: int) -> None:
        self.run = run
        self.seq = seq
        self.at_ms = at_ms
        self._used: dict[str, int] = {}

    @property
    def trace(self) -> str:
        return trace(self.run, self.seq)

    def client_id(self, leg: str) -> str:
        """The next id of this leg (e entry, x exit, f flatten, s stop, c cancel, k emergency close)."""
        n = self._used.get(leg, 0)
        self._used[leg] = n + 1
        return ClientId(self.run, self.seq, leg, n).text
