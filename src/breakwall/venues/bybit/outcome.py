"""What an answer means: HTTP status and retCode -> what is known of the command, and how to go on.

Source: Bybit v5, error. Classes: A not executed, may be tried again with the same client id;
B ambiguous, to be resolved by a query; C idempotency signals, success once verified; D this order is
refused; E funds or risk, no new entries; F the key or the account, a person is needed.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from breakwall.model.api import Bars
from breakwall.model.events import OutcomeKind
from breakwall.model.text import sanitise


class Reaction(Enum):
    """The class letter of the contract; OK is success."""

    OK = ""
    RETRY = "A"
    AMBIGUOUS = "B"
    VERIFY = "C"
    REFUSED = "D"
    RISK = "E"
    ALARM = "F"


OK_CODE = 0
CLOCK_CODES = frozenset({-1, 10002})
RATE_LIMIT = 10006
DUPLICATE_ID = 110072
SAME_LEVERAGE = 110043
NOT_MODIFIED = 34040
ORDER_GONE = frozenset({110001, 110008, 110010})
STRANGE_RULES = frozenset(
    {10001, 110003, 110094, 110120, 110121, 30208, 30209, 110023, 110042, 30228, 110074, 110095}
)
"""What an order is refused with when tick, lot, minimum, price limits or status are not as we know them."""
BAN_STATUS = 403
FAILED_CODES = frozenset({10000, 10016, 10019, 170007})
"""The venue answers that it failed: no word on our business."""
RESTARTING = 10019
"""Said on a trade socket: what is under way is not affected, but for anything new it takes another connection."""
NOT_BY_SOCKET = frozenset({10003, 10004, 10404})
"""Said on a trade socket: too many sessions, not logged in, or no such operation. Surely nothing was done; REST knows
better what is wrong.
"""
AT_ONCE = CLOCK_CODES | NOT_BY_SOCKET | {RATE_LIMIT}
"""May be tried again without a pause of ours: the clock was measured, another way is taken, a budget waits itself."""
BAD_KEY_STATUS = 401
BUSY_CODES = frozenset({429, 10403, 10429, 20003})
"""The venue protects itself (retCodes and an HTTP status): what protects nothing keeps off for a while."""
_WANT_OF_MARGIN = (110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053)

_CLASSES: tuple[tuple[Reaction, Mapping[int, str]], ...] = (
    (
        Reaction.RETRY,
        {
            -1: "our timestamp is outside the venue's window",
            10002: "our timestamp is outside the venue's window",
            RATE_LIMIT: "too many requests for this endpoint",
            110079: "the order is being processed",
            40004: "the order is being modified",
        },
    ),
    (
        Reaction.AMBIGUOUS,
        {
            429: "the venue is protecting itself",
            10000: "the venue timed out",
            10014: "the venue has seen this request before",
            10016: "the venue had an internal error",
            10019: "the venue is restarting",
            10429: "the venue is protecting itself",
            10403: "too many requests from this address",
            20003: "too many requests in this session",
            20006: "the venue has seen this request id before",
            170007: "the venue timed out",
        },
    ),
    (
        Reaction.VERIFY,
        {
            DUPLICATE_ID: "an order with this client id exists already",
            SAME_LEVERAGE: "the leverage is so already",
            110025: "the position mode is so already",
            110026: "the margin mode is so already",
            110027: "the margin is so already",
            NOT_MODIFIED: "nothing was modified",
            110001: "the order is not open (any more); it may be filled",
            110008: "the order is finished; it may be filled",
            110010: "the order is cancelled already",
        },
    ),
    (
        Reaction.REFUSED,
        {
            10001: "a parameter is wrong (precision, minimum, stop on the wrong side, or no position)",
            110003: "the price is outside the venue's limits",
            110120: "the price is outside the venue's limits",
            110121: "the price is outside the venue's limits",
            30208: "the price is outside the venue's limits",
            30209: "the price is outside the venue's limits",
            110092: "the trigger price is on the wrong side",
            110093: "the trigger price is on the wrong side",
            110094: "the order's value is below the venue's minimum",
            110017: "a reduce-only order found nothing to reduce",
            130125: "a reduce-only order found nothing to reduce",
            110009: "too many conditional orders",
            110020: "too many open orders",
            110061: "too many partial stops",
            110059: "the stop of a partly filled order cannot be changed so",
            110064: "the new quantity is not above what is filled",
            110108: "the slippage tolerance is out of range",
            110109: "the slippage tolerance is out of range",
            110118: "the venue has no market price",
            110119: "only market makers may send such orders",
            110024: "the mode cannot be changed while there are positions",
            110028: "the mode cannot be changed while there are orders",
            110029: "the symbol does not know this position mode",
            110073: "the margin mode cannot be changed now",
            3400045: "the margin mode cannot be changed now",
            110076: "only isolated margin knows this",
            10404: "the trade socket does not know this operation",
            20001: "the socket has logged in already",
        },
    ),
    (
        Reaction.RISK,
        {
            **dict.fromkeys(_WANT_OF_MARGIN, "not enough free margin"),
            **dict.fromkeys((110013, 110036, 110038, 110086, 110090), "the leverage does not fit the risk tier"),
            **dict.fromkeys((110021, 110089, 3400139), "the position limit is reached"),
            **dict.fromkeys((110011, 110039, 110040, 110046), "the order would lead to liquidation"),
            **dict.fromkeys((110023, 110042, 30228, 110074, 110095), "the symbol is reduce-only or not live"),
        },
    ),
    (
        Reaction.ALARM,
        {
            10003: "the key is wrong or belongs to another environment",
            10004: "the signature is wrong: check the secret",
            10005: "the key lacks a permission",
            10007: "the venue could not authenticate the key",
            10008: "the venue has banned the account",
            10009: "the venue refuses this region",
            10010: "the key is not bound to this address",
            10017: "the path is unknown to the venue",
            10024: "the venue refuses this account",
            10027: "trading is banned for this account",
            10028: "the account type does not allow this",
            100028: "the account type does not allow this",
            10029: "the symbol is not on the key's list",
            33004: "the key has expired",
            110066: "the venue does not allow trading now",
            110123: "terms of use are not agreed to",
            110124: "the account is in its cooling-off period",
            110125: "terms of use are not agreed to",
            110132: "the venue refuses this region",
        },
    ),
)

REACTIONS: Mapping[int, tuple[Reaction, str]] = {
    code: (reaction, words) for reaction, codes in _CLASSES for code, words in codes.items()
}

_STATUS: Mapping[int, tuple[Reaction, str]] = {
    400: (Reaction.REFUSED, "the venue finds the request malformed"),
    BAD_KEY_STATUS: (Reaction.ALARM, "the key is wrong or missing"),
    BAN_STATUS: (
        Reaction.ALARM,
        "our address is banned (rate limit or region); no REST request leaves until it is over",
    ),
    404: (Reaction.REFUSED, "the path is unknown to the venue, or does not fit the account's mode"),
}


class Verdict(Struct, frozen=True):
    """`reaction` says how to go on; `reason` is one line in plain words with the venue's own text."""

    reaction: Reaction
    code: int
    reason: str

    @property
    def kind(self) -> OutcomeKind:
        """What is known where nothing further is done."""
        return _KINDS[self.reaction]

    @property
    def ok(self) -> bool:
        return self.reaction is Reaction.OK

    @property
    def bars(self) -> Bars:
        """What it means for entries to come. A ban of our address ends by itself: nobody has to look."""
        if self.reaction is Reaction.ALARM and self.code != BAN_STATUS:
            return Bars.PERSON
        if self.reaction is not Reaction.RISK:
            return Bars.NOTHING
        return Bars.ACCOUNT if self.code in _WANT_OF_MARGIN else Bars.SYMBOL


