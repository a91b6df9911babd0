"""What is typed: the bytes of a terminal as Textual's messages, whatever the bytes are."""

from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual._xterm_parser import XTermParser  # Textual's driver reads keys with it, and so do we
from textual.message import Message

_ESCAPE = "\x1b"
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_SILENCE_TICKS = 10


class Reader:
    """Reads keys, pastes and the mouse; no bytes can break it, silence it for long or make keys of a paste.

    Textual's parser alone takes text that is not UTF-8 as the end of the app, hears nothing more (not even
    panic) after a paste without an end, and makes keys of what follows an escape inside a paste.
    """

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser(debug)
        self._silent_ticks = 0
        self._pasting = False
        self._recent = ""  # the last characters outside of a paste
        self._held = ""  # inside of one: what may become its end

    def read(self, data: bytes | None) -> Iterator[Message]:
        """The messages of these bytes; None: nothing came for a tick (0.1 s). A second of silence ends a paste."""
        try:
            self._silent_ticks = 0 if data else self._silent_ticks + 1
            if text := self._tame(self._decode(data or b"")):  # an empty one would be the end of the input
                yield from self._parser.feed(text)
            yield from self._parser.tick()
        except Exception:  # foreign bytes in a foreign parser: what cannot be read is dropped
            self._begin_anew()
        if self._silent_ticks == _SILENCE_TICKS:
            self._begin_anew()

    def _tame(self, text: str) -> str:
        """The text without the escapes inside of pastes."""
        return "".join(self._pasted(character) if self._pasting else self._plain(character) for character in text)

    def _plain(self, character: str) -> str:
        self._recent = (self._recent + character)[-len(_PASTE_BEGINS) :]
        self._pasting = self._recent == _PASTE_BEGINS
        return character

    def _pasted(self, character: str) -> str:
        held = self._held + character
        if held == _PASTE_ENDS:
            self._pasting, self._recent, self._held = False, "", ""
            return held
        if _PASTE_ENDS.startswith(held):
            self._held = held
            return ""
        self._held = character if character == _ESCAPE else ""
        return held[: len(held) - len(self._held)].replace(_ESCAPE, "")

    def _begin_anew(self) -> None:
        self._pasting, self._recent, self._held = False, "", ""
        old, self._parser = self._parser, XTermParser(self._debug)
        for name in ("last_x", "last_y", "mouse_pixels", "terminal_size", "terminal_pixel_size"):
            setattr(self._parser, name, getattr(old, name))
