"""What is believed is the same in every pane, and nothing is believed for longer than its proof is young."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from breakwall.app.dialogs.leave import Leave
from breakwall.app.heatmap.labels import own_prices
from breakwall.app.look import Look
from breakwall.app.themes.ink import Ink
from breakwall.app.trust import PROVEN_MS, Stop, doubt, open_pnl, rests, status_words, stop_of
from breakwall.app.widgets.ladder import own_of
from breakwall.app.widgets.positions import Positions, proof
from breakwall.app.widgets.status import money_row
from breakwall.model.view import View


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"proof_age_ms": 0}, Stop.PROVEN),
        ({"proof_age_ms": PROVEN_MS}, Stop.PROVEN),
        ({"proof_age_ms": PROVEN_MS + 1}, Stop.UNPROVEN),
        ({"proof_age_ms": None}, Stop.UNPROVEN),
        ({"proof_age_ms": 0, "naked_ms": 0}, Stop.NONE),
        ({"proof_age_ms": 0, "stop": None}, Stop.NONE),
    ],
)
def test_a_stop_is_proven_while_its_proof_is_young(view: View, changes: dict[str, int | None], known: Stop) -> None:
    assert stop_of(replace(view.positions[0], **changes)) is known


@pytest.mark.parametrize("proof_age_ms", [0, PROVEN_MS, PROVEN_MS + 1, None])
def test_panes_agree_on_a_stop(view: View, proof_age_ms: int | None) -> None:
    held = replace(view.positions[0], proof_age_ms=proof_age_ms)
    shown, market = replace(view, positions=(held,), orders=()), view.symbols[0]
    told = proof(held)[0].startswith("PROTECTED")
    assert ("S" in [own.letter for own in own_of(shown, market, 1)]) is told
    assert ("STOP" in [own.words for own in own_prices(shown, market)]) is told


@pytest.mark.parametrize(
    "state", ["PENDING", "SENT", "UNKNOWN", "PLACED", "PARTIALLY_FILLED", "AMENDING", "CANCELLING"]
)
def test_panes_agree_on_an_order(view: View, state: str) -> None:
    order = replace(view.orders[0], state=state)
    shown, market = replace(view, positions=(), orders=(order,)), view.symbols[0]
    assert [own.letter for own in own_of(shown, market, 1)] == ["O" if rests(order) else "O?"]
    assert [own.word for own in own_prices(shown, market)] == ["BUY" if rests(order) else "BUY?"]


def test_only_a_live_market_is_believed(make_market: Callable[..., object]) -> None:
    assert [doubt(make_market(status=status)) for status in ("LIVE", "STALE", "RESYNC", "WAITING")] == ["", *"???"]
    assert doubt(None) == "?"
    assert status_words(make_market(status="STALE", age_ms=6_200)) == ("STALE 6.2s", "bar-bad")
    assert status_words(make_market())[0] == ""


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, "not known yet: the account was not read"),
        (PROVEN_MS, "flat: no position is held"),
        (PROVEN_MS + 1_000, "flat 11s ago: the account was not read since"),
    ],
)
def test_nobody_is_called_flat_before_the_account_was_read(
    view: View, look: Look, ink: Ink, plain: Callable[..., str], ms: int | None, words: str
) -> None:
    shown = replace(view, positions=(), read_back_age_ms=ms)
    assert words in plain(Positions(ink, look).rows(shown, 120, 5))
    assert words in plain(Leave().lines(shown, 84, 12))
    money = "".join(text for text, _ in money_row(shown, look.symbol, 200))
    assert (" flat  " in money) is (words.startswith("flat:"))


def test_the_sum_of_what_is_open_is_doubted_everywhere(view: View, look: Look, ink: Ink) -> None:
    stale = replace(view, symbols=tuple(replace(market, status="STALE") for market in view.symbols))
    assert open_pnl(view)[0] == open_pnl(stale)[0]
    assert open_pnl(stale)[1] == "?"
    title = "".join(text for text, _ in Positions(ink, look).rows(stale, 160, 5)[0])
    assert title.rstrip().endswith("?")
