"""Crises on the demo's exchange: asked for, watched from beside the engine, and told in a receipt."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from breakwall.model.crisis import CrisisReceipt, Said, Story, summary
from breakwall.model.events import CommandKind
from breakwall.model.view import Counters
from breakwall.ports import Clock, HttpRequest, Transport, TransportError

if TYPE_CHECKING:
    from breakwall.engine.loop import Engine

_LOOK_S, _IDLE_S = 0.2, 1.0
_BOOKS_S = 15.0
"""For so long the ledger may lag behind: its writer waits for the journal."""
_PATH = "/control"
_SECRET = "X-Breakwall-Secret"  # noqa: S105 - a header's name
_MOST_SAID = 400
_KINDS = "|".join(re.escape(kind.value) for kind in CommandKind)
_COMMAND = re.compile(rf"(\S+ )?({_KINDS}) (all symbols|\S+) by (?!process\b)")
_OK = 200


class Told(msgspec.Struct, frozen=True):
    """What we want to know of the control endpoint's answer."""

    crisis: Story | None = None
    stories: tuple[Story, ...] = ()


class Stage:
    """`ports.Stage` of a run on an embedded exchange. `ledger` is where its books are, None: they are not kept."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        engine: "Engine",
        http: str,
        secret: str,
        ledger: "str | Path | None",
        names: Mapping[str, str],
    ) -> None:
        self.names = names
        self.tell: Callable[[CrisisReceipt], None] = lambda _receipt: None
        self.receipts: tuple[CrisisReceipt, ...] = ()
        self.news = ""
        self._transport = transport
        self._clock = clock
        self._engine = engine
        self._http = http
        self._secret = secret
        self._ledger = ledger
        self._more = asyncio.Event()
        self._asking: set[asyncio.Task[None]] = set()
        self._phase = ""
        self._last_ms = clock.now_ms()
        self._said: dict[int, tuple[int, str]] = {}
        self._before = Counters()

    def play(self, name: str, symbol: str = "") -> None:
        """Ask for a crisis; what comes of it is said in the log."""
        task = asyncio.create_task(self._play(name, symbol))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, *self._asking, return_exceptions=True)
        told = await self._ask("GET") if self._phase else None
        if told is not None and told.crisis is not None and told.crisis.struck_ms:
            await self._end(told.crisis)  # as far as it got

    async def _run(self) -> None:
        """Watch what is played, whoever asked for it; look less often while nothing is."""
        while True:
            told = await self._ask("GET")
            if told is not None:
                await self._look(told)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S if self._phase else _IDLE_S):
                    await self._more.wait()
            self._more.clear()

    async def _play(self, name: str, symbol: str) -> None:
        await self._ask("POST", {"crisis": name, **({"symbol": symbol} if symbol else {})})
        self._more.set()

    async def _ask(self, method: str, body: object = None) -> Told | None:
        """The endpoint's answer; None where there is none, or it refused, which is said."""
        text = b"" if body is None else msgspec.json.encode(body)
        request = HttpRequest(method, self._http, _PATH, body=text, headers={_SECRET: self._secret})
        with contextlib.suppress(TransportError, msgspec.DecodeError):  # the exchange may be on its way out
            answer = await self._transport.request(request)
            if answer.status == _OK:
                return msgspec.json.decode(answer.body, type=Told)
            refused = msgspec.json.decode(answer.body, type=dict[str, str])
            self._engine.say(f"the exchange does not do that: {refused.get('error', answer.status)}", "warning")
        return None

    async def _look(self, told: Told) -> None:
        """Remember what the program says meanwhile; tell when a crisis strikes, and when it is over."""
        for line in self._engine.account().log:
            if line.at_ms >= self._last_ms and len(self._said) < _MOST_SAID:
                self._said.setdefault(line.number, (line.at_ms, f"{line.symbol} {line.text}".strip()))
        for story in told.stories:
            if story.struck_ms > self._last_ms:
                await self._end(story)
        crisis = told.crisis
        phase = "" if crisis is None else f"{crisis.name} {crisis.phase}"
        if crisis is not None and phase != self._phase:
            if not self._phase:
                self._before = self._engine.account().counters
            if crisis.struck_ms:
                self._say(f"CRISIS {crisis.name} strikes {crisis.symbol}: {crisis.text}", "warning")
            else:
                self._say(f"crisis {crisis.name} waits for {crisis.waits_for}")
        self._phase = phase
        if crisis is None:
            self._said.clear()

    async def _end(self, story: Story) -> None:
        self._last_ms = max(self._last_ms, story.struck_ms)
        differences = await self._books()
        receipt = self._receipt(story, differences)
        self.receipts = (*self.receipts, receipt)
        self._before = self._engine.account().counters
        self.tell(receipt)
        self._say(f"crisis {summary(receipt)}", "info" if receipt.books_agree else "warning")

    def _say(self, text: str, level: str = "info") -> None:
        self.news = text
        self._engine.say(text, level)

    def _receipt(self, story: Story, differences: tuple[str, ...]) -> CrisisReceipt:
        now, before, since_ms = self._engine.account().counters, self._before, story.struck_ms
        until_ms = since_ms + round(story.seconds * 1000)
        said = [Said(at_ms - since_ms, text) for at_ms, text in self._said.values() if since_ms <= at_ms <= until_ms]
        asked = [deed.after_ms for deed in story.deeds if deed.after_ms > 0]
        return CrisisReceipt(
            story,
            min(asked, default=None),
            tuple(line for line in said if not _is_noise(line.text) and not _is_command(line.text)),
            tuple(line for line in said if _is_command(line.text)),
            now.gaps - before.gaps,
            now.resyncs - before.resyncs,
            now.orders_sent - before.orders_sent,
            now.breaker_trips - before.breaker_trips,
            differences,
            books_agree=not differences,
        )

    async def _books(self) -> tuple[str, ...]:
        """Where the ledger differs from the exchange, once it has had time to follow; empty: nowhere."""
        if self._ledger is None:
            return ("no ledger is kept",)
        found: tuple[str, ...] = ("the exchange does not tell of the account",)
        deadline_ms = self._clock.now_ms() + _BOOKS_S * 1000
        while found and self._clock.now_ms() < deadline_ms:
            account = await self._account()
            if account is not None:
                found = await asyncio.to_thread(_differences, self._ledger, account)
            if found:
                await self._clock.sleep(_LOOK_S)
        return found

    async def _account(self) -> bytes | None:
        request = HttpRequest("GET", self._http, f"{_PATH}/account", headers={_SECRET: self._secret})
        with contextlib.suppress(TransportError):
            answer = await self._transport.request(request)
            return answer.body if answer.status == _OK else None
        return None


def _differences(ledger: Any, account: bytes) -> tuple[str, ...]:
    """The books beside the exchange's account, as it told it."""
    from breakwall.ports import LedgerError
    from breakwall.storage.ledger import comparison
    from breakwall.storage.ledger.books import opened

    try:
        with opened(ledger) as books:
            booked = comparison.booked(books)
    except LedgerError as error:
        return (str(error),)
    return tuple(comparison.differences(booked, msgspec.json.decode(account, type=comparison.Truth)))


def _is_command(text: str) -> bool:
    """A wish of a person, whichever way it came; what the process asks of itself is none."""
    return _COMMAND.match(text) is not None


def _is_noise(text: str) -> bool:
    """Signals that were refused, walls that came and went, parts of a close, what we say ourselves."""
    part = " closed " in text and ";" not in text
    return part or any(word in text for word in (" refused by ", " at its peak", "crisis ", "CRISIS "))
