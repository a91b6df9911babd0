"""The ready crises: what each one needs before it can strike, and how it strikes. Data only; `scene` plays them."""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from breakwall.model.events import Link
from breakwall.venues.exchange.director import Leg
from breakwall.venues.exchange.faults import Fault, FaultKind, Plan


class Needs(Enum):
    """What must be there first."""

    POSITION = "a position with its stop"
    WALL = "a position, and a wall in its market"
    ENTRY = "the next entry"


class Crisis(Struct, frozen=True):
    """`text` is what strikes, `market` the script that brings the program into what it `needs`.

    `faults` begin when it strikes; where it needs an entry they wait for that entry themselves. `crash` is the way
    of the fair price, against the position; `pulls`: all walls of the market vanish. It lasts `lasts_s` at least.
    """

    text: str
    needs: Needs
    lasts_s: float
    faults: Plan = ()
    crash: tuple[Leg, ...] = ()
    pulls: bool = False
    market: str = "tour"


_K = FaultKind
_CUT_S = 6.0
_CREATE, _STOP = "/v5/order/create", "/v5/position/trading-stop"


def _once(kind: FaultKind, match: str = "") -> Fault:
    return Fault(kind, 0.0, match=match, count=1)


CRISES: Mapping[str, Crisis] = {
    "flash-crash": Crisis(
        "the walls go, the price runs 3 % against the position within two seconds, and half of it back",
        Needs.POSITION,
        14.0,
        crash=(Leg(2, -300, -1.0), Leg(3, 0, -0.2), Leg(6, 150, 0.5), Leg(6, 0)),
    ),
    "wall-pulled": Crisis(
        "every wall of the position's market is pulled at once", Needs.WALL, 10.0, pulls=True, market="bounce"
    ),
    "disconnect": Crisis(
        "all sockets break and no request gets through, for six seconds",
        Needs.POSITION,
        14.0,
        (
            *(Fault(_K.SOCKET_RESET, 0.0, _CUT_S, link=link) for link in (Link.PUBLIC, Link.PRIVATE, Link.TRADE)),
            *(Fault(_K.CONNECT_REFUSED, 0.0, _CUT_S, link=link) for link in (Link.PUBLIC, Link.PRIVATE, Link.TRADE)),
            Fault(_K.REQUEST_RESET, 0.0, _CUT_S),
        ),
    ),
    "partial-fill": Crisis(
        "somebody is faster: the next entry finds about half of what it wants",
        Needs.ENTRY,
        8.0,
        (_once(_K.PARTIAL_FILL, "entry"),),
    ),
    "liquidation": Crisis(
        "the exchange takes the position over at its bankruptcy price", Needs.POSITION, 5.0, (_once(_K.LIQUIDATED),)
    ),
    "stop-rejected": Crisis(
        "the stop vanishes, and for eight seconds every new one is refused",
        Needs.POSITION,
        12.0,
        (_once(_K.STOP_VANISHES), Fault(_K.REFUSED, 0.0, 8.0, match=_STOP, code=10001)),
    ),
    "lost-ack": Crisis(
        "the next entry is accepted, and its answer never comes",
        Needs.ENTRY,
        10.0,
        (_once(_K.ANSWER_LOST, _CREATE),),
    ),
}
