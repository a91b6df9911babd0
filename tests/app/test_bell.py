"""The bell rings once for each time that a position comes into danger."""

import pytest
from msgspec.structs import replace

from breakwall.app.bell import Bell
from breakwall.app.cockpit import Cockpit
from breakwall.clock import SystemClock
from breakwall.settings import Settings, UiSettings

SAFE, OLD, NONE = {}, {"proof_age_ms": 11_000}, {"stop": None}


@pytest.mark.parametrize(
    ("steps", "rings"),
    [
        ([SAFE, SAFE], [False, False]),
        ([SAFE, OLD, OLD, OLD], [False, True, False, False]),
        ([NONE, NONE], [True, False]),
        ([OLD, NONE, OLD], [True, True, False]),
        ([NONE, SAFE, NONE], [True, False, True]),
    ],
)
def test_once_per_occurrence_and_again_when_it_gets_worse(view, steps, rings) -> None:
    bell = Bell()
    held = view.positions[0]
    assert [bell.rings(replace(view, positions=(replace(held, **step),))) for step in steps] == rings


def test_each_position_has_its_own(view) -> None:
    bell, first, other = Bell(), replace(view.positions[0], stop=None), view.positions[1]
    assert [bell.rings(replace(view, positions=held)) for held in ((first,), (first, other), (other,), ())] == [
        True,
        True,
        False,
        False,
    ]


class Heard(Cockpit):
    rung = 0

    def bell(self) -> None:
        self.rung += 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("wanted", "times"), [(True, 1), (False, 0)])
async def test_the_screen_rings_unless_it_is_told_not_to(desk, wanted, times) -> None:
    app = Heard(Settings(ui=UiSettings(bell=wanted)), SystemClock(), desk)
    async with app.run_test(size=(80, 24)):
        app.look_again()
        app.look_again()
    assert app.rung == times
