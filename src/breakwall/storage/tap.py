"""A transport that writes down what the market's public interface answered, on its way to the adapter."""

from breakwall.ports import HttpAnswer, HttpRequest, Socket, Transport
from breakwall.storage.recording import Recording

_PUBLIC = "/v5/market/"


class TappedTransport:
    """Passes everything on; answers of public market requests (instruments first of all) go to the recording.

    Private requests are left out: their answers reach the recording as events, without keys or signatures.
    """

    def __init__(self, transport: Transport, recording: Recording) -> None:
        self._transport = transport
        self._recording = recording

    async def request(self, request: HttpRequest) -> HttpAnswer:
        answer = await self._transport.request(request)
        if request.path.startswith(_PUBLIC):
            query = f"?{request.query}" if request.query else ""
            self._recording.http("rest", f"{request.base}{request.path}{query}", answer.body)
        return answer

    async def connect(self, url: str) -> Socket:
        socket = await self._transport.connect(url)
        self._recording.connect(url.rsplit("/v5/", 1)[-1], url)
        return socket

    async def close(self) -> None:
        await self._transport.close()
