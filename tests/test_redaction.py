"""What must never be printed is not, whatever it stands in."""

import pytest

from breakwall import redaction
from breakwall.redaction import hide, redact

KEY, SECRET = "canary-key-4711", "canary-secret-0815"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_hidden", set())


@pytest.mark.parametrize(
    "text",
    [
        f"HTTP 401 for {KEY}",
        f'{{"op":"auth","args":["unknown-key",1700000000000,"{"ab" * 32}"]}}',
        f"headers {{'X-BAPI-API-KEY': 'unknown-key', 'X-BAPI-SIGN': '{'ab' * 32}'}}",
        f"X-BAPI-SIGN: {'ab' * 32}",
        f"GET /v5/x?api_key=unknown-key&signature={'ab' * 32}&z=1",
        'api_secret="unknown-key"',
        f"Traceback: key={KEY!r} secret={SECRET!r}",
    ],
)
def test_what_is_known_and_what_looks_like_it_is_taken_out(text: str) -> None:
    hide(KEY, SECRET)
    clean = redact(text)
    assert "***" in clean
    for word in (KEY, SECRET, "unknown-key", "ab" * 32):
        assert word not in clean


def test_the_rest_stays() -> None:
    hide(KEY)
    text = "BTCUSDT opened buy 0.010 at 65000.10; the signature of a wall; key 7"
    assert redact(text) == text
    assert redact(f"a {KEY} b") == "a *** b"
