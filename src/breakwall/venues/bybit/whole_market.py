"""What the public interface says of all contracts at once: their rules, and their tickers.

No key is needed. Source: Bybit v5, market/instrument (paged) and market/tickers.
"""

from urllib.parse import quote

import msgspec
from msgspec import Struct

from breakwall.model.text import sanitise
from breakwall.model.units import Instrument
from breakwall.ports import HttpRequest, Transport, TransportError, VenueError
from breakwall.venues.bybit.reports import RecordError, instrument_of

_INSTRUMENTS = "/v5/market/instruments-info"
_TICKERS = "/v5/market/tickers"
_PAGES = 20


class Answer(Struct, frozen=True):
    """An answer as it came."""

    url: str
    body: bytes


class WholeMarket(Struct, frozen=True):
    """`answers` are those of the instruments, then of the tickers."""

    answers: tuple[Answer, ...]
    instruments: dict[str, Instrument]


class _Page(Struct):
    class Result(Struct):
        rows: list[dict[str, object]] = msgspec.field(name="list", default_factory=list)
        cursor: str = msgspec.field(name="nextPageCursor", default="")

    code: int = msgspec.field(name="retCode", default=0)
    why: str = msgspec.field(name="retMsg", default="")
    result: Result = msgspec.field(default_factory=Result)


_decode = msgspec.json.Decoder(_Page).decode


async def whole_market(transport: Transport, base: str, timeout_s: float) -> WholeMarket:
    """Ask for all of it. Raises VenueError where the venue cannot be reached or gives no such answer."""
    answers: list[Answer] = []
    instruments: dict[str, Instrument] = {}
    cursor = ""
    for _ in range(_PAGES):
        more = f"&cursor={quote(cursor, safe='%')}" if cursor else ""
        answer, page = await _ask(transport, base, _INSTRUMENTS, f"category=linear&limit=1000{more}", timeout_s)
        answers.append(answer)
        for row in page.rows:
            try:
                rules = instrument_of(row)
            except RecordError:
                continue  # one contract that cannot be read is not recorded; the others are
            instruments[rules.symbol] = rules
        if not page.cursor or page.cursor == cursor:
            break
        cursor = page.cursor
    tickers, _ = await _ask(transport, base, _TICKERS, "category=linear", timeout_s)
    return WholeMarket((*answers, tickers), instruments)


async def _ask(
    transport: Transport, base: str, path: str, query: str, timeout_s: float
) -> tuple[Answer, _Page.Result]:
    try:
        answer = await transport.request(HttpRequest("GET", base, path, query, timeout_s=timeout_s))
    except TransportError as error:
        raise VenueError(f"{base}: cannot be reached ({error}). Check the network and [venue].") from error
    try:
        page = _decode(answer.body)
    except msgspec.MsgspecError as error:
        found = f"status {answer.status}"
        raise VenueError(f"{base}{path}: expected an answer of Bybit v5, found {found}. Check [venue].") from error
    if answer.status != 200 or page.code:
        found = f"status {answer.status}, {page.code} {sanitise(page.why, 120)}"
        raise VenueError(f"{base}{path}: expected success, found {found}.")
    return Answer(f"{base}{path}?{query}", answer.body), page.result
