"""Every class of answer, and what nobody may ever take for a rejection."""

import pytest

from breakwall.model.events import OutcomeKind
from breakwall.venues.bybit.outcome import REACTIONS, Reaction, of_code, of_status, unknown


@pytest.mark.parametrize(
    ("code", "reaction", "kind"),
    [
        (0, Reaction.OK, OutcomeKind.CONFIRMED),
        (10002, Reaction.RETRY, OutcomeKind.REJECTED),
        (10006, Reaction.RETRY, OutcomeKind.REJECTED),
        (10014, Reaction.AMBIGUOUS, OutcomeKind.UNKNOWN),
        (10000, Reaction.AMBIGUOUS, OutcomeKind.UNKNOWN),
        (10016, Reaction.AMBIGUOUS, OutcomeKind.UNKNOWN),
        (10019, Reaction.AMBIGUOUS, OutcomeKind.UNKNOWN),
        (110072, Reaction.VERIFY, OutcomeKind.UNKNOWN),
        (34040, Reaction.VERIFY, OutcomeKind.UNKNOWN),
        (10001, Reaction.REFUSED, OutcomeKind.REJECTED),
        (110007, Reaction.RISK, OutcomeKind.REJECTED),
        (10003, Reaction.ALARM, OutcomeKind.REJECTED),
        (33004, Reaction.ALARM, OutcomeKind.REJECTED),
        (424242, Reaction.AMBIGUOUS, OutcomeKind.UNKNOWN),
    ],
)
def test_codes(code: int, reaction: Reaction, kind: OutcomeKind) -> None:
    verdict = of_code(code, "said so")
    assert (verdict.reaction, verdict.kind, verdict.code) == (reaction, kind, code)


def test_reasons_are_plain_words_with_the_venue_s_text_made_harmless() -> None:
    verdict = of_code(110007, "ab not enough\x1b[2J")
    assert verdict.reason == "110007: not enough free margin (ab not enough[2J)"
    assert of_code(0, "OK").reason == ""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, OutcomeKind.UNKNOWN),
        (502, OutcomeKind.UNKNOWN),
        (504, OutcomeKind.UNKNOWN),
        (429, OutcomeKind.UNKNOWN),
        (302, OutcomeKind.UNKNOWN),
        (400, OutcomeKind.REJECTED),
        (401, OutcomeKind.REJECTED),
        (403, OutcomeKind.REJECTED),
        (404, OutcomeKind.REJECTED),
    ],
)
def test_statuses(status: int, kind: OutcomeKind) -> None:
    verdict = of_status(status)
    assert verdict is not None
    assert verdict.kind is kind
    assert f"HTTP {status}" in verdict.reason


def test_a_good_status_says_nothing_yet() -> None:
    assert of_status(200) is None


def test_a_network_failure_is_never_a_rejection() -> None:
    assert unknown("gone").kind is OutcomeKind.UNKNOWN


def test_no_code_is_in_two_classes() -> None:
    assert len(REACTIONS) > 80
    assert all(words for _, words in REACTIONS.values())
