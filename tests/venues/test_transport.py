"""The real transport against a small server on loopback: exact wire, and the truth about `sent`."""

import asyncio
import socket

import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web

from breakwall.ports import HttpRequest, TransportError
from breakwall.venues.transport import AiohttpTransport


async def echo(request: web.Request) -> web.Response:
    text = f"{request.method} {request.raw_path} {(await request.read()).decode()}"
    return web.Response(text=text, headers={"X-Bapi-Limit": "10"}, status=int(request.headers.get("X-Want", "200")))


async def slow(request: web.Request) -> web.Response:
    await asyncio.sleep(5)
    return web.Response()


async def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def away(request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def talk(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.TEXT and message.data == "bye":
            await ws.close(code=1012)
        elif message.type is WSMsgType.TEXT:
            await ws.send_bytes(b"not text")
            await ws.send_str(f"heard {message.data}")
    return ws


@pytest_asyncio.fixture
async def base():
    app = web.Application()
    app.add_routes([web.route("*", f"/{f.__name__}", f) for f in (echo, slow, cut, away, talk)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.close()


def dead_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.asyncio
async def test_what_was_signed_is_what_is_sent(base, transport) -> None:
    answer = await transport.request(HttpRequest("GET", base, "/echo", "a=b%2Cc&cursor=1%3A2&d=e+f"))
    assert answer.body == b"GET /echo?a=b%2Cc&cursor=1%3A2&d=e+f "
    assert answer.headers["x-bapi-limit"] == "10"
    answer = await transport.request(HttpRequest("POST", base, "/echo", body=b'{"x": 1}'))
    assert answer.body == b'POST /echo {"x": 1}'


@pytest.mark.asyncio
async def test_any_status_is_an_answer_and_redirects_are_not_followed(base, transport) -> None:
    assert (await transport.request(HttpRequest("GET", base, "/echo", headers={"X-Want": "503"}))).status == 503
    assert (await transport.request(HttpRequest("GET", base, "/away"))).status == 302


@pytest.mark.asyncio
async def test_a_refused_connection_never_left(transport) -> None:
    with pytest.raises(TransportError, match=r"no connection: Connection refused$") as caught:
        await transport.request(HttpRequest("POST", f"http://127.0.0.1:{dead_port()}", "/echo"))
    assert caught.value.sent is False


@pytest.mark.asyncio
@pytest.mark.parametrize(("path", "words"), [("/slow", "no answer within 0.1 s"), ("/cut", "/cut: ")])
async def test_silence_and_a_cut_line_may_have_arrived(base, transport, path, words) -> None:
    with pytest.raises(TransportError, match=words) as caught:
        await transport.request(HttpRequest("POST", base, path, timeout_s=0.1))
    assert caught.value.sent is True


@pytest.mark.asyncio
async def test_requests_can_be_cancelled(base, transport) -> None:
    task = asyncio.ensure_future(transport.request(HttpRequest("GET", base, "/slow")))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
async def test_sockets_carry_text_frames_as_bytes(base, transport) -> None:
    ws = await transport.connect(base.replace("http", "ws") + "/talk")
    await ws.send("one")
    assert await ws.receive() == b"heard one"
    await ws.send("bye")
    with pytest.raises(TransportError, match="code 1012"):
        await ws.receive()
    with pytest.raises(TransportError):
        await ws.send("still there?")
    await ws.close()


@pytest.mark.asyncio
async def test_no_socket_is_said_so(base, transport) -> None:
    for url in (f"ws://127.0.0.1:{dead_port()}/talk", base.replace("http", "ws") + "/echo"):
        with pytest.raises(TransportError, match="no connection") as caught:
            await transport.connect(url)
        assert caught.value.sent is False


@pytest.mark.asyncio
async def test_it_may_be_used_again_after_closing(base, transport) -> None:
    await transport.request(HttpRequest("GET", base, "/echo"))
    await transport.close()
    assert (await transport.request(HttpRequest("GET", base, "/echo"))).status == 200
