"""The real `Transport`: one aiohttp session and connection pool for all REST and all sockets."""

import asyncio
import os
import ssl
from types import MappingProxyType

import aiohttp
from aiohttp import WSMsgType
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from breakwall import points
from breakwall.model.text import sanitise
from breakwall.ports import HttpAnswer, HttpRequest, Socket, TransportError

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 0.5  # a half-open peer never answers the close frame; leaving must not wait for it
IDLE_POOL_S = 30.0  # shorter than a usual server's keep-alive, so that a pooled connection is rarely a dead one
MAX_FRAME_BYTES = 8 * 1024 * 1024  # a 1000-level snapshot is about 50 kB

_TEXT = WSMsgType.TEXT  # of every frame: in Python 3.11 the look-up itself takes longer than the comparison
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class AiohttpTransport:
    """Requests without retries, cookies, redirects or proxies from the environment; certificates are always checked.

    The session is made at the first use, inside the running loop. One exception lies in aiohttp: a GET
    on a pooled connection that turns out to be dead is sent once more on a fresh one; a POST never is.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    async def request(self, request: HttpRequest) -> HttpAnswer:
        """One HTTP exchange; raises TransportError, with `sent` False only where no byte can have left."""
        url = self._url(request)
        timeout = aiohttp.ClientTimeout(
            total=request.timeout_s, sock_connect=min(request.timeout_s, CONNECT_TIMEOUT_S)
        )
        try:
            async with self._open_session().request(
                request.method,
                url,
                data=_Marked(request.body, request.sent) if request.sent else request.body or None,
                headers=request.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return HttpAnswer(answer.status, body, headers)
        except _NEVER_SENT as error:
            raise TransportError(f"{request.base}: no connection: {_words(error)}", sent=False) from error
        except TimeoutError as error:
            raise TransportError(f"{request.path}: no answer within {request.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"{request.path}: {_words(error)}") from error

    async def connect(self, url: str) -> Socket:
        """Open a WebSocket; raises TransportError(sent=False) where none can be had."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                response = await self._open_session().ws_connect(
                    url,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    max_msg_size=MAX_FRAME_BYTES,
                    decode_text=False,
                )
        except TimeoutError as error:
            raise TransportError(f"{url}: no connection within {CONNECT_TIMEOUT_S:g} s", sent=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"{url}: no connection: {_words(error)}", sent=False) from error
        return AiohttpSocket(url, response)

    async def close(self) -> None:
        """Close every connection; a later use opens a fresh pool."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=IDLE_POOL_S, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=MappingProxyType({"User-Agent": "breakwall"}),
            )
        return self._session

    def _url(self, request: HttpRequest) -> URL:
        """The URL with its query untouched: what was signed is what is sent."""
        if request.query:
            return URL(f"{request.base}{request.path}?{request.query}", encoded=True)
        place = request.base + request.path
        url = self._urls.get(place)
        if url is None:
            url = self._urls[place] = URL(place, encoded=True)
        return url


class _Marked(aiohttp.BytesPayload):
    """A body that reaches its crash point when its bytes are out and no answer can have come."""

    def __init__(self, body: bytes, sent: points.Point) -> None:
        super().__init__(body)
        self._sent = sent

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await super().write_with_length(writer, content_length)
        points.reach(self._sent)


class AiohttpSocket:
    """One WebSocket. Protocol-level pings are answered by aiohttp; keep-alive is the caller's."""

    def __init__(self, url: str, response: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._url = url
        self._response = response

    async def send(self, text: str) -> None:
        """Send one text frame; raises TransportError where the socket is closed."""
        try:
            await self._response.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"{self._url}: cannot send: {_words(error)}") from error

    async def receive(self) -> bytes:
        """The next text frame; raises TransportError once the socket is closed or broken."""
        while True:
            message = await self._response.receive()
            if message.type is _TEXT:
                return message.data if isinstance(message.data, bytes) else str(message.data).encode()
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                raise TransportError(f"{self._url}: {self._ending()}")

    async def close(self) -> None:
        await self._response.close()

    def _ending(self) -> str:
        error = self._response.exception()
        if error is not None:
            return f"socket broke: {_words(error)}"
        code = self._response.close_code
        return f"socket closed by the other side (code {code})" if code else "socket closed"


def _words(error: BaseException) -> str:
    """What happened, in a line that is safe to print; a certificate problem is named as such."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return f"TLS refused: {sanitise(error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return os.strerror(number) if number > 0 else sanitise(error.os_error.strerror or error)
    return sanitise(error) or type(error).__name__
