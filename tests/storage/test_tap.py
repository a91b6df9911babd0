"""The tap: public answers are written down as they came, private ones never."""

import json
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.ports import HttpAnswer, HttpRequest, Socket, TransportError
from breakwall.storage.lines import Lines
from breakwall.storage.recording import Recording
from breakwall.storage.tap import TappedTransport


class Answering:
    """A transport that answers everything with its path and has no sockets."""

    async def request(self, request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(200, request.path.encode())

    async def connect(self, url: str) -> Socket:
        raise TransportError("no sockets here", sent=False)

    async def close(self) -> None: ...


@pytest.mark.asyncio
async def test_only_public_answers_are_written_down(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "run.jsonl.zst", SystemClock(), run=1, settings="{}")
    await recording.open()
    tapped = TappedTransport(Answering(), recording)
    for path, query in (("/v5/market/instruments-info", "category=linear"), ("/v5/account/wallet-balance", "")):
        answer = await tapped.request(HttpRequest("GET", "http://venue", path, query))
        assert answer.body == path.encode()
    with pytest.raises(TransportError):
        await tapped.connect("ws://venue/v5/private")
    await recording.close()
    lines = [json.loads(line) for line in Lines(recording.path)]
    assert [line["t"] for line in lines] == ["header", "http"]
    assert lines[1]["url"] == "http://venue/v5/market/instruments-info?category=linear"
    assert lines[1]["data"] == "/v5/market/instruments-info"
