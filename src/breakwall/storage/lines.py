"""Lines of a text file that may be packed (zstd, gzip, zip) and may end in the middle of one.

A recording of a process that was killed has no proper end. That is normal: what is readable is
read, and `cut` says what was missing.
"""

import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["Lines", "zstd"]

_CHUNK = 1 << 14  # what lies before a damage in the same chunk is lost
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_WINDOW = 31


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Lines:
    """Iterates over the lines of `path`, without their ends; packing is told by content, not by name.

    After the iteration `cut` is empty, or says in plain words where the file breaks off, and
    `count` is the number of lines given. `member` is the name of the file in a zip archive whose lines
    are given now. Raises OSError where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.member = ""
        self.cut = ""
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        self.cut, self.count = "", 0
        rest = b""
        for chunk in self._unpacked():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.count += 1
                yield line
        if rest and not self.cut:
            self.count += 1
            yield rest
        elif rest:
            self.cut += f"; {len(rest)} bytes of an unfinished line were left out"

    def _unpacked(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            chunk = file.read(_CHUNK)
            if chunk.startswith((_ZSTD_MAGIC, _GZIP_MAGIC)):
                packed = "zstd" if chunk.startswith(_ZSTD_MAGIC) else "gzip"
                yield from self._unpack(packed, chunk, file)
                return
            if chunk.startswith(_ZIP_MAGIC):
                yield from self._unzip()
                return
            while chunk:
                yield chunk
                chunk = file.read(_CHUNK)

    def _unzip(self) -> Iterator[bytes]:
        """One archive's files one after the other; its directory is at its end, so that a part of it is nothing."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                for member in archive.infolist():
                    self.member = member.filename
                    with archive.open(member) as file:
                        while chunk := file.read(_CHUNK):
                            yield chunk
                    yield b"\n"
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            self.cut = f"the zip archive is damaged or not whole ({error})"

    def _unpack(self, packing: str, chunk: bytes, file: Any) -> Iterator[bytes]:
        unpacker = _unpacker(packing)
        while chunk:
            try:
                yield unpacker.decompress(chunk)
            except (zstd.ZstdError, zlib.error) as error:
                self.cut = f"the {packing} data is damaged ({error})"
                return
            if unpacker.eof:
                chunk = unpacker.unused_data or file.read(_CHUNK)
                if chunk:
                    unpacker = _unpacker(packing)
            else:
                chunk = file.read(_CHUNK)
        if not unpacker.eof:
            self.cut = f"the {packing} data ends early, as after a kill or a full disk"


def _unpacker(packing: str) -> _Unpacker:
    return zstd.ZstdDecompressor() if packing == "zstd" else zlib.decompressobj(_GZIP_WINDOW)
