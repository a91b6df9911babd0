"""`ports.Transport` of a simulated program: its requests and sockets travel the network of its world."""

import asyncio

from breakwall.model.events import Link
from breakwall.ports import HttpAnswer, HttpRequest, Socket, TransportError
from breakwall.sim.network import Network
from breakwall.sim.sockets import LoopSocket, OrderSocket
from breakwall.venues.exchange.faults import FaultKind

_LINKS = {"/private": Link.PRIVATE, "/trade": Link.TRADE}


class LoopTransport:
    """`ports.Transport` of one program. `disconnect` is what the operating system does when it dies."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._sockets: list[LoopSocket] = []

    async def request(self, request: HttpRequest) -> HttpAnswer:
        answer = self._network.launch(request)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await answer
        except TimeoutError:
            raise TransportError(f"{request.path}: no answer within {request.timeout_s:g} s") from None

    async def connect(self, url: str) -> Socket:
        path = url.partition("?")[0]
        link = next((link for end, link in _LINKS.items() if path.endswith(end)), Link.PUBLIC)
        await asyncio.sleep(2 * self._network.latency())
        if self._network.strikes(FaultKind.CONNECT_REFUSED, link):
            raise TransportError(f"{url}: connection refused", sent=False)
        socket = (OrderSocket if link is Link.TRADE else LoopSocket)(self._network, link)
        self._sockets = [known for known in self._sockets if not known.closed] + [socket]
        return socket

    async def close(self) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        for socket in self._sockets:
            socket.hang_up("closed by us")
        self._sockets = []
