"""The exchange's sockets: do they open, answer a ping, take the login, and speak of our markets?"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from breakwall.doctor.finding import Finding, bad, doubtful, good
from breakwall.model.text import sanitise
from breakwall.ports import Clock, Socket, Transport, TransportError
from breakwall.redaction import redact
from breakwall.venues.bybit.endpoints import Signer

PATIENCE_S = 5.0

Message = dict[str, object]
Ask = Callable[[Socket], Coroutine[Any, Any, str]]

_REMEDY = "check the network, the firewall and [venue]; look at the exchange's status page"


class NotSaidError(Exception):
    """The answer is no: says why."""


async def public(transport: Transport, clock: Clock, url: str, symbol: str) -> Finding:
    """The books' socket: its first book, and how long a ping takes."""

    async def ask(socket: Socket) -> str:
        ping_ms = await _ping(socket, clock)
        await socket.send(_json({"op": "subscribe", "req_id": "doctor", "args": [f"orderbook.50.{symbol}"]}))
        await _heard(socket, lambda told: str(told.get("topic", "")).startswith("orderbook"))
        return f"books of {symbol}; ping {ping_ms:.0f} ms"

    return await _look("public socket", transport, url, ask, bad)


async def private(transport: Transport, clock: Clock, url: str, signer: Signer, venue_ms: int) -> Finding:
    """The account's socket: whether the login is taken."""

    async def ask(socket: Socket) -> str:
        await _log_in(socket, signer, venue_ms)
        return f"logged in; ping {await _ping(socket, clock):.0f} ms"

    return await _look("private socket", transport, url, ask, bad)


async def trade(transport: Transport, clock: Clock, url: str, signer: Signer, venue_ms: int) -> Finding:
    """The orders' socket, where there is one; orders have REST as well, so that its absence is no fault."""
    if not url:
        return good("trade socket", "none here: orders go over REST")

    async def ask(socket: Socket) -> str:
        await _log_in(socket, signer, venue_ms)
        return f"logged in; ping {await _ping(socket, clock):.0f} ms"

    return await _look("trade socket", transport, url, ask, doubtful)


async def _look(
    point: str, transport: Transport, url: str, ask: Ask, fault: Callable[[str, str, str], Finding]
) -> Finding:
    """Open it, ask, close it; whatever goes wrong is a `fault` with a remedy."""
    try:
        socket = await transport.connect(url)
    except TransportError as error:
        return fault(point, sanitise(error, 160), _REMEDY)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return good(point, await ask(socket))
    except TimeoutError:
        return fault(point, f"{sanitise(url, 80)}: silent for {PATIENCE_S:g} s", _REMEDY)
    except NotSaidError as error:
        return fault(point, sanitise(redact(str(error)), 160), "check key and secret")
    except TransportError as error:
        return fault(point, sanitise(redact(str(error)), 160), _REMEDY)
    finally:
        await socket.close()


async def _log_in(socket: Socket, signer: Signer, venue_ms: int) -> None:
    """Raises NotSaidError where the answer is no. The two sockets say yes in words of their own."""
    await socket.send(signer.login(venue_ms))
    told = await _heard(socket, lambda told: told.get("op") == "auth")
    if told.get("success") is not True and told.get("retCode") != 0:
        words = told.get("ret_msg") or told.get("retMsg") or "no reason"
        raise NotSaidError(f"the login is refused: {words}")


async def _ping(socket: Socket, clock: Clock) -> float:
    """Milliseconds there and back. Each socket calls its pong otherwise; all of them are the first answer."""
    began_ns = clock.now_ns()
    await socket.send(_json({"op": "ping", "req_id": "doctor"}))
    await _heard(socket, lambda told: told.get("op") in {"ping", "pong"})
    return (clock.now_ns() - began_ns) / 1e6


async def _heard(socket: Socket, wanted: Callable[[Message], bool]) -> Message:
    """The first message that is wanted; what is no JSON object is passed over."""
    while True:
        try:
            told = msgspec.json.decode(await socket.receive())
        except msgspec.MsgspecError:
            continue
        if isinstance(told, dict) and wanted(told):
            return told


def _json(words: Message) -> str:
    return msgspec.json.encode(words).decode()
