"""The crash points around the core's word, seen from what it was told and what it answered."""

from collections.abc import Sequence

from breakwall.model.actions import Action, Approved, Note
from breakwall.model.events import Event, Fills, PositionReports
from breakwall.points import Point, reach


def heard(event: Event) -> None:
    """The program knows it, the core does not yet."""
    if isinstance(event, Fills) and any(fill.closed_lots < fill.lots for fill in event.fills):
        reach(Point.ENTRY_FILLED)


def decided(event: Event, actions: Sequence[Action]) -> None:
    """The core knows it, the journal does not yet."""
    if isinstance(event, Fills):
        reach(Point.FILL_BOOKED)
    elif isinstance(event, PositionReports) and any(report.stop_ticks is not None for report in event.reports):
        reach(Point.STOP_PROVEN)
    for action in actions:
        if isinstance(action, Approved) and not action.reducing:
            reach(Point.SIGNAL_DECIDED)
        elif isinstance(action, Note) and action.kind == "breaker":
            reach(Point.BREAKER_TRIPPED)
