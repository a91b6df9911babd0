"""The terminal under the cockpit: slow, stalled or gone, it never makes the engine wait.

Textual's own driver writes through a short queue and blocks the event loop once that is full: a terminal that
stops reading stops the trading (measured: 2.9 s). Here frames are dropped instead while much is pending, and
one whole frame is painted when the terminal has caught up.
"""

import asyncio
import contextlib
import os
import selectors
import signal
import termios
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.console import RenderableType
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, MouseMove, Resize
from textual.message import Message
from textual.screen import Screen

from breakwall.app.terminal.outlet import FULL_BYTES, Outlet, terminal_number
from breakwall.app.terminal.reader import Reader

_LEAVE_S = 0.5  # how long the terminal may take for the sequences that give it back
_READ_BYTES = 4096
_MESSAGES_AT_ONCE = 4
_FLOOD = 100  # nobody types so much, or moves the mouse so often, between two reads
_TICK_S = 0.1
_LARGEST = (2000, 1000)
_NEVER_STOP = (signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN)  # a stopped engine protects nothing

Result = TypeVar("Result")


class OnTerminal(App[Result]):
    """An app that outlives its terminal. Subclasses hear of its end in `on_terminal_lost`."""

    def __init__(self) -> None:
        super().__init__(driver_class=Terminal)
        self.frames_dropped = 0
        self.painted = asyncio.Event()
        """Set with the first frame."""

    @property
    def terminal(self) -> "Terminal | None":
        """The driver; None before the start and in tests without a terminal."""
        return self._driver if isinstance(self._driver, Terminal) else None

    @property
    def failure(self) -> Exception | None:
        """What broke the app, where something did."""
        return self._exception

    def on_terminal_lost(self, why: str) -> None:
        """The terminal has gone; called once, in the app's loop."""

    async def given_back(self) -> bool:
        """After the end: whether the terminal took the last sequences and may be written to without waiting."""
        return self.terminal is None or await asyncio.to_thread(self.terminal.left, _LEAVE_S)

    # Private names of Textual from here on; tests/app/terminal/test_driver.py notices when one of them goes.

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Where every frame passes: drop it while the terminal cannot keep up."""
        self.painted.set()
        terminal = self.terminal
        if terminal is None or terminal.pending <= FULL_BYTES:
            super()._display(screen, renderable)
        else:
            self.frames_dropped += 1
            terminal.ask_when_drained()

    def _fatal_error(self) -> None:
        """End. Textual would first render a traceback with all variables: slow, and not for the trader's eyes."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """What failed is told by whoever runs the app."""
        self._exit_renderables.clear()


def meant(messages: Sequence[Message]) -> list[Message]:
    """Of what was read at once, what a person may have meant: no flood of characters, and none of mouse moves.

    Keys that type nothing always count: panic must not drown in what else came while the app was busy.
    """
    crowds = Counter(map(_kind, messages))
    return [message for message in messages if not (kind := _kind(message)) or crowds[kind] < _FLOOD]


def _kind(message: Message) -> str:
    """What it may be too much of; empty: there cannot be too much of it."""
    if isinstance(message, Key):
        return "character" if message.character is not None else ""
    return "move" if isinstance(message, MouseMove) else ""


class Terminal(LinuxDriver):
    """Textual's driver with its writing and its reading replaced: neither may wait, spin or fail."""

    def __init__(
        self,
        app: OnTerminal[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._owner = app
        number = terminal_number()
        assert number is not None, "who opens a screen has looked for a terminal"
        self._out = number
        self._outlet = Outlet(self._out, self._tell_lost, self._tell_drained)
        self._wake: tuple[int, int] | None = None
        self._raw: list[Any] | None = None
        self._is_lost = False
        self._room = threading.Semaphore(_MESSAGES_AT_ONCE)
        signal.signal(signal.SIGCONT, lambda *_: self._in_loop(self._take_again))

    @property
    def can_suspend(self) -> bool:
        return False

    @property
    def pending(self) -> int:
        """Bytes that have not left yet."""
        return self._outlet.pending

    @property
    def bytes_written(self) -> int:
        """Bytes that the terminal took since the start."""
        return self._outlet.bytes_written

    def ask_when_drained(self) -> None:
        """Have everything painted again once nothing is pending."""
        self._outlet.ask_when_drained()

    def left(self, patience_s: float) -> bool:
        """After `close`: whether the terminal took everything within so many seconds."""
        return self._outlet.left(patience_s)

    def start_application_mode(self) -> None:
        self._wake = os.pipe()
        # The writer thread it makes stays without work.
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left it so
        for number in _NEVER_STOP:
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(termios.error):
            self._raw = termios.tcgetattr(self.fileno)

    def write(self, data: str) -> None:
        self._outlet.write(data)

    def disable_input(self) -> None:
        if self._wake is None:
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._disable_mouse_support()
        self.exit_event.set()
        self._room.release()
        os.write(self._wake[1], b"\0")
        if self._key_thread is not None:
            self._key_thread.join()
        for number in self._wake:
            os.close(number)
        self._wake = None
        with contextlib.suppress(termios.error):
            termios.tcflush(self.fileno, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        self._raw = None
        self._outlet.forget()
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        self._outlet.close()

    def process_message(self, message: Message) -> None:
        """What was read goes to the app; a size that no terminal has is not believed."""
        if isinstance(message, Resize) and not (
            0 < message.size.width <= _LARGEST[0] and 0 < message.size.height <= _LARGEST[1]
        ):
            return
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Of the terminal that is drawn on: the other streams may be files."""
        try:
            width, height = os.get_terminal_size(self._out)
        except OSError:
            return super()._get_terminal_size()
        return width or 80, height or 24

    def _run_input_thread(self) -> None:
        """Read keys until told to stop, or until there is no terminal any more."""
        assert self._wake is not None
        reader = Reader(self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._wake[0], selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = {key.fd for key, _ in selector.select(_TICK_S)}
                try:
                    data = os.read(self.fileno, _READ_BYTES) if self.fileno in ready else None
                except OSError as error:
                    self._tell_lost(error.strerror or str(error))
                    return
                if data == b"":
                    self._tell_lost("end of input")
                    return
                for message in meant(list(reader.read(data))):
                    self._pass_on(message)

    def _pass_on(self, message: Message) -> None:
        """Hand it to the app, once the app has dealt with all but the last few.

        So what pours in queues up in the terminal, and the engine gets its turn.
        """
        while not self._room.acquire(timeout=_TICK_S):
            if self.exit_event.is_set():
                return
        self.process_message(message)
        self._in_loop(lambda: self._owner.call_later(self._room.release))

    def _tell_lost(self, why: str) -> None:
        self._in_loop(lambda: self._lose(why))

    def _lose(self, why: str) -> None:
        if not self._is_lost and self._raw is not None:
            self._is_lost = True
            self._owner.on_terminal_lost(why)

    def _tell_drained(self) -> None:
        self._in_loop(lambda: self._owner.call_later(self._owner.refresh))

    def _take_again(self) -> None:
        """After a stop that cannot be refused (SIGSTOP) the shell has had the terminal: take it back."""
        if self._raw is None:
            return
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw)
        self.write("\x1b[?1049h\x1b[?25l")
        self._enable_bracketed_paste()
        self._enable_mouse_support()
        self._disable_line_wrap()
        self._owner.refresh()

    def _in_loop(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it everybody who would listen
            self._loop.call_soon_threadsafe(work)
