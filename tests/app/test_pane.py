"""Panes paint what changed, in exactly their width, and nothing foreign gets through."""

import pytest
from textual.app import App

from breakwall.app.cockpit import Cockpit
from breakwall.clock import SystemClock
from breakwall.config import Settings


@pytest.mark.asyncio
async def test_the_sample_stands_on_the_screen(desk, frame) -> None:
    app: App[str] = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        assert "LADDER" in frame(app)
        assert desk.asked[-1] == "BTCUSDT"