_KINDS: Mapping[Reaction, OutcomeKind] = {
    Reaction.OK: OutcomeKind.CONFIRMED,
    Reaction.RETRY: OutcomeKind.REJECTED,
    Reaction.AMBIGUOUS: OutcomeKind.UNKNOWN,
    Reaction.VERIFY: OutcomeKind.UNKNOWN,
    Reaction.REFUSED: OutcomeKind.REJECTED,
    Reaction.RISK: OutcomeKind.REJECTED,
    Reaction.ALARM: OutcomeKind.REJECTED,
}


def of_status(status: int) -> Verdict | None:
    """The verdict of an HTTP status alone; None where the body decides (200)."""
    if status == 200:
        return None
    reaction, words = _STATUS.get(status, (Reaction.AMBIGUOUS, "the venue or a gateway before it failed"))
    return Verdict(reaction, status, f"HTTP {status}: {words}")


def of_code(code: int, message: str) -> Verdict:
    """The verdict of a retCode; an unknown one is ambiguous."""
    if code == OK_CODE:
        return Verdict(Reaction.OK, 0, "")
    reaction, words = REACTIONS.get(code, (Reaction.AMBIGUOUS, "a code the contract does not know"))
    said = sanitise(message, 120)
    return Verdict(reaction, code, f"{code}: {words}" + (f" ({said})" if said else ""))


def unknown(reason: str) -> Verdict:
    """The network or the reader failed: nothing is known."""
    return Verdict(Reaction.AMBIGUOUS, 0, reason)
