"""Waiting for what happens in real time: for the thing itself, never for a span of time that may be too short."""

import asyncio
from collections.abc import Callable

LONG_S = 60.0


async def until(true: Callable[[], object]) -> None:
    """Let the loop run until this holds."""
    async with asyncio.timeout(LONG_S):
        while not true():  # noqa: ASYNC110 - threads and screens tell nobody
            await asyncio.sleep(0.01)
