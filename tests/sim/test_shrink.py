"""Shrinking: what is left still fails, and nothing can be left out of it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.events import CommandKind
from breakwall.sim.people import Wish
from breakwall.sim.session import Session
from breakwall.sim.shrink import shrink
from breakwall.venues.exchange.faults import Fault, FaultKind

FAULTS = tuple(Fault(FaultKind.ANSWER_LOST, float(number), code=number) for number in range(12))
WISHES = tuple(Wish(float(number), CommandKind.HALT) for number in range(4))


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(FAULTS)), st.sets(st.sampled_from(WISHES)), st.floats(1, 60))
def test_exactly_what_is_needed_is_left(faults: set[Fault], wishes: set[Wish], seconds: float) -> None:
    def fails(session: Session) -> bool:
        return faults <= set(session.faults) and wishes <= set(session.wishes) and session.seconds >= seconds

    small = shrink(Session(1, faults=FAULTS, wishes=WISHES), fails)
    assert fails(small)
    assert set(small.faults) == faults
    assert set(small.wishes) == wishes
    assert list(small.faults) == sorted(small.faults, key=lambda fault: fault.from_s)


def test_it_is_shortened_where_that_still_fails() -> None:
    assert shrink(Session(1, seconds=60), lambda session: session.seconds >= 20).seconds == 30
