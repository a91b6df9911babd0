"""A file of packed lines that grows while others have better things to do.

Lines are kept where they happen, packed and written off the loop every quarter of a second; what was flushed is
readable after a `kill -9`. No fsync: it may lose its last second in a power cut.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

from breakwall.storage.lines import zstd

FLUSH_S = 0.25
FLUSH_BYTES = 1 << 18
BACKLOG_BYTES = 1 << 26
DISK_FLOOR_BYTES = 500_000_000


class PackedLines:
    """When the disk runs low, fails or is too slow, it stops and tells `on_stop` the reason; what was written stays.

    `written` counts the packed bytes on the disk.
    """

    def __init__(
        self, path: Path, *, on_stop: Callable[[str], None], disk_floor_bytes: int = DISK_FLOOR_BYTES
    ) -> None:
        self.path = path
        self.written = 0
        self._on_stop = on_stop
        self._floor = disk_floor_bytes
        self._buffer = bytearray()
        self._pack = zstd.ZstdCompressor(level=3)
        self._file: IO[bytes] | None = None
        self._wake = asyncio.Event()
        self._leaving = False
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the file and start writing; raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(number, "wb", buffering=0)
        self._writer = asyncio.create_task(self._keep_writing(), name="recording")

    def append(self, line: bytes) -> None:
        if self._leaving:
            return
        self._buffer += line
        self._buffer += b"\n"
        if len(self._buffer) >= FLUSH_BYTES:
            self._wake.set()

    async def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is None:
            return
        self._leaving = True
        self._wake.set()
        await self._writer

    async def _keep_writing(self) -> None:
        try:
            while not self._leaving:
                await self._pause()
                if self._buffer:
                    await self._flush()
        except OSError as error:
            self._stop(f"{self.path}: {error.strerror or error}; the recording ends here")
        else:
            await self._finish()

    async def _finish(self) -> None:
        try:
            await self._flush(last=True)
        except OSError as error:
            self._stop(f"{self.path}: {error.strerror or error}; the last lines of the recording are missing")
        if self._file is not None:
            self._file.close()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _flush(self, *, last: bool = False) -> None:
        if len(self._buffer) > BACKLOG_BYTES:
            raise OSError(f"the disk is too slow: {len(self._buffer) >> 20} MB are waiting")
        chunk, self._buffer = bytes(self._buffer), bytearray()
        await asyncio.to_thread(self._store, chunk, last)

    def _store(self, chunk: bytes, last: bool) -> None:
        """Runs in a thread, one call at a time."""
        free = shutil.disk_usage(self.path.parent).free
        if free < self._floor:
            raise OSError(f"only {free >> 20} MB are free on the disk, the floor is {self._floor >> 20} MB")
        pack = self._pack
        packed = memoryview(
            pack.compress(chunk, pack.FLUSH_FRAME) if last else pack.compress(chunk, pack.FLUSH_BLOCK)
        )
        while packed and self._file is not None:
            count = self._file.write(packed)
            self.written += count
            packed = packed[count:]

    def _stop(self, reason: str) -> None:
        self._leaving = True
        self._buffer.clear()
        if self._file is not None:
            self._file.close()
        self._on_stop(reason)
