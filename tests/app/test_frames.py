"""The whole screen as plain text, compared with frames that a person has read and found true.

After a change of the looks that is meant, write them anew and read the difference before it is committed:

    BREAKWALL_WRITE_FRAMES=1 pytest tests/app/test_frames.py
"""

import os
import random
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.widgets.status import Status, Vitals
from breakwall.clock import SystemClock
from breakwall.settings import Settings, UiSettings

FRAMES = Path(__file__).parent / "frames"
SETTINGS = Settings(ui=UiSettings(fps=0.5, colors="truecolor"))
SECONDS, LAST = 90, 6
FALLEN = "drawdown 801.00 of 800.00 USDT from the peak 10815.22"
WALL_LOTS = 10_000
BLOCKS = str.maketrans("▀▄█", "   ")
SIZES = [(80, 24), (120, 40), (200, 60)]
OTHER_SIZES = [(160, 50), (300, 100), (110, 36), (109, 60), (60, 16), (40, 10), (20, 5), (10, 3), (3, 2), (1, 1)]


def moving(view, change) -> list:
    """A minute and a half of the sample market, one view a second: the price walks and ends where the sample is.

    The walls stay where they are; the scene's own change holds in the last seconds.
    """
    steps = random.Random(5).choices((-12, -5, 0, 0, 5, 12), k=SECONDS)
    walk = list(accumulate(steps))
    moved = [_moved(calm(view), ticks - walk[-1], SECONDS - 1 - place) for place, ticks in enumerate(walk)]
    return moved[:-LAST] + [
        replace(change(view), at_ms=late.at_ms, symbols=_with_status(late, change(view))) for late in moved[-LAST:]
    ]


def _moved(view, ticks: int, seconds_ago: int):
    bitcoin, *others = view.symbols
    bid, ask = (price + ticks * bitcoin.tick for price in (bitcoin.bid, bitcoin.ask))

    def levels(side, sign: int, best) -> tuple[tuple[int, int], ...]:
        walls = {at: lots for at, lots in (*bitcoin.bids, *bitcoin.asks) if lots >= WALL_LOTS}
        ordinary = {at + ticks: lots for at, lots in side if lots < WALL_LOTS}
        behind = {at: lots for at, lots in (ordinary | walls).items() if (at - int(best / bitcoin.tick)) * sign >= 0}
        return tuple(sorted(behind.items(), key=lambda level: level[0] * sign))

    bids, asks = levels(bitcoin.bids, -1, bid), levels(bitcoin.asks, 1, ask)
    bitcoin = replace(bitcoin, bid=bid, ask=ask, bids=bids, asks=asks)
    return replace(view, at_ms=view.at_ms - seconds_ago * 1_000, symbols=(bitcoin, *others))


def _with_status(view, changed):
    bitcoin, *others = view.symbols
    now = changed.symbols[0]
    return (replace(bitcoin, status=now.status, status_reason=now.status_reason, age_ms=now.age_ms), *others)


def calm(view):
    """Trading: armed, one position whose stop is proven, nothing tripped."""
    rules = tuple(replace(rule, tripped=False, used=min(rule.used, rule.limit / 2)) for rule in view.breaker)
    return replace(view, positions=view.positions[:1], orders=view.orders[:2], breaker=rules)


def trouble(view):
    """Disarmed by hand, halted by the drawdown, the book is stale, no stop is proven and one is not there."""
    bitcoin, *others = view.symbols
    daily, drawdown, losses, trades = view.breaker
    long, short = view.positions
    return replace(
        view,
        armed=False,
        blind=True,
        trading_state="HALTED",
        why=f"private link down: the socket closed; SAFE; {FALLEN}",
        read_back_age_ms=14_000,
        day_pnl_usdt=Decimal("-285.40"),
        symbols=(replace(bitcoin, status="STALE", status_reason="no book for 5 s", age_ms=6_200), *others),
        positions=(replace(long, proof_age_ms=14_000), short),
        breaker=(
            replace(daily, used=Decimal("285.40")),
            replace(
                drawdown, used=Decimal(801), tripped=True, tier="flatten", text=FALLEN, resumes="a person's reset"
            ),
            replace(losses, used=Decimal(1), tripped=False),
            trades,
        ),
    )


SCENES = {"calm": calm, "trouble": trouble}


async def picture(desk, frame, size: tuple[int, int], views: list) -> str:
    """What stands on a screen of this size after all these views."""
    app = Cockpit(SETTINGS, SystemClock())
    app.pace = SimpleNamespace(beat=lambda *_: False, hurry=lambda: None)  # nobody else looks meanwhile
    async with app.run_test(size=size) as pilot:
        app.trade.query_one(Status).vitals = Vitals(fps=4, bytes_s=12_400)
        for desk.shown in views:
            app.look.history.take_selected(desk.shown, app.look.symbol)
        app.desk = desk  # not before: a beat would remember the sample as of this real moment
        app.repaint(app.ink)  # a first picture from before these views is kept for a second otherwise
        app.look_again()
        await pilot.pause()
        shown = frame(app).translate(BLOCKS)  # blocks are colours, not text: tests of the heat map look at them
        return "\n".join(line.rstrip() for line in shown.splitlines()) + "\n"


@pytest.mark.asyncio
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_screen_is_the_one_that_was_read(size, scene, desk, view, frame) -> None:
    shown = await picture(desk, frame, size, moving(view, SCENES[scene]))
    file = FRAMES / f"{scene}-{size[0]}x{size[1]}.txt"
    if os.environ.get("BREAKWALL_WRITE_FRAMES"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert shown.splitlines() == file.read_text(encoding="utf-8").splitlines()


@pytest.mark.asyncio
@pytest.mark.parametrize("size", OTHER_SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_other_size_shows_what_fits(size, desk, view, frame) -> None:
    lines = (await picture(desk, frame, size, [view])).splitlines()
    assert len(lines) <= size[1]
    assert lines[0].startswith(" SIM "[: size[0] - 1])
