"""The receipt of a crisis in words."""

from decimal import Decimal

from msgspec.structs import replace

from breakwall.model.crisis import CrisisReceipt, Deed, Done, Held, Said, Story, lines, summary

STORY = Story(
    "stop-rejected",
    "the stop vanishes",
    "over",
    "a position with its stop",
    "BTCUSDT",
    1_795_176_273_000,
    12.0,
    (Held("BTCUSDT", Decimal("-0.076"), Decimal(64817), Decimal(64990)),),
    (),
    (Deed(24, "position/trading-stop BTCUSDT (rest)", "10001 no"), Deed(37, "order/create BTCUSDT (trade)")),
    (
        Done(46, "BTCUSDT", "Buy", Decimal("0.022"), Decimal(64841), "Trade", ours=True),
        Done(46, "BTCUSDT", "Buy", Decimal("0.054"), Decimal(64842), "Trade", ours=True),
        Done(90, "BTCUSDT", "Buy", Decimal(1), Decimal(70000), "BustTrade", ours=False),
    ),
    36,
    Decimal(10_000),
    Decimal("9990.06"),
)
RECEIPT = CrisisReceipt(
    STORY,
    24,
    (Said(38, "closing: the stop was refused"),),
    (Said(500, "panic by operator"),),
    1,
    2,
    3,
    4,
    (),
    books_agree=True,
)


def test_what_happened_is_told_in_its_order() -> None:
    assert lines(RECEIPT) == (
        "CRISIS stop-rejected: the stop vanishes",
        "  struck   BTCUSDT at 12:04:33 UTC, over after 12.0 s",
        "  before   BTCUSDT -0.076 @ 64817, stop 64990",
        "  after    flat",
        "  program  asked first after 24 ms; 2 requests, 3 fills, 1 gaps, 2 resyncs, 4 breaker trips",
        "  safety   36 ms without a stop",
        "  trader   +0.500 s panic by operator",
        "  equity   10000.00 -> 9990.06 USDT",
        "  books    ledger and exchange agree",
        "   +0.024 s asked position/trading-stop BTCUSDT (rest): 10001 no",
        "   +0.037 s asked order/create BTCUSDT (trade): no answer",
        "   +0.038 s closing: the stop was refused",
        "   +0.046 s fill BTCUSDT Buy 0.076 at 64841 to 64842",
        "   +0.090 s BustTrade BTCUSDT Buy 1 at 70000, not by an order of ours",
    )
    assert (
        summary(RECEIPT)
        == "stop-rejected is over after 12.0 s: 36 ms without a stop, flat; ledger and exchange agree"
    )


def test_books_that_differ_and_positions_without_a_stop_are_not_kept_quiet() -> None:
    naked = replace(STORY, after=(Held("BTCUSDT", Decimal(1), Decimal(64817), None),))
    worse = replace(RECEIPT, story=naked, reacted_ms=None, books=("position BTCUSDT: ...",), books_agree=False)
    assert "BTCUSDT +1 @ 64817, NO STOP" in summary(worse)
    assert summary(worse).endswith("NOT PROVEN: position BTCUSDT: ...")
    assert "  program  nothing to ask for; 2 requests, 3 fills, 1 gaps, 2 resyncs, 4 breaker trips" in lines(worse)
    many = replace(RECEIPT, said=tuple(Said(n, "line") for n in range(100)))
    assert lines(many)[-1] == "  ... and 44 more, see the log"
