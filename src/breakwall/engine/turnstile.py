"""The last point before the wire: what leaves was approved, is durable where it must be, and leaves once.

It counts for itself, from what was handed to the journal, and believes nobody between there and the wire: a bug that
sends twice, or sends what nobody approved, ends here. Source: SEC order 34-70694 (Knight Capital).
"""

from asyncio import Future

from breakwall.model.actions import CancelOrder, MoveStop, PlaceOrder
from breakwall.model.events import Command, CommandKind
from breakwall.ports import ApprovedIntent, Sink

Intent = PlaceOrder | CancelOrder | MoveStop


class Turnstile:
    """`expect` each approved intent as it is journaled, ask `refusal` as it leaves, `drop` what will not leave.

    A violation halts trading. Entries are refused then; stops, closes and cancels pass all the same: too many of
    them do no harm, one too few does. `left` never exceeds `approved` while all is well.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._due: dict[str, Intent] = {}
        self.approved = self.left = 0

    def expect(self, intent: Intent) -> None:
        self._due[intent.client_id] = intent
        self.approved += 1

    def drop(self, client_id: str) -> None:
        """It was refused on its way."""
        self._due.pop(client_id, None)

    def refusal(self, command: ApprovedIntent, stored: "Future[None]") -> str:
        """Why this must not leave now; '' where it may, and then it has left."""
        intent = command.intent
        due = self._due.pop(intent.client_id, None)
        is_entry = isinstance(intent, PlaceOrder) and not intent.reduce_only
        fault = ""
        if due != intent:
            fault = "was not approved, or has left before" if due is None else "is not what was approved"
        elif is_entry and not (stored.done() and not stored.cancelled() and stored.exception() is None):
            fault = "is not durable"
        if fault:
            why = f"{intent.client_id} in {intent.symbol} {fault} ({self.approved} approved, {self.left} left)"
            self._sink.put(Command(CommandKind.HALT, who="last gate", why=why))
            if is_entry:
                return f"last gate: {why}"
        self.left += 1
        return ""
