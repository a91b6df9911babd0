"""The bell: rung once for each position that comes to be without a proven stop, and again when it gets worse."""

from breakwall.app.trust import Stop, endangered, stop_of
from breakwall.model.view import View


class Bell:
    """Remembers for whom it has rung; a position that was safe in between is a new occurrence."""

    def __init__(self) -> None:
        self._rung: dict[str, Stop] = {}

    def rings(self, view: View) -> bool:
        """Whether it is to be heard now."""
        now = {held.symbol: stop_of(held) for held in endangered(view)}
        worse = any(stop < self._rung.get(symbol, Stop.PROVEN) for symbol, stop in now.items())
        self._rung = now
        return worse
